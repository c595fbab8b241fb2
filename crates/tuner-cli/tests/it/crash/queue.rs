//! Queued tasks whose workers come, go and die.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use serde_json::{Value, json};
use tuner_store::{Needs, NewJob, Owner, Resource, Store};

use super::ask::{assert_numbered, difference, findings};
use super::home::{Home, PATIENCE, Running};
use super::virtual_time::{TASK, undisturbed};
use tuner_testkit::dice::{Dice, setting};

/// Kills of one task at most: a job that its workers do not survive is given up after five of them.
const KILLS: u64 = 4;

fn job(home: &Home) -> Value {
    home.json(&["jobs", "list", "--all"])[0].clone()
}

/// Waits until the only job has this status.
fn wait_for(home: &Home, status: &str) -> Value {
    let began = Instant::now();
    loop {
        let job = job(home);
        if job["status"] == status {
            return job;
        }
        assert!(began.elapsed() < PATIENCE, "not {status}: {job:#}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn end(mut worker: Running) {
    worker.send(Signal::SIGTERM);
    assert_eq!(worker.end().0, Some(0));
}

/// R12.4, B8: queued while nobody works, done by the first that comes, which leaves nothing behind.
#[test]
fn a_queued_task_is_done_by_the_worker_that_comes() {
    let home = Home::new();
    let file = home.task(TASK);
    let queued = home.run(&["tasks", "start", &file]);
    assert_eq!(queued.code, Some(0), "{queued:?}");
    assert!(queued.err.contains("note: it waits: no worker runs; start one with: autotuner worker"), "{queued:?}");
    // Asking again changes nothing.
    let again = home.json(&["tasks", "start", "crash"]);
    assert_eq!(again["id"], job(&home)["id"]);
    assert_eq!(home.json(&["jobs", "list", "--all"]).as_array().unwrap().len(), 1);
    let worker = home.start(&["worker"]);
    let done = wait_for(&home, "succeeded");
    assert_eq!((&done["attempts"], &done["result"]), (&json!(1), &json!({ "status": "completed" })));
    assert_numbered(&home.json(&["experiments", "list", "crash"]));
    let workers = home.json(&["workers", "list"]);
    assert_eq!((&workers[0]["alive"], &workers[0]["slots"]), (&json!(true), &json!(1)), "{workers:#}");
    end(worker);
    assert_eq!(home.json(&["workers", "list"]), json!([]), "a worker that ended is not known any more");
    let over = home.run(&["tasks", "start", "crash"]);
    assert_ne!(over.code, Some(0), "a completed task is not run again: {over:?}");
}

/// R7.1, R12.2, B8: whoever dies when, the task ends as if nothing had happened, each experiment once.
#[test]
fn a_task_whose_workers_are_killed_ends_as_if_nothing_had_happened() {
    let rounds = setting("AUTOTUNER_QUEUE_ROUNDS", 8);
    let (expected, took) = undisturbed();
    let mut dice = Dice::new(3);
    let (mut kills, mut tasks) = (0, 0);
    while kills < rounds {
        let home = Home::new();
        let file = home.task(TASK);
        home.json(&["tasks", "start", &file]);
        let mut workers = [home.start(&["worker"]), home.start(&["worker"])];
        let most = KILLS.min(rounds - kills);
        let mut here = 0;
        while here < most && job(&home)["status"] != "succeeded" {
            std::thread::sleep(dice.moment(took));
            let at = usize::from(dice.coin());
            workers[at].kill();
            here += 1;
            workers[at] = home.start(&["worker"]);
        }
        let done = wait_for(&home, "succeeded");
        assert!(done["attempts"].as_u64().unwrap() <= here + 1, "{done:#}");
        assert_numbered(&home.json(&["experiments", "list", "crash"]));
        if let Some(difference) = difference(&expected, &findings(&home, "crash"), "") {
            panic!("after {here} kills of the workers of task {tasks}: {difference}");
        }
        workers.into_iter().for_each(end);
        (kills, tasks) = (kills + here, tasks + 1);
    }
    println!("{kills} kills of workers over {tasks} tasks");
}

/// R1.3, R7.1: a worker obeys what the database asks of it, whoever started it.
#[test]
fn a_worker_is_drained_and_stopped_through_the_database() {
    let home = Home::new();
    let mut worker = home.start(&["worker", "--slots", "2", "--label", "zone=a"]);
    let began = Instant::now();
    let known = loop {
        let workers = home.json(&["workers", "list"]);
        if workers[0].is_object() {
            break workers[0].clone();
        }
        assert!(began.elapsed() < PATIENCE);
    };
    assert_eq!(known["capabilities"]["labels"], json!({ "zone": "a" }));
    assert_eq!(known["owner"]["pid"], worker.pid());
    let id = known["id"].as_str().unwrap();
    let none = home.run(&["workers", "drain", "nobody"]);
    assert!(none.err.contains("no worker \"nobody\""), "{none:?}");
    assert_eq!(home.run(&["workers", "drain", id]).code, Some(0));
    assert_eq!(worker.end().0, Some(0), "nothing runs, so it is drained at once");
    assert_eq!(home.json(&["workers", "list"]), json!([]));
}

/// The pids of the workers that are known, once there is one and none of `gone`.
fn workers(home: &Home, gone: &[u64]) -> Vec<u64> {
    let began = Instant::now();
    loop {
        let known = home.json(&["workers", "list"]);
        let pids: Vec<u64> = known.as_array().unwrap().iter().filter_map(|w| w["owner"]["pid"].as_u64()).collect();
        if !pids.is_empty() && pids.iter().all(|pid| !gone.contains(pid)) {
            return pids;
        }
        assert!(began.elapsed() < PATIENCE, "{known:#}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// R7.1, R12.1, R12.2, R12.5, B8: one worker in a slot, whoever is killed; nothing is left when the server is stopped.
#[test]
fn the_server_keeps_one_worker_whoever_is_killed() {
    let home = Home::new();
    let serve = ["serve", "--listen", "127.0.0.1:0"];
    let mut server = home.start(&serve);
    let first = workers(&home, &[]);
    assert_eq!(first.len(), 1);
    let second = home.run(&serve);
    assert!(second.err.contains(&format!("another server runs on {}: pid {}", home.data().display(), server.pid())));
    assert_eq!(home.json(&["status"])["server"]["pid"], server.pid());

    tuner_testkit::procs::send(u32::try_from(first[0]).unwrap(), Signal::SIGKILL);
    let next = workers(&home, &first);
    assert_eq!(next.len(), 1, "the killed one is forgotten, and one came in its place");

    server.kill();
    let mut server = home.start(&serve);
    let last = workers(&home, &[first.clone(), next].concat());
    assert_eq!(last.len(), 1, "the worker of the killed server has ended");

    let file = home.task(TASK);
    home.json(&["tasks", "start", &file]);
    wait_for(&home, "succeeded");
    assert_eq!(home.run(&["stop"]).code, Some(0));
    assert_eq!(server.end().0, Some(0));
    let status = home.json(&["status"]);
    assert_eq!((&status["server"], &status["workers"]), (&Value::Null, &json!([])));
    assert!(home.run(&["stop"]).err.contains("no server runs on"));
}

/// B8: found by `cargo xtask chaos`.
#[tokio::test(flavor = "multi_thread")]
async fn a_job_whose_worker_died_after_the_end_of_its_task_is_done_and_frees_the_task() {
    let home = Home::new();
    let file = home.task(TASK);
    assert_eq!(home.run(&["tune", &file]).code, Some(0));
    let store = Store::open(&home.data().join("autotuner.sqlite")).await.unwrap();
    let task = store.task("crash").await.unwrap().id;
    let host = nix::unistd::gethostname().unwrap().into_string().unwrap();
    let dead = Owner { host, pid: std::process::id(), start_ticks: 1, pid_namespace: None };
    let now = store.lease_time().await.unwrap();
    assert!(store.claim(&Resource::task(task), &dead, PATIENCE, now).await.unwrap().won().is_some());
    store.enqueue(NewJob::run_task(task, Needs::default())).await.unwrap();
    let worker = home.start(&["worker"]);
    let done = wait_for(&home, "succeeded");
    assert_eq!((&done["attempts"], &done["result"]), (&json!(1), &json!({ "status": "completed" })));
    assert_eq!(store.holder(&Resource::task(task)).await.unwrap(), None);
    end(worker);
}
