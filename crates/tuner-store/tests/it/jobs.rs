//! The run queue: what is claimed by whom, and how it ends.

use std::time::Duration;

use chrono::TimeDelta;
use serde_json::json;
use tuner_store::{
    AfterFailure, Again, Capabilities, ClaimedJob, Event, Gpu, JobChange, JobFilter, JobId, JobKind, JobRow, JobStatus,
    Needs, NewJob, Store, StoreError,
};

use crate::fixture::{Fixture, Hands, TTL, ask, noon, owner};

/// A store whose time stands still until it is moved.
fn stopped(f: &Fixture) -> (Store, Hands) {
    let hands = Hands::at(noon());
    (f.store.clone().with_clock(hands.clock()), hands)
}

fn report(n: u32) -> NewJob {
    NewJob::new(JobKind::RenderReport, json!({ "n": n }))
}

async fn claimed(store: &Store, pid: u32) -> ClaimedJob {
    store.claim_job(&ask(pid)).await.unwrap().expect("a job is in turn")
}

async fn changes(store: &Store, job: JobId) -> Vec<JobChange> {
    let told = store.events_since(0, None, 10_000).await.unwrap();
    let of_job = told.into_iter().filter_map(|row| match row.event {
        Event::Job { job: of, change } if of == job => Some(change),
        _ => None,
    });
    of_job.collect()
}

fn words(changes: &[JobChange]) -> Vec<String> {
    let word = |c: &JobChange| serde_json::to_value(c).unwrap()["change"].as_str().unwrap().to_owned();
    changes.iter().map(word).collect()
}

pub(crate) async fn a_job_is_done_and_its_story_told(f: Fixture) {
    let (store, hands) = stopped(&f);
    let job = store.enqueue(NewJob { payload: json!({ "task": "smoke" }), ..report(1) }).await.unwrap();
    assert_eq!((job.status, job.attempts, job.fence, job.run_after), (JobStatus::Queued, 0, 0, noon()));
    let pen = claimed(&store, 1).await;
    assert_eq!(pen.job().payload, json!({ "task": "smoke" }));
    assert_eq!((pen.job().attempts, pen.job().fence, pen.job().lease_until), (1, 1, Some(noon() + TTL)));
    assert!(store.claim_job(&ask(2)).await.unwrap().is_none());
    hands.forward(10);
    for _ in 0..2 {
        let beat = pen.renew(Some(&json!({ "done": 0.5 }))).await.unwrap();
        assert!(beat.still_mine && !beat.cancel_requested);
    }
    let seq = f.store.last_event_seq().await.unwrap();
    hands.forward(10);
    assert!(pen.renew(None).await.unwrap().still_mine);
    assert_eq!(f.store.last_event_seq().await.unwrap(), seq, "a heartbeat is no news");
    let row = f.another().await.job(job.id).await.unwrap();
    assert_eq!((row.status, row.progress), (JobStatus::Running, Some(json!({ "done": 0.5 }))));
    assert_eq!(row.lease_until, Some(noon() + Duration::from_secs(20) + TTL));
    pen.finish(Some(&json!({ "file": "a.html" }))).await.unwrap();
    let row = store.job(job.id).await.unwrap();
    assert_eq!((row.status, row.result), (JobStatus::Succeeded, Some(json!({ "file": "a.html" }))));
    assert_eq!((row.worker, row.lease_until), (Some(owner(1)), None));
    assert_eq!(row.ended_at, Some(noon() + Duration::from_secs(20)));
    assert_eq!(words(&changes(&store, job.id).await), ["queued", "claimed", "progressed", "ended"]);
    assert!(store.claim_job(&ask(2)).await.unwrap().is_none());
}

