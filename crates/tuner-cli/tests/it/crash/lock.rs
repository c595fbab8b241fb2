//! A database that another process locks for longer than anybody waits.

use std::time::{Duration, Instant};

use tuner_testkit::writer_lock::WriterLock;

use super::ask::{difference, findings};
use super::home::{Home, PATIENCE};
use super::http::get;
use super::virtual_time::{TASK, undisturbed};

/// A call waits for 20 s.
const LOCKED: Duration = Duration::from_secs(22);

/// B8
#[test]
fn a_database_that_is_locked_for_longer_than_a_call_waits_costs_time_and_nothing_else() {
    let (expected, _) = undisturbed();
    let home = Home::new();
    let mut server = home.start(&["serve", "--listen", "127.0.0.1:0", "--workers", "0"]);
    let said = server.wait_for("the address", |line| line["address"].is_string());
    let file = home.task(TASK);
    let mut run = home.start(&["tune", &file]);
    run.wait_for("an experiment", |event| event["kind"] == "experiment_ended");
    let lock = WriterLock::take(&home.data().join("autotuner.sqlite"), PATIENCE).unwrap();
    let began = Instant::now();
    let ready = get(said["address"].as_str().unwrap(), "/ready");
    assert!(ready.starts_with("HTTP/1.1 503"), "{ready}");
    assert!(ready.contains("no answer within 5 s") && ready.contains("another process holds its lock"), "{ready}");
    // Whoever only reads goes on.
    let tasks = get(said["address"].as_str().unwrap(), "/api/tasks");
    assert!(tasks.starts_with("HTTP/1.1 200"), "{tasks}");
    assert!(run.ended_within(LOCKED.saturating_sub(began.elapsed())).is_none(), "it waits");
    drop(lock);
    assert_eq!(run.end().0, Some(0), "{}", run.said());
    assert!(run.said().contains("another program holds the database's lock"), "{}", run.said());
    if let Some(difference) = difference(&expected, &findings(&home, "crash"), "") {
        panic!("{difference}");
    }
    assert_eq!(home.run(&["stop"]).code, Some(0));
    assert_eq!(server.end().0, Some(0));
}
