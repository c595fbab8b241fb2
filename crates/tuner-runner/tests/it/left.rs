//! What workers leave behind that do not live any more.

use std::time::Duration;

use chrono::{TimeDelta, Utc};
use tuner_core::plan::Role;
use tuner_runner::{Caretaker, this_process};
use tuner_store::{Capabilities, NewDeployment, NewWorker, Owner, Resource, Running, Store, WorkerId};

use crate::world::World;

const TASK: &str = "
name: left
model: {id: llama-3.1-8b}
engine: {name: simulated}
search_space: {parameters: {}}
workload: {scenario: 'D(16,4)'}
load: {levels: [{concurrency: 1}], requests: 4}
";

const LEASE: Duration = Duration::from_secs(30);

fn dead() -> Owner {
    let here = this_process();
    Owner { start_ticks: here.start_ticks + 1, ..here }
}

fn elsewhere() -> Owner {
    Owner { host: "elsewhere.invalid".to_owned(), pid: 7, start_ticks: 7, pid_namespace: None }
}

/// Somebody who holds the first experiment since so long, with an engine, a port and a GPU.
async fn holding(owner: &Owner, age: TimeDelta) -> (World, String) {
    let world = World::in_virtual_time(TASK).await;
    let store = &world.worker.store;
    let now = Utc::now() - age;
    let claim = async |resource| store.claim(&resource, owner, LEASE, now).await.unwrap().won().unwrap();
    let pen = store.claimed(world.task, claim(Resource::task(world.task)).await);
    pen.start_task().await.unwrap();
    pen.create_experiment(1, Role::Baseline, &world.loaded.spec.baseline).await.unwrap();
    // Its lease on the experiment has another fence than the one on the task.
    store.release(&claim(Resource::experiment(world.task, 1)).await).await.unwrap();
    let running = store.claimed(world.task, claim(Resource::experiment(world.task, 1)).await);
    let attempt = running.begin_attempt(1).await.unwrap();
    let id = format!("{}-e1-a{attempt}", world.task);
    let new = NewDeployment {
        id: id.clone(),
        experiment: 1,
        attempt,
        kind: "local".to_owned(),
        ports: vec![20_001],
        log_path: None,
    };
    assert_eq!(running.reserve_deployment(&new).await.unwrap(), Some(20_001));
    assert_eq!(running.reserve_gpus(&id, 1, &[0]).await.unwrap(), [0]);
    running.deployment_running(&id, &Running::default()).await.unwrap();
    (world, id)
}

async fn kept(store: &Store) -> usize {
    let held = store.counts().await.unwrap().held_gpus as usize;
    assert_eq!(store.live_deployments().await.unwrap().len(), held);
    held
}

/// R14.4, B8: what was set aside for a dead process is there for others at once, whether or not its task goes on.
#[tokio::test]
async fn what_a_dead_process_of_this_host_reserved_is_free_again() {
    let dir = tempfile::tempdir().unwrap();
    let (world, _) = holding(&dead(), TimeDelta::zero()).await;
    let mut caretaker = Caretaker::new(dir.path().to_owned());
    caretaker.look(&world.worker.store).await.unwrap();
    assert_eq!(kept(&world.worker.store).await, 0);

    let (world, _) = holding(&this_process(), TimeDelta::hours(1)).await;
    for _ in 0..2 {
        caretaker.look(&world.worker.store).await.unwrap();
    }
    assert_eq!(kept(&world.worker.store).await, 1, "who lives keeps it, whatever became of the lease");
    let resource = Resource::experiment(world.task, 1);
    world.worker.store.claim(&resource, &elsewhere(), LEASE, Utc::now()).await.unwrap().won().unwrap();
    caretaker.look(&world.worker.store).await.unwrap();
    assert_eq!(kept(&world.worker.store).await, 0, "the attempt is somebody else's now");
}

/// The same of a machine of which nothing is heard any more.
#[tokio::test]
async fn what_a_host_reserved_is_forgotten_when_nobody_is_there_and_its_claim_is_over() {
    let dir = tempfile::tempdir().unwrap();
    let caretaker = || Caretaker::new(dir.path().to_owned());
    let (world, _) = holding(&elsewhere(), TimeDelta::zero()).await;
    let store = &world.worker.store;
    assert!(caretaker().gone_after(Duration::ZERO).look(store).await.unwrap().is_empty(), "its claim lasts");

    let (world, id) = holding(&elsewhere(), TimeDelta::hours(1)).await;
    let store = &world.worker.store;
    assert!(caretaker().look(store).await.unwrap().is_empty(), "it may come back in a moment");
    let there = WorkerId::new();
    let capabilities = Capabilities { host: elsewhere().host, ..Capabilities::default() };
    let new = NewWorker { id: there, owner: elsewhere(), version: "1".to_owned(), slots: 1, capabilities };
    store.register_worker(new).await.unwrap();
    let mut impatient = caretaker().gone_after(Duration::ZERO);
    assert!(impatient.look(store).await.unwrap().is_empty(), "somebody is there");
    assert_eq!(kept(store).await, 1);
    store.remove_worker(there).await.unwrap();
    let found = impatient.look(store).await.unwrap();
    assert!(found.len() == 1 && found[0].starts_with(&id), "{found:?}");
    assert_eq!(kept(store).await, 0);
    let holder = store.holder(&Resource::experiment(world.task, 1)).await.unwrap();
    assert_eq!(holder, None, "whoever comes back has lost it, and stops the engine");
}
