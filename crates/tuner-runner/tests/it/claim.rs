//! Whose task it is.

use std::time::Duration;

use tuner_runner::{RunError, this_process};
use tuner_store::{Owner, Resource};

use crate::world::World;

const TASK: &str = "
name: claimed
model: {id: llama-3.1-8b}
engine: {name: simulated, hardware: {gpu: h100-80g}}
backend: {kind: virtual}
search_space: {parameters: {max-num-seqs: [8, 64]}}
workload: {scenario: 'D(32,8)'}
load: {levels: [{concurrency: 1}], requests: 4}
budget: {experiments: 1}
verification: {blocks: 0}
";

async fn held_by(owner: Owner) -> World {
    let world = World::in_virtual_time(TASK).await;
    let resource = Resource::task(world.task);
    let ttl = Duration::from_secs(600);
    world.worker.store.claim(&resource, &owner, ttl, chrono::Utc::now()).await.unwrap();
    world
}

#[tokio::test]
async fn a_living_holder_is_named() {
    let world = held_by(this_process()).await;
    let error = world.run().await.unwrap_err();
    let RunError::Busy { holder } = &error else { panic!("{error:?}") };
    assert_eq!(holder.owner, this_process());
    assert!(error.to_string().contains(&format!("pid {}", std::process::id())), "{error}");
}

/// B8: nobody waits for the lease of a process that is gone.
#[tokio::test]
async fn a_dead_holder_is_taken_over_at_once() {
    let recycled = Owner { start_ticks: this_process().start_ticks + 1, ..this_process() };
    held_by(recycled).await.run().await.unwrap();
}

#[tokio::test]
async fn a_holder_on_another_host_cannot_be_judged() {
    let elsewhere = Owner { host: "elsewhere.invalid".to_owned(), ..this_process() };
    let error = held_by(elsewhere).await.run().await.unwrap_err();
    assert!(matches!(error, RunError::Busy { .. }), "{error:?}");
}
