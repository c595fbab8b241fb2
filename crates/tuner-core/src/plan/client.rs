//! Levels at which the client's own processor was the bottleneck: measured again with more threads while the machine
//! has them to spare, then given up, and with them every harder level of their kind.
//!
//! *Invariant*: a function of the task's levels and of what was measured in the attempt.

use super::AttemptView;
use crate::measure::{CLIENT_THREADS, CLIENT_THREADS_MOST};
use crate::{Measurement, TaskSpec};

/// Threads that a measurement used, and that the machine can spare.
fn threads(measurement: &Measurement) -> Option<(u32, u32)> {
    let count = |name| measurement.evidence.get(name).map(|n| *n as u32);
    Some((count(CLIENT_THREADS)?, count(CLIENT_THREADS_MOST)?))
}

/// Threads to measure `level` with: twice as many as were too few for it, or for an easier level. `None`: as many as
/// suit the machine.
pub(super) fn threads_for(spec: &TaskSpec, attempt: &AttemptView, level: u32) -> Option<u32> {
    let too_few = attempt.measurements.iter().filter(|m| m.client_bound && is_as_hard(spec, level, m.level));
    let (used, most) = too_few.filter_map(threads).max()?;
    Some(used.saturating_mul(2).min(most).max(used))
}

/// The level because of which `level` is not measured (again): itself or an easier one, which needs more processor than
/// this client has.
pub(super) fn given_up_at(spec: &TaskSpec, attempt: &AttemptView, level: u32) -> Option<u32> {
    let valid = |level| attempt.measurements.iter().any(|m| m.level == level && m.is_valid());
    if valid(level) {
        return None;
    }
    let at_its_limit = |m: &&Measurement| m.client_bound && threads(m).is_none_or(|(used, most)| used >= most);
    let bound = attempt.measurements.iter().filter(at_its_limit).map(|m| m.level);
    bound.filter(|bound| !valid(*bound) && is_as_hard(spec, level, *bound)).min()
}

/// Whether not even the easiest level can be measured from here.
pub(super) fn is_too_small(spec: &TaskSpec, attempt: &AttemptView) -> bool {
    (0..spec.load.levels.len() as u32).all(|level| given_up_at(spec, attempt, level).is_some())
}

/// Whether `level` is `other` or a harder one of its kind.
fn is_as_hard(spec: &TaskSpec, level: u32, other: u32) -> bool {
    let of = |level: u32| spec.load.levels.get(level as usize);
    level == other || of(level).zip(of(other)).is_some_and(|(level, other)| level.is_harder_than(other))
}

/// Measurements of `level` that say nothing but that there were too few threads.
pub(super) fn wasted(attempt: &AttemptView, level: u32) -> u32 {
    attempt.measurements.iter().filter(|m| m.level == level && m.client_bound).count() as u32
}

#[cfg(test)]
mod tests {
    use chrono::Utc;
    use serde_json::json;

    use super::super::attempt::{Conclusion, conclude};
    use super::super::{AttemptEvidence, AttemptState, ExperimentView, NoForecast, Places, Role, TaskView};
    use super::*;
    use crate::space::SearchSpace;
    use crate::{Configuration, Outcome, Validity};

    fn measured(level: u32, client_bound: bool, threads: f64) -> Measurement {
        let reasons = vec!["a client thread used 93 % of its core, 75 % is the limit".to_owned()];
        Measurement {
            level,
            client_bound,
            validity: if client_bound { Validity::Invalid { reasons } } else { Validity::Valid },
            evidence: [(CLIENT_THREADS.to_owned(), threads), (CLIENT_THREADS_MOST.to_owned(), 2.0)].into(),
            ..Measurement::default()
        }
    }

    /// Issue 3, point 7: it says why it did not go on.
    #[test]
    fn what_was_not_tried_is_named_with_the_level_that_was_too_much_for_the_client() {
        let spec = json!({
            "name": "s", "model": {"path": "m"}, "engine": {"name": "simulated"}, "search_space": {},
            "load": {"levels": [{"concurrency": 1}, {"concurrency": 512}, {"concurrency": 2048}, {"rate": 5.0}]},
        });
        let spec: TaskSpec = serde_json::from_value(spec).unwrap();
        let attempt = AttemptView {
            number: 1,
            state: AttemptState::Succeeded,
            failure: None,
            started_at: Utc::now(),
            ended_at: None,
            measurements: vec![
                measured(0, false, 1.0),
                measured(1, true, 1.0),
                measured(1, true, 2.0),
                measured(3, false, 1.0),
            ],
            evidence: AttemptEvidence::default(),
        };
        assert_eq!(
            (1..4).map(|level| given_up_at(&spec, &attempt, level)).collect::<Vec<_>>(),
            [Some(1), Some(1), None]
        );
        let experiment = ExperimentView {
            number: 2,
            role: Role::Search,
            configuration: Configuration::default(),
            outcome: None,
            attempts: vec![attempt],
        };
        let space = SearchSpace::default();
        let view = TaskView {
            spec: &spec,
            space: &space,
            experiments: &[],
            proposed: &[],
            started_at: Utc::now(),
            cancel_requested: false,
            forecast: &NoForecast,
            places: Places::ALONE,
        };
        let Conclusion::End(Outcome::Success { partial: true, failure: Some(failure) }) =
            conclude(&view, &experiment, Utc::now())
        else {
            panic!("a partial success")
        };
        assert_eq!(
            failure.message,
            "2 of 4 levels without a valid measurement: a client thread used 93 % of its core, 75 % is the limit; c2048 \
             was not tried, because c512 already needs more processor time than this client has"
        );
    }
}
