//! Two processes and one task: one works, the other asks.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use super::home::{Home, Running};

const LONG: &str = "
name: held
model: {id: llama-3.1-8b}
engine: {name: simulated, hardware: {gpu: h100-80g, speed: 40}}
search_space: {parameters: {max-num-seqs: [4, 8]}}
workload: {scenario: 'D(64,64)'}
load: {levels: [{concurrency: 1}], duration_s: 60}
";

fn working(home: &Home) -> Running {
    let file = home.task(LONG);
    let run = home.start(&["tune", &file]);
    run.wait_for_phase("level");
    run
}

#[test]
fn a_task_that_is_worked_on_is_refused_with_its_holder_until_that_one_is_dead() {
    let home = Home::new();
    let mut run = working(&home);
    let refused = home.run(&["tune", "--resume", "held"]);
    assert_eq!(refused.code, Some(5), "{refused:?}");
    let host = nix::unistd::gethostname().unwrap().into_string().unwrap();
    for fact in [format!("pid {} on {host}", run.pid()), "since 20".to_owned(), "autotuner status".to_owned()] {
        assert!(refused.err.contains(&fact), "{fact:?} is not in {}", refused.err);
    }
    let deleted = home.run(&["tasks", "delete", "held", "--yes"]);
    assert_eq!(deleted.code, Some(5), "{deleted:?}");
    assert!(deleted.err.contains("held is being worked on"), "{}", deleted.err);
    assert_eq!(home.status_of("held"), "running");

    run.kill();
    let listed = home.run(&["tasks", "list"]);
    assert!(listed.out.contains("interrupted") && listed.err.contains("tune --resume held"), "{listed:?}");
    let began = Instant::now();
    let resumed = home.start(&["tune", "--resume", "held"]);
    resumed.wait_for("the resumed task", |e| e["kind"] == "task_started" && e["resumed"] == true);
    // A lease lasts 30 s: nobody waited for it.
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    println!("resumed {:?} after the holder was killed", began.elapsed());
    resumed.wait_for_phase("level");
}

#[test]
fn another_process_cancels_a_running_task() {
    let home = Home::new();
    let mut run = working(&home);
    let asked = home.run(&["tasks", "cancel", "held"]);
    assert_eq!(asked.code, Some(0), "{asked:?}");
    let (code, took) = run.end();
    println!("cancelled within {took:?}");
    assert!(took < Duration::from_secs(10), "{took:?}");
    assert_eq!(code, Some(3), "a cancelled task found no usable configuration");
    assert_eq!(home.status_of("held"), "cancelled");
    home.assert_clean(&Default::default());
    let experiments = home.json(&["experiments", "list", "held"]);
    assert_eq!(experiments[0]["outcome"]["kind"], "cancelled", "{experiments:#}");
}

#[test]
fn a_task_that_nobody_works_on_is_cancelled_with_what_its_dead_worker_left() {
    let home = Home::new();
    let mut run = working(&home);
    tuner_testkit::procs::lifelines(&home.data())
        .into_iter()
        .for_each(|pid| tuner_testkit::procs::send(pid, Signal::SIGKILL));
    run.kill();
    assert!(!home.processes().is_empty());
    let asked = home.run(&["tasks", "cancel", "held"]);
    assert_eq!(asked.code, Some(0), "{asked:?}");
    assert_eq!(home.status_of("held"), "cancelled");
    home.assert_clean(&Default::default());
    let deleted = home.run(&["tasks", "delete", "held", "--yes"]);
    assert_eq!(deleted.code, Some(0), "{deleted:?}");
    assert_eq!(home.status_of("held"), "absent");
}
