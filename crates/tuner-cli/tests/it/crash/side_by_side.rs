//! Several workers on one task, in real processes and in real time: they help, and they die.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use serde_json::Value;

use super::ask::assert_numbered;
use super::home::{Home, PATIENCE, Running};

/// Engines are processes that answer in the time of their model; each attempt takes about a second.
const TASK: &str = "
name: shared
model: {id: llama-3.1-8b}
engine: {name: simulated, hardware: {gpu: h100-80g, speed: 30}}
backend: {kind: local}
search_space: {parameters: {max-num-seqs: [2, 4, 8, 16, 32, 64]}}
baseline: {max-num-seqs: 1}
workload: {scenario: 'D(32,8)'}
load: {levels: [{concurrency: 1}, {concurrency: 4}], requests: 24}
sampler: {kind: grid}
budget: {experiments: 7, parallel: 2}
verification: {blocks: 2}
";

fn status(home: &Home) -> Value {
    home.json(&["status"])["tasks"][0].clone()
}

/// The processes that run experiments now, by experiment; the one that plans.
fn at_work(home: &Home) -> (BTreeMap<u64, u64>, Option<u64>) {
    let task = status(home);
    let running = task["running"].as_array().cloned().unwrap_or_default();
    let running = running.iter().map(|r| (r["number"].as_u64().unwrap(), r["owner"]["pid"].as_u64().unwrap()));
    (running.collect(), task["holder"]["owner"]["pid"].as_u64())
}

