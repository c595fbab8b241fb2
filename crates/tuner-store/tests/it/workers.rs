//! Who works, whether it lives, and what it is asked.

use tuner_store::{
    Asked, Capabilities, Event, Load, NewWorker, PROTOCOL, Store, StoreError, WORKER_EXPIRY, WorkerChange, WorkerId,
};

use crate::fixture::{Fixture, Hands, ask, noon, owner};

fn new(pid: u32) -> NewWorker {
    let capabilities =
        Capabilities { host: "gpu-7".to_owned(), backends: vec!["local".to_owned()], ..Default::default() };
    NewWorker { id: WorkerId::new(), owner: owner(pid), version: "0.1.0".to_owned(), slots: 2, capabilities }
}

async fn told(store: &Store) -> Vec<WorkerChange> {
    let told = store.events_since(0, None, 1000).await.unwrap();
    let of_workers = told.into_iter().filter_map(|row| match row.event {
        Event::Worker { change, .. } => Some(change),
        _ => None,
    });
    of_workers.collect()
}

pub(crate) async fn a_worker_is_known_with_what_it_has_until_it_is_silent(f: Fixture) {
    let hands = Hands::at(noon());
    let store = f.store.clone().with_clock(hands.clock());
    let one = new(1);
    let row = store.register_worker(one.clone()).await.unwrap();
    assert_eq!((row.alive, row.asked, row.slots, row.protocol), (true, Asked::Run, 2, PROTOCOL));
    store.register_worker(new(2)).await.unwrap();
    hands.forward(20);
    let load = Load { busy_slots: 1, free_gpus: 3, jobs: Vec::new() };
    let seq = store.last_event_seq().await.unwrap();
    assert_eq!(store.worker_heartbeat(one.id, &load).await.unwrap(), Asked::Run);
    assert_eq!(store.last_event_seq().await.unwrap(), seq, "a heartbeat is no news");
    hands.forward(WORKER_EXPIRY.as_secs() as i64 - 20);
    let rows = store.list_workers().await.unwrap();
    let seen: Vec<_> = rows.iter().map(|w| (w.owner.pid, w.alive, w.silent_s)).collect();
    assert_eq!(seen, [(1, true, 10.0), (2, false, 30.0)]);
    assert_eq!((&rows[0].load, &rows[0].capabilities), (&load, &one.capabilities));
    assert_eq!(store.worker(one.id).await.unwrap(), rows[0]);
}

pub(crate) async fn a_worker_obeys_with_its_next_heartbeat(f: Fixture) {
    let one = new(1);
    f.store.register_worker(one.clone()).await.unwrap();
    for asked in [Asked::Drain, Asked::Restart, Asked::Stop] {
        for _ in 0..2 {
            f.another().await.ask_worker(one.id, asked).await.unwrap();
        }
        assert_eq!(f.store.worker_heartbeat(one.id, &Load::default()).await.unwrap(), asked);
    }
    // It says what it has again, without forgetting what it was asked.
    let upgraded = NewWorker { version: "0.2.0".to_owned(), ..one.clone() };
    let row = f.store.register_worker(upgraded).await.unwrap();
    assert_eq!((row.version.as_str(), row.asked), ("0.2.0", Asked::Stop));
    f.another().await.remove_worker(one.id).await.unwrap();
    let gone = f.store.worker_heartbeat(one.id, &Load::default()).await;
    assert!(matches!(gone, Err(StoreError::NotFound { .. })), "{gone:?}");
    assert!(matches!(f.store.remove_worker(one.id).await, Err(StoreError::NotFound { .. })));
    assert!(matches!(f.store.ask_worker(one.id, Asked::Run).await, Err(StoreError::NotFound { .. })));
    assert!(f.store.list_workers().await.unwrap().is_empty());
    let registered = |version: &str| WorkerChange::Registered { owner: owner(1), version: version.to_owned() };
    let asked = |asked| WorkerChange::Asked { asked };
    assert_eq!(
        told(&f.store).await,
        [
            registered("0.1.0"),
            asked(Asked::Drain),
            asked(Asked::Restart),
            asked(Asked::Stop),
            registered("0.2.0"),
            WorkerChange::Removed,
        ]
    );
}

pub(crate) async fn a_worker_of_an_older_version_is_refused_by_name(f: Fixture) {
    let Some(raw) = f.raw().await else { return };
    let one = new(1);
    f.store.register_worker(one.clone()).await.unwrap();
    f.store.enqueue(tuner_store::NewJob::new(ask(1).kinds[0], serde_json::json!({}))).await.unwrap();
    let newer = format!("UPDATE facts SET value = {} WHERE name = 'protocol'", PROTOCOL + 1);
    sea_orm::ConnectionTrait::execute_unprepared(&raw, &newer).await.unwrap();
    let refused = [
        f.store.worker_heartbeat(one.id, &Load::default()).await.map(|_| ()),
        f.store.register_worker(new(2)).await.map(|_| ()),
        f.store.claim_job(&ask(1)).await.map(|_| ()),
    ];
    for (n, result) in refused.into_iter().enumerate() {
        match result {
            Err(e @ StoreError::StaleVersion { ours: PROTOCOL, .. }) => {
                assert_eq!(
                    e.to_string(),
                    "the store is used by a newer version of this program (protocol 3, this one speaks 2)"
                );
                assert!(e.hint().is_some());
            }
            other => panic!("{n}: {other:?}"),
        }
    }
    assert_eq!(f.another().await.list_workers().await.unwrap().len(), 1, "it may look on");
}
