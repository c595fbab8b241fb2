//! A task and the job that runs it change in one transaction.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tuner_store::{
    JobFilter, JobKind, JobStatus, Needs, NewJob, NewTask, Resource, StoreError, TaskEnd, TaskId, TaskStatus,
};

use crate::fixture::{Fixture, Hands, TTL, ask, completed, noon, owner, spec};

fn run(pid: u32) -> tuner_store::JobAsk {
    tuner_store::JobAsk { kinds: vec![JobKind::RunTask], ..ask(pid) }
}

fn new(name: &str) -> NewTask {
    NewTask { id: TaskId::new(), spec: spec(name), source: String::new() }
}

pub(crate) async fn a_task_and_its_job_are_stored_both_or_neither(f: Fixture) {
    let smoke = new("smoke");
    let id = smoke.id;
    let needs = Needs { backend: Some("local".to_owned()), ..Needs::default() };
    let (task, job) = f.store.create_queued_task(smoke.clone(), NewJob::run_task(id, needs)).await.unwrap();
    assert_eq!((task.status, job.status, job.task), (TaskStatus::Pending, JobStatus::Queued, Some(id)));
    let told = f.store.events_since(0, Some(id), 100).await.unwrap();
    assert_eq!(told.iter().map(|e| e.event.kind()).collect::<Vec<_>>(), ["task_created", "job"]);

    // The same question again, with a job that was made anew.
    let again = f.store.create_queued_task(smoke, NewJob::run_task(id, Needs::default())).await.unwrap();
    assert_eq!((again.0, again.1), (task, job));
    let taken = new("smoke");
    let refused = f.store.create_queued_task(taken.clone(), NewJob::run_task(taken.id, Needs::default())).await;
    assert!(matches!(refused, Err(StoreError::NameTaken { .. })), "{refused:?}");
    let orphan = f.store.create_queued_task(new("other"), NewJob::run_task(TaskId::new(), Needs::default())).await;
    assert!(matches!(orphan, Err(StoreError::NoSuchTask { .. })), "{orphan:?}");
    assert!(f.store.task("other").await.is_err(), "without its job there is no task");
    assert_eq!(f.store.list_jobs(&JobFilter::default(), None, 10).await.unwrap().jobs.len(), 1);
}

pub(crate) async fn stopping_a_pending_task_takes_its_job_out_of_the_queue(f: Fixture) {
    let smoke = new("smoke");
    let id = smoke.id;
    let (_, job) = f.store.create_queued_task(smoke, NewJob::run_task(id, Needs::default())).await.unwrap();
    assert_eq!(f.store.request_cancel(id).await.unwrap(), TaskStatus::Cancelled);
    assert_eq!(f.store.job(job.id).await.unwrap().status, JobStatus::Cancelled);
    assert!(f.store.claim_job(&run(1)).await.unwrap().is_none());

    let again = f.store.queue_task(id, NewJob::run_task(id, Needs::default())).await.unwrap();
    assert_ne!(again.id, job.id);
    let row = f.store.task("smoke").await.unwrap();
    assert_eq!((row.status, row.cancel_requested), (TaskStatus::Pending, false));
    let twice = f.store.queue_task(id, NewJob::run_task(id, Needs::default())).await.unwrap();
    assert_eq!(twice.id, again.id);
}

