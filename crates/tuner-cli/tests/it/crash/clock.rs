//! A clock that is set while workers work: an hour ahead, then an hour back.

use std::path::{Path, PathBuf};
use std::time::Instant;

use nix::sys::signal::Signal;
use serde_json::Value;

use super::engine::SIMULATED;
use super::home::{Home, PATIENCE, Running};

/// Debian's libfaketime, which stands between a program and the kernel's clock.
fn faketime() -> Option<PathBuf> {
    let folders = std::fs::read_dir("/usr/lib").into_iter().flatten().flatten().map(|entry| entry.path());
    folders.map(|folder| folder.join("faketime/libfaketimeMT.so.1")).find(|library| library.exists())
}

/// Sets the clock of whoever runs under it.
fn set(file: &Path, offset: &str) {
    // In one step, so that nobody reads half of it.
    let next = file.with_extension("next");
    std::fs::write(&next, format!("{offset}\n")).unwrap();
    std::fs::rename(next, file).unwrap();
}

fn attempts(home: &Home) -> Vec<Value> {
    let experiments = home.json(&["experiments", "list", "crash"]);
    experiments.as_array().unwrap().iter().flat_map(|e| e["attempts"].as_array().unwrap().clone()).collect()
}

fn wait_until(home: &Home, what: &str, holds: impl Fn(&Home) -> bool) {
    let began = Instant::now();
    while !holds(home) {
        assert!(began.elapsed() < PATIENCE, "waited for {what}");
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
}

/// B8: leases, back-off and times on the rows follow the wall clock; what is measured does not.
#[test]
fn a_clock_that_is_set_an_hour_ahead_and_an_hour_back_loses_nothing() {
    let Some(library) = faketime() else {
        return eprintln!("SKIPPED: libfaketime (Debian: faketime) is not installed");
    };
    let home = Home::new();
    let file = home.task(SIMULATED);
    home.json(&["tasks", "start", &file]);
    let time = home.data().join("time");
    set(&time, "+0s");
    let variables = [
        ("LD_PRELOAD", library.to_str().unwrap()),
        ("FAKETIME_TIMESTAMP_FILE", time.to_str().unwrap()),
        ("FAKETIME_NO_CACHE", "1"),
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
    ];
    let mut workers: Vec<Running> = (0..2).map(|_| home.start_in(&variables, &["worker"])).collect();
    let ended = |home: &Home| attempts(home).iter().filter(|a| a["state"] == "succeeded").count();
    wait_until(&home, "the baseline", |home| ended(home) >= 1);
    set(&time, "+3600s");
    wait_until(&home, "an experiment in the future", |home| ended(home) >= 3);
    set(&time, "-3600s");
    let done = |home: &Home| home.json(&["jobs", "list", "--all"])[0]["status"] == "succeeded";
    wait_until(&home, "the end of the task", done);
    assert_eq!(home.status_of("crash"), "completed");
    let all = attempts(&home);
    let began = |a: &Value| a["started_at"].as_str().unwrap().to_owned();
    let (first, last) = (all.iter().map(began).min().unwrap(), all.iter().map(began).max().unwrap());
    assert_ne!(first[..13], last[..13], "the workers saw the other time: {first} to {last}");
    // A worker may have taken the task over at the jump; then the other one's attempt was cut off, and nothing else.
    for attempt in &all {
        assert!(attempt["state"] == "succeeded" || attempt["failure"]["class"] == "interrupted", "{attempt:#}");
    }
    let job = home.json(&["jobs", "list", "--all"])[0].clone();
    assert!(job["attempts"].as_u64().unwrap() <= 3, "{job:#}");
    for worker in &mut workers {
        worker.send(Signal::SIGTERM);
        assert_eq!(worker.end().0, Some(0), "{}", worker.said());
    }
    home.assert_clean(&Default::default());
}