/// Waits until two processes run experiments at the same time. Gives the one that plans, and one that helps.
fn wait_for_two(home: &Home) -> (u64, u64) {
    let began = Instant::now();
    loop {
        let (running, planner) = at_work(home);
        let pids: BTreeSet<u64> = running.values().copied().collect();
        if let (true, Some(planner)) = (pids.len() == 2, planner)
            && let Some(helper) = pids.iter().find(|pid| **pid != planner)
        {
            return (planner, *helper);
        }
        assert!(
            began.elapsed() < PATIENCE,
            "nobody helps: {:#}; {:#}",
            status(home),
            home.json(&["jobs", "list", "--all"])
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn wait_for_the_end(home: &Home) {
    let began = Instant::now();
    while home.status_of("shared") != "completed" {
        assert!(began.elapsed() < PATIENCE, "{:#}", home.json(&["tasks", "list"]));
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// The attempts of a task that has ended, of which each experiment has exactly one that succeeded.
fn attempts(home: &Home) -> Vec<Value> {
    let list = home.json(&["experiments", "list", "shared"]);
    assert_numbered(&list);
    let list = list.as_array().unwrap();
    let kind = |e: &Value| e["role"]["kind"].as_str().unwrap().to_owned();
    let searched: BTreeSet<String> =
        list.iter().filter(|e| kind(e) != "verify").map(|e| e["configuration"].to_string()).collect();
    assert_eq!(searched.len(), 7, "each configuration once: {searched:?}");
    for experiment in list {
        assert_eq!(experiment["outcome"]["kind"], "success", "{experiment:#}");
        let states: Vec<&str> =
            experiment["attempts"].as_array().unwrap().iter().map(|a| a["state"].as_str().unwrap()).collect();
        let (last, cut_off) = states.split_last().unwrap();
        assert_eq!(*last, "succeeded");
        assert!(cut_off.iter().all(|state| matches!(*state, "interrupted" | "cancelled")), "{states:?}");
    }
    list.iter().flat_map(|e| e["attempts"].as_array().unwrap().clone()).collect()
}

/// Whether two attempts of different processes ran at the same time.
fn overlapped(attempts: &[Value]) -> bool {
    let text = |a: &Value, name: &str| a[name].as_str().unwrap_or_default().to_owned();
    let began_before_end = |a: &Value, b: &Value| text(a, "started_at") < text(b, "ended_at");
    let by_others = |a: &Value, b: &Value| a["evidence"]["worker"] != b["evidence"]["worker"];
    let together = |a: &Value, b: &Value| by_others(a, b) && began_before_end(a, b) && began_before_end(b, a);
    attempts.iter().any(|a| attempts.iter().any(|b| together(a, b)))
}

fn end(home: &Home, workers: impl IntoIterator<Item = Running>) {
    for mut worker in workers {
        worker.send(Signal::SIGTERM);
        assert_eq!(worker.end().0, Some(0));
    }
    home.wait_until_empty(PATIENCE);
    home.assert_clean(&BTreeSet::new());
    let jobs = home.json(&["jobs", "list", "--all"]);
    let open = jobs.as_array().unwrap().iter().filter(|j| j["status"] == "queued" || j["status"] == "running");
    assert_eq!(open.count(), 0, "{jobs:#}");
}

/// Issue 4, point 2.
#[test]
fn two_workers_do_one_task_together() {
    let home = Home::new();
    let file = home.task(TASK);
    let workers = [home.start(&["worker"]), home.start(&["worker"])];
    home.json(&["tasks", "start", &file]);
    let (planner, helper) = wait_for_two(&home);
    let pids: BTreeSet<u64> = workers.iter().map(|w| u64::from(w.pid())).collect();
    assert_eq!(BTreeSet::from([planner, helper]), pids);
    wait_for_the_end(&home);
    let attempts = attempts(&home);
    assert_eq!(attempts.len(), home.json(&["experiments", "list", "shared"]).as_array().unwrap().len(), "no retries");
    assert!(overlapped(&attempts), "{attempts:#?}");
    let verified = home.json(&["experiments", "list", "shared"]);
    let verified = verified.as_array().unwrap().iter().filter(|e| e["role"]["kind"] == "verify");
    let places: BTreeSet<&str> =
        verified.clone().map(|e| e["attempts"][0]["evidence"]["worker"].as_str().unwrap()).collect();
    assert_eq!(places.len(), verified.count().min(1), "both sides of the pairs are measured in one place");
    let began = Instant::now();
    let helped = loop {
        let jobs = home.json(&["jobs", "list", "--all"]);
        let done = jobs.as_array().unwrap().iter().find(|j| j["kind"] == "help_task" && j["status"] == "succeeded");
        if let Some(job) = done {
            break job.clone();
        }
        assert!(began.elapsed() < PATIENCE, "{jobs:#}");
        std::thread::sleep(Duration::from_millis(50));
    };
    assert!(!helped["result"]["experiments"].as_array().unwrap().is_empty(), "{helped:#}");
    end(&home, workers);
}

/// B8, issue 4: whoever dies in the middle, each experiment is reported once, and nothing is left.
#[test]
fn a_helper_and_a_planner_that_are_killed_cost_an_attempt_and_nothing_else() {
    for kills_the_planner in [false, true] {
        let home = Home::new();
        let file = home.task(TASK);
        let mut workers = vec![home.start(&["worker"]), home.start(&["worker"])];
        home.json(&["tasks", "start", &file]);
        let (planner, helper) = wait_for_two(&home);
        let doomed = if kills_the_planner { planner } else { helper };
        let at = workers.iter().position(|w| u64::from(w.pid()) == doomed).unwrap();
        workers.remove(at).kill();
        workers.push(home.start(&["worker"]));
        wait_for_the_end(&home);
        let attempts = attempts(&home);
        assert!(overlapped(&attempts), "{attempts:#?}");
        end(&home, workers);
    }
}

/// Issue 4: a wish to stop reaches everybody who works on the task.
#[test]
fn a_cancelled_task_stops_everywhere() {
    let home = Home::new();
    let file = home.task(TASK);
    let workers = [home.start(&["worker"]), home.start(&["worker"])];
    home.json(&["tasks", "start", &file]);
    wait_for_two(&home);
    assert_eq!(home.run(&["tasks", "cancel", "shared"]).code, Some(0));
    let began = Instant::now();
    while home.status_of("shared") != "cancelled" {
        assert!(began.elapsed() < PATIENCE, "{:#}", home.json(&["tasks", "list"]));
        std::thread::sleep(Duration::from_millis(50));
    }
    let list = home.json(&["experiments", "list", "shared"]);
    let cut_off = list.as_array().unwrap().iter().filter(|e| e["outcome"]["kind"] == "cancelled").count();
    assert!(cut_off >= 1, "{list:#}");
    end(&home, workers);
}