// B8
pub(crate) async fn every_write_of_a_job_done_twice_equals_the_write_done_once(f: Fixture) {
    let (store, _hands) = stopped(&f);
    let picture =
        async |id: JobId| (format!("{:?}", store.job(id).await.unwrap()), store.last_event_seq().await.unwrap());
    for n in 0..6_u32 {
        let new = report(n);
        let id = new.id;
        store.enqueue(new.clone()).await.unwrap();
        let pen = claimed(&store, 1).await;
        let end = async || match n {
            0 => pen.finish(Some(&json!({ "x": 0.1 + 0.2 }))).await,
            1 => pen.fail("the disk is full", Again::WithBackOff).await.map(|_| ()),
            2 => pen.fail("no such report", Again::Never).await.map(|_| ()),
            3 => pen.release().await,
            4 => pen.cancelled().await,
            _ => store.cancel_job(id).await.map(|status| assert_eq!(status, JobStatus::Running)),
        };
        end().await.unwrap();
        let once = picture(id).await;
        end().await.unwrap_or_else(|e| panic!("{n}: {e}"));
        store.enqueue(new.clone()).await.unwrap();
        assert_eq!(picture(id).await, once, "{n}");
        store.enqueue(NewJob { payload: json!("other"), ..new }).await.unwrap_err();
        // What is left must not be in the way of the next.
        let _ = store.cancel_job(id).await.unwrap();
    }
}

pub(crate) async fn a_key_belongs_to_one_live_job(f: Fixture) {
    let new = || NewJob { unique_key: Some("report:smoke".to_owned()), ..report(1) };
    let first = f.store.enqueue(new()).await.unwrap();
    assert_eq!(f.another().await.enqueue(new()).await.unwrap(), first);
    let pen = claimed(&f.store, 1).await;
    assert_eq!(f.store.enqueue(new()).await.unwrap().id, first.id, "it runs, so it is live");
    pen.finish(None).await.unwrap();
    let second = f.store.enqueue(new()).await.unwrap();
    assert_ne!(second.id, first.id);
    let racers = (0..4).map(|_| {
        let (f, new) = (f.store.clone(), NewJob { unique_key: Some("report:other".to_owned()), ..report(2) });
        tokio::spawn(async move { f.enqueue(new).await.unwrap().id })
    });
    let mut won = Vec::new();
    for racer in racers.collect::<Vec<_>>() {
        won.push(racer.await.unwrap());
    }
    won.dedup();
    assert_eq!(won.len(), 1, "{won:?}");
}

pub(crate) async fn of_racing_workers_each_job_goes_to_one(f: Fixture) {
    const JOBS: u32 = 60;
    for n in 0..JOBS {
        f.store.enqueue(report(n)).await.unwrap();
    }
    let mut racers = Vec::new();
    for pid in 0..4 {
        let store = f.another().await;
        racers.push(tokio::spawn(async move {
            let mut done = Vec::new();
            while let Some(pen) = store.claim_job(&ask(pid)).await.unwrap() {
                assert_eq!((pen.job().fence, pen.job().attempts), (1, 1));
                pen.finish(Some(&json!(pid))).await.unwrap();
                done.push(pen.job().id);
            }
            done
        }));
    }
    let mut all = Vec::new();
    for racer in racers {
        all.extend(racer.await.unwrap());
    }
    let claims = all.len();
    all.sort_unstable();
    all.dedup();
    assert_eq!((claims, all.len()), (JOBS as usize, JOBS as usize));
}

pub(crate) async fn priority_then_time_then_age_decide_the_turn(f: Fixture) {
    let (store, hands) = stopped(&f);
    let in_s = |s: i64| Some(noon() + TimeDelta::seconds(s));
    let jobs = [
        NewJob { priority: 0, ..report(3) },
        NewJob { priority: 0, ..report(4) },
        NewJob { priority: -1, ..report(5) },
        NewJob { priority: 5, run_after: in_s(60), ..report(1) },
        NewJob { priority: 0, run_after: in_s(-60), ..report(2) },
        NewJob { priority: 9, run_after: in_s(61), ..report(9) },
    ];
    for job in jobs {
        store.enqueue(job).await.unwrap();
    }
    hands.forward(60);
    let mut turns = Vec::new();
    while let Some(pen) = store.claim_job(&ask(1)).await.unwrap() {
        turns.push(pen.job().payload["n"].as_u64().unwrap());
    }
    assert_eq!(turns, [1, 2, 3, 4, 5]);
    let depth = store.queue_depth().await.unwrap()[&JobKind::RenderReport];
    assert_eq!((depth.queued, depth.running, depth.oldest), (1, 5, None));
    let other = tuner_store::JobAsk { kinds: vec![JobKind::RunTask], ..ask(1) };
    hands.forward(1);
    assert!(store.claim_job(&other).await.unwrap().is_none(), "not its kind");
    assert_eq!(claimed(&store, 1).await.job().payload["n"], 9);
}