pub(crate) async fn stopping_a_running_task_reaches_its_worker_through_the_job(f: Fixture) {
    let hands = Hands::at(noon());
    let store = f.store.clone().with_clock(hands.clock());
    let smoke = new("smoke");
    let id = smoke.id;
    store.create_queued_task(smoke, NewJob::run_task(id, Needs::default())).await.unwrap();
    let pen = store.claim_job(&run(1)).await.unwrap().unwrap();
    let lease = store.claim(&Resource::task(id), &owner(1), TTL, hands.now()).await.unwrap().won().unwrap();
    let task = store.claimed(id, lease.clone());
    task.start_task().await.unwrap();
    assert!(matches!(store.delete_task(id).await, Err(StoreError::InUse { .. })));
    assert_eq!(store.request_cancel(id).await.unwrap(), TaskStatus::Cancelling);
    assert!(pen.renew(None).await.unwrap().cancel_requested);
    let refused = store.queue_task(id, NewJob::run_task(id, Needs::default())).await;
    assert!(matches!(refused, Err(StoreError::InUse { .. })), "{refused:?}");
    task.finish_task(TaskEnd { status: TaskStatus::Cancelled, verdict: None, failure: None }).await.unwrap();
    pen.cancelled().await.unwrap();
    store.release(&lease).await.unwrap();

    // Gone on with, failed, waiting: somebody must see that nothing of it runs, and now.
    store.queue_task(id, NewJob::run_task(id, Needs::default())).await.unwrap();
    let pen = store.claim_job(&run(2)).await.unwrap().unwrap();
    let lease = store.claim(&Resource::task(id), &owner(2), TTL, hands.now()).await.unwrap().won().unwrap();
    store.claimed(id, lease.clone()).start_task().await.unwrap();
    store.release(&lease).await.unwrap();
    pen.fail("the host went away", tuner_store::Again::WithBackOff).await.unwrap();
    assert!(store.claim_job(&run(3)).await.unwrap().is_none());
    assert_eq!(store.request_cancel(id).await.unwrap(), TaskStatus::Cancelling);
    let pen = store.claim_job(&run(3)).await.unwrap().expect("brought forward");
    assert!(!pen.job().cancel_requested, "it is the task that ends");
    let lease = store.claim(&Resource::task(id), &owner(3), TTL, hands.now()).await.unwrap().won().unwrap();
    let task = store.claimed(id, lease.clone());
    assert_eq!(task.start_task().await.unwrap(), TaskStatus::Cancelling);
    task.finish_task(TaskEnd { status: TaskStatus::Cancelled, verdict: None, failure: None }).await.unwrap();
    pen.finish(None).await.unwrap();
    store.release(&lease).await.unwrap();
    store.delete_task(id).await.unwrap();
    assert!(store.list_jobs(&JobFilter::default(), None, 10).await.unwrap().jobs.is_empty(), "they go with it");
}

pub(crate) async fn a_completed_task_is_not_queued_again(f: Fixture) {
    let id = f.task("smoke").await;
    let pen = f.pen(id).await;
    pen.start_task().await.unwrap();
    pen.finish_task(completed()).await.unwrap();
    let refused = f.store.queue_task(id, NewJob::run_task(id, Needs::default())).await;
    assert!(matches!(refused, Err(StoreError::WrongState { .. })), "{refused:?}");
}

/// Whoever reads on from the last number it saw must have seen every event with a smaller one.
pub(crate) async fn events_become_visible_in_the_order_of_their_numbers(f: Fixture) {
    const WRITERS: u32 = 4;
    let ended = Arc::new(AtomicBool::new(false));
    let mut readers = Vec::new();
    for _ in 0..2 {
        let (store, ended) = (f.another().await, ended.clone());
        readers.push(tokio::spawn(async move {
            let mut seen: Vec<i64> = Vec::new();
            loop {
                let last = ended.load(Ordering::SeqCst);
                let next = store.events_since(seen.last().copied().unwrap_or(0), None, 7).await.unwrap();
                if last && next.is_empty() {
                    return seen;
                }
                seen.extend(next.iter().map(|e| e.seq));
            }
        }));
    }
    let mut writers = Vec::new();
    for w in 0..WRITERS {
        let store = f.another().await;
        writers.push(tokio::spawn(async move {
            for n in 0..25_u64 {
                // Some are dropped halfway; a server does not use their numbers again.
                let dropped = store.enqueue(NewJob::new(JobKind::RenderReport, serde_json::json!(n)));
                let _ = tokio::time::timeout(Duration::from_micros(200 * n), dropped).await;
                let task = new(&format!("{w}-{n}"));
                let job = NewJob::run_task(task.id, Needs::default());
                store.create_queued_task(task, job).await.unwrap();
            }
        }));
    }
    for writer in writers {
        writer.await.unwrap();
    }
    ended.store(true, Ordering::SeqCst);
    let all: Vec<i64> = f.store.events_since(0, None, 10_000).await.unwrap().iter().map(|e| e.seq).collect();
    assert!(all.len() >= 200, "{}", all.len());
    for reader in readers {
        assert_eq!(reader.await.unwrap(), all);
    }
}
