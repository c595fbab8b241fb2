//! Killed at random moments of a task in virtual time, whose result is a function of its file.

use std::time::{Duration, Instant};

use super::ask::{assert_numbered, difference, findings};
use super::home::Home;
use tuner_testkit::dice::{Dice, setting};

pub(super) const TASK: &str = "
name: crash
model: {id: llama-3.1-8b}
engine: {name: simulated, hardware: {gpu: h100-80g}}
backend: {kind: virtual}
search_space:
  parameters:
    max-num-seqs: [2, 4, 16, 64, 256]
    max-num-batched-tokens: [1024, 2048, 8192]
    gpu-memory-utilization: [0.1, 0.2, 0.8, 0.9]  # the weights do not fit; no cache fits beside them
baseline: {max-num-seqs: 1}
workload: {scenario: 'N(64,16)/(16,4)'}
load: {levels: [{concurrency: 2}, {concurrency: 16}], requests: 32}
budget: {experiments: 12}
verification: {blocks: 3}
seed: 7
";

/// R0.2, B8. `AUTOTUNER_CRASH_ROUNDS=200` is the long form.
#[test]
fn a_task_killed_at_random_moments_ends_as_if_nothing_had_happened() {
    let rounds = setting("AUTOTUNER_CRASH_ROUNDS", 25);
    let (expected, mut took) = undisturbed();
    let mut dice = Dice::new(1);
    let (mut kills, mut tasks, mut worst) = (0, 0, 0);
    while kills < rounds {
        let home = Home::new();
        let here = disturb(&home, &mut dice, &mut took, rounds - kills);
        assert_numbered(&home.json(&["experiments", "list", "crash"]));
        if let Some(difference) = difference(&expected, &findings(&home, "crash"), "") {
            panic!("after {here} kills of task {tasks}: {difference}");
        }
        let stored = home.json(&["tasks", "list"]);
        assert_eq!(stored.as_array().unwrap().len(), 1, "{stored:#}");
        assert_eq!(home.json(&["status"])["tasks"], serde_json::json!([]));
        (kills, tasks, worst) = (kills + here, tasks + 1, worst.max(here));
    }
    println!("{kills} kills of {tasks} tasks that take {took:?} undisturbed; at most {worst} of one");
}

/// What the task finds when nobody disturbs it, and how long that takes.
pub(super) fn undisturbed() -> (serde_json::Value, Duration) {
    let home = Home::new();
    let began = Instant::now();
    let file = home.task(TASK);
    let (code, _) = home.start(&["tune", &file]).end();
    let took = began.elapsed();
    assert_eq!(code, Some(0));
    let list = home.json(&["experiments", "list", "crash"]);
    assert_numbered(&list);
    let list = list.as_array().unwrap();
    // What was foretold is not tried, and the budget does not count it.
    let (foretold, tried): (Vec<_>, Vec<_>) = list.iter().partition(|e| e["outcome"]["predicted"] == true);
    assert!(foretold.iter().all(|e| e["attempts"].as_array().unwrap().is_empty()), "{foretold:#?}");
    assert!(tried.iter().all(|e| e["attempts"].as_array().unwrap().len() == 1), "{tried:#?}");
    assert_eq!(tried.len(), 12 + 2 * 3);
    (findings(&home, "crash"), took)
}

/// Kills and resumes until the task has ended; at most `limit` times. Gives how often.
fn disturb(home: &Home, dice: &mut Dice, took: &mut Duration, limit: u64) -> u64 {
    let file = home.task(TASK);
    let mut kills = 0;
    let began = Instant::now();
    let mut run = home.start(&["tune", &file]);
    loop {
        let moment = if kills < limit { dice.moment(*took) } else { super::home::PATIENCE };
        let code = match run.ended_within(moment) {
            None => {
                run.kill();
                kills += 1;
                None
            }
            Some(status) => status.code(),
        };
        run = match code {
            Some(0) => {
                if kills == 0 {
                    // The machine is faster than it was: later moments would find nobody to kill.
                    *took = (*took).min(began.elapsed());
                }
                return kills;
            }
            // Killed before the task was stored: there is nothing to resume.
            Some(4) => home.start(&["tune", &file]),
            None => home.start(&["tune", "--resume", "crash"]),
            Some(other) => panic!("exit code {other}"),
        };
    }
}