pub(crate) async fn a_job_goes_where_its_needs_are_met(f: Fixture) {
    // More than one page of jobs that nobody here can do.
    for n in 0..60 {
        let needs = Needs { gpus: 8, ..Needs::default() };
        f.store.enqueue(NewJob { needs, priority: 1, ..report(n) }).await.unwrap();
    }
    let needs =
        Needs { gpus: 2, gpu_model: Some("h100".to_owned()), engine: Some("vllm".to_owned()), ..Needs::default() };
    let two = f.store.enqueue(NewJob { needs, ..report(100) }).await.unwrap();
    let gpu = Gpu { model: "NVIDIA H100 80GB HBM3".to_owned(), memory_mib: 81_559 };
    let mut worker = ask(1);
    worker.offer = Capabilities { gpus: vec![gpu.clone()], ..Capabilities::default() };
    assert!(f.store.claim_job(&worker).await.unwrap().is_none());
    worker.offer.gpus.push(gpu);
    assert!(f.store.claim_job(&worker).await.unwrap().is_none());
    worker.offer.engines.insert("vllm".to_owned(), "0.32.0".to_owned());
    assert_eq!(f.store.claim_job(&worker).await.unwrap().unwrap().job().id, two.id);
    assert!(f.store.claim_job(&worker).await.unwrap().is_none());
}

// B8
pub(crate) async fn a_stale_worker_cannot_finish_a_job(f: Fixture) {
    let (store, hands) = stopped(&f);
    let job = store.enqueue(report(1)).await.unwrap();
    let stale = claimed(&store, 1).await;
    hands.forward(29);
    assert!(store.claim_job(&ask(2)).await.unwrap().is_none());
    hands.forward(1);
    let fresh = claimed(&store, 2).await;
    assert_eq!((fresh.job().fence, fresh.job().attempts), (2, 2));
    let before = store.job(job.id).await.unwrap();
    assert!(!stale.renew(None).await.unwrap().still_mine);
    assert!(!stale.renew(Some(&json!(1))).await.unwrap().still_mine);
    let refused =
        [stale.finish(None).await, stale.fail("late", Again::WithBackOff).await.map(|_| ()), stale.cancelled().await];
    for (n, result) in refused.into_iter().enumerate() {
        match result {
            Err(StoreError::LeaseLost { fence: 1, newer: Some(newer), .. }) => assert_eq!(newer.owner, owner(2)),
            other => panic!("{n}: {other:?}"),
        }
    }
    stale.release().await.unwrap();
    assert_eq!(store.job(job.id).await.unwrap(), before);
    fresh.finish(None).await.unwrap();
    assert!(matches!(stale.finish(None).await, Err(StoreError::LeaseLost { .. })));
    let told = changes(&store, job.id).await;
    assert_eq!(words(&told), ["queued", "claimed", "claimed", "ended"]);
    assert!(matches!(&told[2], JobChange::Claimed { from: Some(from), .. } if *from == owner(1)));
}

pub(crate) async fn a_worker_paused_past_expiry_goes_on_unless_it_was_replaced(f: Fixture) {
    let (store, hands) = stopped(&f);
    let job = store.enqueue(report(1)).await.unwrap();
    let paused = claimed(&store, 1).await;
    hands.forward(3600);
    assert!(store.reap_jobs().await.unwrap().is_empty(), "it has attempts left");
    assert!(paused.renew(None).await.unwrap().still_mine);
    hands.forward(29);
    assert!(store.claim_job(&ask(2)).await.unwrap().is_none());
    paused.finish(None).await.unwrap();
    assert_eq!(store.job(job.id).await.unwrap().attempts, 1);
}

