//! One experiment: its levels, its retries, its end.

use chrono::{DateTime, TimeDelta, Utc};

use super::{AttemptState, AttemptView, ExperimentView, TaskView, client, losing};
use crate::failure::Blame;
use crate::task::Level;
use crate::{Bar, Failure, FailureClass, Outcome, TaskSpec, Validity};

/// Attempts that ended by the death of the worker before the configuration is blamed for it.
const MAX_INTERRUPTIONS: usize = 10;
/// Extra tries of a level whose measurement was invalid.
const INVALID_RETRIES: u32 = 1;
/// How much the clocks of machines that share a store may differ.
const SKEW: TimeDelta = TimeDelta::minutes(1);

/// What to do next with a ready engine.
#[derive(Clone, Debug, PartialEq)]
pub enum LevelStep {
    /// Measure this level.
    Measure {
        /// Position of the level.
        level: u32,
        /// Repeat, from 0; invalid measurements count on.
        repeat: u32,
        /// Threads that send and read, where as many as suit the machine were too few.
        client_threads: Option<u32>,
        /// What it has to be able to reach, where falling short of it decides about the experiment.
        bar: Option<Bar>,
    },
    /// Every level has its measurements, or the experiment surely cannot win.
    Done,
}

/// The next level to measure in an attempt: every level once, then the repeats, so that drift hits all levels alike.
/// An invalid measurement is repeated once; one whose client was the bottleneck, with more threads for as long as there
/// are more, and then neither it nor a harder level of its kind is tried. `best`: what the experiment has to reach
/// ([`super::to_beat`]); once it surely cannot, nothing more is measured.
pub fn next_level(spec: &TaskSpec, attempt: &AttemptView, best: Option<f64>) -> LevelStep {
    if losing::lost(attempt).is_some() {
        return LevelStep::Done;
    }
    let tries = |level: u32| attempt.measurements.iter().filter(|m| m.level == level).count() as u32;
    let valid = |level: u32| attempt.measurements.iter().filter(|m| m.level == level && m.is_valid()).count() as u32;
    for round in 1..=spec.repeats {
        for level in 0..spec.load.levels.len() as u32 {
            let most = round + INVALID_RETRIES + client::wasted(attempt, level);
            let open = valid(level) < round && tries(level) < most;
            if open && client::given_up_at(spec, attempt, level).is_none() {
                let client_threads = client::threads_for(spec, attempt, level);
                let bar = best.and_then(|best| losing::bar(spec, attempt, level, best));
                return LevelStep::Measure { level, repeat: tries(level), client_threads, bar };
            }
        }
    }
    LevelStep::Done
}

/// What is to be done with an open experiment.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Conclusion {
    /// It has ended.
    End(Outcome),
    /// Begin this attempt.
    Run(u32),
    /// Not before this time.
    Wait(DateTime<Utc>),
    /// An attempt is under way.
    Await,
}

pub(super) fn conclude(view: &TaskView<'_>, experiment: &ExperimentView, now: DateTime<Utc>) -> Conclusion {
    let spec = view.spec;
    let Some(last) = experiment.last_attempt() else {
        let impossible = view.forecast.impossible(&spec.effective_flags(&experiment.configuration));
        let end = |failure: Failure| {
            let message = format!("predicted, nothing was started: {}", failure.message);
            Conclusion::End(Outcome::Infeasible { failure: Failure { message, ..failure }, predicted: true })
        };
        return impossible.map_or(Conclusion::Run(1), end);
    };
    match last.state {
        AttemptState::Running => Conclusion::Await,
        AttemptState::Interrupted | AttemptState::Cancelled => after_interruption(experiment, last),
        AttemptState::Succeeded if let Some((level, reason)) = losing::lost(last) => {
            let label = spec.load.levels.get(level as usize).map(Level::label).unwrap_or_default();
            Conclusion::End(Outcome::Pruned { reason: format!("{reason}, at {label}") })
        }
        AttemptState::Succeeded => match missing_levels(spec, last) {
            (_, None) => Conclusion::End(Outcome::Success { partial: false, failure: None }),
            // A further attempt would find the same client.
            (0, Some(failure)) if client::is_too_small(spec, last) => Conclusion::End(Outcome::Failed { failure }),
            (0, Some(failure)) => after_failure(spec, experiment, last, failure, now),
            (_, failure) => Conclusion::End(Outcome::Success { partial: true, failure }),
        },
        AttemptState::Failed => {
            let failure = last.failure.clone();
            let failure = failure.unwrap_or_else(|| Failure::new(FailureClass::Internal, "failed without a reason"));
            after_failure(spec, experiment, last, failure, now)
        }
    }
}

