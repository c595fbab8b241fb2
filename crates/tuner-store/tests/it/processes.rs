//! Workers that are killed in the middle of jobs, as processes of their own.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;
use tuner_store::{Event, JobAsk, JobChange, JobFilter, JobKind, JobStatus, NewJob, Owner, Store};

use crate::fixture::{Fixture, ask};

const CHILD: &str = "TUNER_STORE_CHILD_QUEUE";
/// Short, so that a takeover takes no half minute.
const LEASE: Duration = Duration::from_millis(1500);

/// Not a test of its own: the process that the next test kills.
#[tokio::test]
#[ignore = "run by the test that kills it"]
async fn child_that_does_jobs_until_it_is_killed() {
    let store = Store::open_url(&std::env::var(CHILD).unwrap()).await.unwrap();
    let owner = Owner { host: "h".to_owned(), pid: std::process::id(), start_ticks: 0, pid_namespace: None };
    let ask = JobAsk { owner, ttl: LEASE, ..ask(0) };
    let mut work = store.work();
    loop {
        let Some(pen) = store.claim_job(&ask).await.unwrap() else {
            work.wait(Duration::from_secs(1)).await.unwrap();
            continue;
        };
        for done in 1..=3 {
            if !pen.renew(Some(&json!({ "done": done }))).await.unwrap().still_mine {
                break;
            }
        }
        // Whether it is still ours is for the store to say.
        let _ = pen.finish(Some(&json!(std::process::id()))).await;
    }
}

struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn worker(url: &str) -> Killed {
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "processes::child_that_does_jobs_until_it_is_killed", "--ignored"]);
    Killed(child.env(CHILD, url).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
}

// B8
pub(crate) async fn jobs_of_workers_killed_at_any_moment_are_each_done_once(f: Fixture) {
    const JOBS: usize = 150;
    let url = f.url.clone().unwrap();
    for n in 0..JOBS {
        let new = NewJob { max_attempts: 20, ..NewJob::new(JobKind::RenderReport, json!({ "n": n })) };
        f.store.enqueue(new).await.unwrap();
    }
    let mut workers = vec![worker(&url), worker(&url)];
    let limit = Instant::now() + Duration::from_secs(240);
    let mut killed = 0;
    let mut next_kill = f.store.last_event_seq().await.unwrap() + 20;
    loop {
        let seq = f.store.last_event_seq().await.unwrap();
        if killed < 6 && seq >= next_kill {
            // Somewhere between two of its writes, or in one.
            drop(workers.remove(0));
            workers.push(worker(&url));
            killed += 1;
            next_kill = seq + 31 + 7 * killed;
        }
        let depth = f.store.queue_depth().await.unwrap();
        if depth.is_empty() {
            break;
        }
        assert!(Instant::now() < limit, "{killed} killed, left: {depth:?}");
        for worker in &mut workers {
            assert!(worker.0.try_wait().unwrap().is_none(), "a worker ended by itself");
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    drop(workers);
    assert_eq!(killed, 6);
    let all = f.store.list_jobs(&JobFilter::default(), None, 1000).await.unwrap().jobs;
    assert_eq!(all.iter().filter(|job| job.status == JobStatus::Succeeded).count(), JOBS);
    let told = f.store.events_since(0, None, 100_000).await.unwrap();
    for job in &all {
        let of_job = told.iter().filter_map(|row| match &row.event {
            Event::Job { job: of, change } if *of == job.id => Some(change),
            _ => None,
        });
        let ended = of_job.clone().filter(|change| matches!(change, JobChange::Ended { .. })).count();
        let claimed = of_job.filter(|change| matches!(change, JobChange::Claimed { .. })).count();
        assert_eq!((ended, claimed), (1, job.attempts as usize), "job {}", job.id);
    }
}