pub(crate) async fn a_job_that_kills_its_workers_is_dead_after_its_last_attempt(f: Fixture) {
    let (store, hands) = stopped(&f);
    let poison = store.enqueue(NewJob { max_attempts: 3, ..report(1) }).await.unwrap();
    let mut last = None;
    for attempt in 1..=3 {
        let pen = claimed(&store, attempt).await;
        assert_eq!(pen.job().attempts, attempt);
        last = Some(pen);
        hands.forward(30);
    }
    assert!(store.claim_job(&ask(9)).await.unwrap().is_none(), "claiming reaps");
    let row = store.job(poison.id).await.unwrap();
    assert_eq!((row.status, row.attempts), (JobStatus::Dead, 3));
    let why = row.last_error.unwrap();
    assert!(why.contains("pid 3 on gpu-7") && why.contains("attempt 3 of 3"), "{why}");
    assert!(matches!(last.unwrap().finish(None).await, Err(StoreError::LeaseLost { .. })));
    assert_eq!(words(&changes(&store, poison.id).await), ["queued", "claimed", "claimed", "claimed", "ended"]);
    assert!(store.reap_jobs().await.unwrap().is_empty());
}

pub(crate) async fn a_failed_job_waits_longer_each_time_and_then_dies(f: Fixture) {
    let (store, hands) = stopped(&f);
    let job = store.enqueue(NewJob { max_attempts: 4, ..report(1) }).await.unwrap();
    let mut whole = 5.0;
    for attempt in 1..=3 {
        let pen = claimed(&store, 1).await;
        let begun = store.job(job.id).await.unwrap().claimed_at.unwrap();
        let after = pen.fail(&format!("try {attempt}"), Again::WithBackOff).await.unwrap();
        let AfterFailure::Retry(at) = after else { panic!("{after:?}") };
        let waits = (at - begun).as_seconds_f64();
        assert!(whole / 2.0 <= waits && waits <= whole, "attempt {attempt} waits {waits} s");
        assert!(store.claim_job(&ask(1)).await.unwrap().is_none());
        hands.forward(waits.ceil() as i64);
        whole *= 2.0;
    }
    let pen = claimed(&store, 1).await;
    assert_eq!(pen.fail("try 4", Again::WithBackOff).await.unwrap(), AfterFailure::Dead);
    let row = store.job(job.id).await.unwrap();
    assert_eq!((row.status, row.last_error.as_deref()), (JobStatus::Dead, Some("try 4")));

    let revived = store.retry_job(job.id).await.unwrap();
    assert_eq!((revived.status, revived.attempts), (JobStatus::Queued, 0));
    let pen = claimed(&store, 1).await;
    assert_eq!((pen.job().attempts, pen.job().fence), (1, 5), "fences only ever grow");
    let at = match pen.fail("busy", Again::After(Duration::from_secs(7))).await.unwrap() {
        AfterFailure::Retry(at) => at,
        other => panic!("{other:?}"),
    };
    assert_eq!(at, hands.now() + Duration::from_secs(7));
    assert!(matches!(store.retry_job(job.id).await, Err(StoreError::WrongState { .. })));
    hands.forward(7);
    claimed(&store, 1).await.finish(None).await.unwrap();
    assert!(matches!(store.retry_job(job.id).await, Err(StoreError::WrongState { .. })));
}

pub(crate) async fn a_released_job_keeps_its_turn_and_its_attempts(f: Fixture) {
    let (store, _hands) = stopped(&f);
    let first = store.enqueue(NewJob { max_attempts: 1, ..report(1) }).await.unwrap();
    store.enqueue(report(2)).await.unwrap();
    for pid in 1..=3 {
        let pen = claimed(&store, pid).await;
        assert_eq!((pen.job().id, pen.job().attempts), (first.id, 1));
        pen.renew(Some(&json!(pid))).await.unwrap();
        pen.release().await.unwrap();
        assert!(!pen.renew(None).await.unwrap().still_mine);
    }
    assert_eq!(store.job(first.id).await.unwrap().progress, Some(json!(3)));
}

