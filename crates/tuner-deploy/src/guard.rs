//! The quality guard: a command of the user's that can veto a configuration.
//!
//! *Invariant*: it runs as a deployment of its own, so its whole tree ends with it, in time or not, and what a dead
//! tuner left of it is reaped like an engine.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tuner_core::task::QualityGuard;
use tuner_core::{Failure, FailureClass};

use crate::{Backend, DeployError, DeploymentId, Exit, Launch, Status, logs};

const PULSE: Duration = Duration::from_millis(50);
/// A guard that is no longer wanted gets that long to tidy up.
const GRACE: Duration = Duration::from_secs(1);

/// How the command ended.
#[derive(Clone, Debug, PartialEq)]
pub struct GuardReport {
    /// Exit of the command; absent when it was cut off.
    pub exit: Option<Exit>,
    /// The last line of its standard output.
    pub last_line: Option<String>,
    /// The number that ends that line.
    pub number: Option<f64>,
    /// How long it ran.
    pub took: Duration,
}

/// Why a guard gave no report.
#[derive(Debug, thiserror::Error)]
pub enum GuardError {
    /// A person or a limit stopped it.
    #[error("cancelled")]
    Cancelled,
    /// It could not be run.
    #[error(transparent)]
    Deploy(#[from] DeployError),
}

/// Runs the guard's command with `env` added to its environment, beside the engine `engine`. Standard output goes to
/// `log`, standard error to a file beside it that ends in `.err`. Nothing of it lives on when this returns.
pub async fn run_guard(
    backend: &dyn Backend,
    engine: &DeploymentId,
    guard: &QualityGuard,
    env: BTreeMap<String, String>,
    log: &Path,
    cancel: &CancellationToken,
) -> Result<GuardReport, GuardError> {
    let id = engine.beside("guard")?;
    let (program, args) =
        guard.command.split_first().map_or((String::new(), Vec::new()), |(p, a)| (p.clone(), a.to_vec()));
    let stderr = log.with_added_extension("err");
    let launch = Launch { program, args, env, stderr: Some(stderr), ..Launch::default() };
    // One that a dead tuner left is of no use: nobody saw its beginning.
    backend.stop(&id, GRACE).await?;
    let before = logs::log_size(log);
    let began = Instant::now();
    backend.launch(&id, &launch, log).await?;
    let limit = Duration::try_from_secs_f64(guard.timeout_s).unwrap_or(Duration::MAX);
    let ended = tokio::select! {
        biased;
        () = cancel.cancelled() => None,
        exit = end_of(backend, &id) => Some(Some(exit?)),
        () = sleep(limit) => Some(None),
    };
    let took = began.elapsed();
    backend.stop(&id, GRACE).await?;
    let exit = ended.ok_or(GuardError::Cancelled)?;
    let last_line = last_output(log, before);
    let number = last_line.as_deref().and_then(last_number);
    Ok(GuardReport { exit, last_line, number, took })
}

async fn end_of(backend: &dyn Backend, id: &DeploymentId) -> Result<Exit, DeployError> {
    loop {
        match backend.status(id).await? {
            Status::Running(_) => sleep(PULSE).await,
            Status::Exited(exit) => return Ok(exit),
            Status::Absent => return Ok(Exit::default()),
        }
    }
}

/// The last line that this run wrote: the log may hold earlier runs, and begins each with a header of ours.
fn last_output(log: &Path, before: u64) -> Option<String> {
    let grown = logs::log_size(log).saturating_sub(before);
    let line = logs::log_tail(log, 1).pop()?;
    (grown > 0 && !line.starts_with("=== ")).then_some(line)
}

/// The last word of a line that is a finite number: `accuracy: 0.93`, `0.93`, `score=0.93`.
fn last_number(line: &str) -> Option<f64> {
    line.split(|c: char| c.is_whitespace() || matches!(c, '=' | ':' | ','))
        .filter_map(|word| word.parse::<f64>().ok())
        .rfind(|number| number.is_finite())
}

impl GuardReport {
    /// The veto, if there is one: cut off, a bad exit, a number outside the limits, or a missing number where limits
    /// are set.
    pub fn veto(&self, guard: &QualityGuard) -> Option<Failure> {
        let message = match (self.exit, self.number) {
            (None, _) => format!("the quality guard did not end within {} s", guard.timeout_s),
            (Some(exit), _) if exit.code != Some(0) => format!("the quality guard ended with {exit}"),
            (_, None) if guard.min.is_some() || guard.max.is_some() => {
                format!(
                    "the quality guard's last line has no number: {:?}",
                    self.last_line.as_deref().unwrap_or_default()
                )
            }
            (_, Some(number)) if guard.min.is_some_and(|min| number < min) => {
                format!("the quality guard gave {number}, less than {}", guard.min.unwrap_or_default())
            }
            (_, Some(number)) if guard.max.is_some_and(|max| number > max) => {
                format!("the quality guard gave {number}, more than {}", guard.max.unwrap_or_default())
            }
            _ => return None,
        };
        Some(Failure::new(FailureClass::QualityGuard, message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_is_the_last_one_of_the_line() {
        for (line, number) in [
            ("0.93", Some(0.93)),
            ("accuracy: 0.93", Some(0.93)),
            ("score=1e-3", Some(1e-3)),
            ("12 of 20 right, 60 %", Some(60.0)),
            ("nan", None),
            ("done", None),
            ("", None),
        ] {
            assert_eq!(last_number(line), number, "{line}");
        }
    }

    #[test]
    fn a_veto_says_why() {
        let guard = |min, max| QualityGuard { command: vec!["x".into()], min, max, timeout_s: 5.0 };
        let report = |code: Option<i32>, number: Option<f64>| GuardReport {
            exit: code.map(|code| Exit { code: Some(code), signal: None }),
            last_line: Some("x".into()),
            number,
            took: Duration::ZERO,
        };
        let veto = |report: GuardReport, guard: QualityGuard| report.veto(&guard).map(|f| f.message);
        let lines = [
            veto(report(None, None), guard(None, None)),
            veto(report(Some(1), Some(1.0)), guard(None, None)),
            veto(report(Some(0), None), guard(Some(0.5), None)),
            veto(report(Some(0), Some(0.4)), guard(Some(0.5), None)),
            veto(report(Some(0), Some(0.4)), guard(None, Some(0.3))),
        ];
        insta::assert_snapshot!(lines.map(Option::unwrap).join("\n"), @r#"
        the quality guard did not end within 5 s
        the quality guard ended with exit code 1
        the quality guard's last line has no number: "x"
        the quality guard gave 0.4, less than 0.5
        the quality guard gave 0.4, more than 0.3
        "#);
        assert_eq!(veto(report(Some(0), Some(0.4)), guard(Some(0.4), Some(0.4))), None);
        assert_eq!(veto(report(Some(0), None), guard(None, None)), None);
    }
}
