//! Machines that workers are deployed to, and what workers are called.

use serde_json::json;
use tuner_store::{
    Capabilities, Event, MACHINE_LABEL, MachineChange, NewMachine, NewWorker, Owner, Store, StoreError, WorkerId,
};
use uuid::Uuid;

use crate::fixture::{Fixture, owner};

pub(crate) fn machine(name: &str) -> NewMachine {
    let options = json!({ "ssh": { "host": "gpu-7", "port": 2222 }, "slots": 2 });
    NewMachine { id: Uuid::now_v7(), name: name.to_owned(), host: None, target: Some("me@gpu-7".to_owned()), options }
}

async fn told(store: &Store, from: i64) -> Vec<(String, MachineChange)> {
    let told = store.events_since(from, None, 100).await.unwrap();
    let of_machines = told.into_iter().filter_map(|row| match row.event {
        Event::Machine { name, change, .. } => Some((name, change)),
        _ => None,
    });
    of_machines.collect()
}

pub(crate) async fn a_machine_is_stored_changed_deployed_to_renamed_and_forgotten_and_each_change_is_told(f: Fixture) {
    let from = f.store.last_event_seq().await.unwrap();
    let (one, two) = (machine("gpu-a"), machine("gpu-b"));
    let row = f.store.create_machine(one.clone()).await.unwrap();
    assert_eq!((row.id, &row.options, row.deployed_at), (one.id, &one.options, None));
    assert_eq!(f.store.create_machine(one.clone()).await.unwrap(), row, "under one id once");
    f.store.create_machine(two.clone()).await.unwrap();
    let taken = f.store.create_machine(machine("gpu-a")).await;
    assert!(matches!(taken, Err(StoreError::Taken { what: "worker", .. })), "{taken:?}");
    assert!(matches!(f.store.rename_machine(two.id, "gpu-a").await, Err(StoreError::Taken { .. })));

    let changed = f.store.change_machine(one.id, "root@gpu-7", &json!({ "slots": 1 })).await.unwrap();
    assert_eq!((changed.target.as_deref(), &changed.options), (Some("root@gpu-7"), &json!({ "slots": 1 })));
    let deployed = f.store.machine_deployed(one.id, "gpu-7").await.unwrap();
    assert_eq!((deployed.host.as_deref(), deployed.deployed_at.is_some()), (Some("gpu-7"), true));
    let named = f.another().await.rename_machine(one.id, "lab").await.unwrap();
    assert_eq!(f.store.rename_machine(one.id, "lab").await.unwrap(), named, "again changes nothing");
    assert_eq!(f.store.machine("lab").await.unwrap(), Some(named.clone()));
    assert_eq!(f.store.machine("gpu-a").await.unwrap(), None);
    let all: Vec<String> = f.store.machines().await.unwrap().into_iter().map(|row| row.name).collect();
    assert_eq!(all, ["gpu-b", "lab"]);

    f.store.forget_machine(one.id).await.unwrap();
    assert!(matches!(f.store.forget_machine(one.id).await, Err(StoreError::NotFound { .. })));
    assert!(matches!(f.store.machine_deployed(one.id, "x").await, Err(StoreError::NotFound { .. })));
    use MachineChange::{Changed, Deployed, Forgotten, Renamed, Stored};
    let said = |name: &str, change| (name.to_owned(), change);
    assert_eq!(
        told(&f.store, from).await,
        [
            said("gpu-a", Stored),
            said("gpu-b", Stored),
            said("gpu-a", Changed),
            said("gpu-a", Deployed),
            said("lab", Renamed),
            said("lab", Forgotten),
        ]
    );
}

/// W44: two workers of one host are told apart by where they were deployed to, not by their host's name.
pub(crate) async fn a_worker_has_the_name_of_the_machine_that_it_was_deployed_to_or_of_its_host(f: Fixture) {
    let deployed = f.store.create_machine(machine("gpu-a")).await.unwrap();
    let worker = |pid: u32, host: &str, mark: Option<Uuid>| {
        let labels = mark.iter().map(|id| (MACHINE_LABEL.to_owned(), id.to_string())).collect();
        let owner = Owner { host: host.to_owned(), ..owner(pid) };
        let capabilities = Capabilities { host: host.to_owned(), labels, ..Default::default() };
        NewWorker { id: WorkerId::new(), owner, version: "0.1.0".to_owned(), slots: 1, capabilities }
    };
    let marked = worker(1, "gpu-7", Some(deployed.id));
    let [beside, elsewhere] = [worker(2, "gpu-7", None), worker(3, "gpu-9", None)];
    for new in [&marked, &beside, &elsewhere] {
        f.store.register_worker(new.clone()).await.unwrap();
    }
    f.store.machine_deployed(deployed.id, "gpu-7").await.unwrap();
    let only_a_name = NewMachine { host: Some("gpu-9".to_owned()), target: None, ..machine("nine") };
    f.store.create_machine(only_a_name).await.unwrap();
    let names = async || -> Vec<Option<String>> {
        f.store.list_workers().await.unwrap().into_iter().map(|row| row.name).collect()
    };
    let called = |name: &str| Some(name.to_owned());
    assert_eq!(names().await, [called("gpu-a"), None, called("nine")]);
    f.store.rename_machine(deployed.id, "lab").await.unwrap();
    assert_eq!(f.store.worker(marked.id).await.unwrap().name, called("lab"));
    f.store.forget_machine(deployed.id).await.unwrap();
    assert_eq!(names().await, [None, None, called("nine")]);
}