pub(crate) async fn a_queued_job_is_cancelled_at_once_and_a_running_one_by_its_worker(f: Fixture) {
    let (store, hands) = stopped(&f);
    let queued = store.enqueue(report(1)).await.unwrap();
    assert_eq!(f.another().await.cancel_job(queued.id).await.unwrap(), JobStatus::Cancelled);
    assert!(store.claim_job(&ask(1)).await.unwrap().is_none());

    // The worker obeys, is faster, fails, gives it back, or dies.
    for (n, ends) in ["cancelled", "succeeded", "cancelled", "cancelled", "cancelled"].into_iter().enumerate() {
        let job = store.enqueue(report(2)).await.unwrap();
        let pen = claimed(&store, 1).await;
        assert_eq!(store.cancel_job(job.id).await.unwrap(), JobStatus::Running);
        let beat = pen.renew(None).await.unwrap();
        assert!(beat.still_mine && beat.cancel_requested);
        match n {
            0 => pen.cancelled().await.unwrap(),
            1 => pen.finish(None).await.unwrap(),
            2 => assert_eq!(pen.fail("killed", Again::WithBackOff).await.unwrap(), AfterFailure::Cancelled),
            3 => pen.release().await.unwrap(),
            _ => {
                hands.forward(30);
                assert_eq!(store.reap_jobs().await.unwrap(), [job.id]);
            }
        }
        assert_eq!(store.job(job.id).await.unwrap().status.word(), ends, "{n}");
        let ended = store.cancel_job(job.id).await.unwrap();
        assert_eq!(ended.word(), ends);
        assert!(store.claim_job(&ask(2)).await.unwrap().is_none());
    }
    assert!(matches!(store.cancel_job(JobId::new()).await, Err(StoreError::NotFound { .. })));
}

pub(crate) async fn jobs_are_listed_page_by_page_and_forgotten_when_old(f: Fixture) {
    let (store, hands) = stopped(&f);
    let mut ids = Vec::new();
    for n in 0..7 {
        let kind = if n % 2 == 0 { JobKind::RenderReport } else { JobKind::FetchDataset };
        ids.push(store.enqueue(NewJob { kind, ..report(n) }).await.unwrap().id);
    }
    ids.reverse();
    let id = |jobs: &[JobRow]| jobs.iter().map(|job| job.id).collect::<Vec<_>>();
    let first = store.list_jobs(&JobFilter::default(), None, 4).await.unwrap();
    assert_eq!((id(&first.jobs), first.next), (ids[..4].to_vec(), Some(ids[3])));
    let rest = store.list_jobs(&JobFilter::default(), first.next, 4).await.unwrap();
    assert_eq!((id(&rest.jobs), rest.next), (ids[4..].to_vec(), None));
    let fetch = JobFilter { kinds: vec![JobKind::FetchDataset], ..JobFilter::default() };
    assert_eq!(store.list_jobs(&fetch, None, 10).await.unwrap().jobs.len(), 3);

    for _ in 0..3 {
        claimed(&store, 1).await.finish(None).await.unwrap();
        hands.forward(10);
    }
    let ended = JobFilter { statuses: vec![JobStatus::Succeeded], ..JobFilter::default() };
    assert_eq!(store.list_jobs(&ended, None, 10).await.unwrap().jobs.len(), 3);
    let seq = store.last_event_seq().await.unwrap();
    assert_eq!(store.purge_jobs(noon()).await.unwrap(), 0);
    assert_eq!(store.last_event_seq().await.unwrap(), seq);
    assert_eq!(store.purge_jobs(noon() + TimeDelta::seconds(11)).await.unwrap(), 2);
    assert_eq!(store.list_jobs(&JobFilter::default(), None, 10).await.unwrap().jobs.len(), 5);
    let told = store.recent_events(None, 1).await.unwrap();
    assert!(matches!(told[0].event, Event::JobsPurged { jobs: 2, .. }), "{told:?}");
}

pub(crate) async fn the_job_of_a_worker_known_to_be_dead_need_not_wait_for_its_lease(f: Fixture) {
    let (store, _) = stopped(&f);
    let job = store.enqueue(report(1)).await.unwrap();
    let late = claimed(&store, 1).await;
    store.lapse_job(job.id, late.job().fence + 1).await.unwrap();
    assert!(store.claim_job(&ask(2)).await.unwrap().is_none(), "a claim that was not seen is left alone");
    store.lapse_job(job.id, late.job().fence).await.unwrap();
    let next = claimed(&store, 2).await;
    assert_eq!((next.job().attempts, next.job().fence), (2, 2));
    assert!(matches!(late.finish(None).await, Err(StoreError::LeaseLost { .. })));
    next.finish(None).await.unwrap();
    store.lapse_job(job.id, next.job().fence).await.unwrap();
    assert_eq!(store.job(job.id).await.unwrap().status, JobStatus::Succeeded);
}
