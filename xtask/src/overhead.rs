//! `cargo xtask overhead`: which part of a task's time is the tuner's own. Runs forty short experiments with the
//! simulated engine as a real process, then adds up what the rows say: starting engines, measuring and stopping is
//! time that any tuner needs, the rest is ours.

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
    /// Within attempts, whatever was done there.
    attempts: f64,
}

impl Times {
    fn own(&self) -> f64 {
        self.wall - self.starting - self.measuring - self.stopping
    }
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
    let share = |part: f64| 100.0 * part / times.wall;
    format!(
        "{experiments} experiments in {:.1} s: {:.1} s starting engines, {:.1} s measuring, {:.1} s stopping them\n\
         own time {:.2} s, {:.2} % ({:.1} ms per experiment); of it between attempts {:.2} s",
        times.wall,
        times.starting,
        times.measuring,
        times.stopping,
        times.own(),
        share(times.own()),
        1000.0 * times.own() / experiments.max(1) as f64,
        times.wall - times.attempts,
    )
}

fn times(task: &Value, experiments: &Value) -> Option<Times> {
    let mut times = Times { wall: between(task)?, ..Times::default() };
    for attempt in experiments.as_array()?.iter().flat_map(|e| e["attempts"].as_array().into_iter().flatten()) {
        times.attempts += between(attempt)?;
        times.starting += attempt["evidence"]["ready_s"].as_f64()?;
        times.stopping += attempt["evidence"]["stop_s"].as_f64()?;
        for measurement in attempt["measurements"].as_array()? {
            times.measuring += measurement["elapsed_s"].as_f64()?;
        }
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
        let times = times(&task, &json!([{"attempts": [attempt]}])).unwrap();
        assert_eq!(times, Times { wall: 10.0, starting: 2.0, measuring: 6.25, stopping: 0.5, attempts: 9.0 });
        assert_eq!(times.own(), 1.25);
        assert!(describe(&times, 1).contains("own time 1.25 s, 12.50 %"), "{}", describe(&times, 1));
    }

    #[test]
    fn rows_of_another_shape_are_refused() {
        assert_eq!(times(&json!({}), &json!([])), None);
    }
}
