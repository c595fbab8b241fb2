//! Waiting for work and for events: how soon, and at what cost.

use std::time::{Duration, Instant};

use chrono::{TimeDelta, Utc};
use serde_json::json;
use tuner_store::{JobKind, NewJob};

use crate::fixture::{Fixture, ask};

fn job() -> NewJob {
    NewJob::new(JobKind::RenderReport, json!({}))
}

const LONG: Duration = Duration::from_secs(60);

/// Of the waits of a busy machine, half must be short.
const GOAL: Duration = Duration::from_millis(100);

pub(crate) async fn a_waiting_worker_learns_of_a_job_of_another_process_within_100_ms(f: Fixture) {
    const ROUNDS: usize = 15;
    let writer = f.another().await;
    let mut waits = Vec::new();
    let (queued, mut told) = tokio::sync::mpsc::channel(1);
    let store = f.store.clone();
    let worker = tokio::spawn(async move {
        let mut work = store.work();
        for _ in 0..ROUNDS {
            let pen = loop {
                match store.claim_job(&ask(1)).await.unwrap() {
                    Some(pen) => break pen,
                    None => work.wait(LONG).await.unwrap(),
                }
            };
            queued.send(Instant::now()).await.unwrap();
            pen.finish(None).await.unwrap();
        }
    });
    for round in 0..ROUNDS {
        // So that it waits at another point of its cycle each time.
        tokio::time::sleep(Duration::from_millis(60 + 7 * round as u64)).await;
        let begun = Instant::now();
        writer.enqueue(job()).await.unwrap();
        waits.push(told.recv().await.unwrap() - begun);
    }
    worker.await.unwrap();
    waits.sort_unstable();
    assert!(waits[ROUNDS / 2] < GOAL && waits[ROUNDS - 1] < Duration::from_secs(10), "{waits:?}");
}

pub(crate) async fn a_follower_hears_of_another_process_within_100_ms(f: Fixture) {
    const ROUNDS: usize = 15;
    let writer = f.another().await;
    let mut follower = f.store.follow(0, None);
    let mut waits = Vec::new();
    let (heard, mut told) = tokio::sync::mpsc::channel(1);
    let following = tokio::spawn(async move {
        for _ in 0..ROUNDS {
            follower.next(1).await.unwrap();
            heard.send(Instant::now()).await.unwrap();
        }
    });
    for round in 0..ROUNDS {
        tokio::time::sleep(Duration::from_millis(60 + 7 * round as u64)).await;
        let begun = Instant::now();
        writer.enqueue(job()).await.unwrap();
        waits.push(told.recv().await.unwrap() - begun);
    }
    following.await.unwrap();
    waits.sort_unstable();
    assert!(waits[ROUNDS / 2] < GOAL && waits[ROUNDS - 1] < Duration::from_secs(10), "{waits:?}");
}

pub(crate) async fn a_waiting_worker_wakes_when_a_scheduled_job_is_in_turn(f: Fixture) {
    let mut work = f.store.work();
    let at = Utc::now() + TimeDelta::milliseconds(400);
    f.store.enqueue(NewJob { run_after: Some(at), ..job() }).await.unwrap();
    let begun = Instant::now();
    while f.store.claim_job(&ask(1)).await.unwrap().is_none() {
        work.wait(LONG).await.unwrap();
        assert!(begun.elapsed() < LONG, "nobody woke it");
    }
    assert!(Utc::now() >= at - TimeDelta::milliseconds(50));
}

pub(crate) async fn a_lease_that_expires_wakes_whoever_may_take_over(f: Fixture) {
    f.store.enqueue(job()).await.unwrap();
    let short = tuner_store::JobAsk { ttl: Duration::from_millis(300), ..ask(1) };
    let _dead = f.store.claim_job(&short).await.unwrap().unwrap();
    let store = f.another().await;
    let mut work = store.work();
    let begun = Instant::now();
    let pen = loop {
        match store.claim_job(&ask(2)).await.unwrap() {
            Some(pen) => break pen,
            None => work.wait(LONG).await.unwrap(),
        }
        assert!(begun.elapsed() < LONG, "nobody woke it");
    };
    assert_eq!(pen.job().attempts, 2);
}

/// Prints what waiting costs and how long waking takes. Nothing is asserted: a shared machine has no fixed speed.
#[tokio::test]
#[ignore = "a figure for people: run with --ignored --nocapture"]
async fn what_waking_costs() {
    let cpu = || {
        let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
        fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
    };
    for f in [Fixture::file().await, Fixture::postgres().await].into_iter().flatten() {
        let name = f.url.as_ref().unwrap().split(':').next().unwrap().to_owned();
        let mut work = f.store.work();
        while f.store.claim_job(&ask(1)).await.unwrap().is_some() {}
        work.wait(Duration::from_millis(100)).await.unwrap();
        let (before, begun) = (cpu(), Instant::now());
        work.wait(Duration::from_secs(20)).await.unwrap();
        let ticks = cpu() - before;
        println!("{name}: idle for {:?}: {ticks} ticks of 10 ms of processor time", begun.elapsed());
        let writer = f.another().await;
        let mut waits = Vec::new();
        for round in 0..200_u64 {
            let store = f.store.clone();
            let waiting = tokio::spawn(async move {
                while store.claim_job(&ask(1)).await.unwrap().is_none() {
                    work.wait(LONG).await.unwrap();
                }
                (work, Instant::now())
            });
            tokio::time::sleep(Duration::from_millis(20 + round % 50)).await;
            let begun = Instant::now();
            writer.enqueue(job()).await.unwrap();
            let (back, woken) = waiting.await.unwrap();
            work = back;
            waits.push(woken - begun);
        }
        waits.sort_unstable();
        println!(
            "{name}: from before enqueue to claimed: p50 {:?}, p99 {:?}, max {:?}",
            waits[100], waits[197], waits[199]
        );
    }
}
