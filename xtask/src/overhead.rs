//! `cargo xtask overhead`: which part of a task's time is the tuner's own. Runs forty short experiments with the
//! simulated engine as a real process, then adds up what the rows say: starting engines, measuring and stopping is
//! time that any tuner needs, preparing and deciding are ours.

use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::{codegen, shell};

const TASK: &str = "overhead";

/// Where the time went, in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Times {
    wall: f64,
    starting: f64,
    measuring: f64,
    stopping: f64,
    /// Within attempts, beside the three above: asking the engine what it accepts, making prompts.
    preparing: f64,
    /// Outside attempts: deciding, suggesting, scoring, storing.
    deciding: f64,
}

pub(crate) fn run() -> Result<ExitCode> {
    let built = shell::cargo().args(["build", "--release", "--package", "tuner-cli"]).status()?;
    if !built.success() {
        bail!("the build failed; its own messages are above");
    }
    let target = codegen::target_directory()?;
    let binary = target.join("release/autotuner");
    let home = target.join("overhead");
    if home.exists() {
        std::fs::remove_dir_all(&home).with_context(|| format!("cannot empty {}", home.display()))?;
    }
    let autotuner = |arguments: &[&str]| {
        let mut command = Command::new(&binary);
        command.arg("--data-dir").arg(&home).args(arguments).current_dir(shell::root());
        command
    };
    println!("40 experiments with a simulated engine process; a few minutes");
    shell::capture(&mut autotuner(&["tune", "xtask/src/overhead.yaml"]))?;
    let tasks: Value = serde_json::from_str(&shell::capture(&mut autotuner(&["--json", "tasks", "list"]))?)?;
    let experiments = shell::capture(&mut autotuner(&["--json", "experiments", "list", TASK]))?;
    let experiments: Value = serde_json::from_str(&experiments)?;
    let times = times(&tasks[0], &experiments).context("the rows have an unexpected shape")?;
    println!("{}", describe(&times, experiments.as_array().map_or(0, Vec::len)));
    Ok(ExitCode::SUCCESS)
}

fn describe(times: &Times, experiments: usize) -> String {
    let line = |name: &str, part: f64| {
        let each = 1000.0 * part / experiments.max(1) as f64;
        format!("\n  {name:<18}{part:>8.2} s  {:>6.2} %  {each:>7.1} ms each", 100.0 * part / times.wall)
    };
    [
        format!("{experiments} experiments in {:.1} s", times.wall),
        line("starting engines", times.starting),
        line("measuring", times.measuring),
        line("stopping engines", times.stopping),
        line("preparing", times.preparing),
        line("deciding", times.deciding),
    ]
    .concat()
}

fn times(task: &Value, experiments: &Value) -> Option<Times> {
    let mut times = Times { wall: between(task)?, ..Times::default() };
    times.deciding = times.wall;
    for attempt in experiments.as_array()?.iter().flat_map(|e| e["attempts"].as_array().into_iter().flatten()) {
        let took = between(attempt)?;
        let stopping = attempt["evidence"]["stop_s"].as_f64().unwrap_or(0.0);
        let measuring: f64 = attempt["measurements"].as_array()?.iter().filter_map(|m| m["elapsed_s"].as_f64()).sum();
        // An engine that never became ready was starting all the time.
        let starting = attempt["evidence"]["ready_s"].as_f64().unwrap_or(took - stopping - measuring);
        times.starting += starting;
        times.measuring += measuring;
        times.stopping += stopping;
        times.preparing += took - starting - measuring - stopping;
        times.deciding -= took;
    }
    Some(times)
}

/// Seconds from `started_at` to `ended_at` of a row; both lie within two days of each other.
fn between(row: &Value) -> Option<f64> {
    let (start, end) = (day_and_second(row["started_at"].as_str()?)?, day_and_second(row["ended_at"].as_str()?)?);
    let days = if start.0 == end.0 { 0.0 } else { 1.0 };
    Some(end.1 - start.1 + days * 86_400.0)
}

/// `2026-01-31T12:30:05.25Z` as ("2026-01-31", seconds of the day).
fn day_and_second(time: &str) -> Option<(&str, f64)> {
    let (day, clock) = time.trim_end_matches('Z').split_once('T')?;
    let mut seconds = 0.0;
    for part in clock.split(':') {
        seconds = seconds * 60.0 + part.parse::<f64>().ok()?;
    }
    Some((day, seconds))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_the_rows_do_not_account_for_is_our_own_time() {
        let task = json!({"started_at": "2026-01-31T23:59:58.5Z", "ended_at": "2026-02-01T00:00:08.5Z"});
        let attempt = json!({
            "started_at": "2026-01-31T23:59:59Z",
            "ended_at": "2026-02-01T00:00:08Z",
            "evidence": {"ready_s": 2.0, "stop_s": 0.5},
            "measurements": [{"elapsed_s": 4.0}, {"elapsed_s": 2.25}],
        });
        let died = json!({
            "started_at": "2026-02-01T00:00:08Z",
            "ended_at": "2026-02-01T00:00:08.25Z",
            "evidence": {},
            "measurements": [],
        });
        let times = times(&task, &json!([{"attempts": [attempt]}, {"attempts": [died]}])).unwrap();
        let expected =
            Times { wall: 10.0, starting: 2.25, measuring: 6.25, stopping: 0.5, preparing: 0.25, deciding: 0.75 };
        assert_eq!(times, expected);
        assert!(
            describe(&times, 2).contains("deciding              0.75 s    7.50 %    375.0 ms each"),
            "{}",
            describe(&times, 2)
        );
    }

    #[test]
    fn rows_of_another_shape_are_refused() {
        assert_eq!(times(&json!({}), &json!([])), None);
    }
}