fn after_interruption(experiment: &ExperimentView, last: &AttemptView) -> Conclusion {
    let deaths = experiment.attempts.iter().filter(|a| a.state == AttemptState::Interrupted).count();
    if deaths > MAX_INTERRUPTIONS {
        let message = format!("the worker died in {deaths} attempts");
        return Conclusion::End(Outcome::Failed { failure: Failure::new(FailureClass::Interrupted, message) });
    }
    Conclusion::Run(last.number + 1)
}

fn after_failure(
    spec: &TaskSpec,
    experiment: &ExperimentView,
    last: &AttemptView,
    failure: Failure,
    now: DateTime<Utc>,
) -> Conclusion {
    let tries = experiment
        .attempts
        .iter()
        .filter(|a| matches!(a.state, AttemptState::Failed | AttemptState::Succeeded))
        .count() as u32;
    let blame = failure.class.blame();
    if blame == Blame::Transient && tries < spec.retries.max_attempts {
        let due = due(last.ended_at.unwrap_or(last.started_at), backoff(spec, tries), now);
        return due.map_or(Conclusion::Run(last.number + 1), Conclusion::Wait);
    }
    let has_measurements = experiment.measurements().iter().any(|m| m.is_valid());
    Conclusion::End(match blame {
        _ if has_measurements && failure.class != FailureClass::QualityGuard => {
            Outcome::Success { partial: true, failure: Some(failure) }
        }
        Blame::Configuration => Outcome::Infeasible { failure, predicted: false },
        Blame::Transient | Blame::Environment => Outcome::Failed { failure },
    })
}

/// Until when to wait after an attempt, if at all. An end that lies ahead was written down by a clock that was set back
/// since: nobody waits for it.
fn due(ended_at: DateTime<Utc>, wait: TimeDelta, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    (now < ended_at + wait && ended_at <= now + SKEW).then_some(ended_at + wait)
}

/// `backoff_s · 2^(tries − 1)`, capped.
fn backoff(spec: &TaskSpec, tries: u32) -> TimeDelta {
    let seconds = spec.retries.backoff_s * 2f64.powi(tries.saturating_sub(1).min(30) as i32);
    let seconds = seconds.min(spec.retries.max_backoff_s).clamp(0.0, 86_400.0);
    TimeDelta::milliseconds((seconds * 1000.0) as i64)
}

/// Number of levels with a valid measurement, and what to say about the others.
fn missing_levels(spec: &TaskSpec, attempt: &AttemptView) -> (usize, Option<Failure>) {
    let levels = spec.load.levels.len() as u32;
    let has = |level: &u32| attempt.measurements.iter().any(|m| m.level == *level && m.is_valid());
    let missing: Vec<u32> = (0..levels).filter(|l| !has(l)).collect();
    let Some(first) = missing.first() else { return (levels as usize, None) };
    let reasons = attempt
        .measurements
        .iter()
        .rev()
        .filter(|m| m.level == *first)
        .find_map(|m| match &m.validity {
            Validity::Invalid { reasons } => Some(reasons.join("; ")),
            Validity::Valid => None,
        })
        .unwrap_or_else(|| "not measured".to_owned());
    let mut message = format!("{} of {levels} levels without a valid measurement: {reasons}", missing.len());
    let label = |level: u32| spec.load.levels.get(level as usize).map(Level::label).unwrap_or_default();
    let measured = |level: u32| attempt.measurements.iter().any(|m| m.level == level);
    let given_up = missing.iter().filter(|level| !measured(**level));
    let given_up = given_up.filter_map(|level| Some((*level, client::given_up_at(spec, attempt, *level)?)));
    for (level, at) in given_up {
        let note = "already needs more processor time than this client has";
        message.push_str(&format!("; {} was not tried, because {} {note}", label(level), label(at)));
    }
    (levels as usize - missing.len(), Some(Failure::new(FailureClass::InvalidMeasurement, message)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// B8: found by setting a clock an hour back while a task ran.
    #[test]
    fn nobody_waits_for_the_end_of_a_wait_that_a_clock_set_back_has_moved_away() {
        let (ended_at, wait) = (DateTime::UNIX_EPOCH + TimeDelta::days(20_000), TimeDelta::seconds(10));
        let due_at = |after: TimeDelta| due(ended_at, wait, ended_at + after);
        assert_eq!(due_at(TimeDelta::seconds(3)), Some(ended_at + wait));
        assert_eq!(due_at(TimeDelta::seconds(-30)), Some(ended_at + wait), "another machine's clock is a little ahead");
        assert_eq!(due_at(wait), None);
        assert_eq!(due_at(TimeDelta::hours(-1)), None);
    }
}
