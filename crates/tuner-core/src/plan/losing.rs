//! Levels whose experiment surely cannot win: what they have to be able to reach, and what follows when they cannot.
//!
//! *Invariant*: only a level whose shortfall decides about the whole experiment has a bar, and only in the search, against
//! one objective, under a feasible leader: whatever the levels that are then left out had given, the experiment would
//! not have led, nor come close enough to be verified.

use super::step::leader;
use super::{AttemptView, ExperimentView, Role};
use crate::score::{Class, gpus_of, level_value};
use crate::task::{Across, Goal};
use crate::{Bar, Metric, Stat, StopRule, TaskSpec};

/// The share of the leader's figure by which a loser is surely behind: twice as far as what is still verified
/// (`verify.rs`), because single runs of one configuration differ.
const MARGIN: f64 = 0.2;

/// What an experiment of this role has to reach, as the task's objective counts it; `None` where none is ended early.
pub fn to_beat(spec: &TaskSpec, experiments: &[ExperimentView], role: Role) -> Option<f64> {
    // Of several repeats the median counts, of which one alone says too little.
    if role != Role::Search || !spec.load.stop_when_losing || spec.objectives.len() != 1 || spec.repeats > 1 {
        return None;
    }
    let (_, score) = leader(spec, experiments)?;
    score.primary().filter(|best| score.class == Class::Feasible && *best > 0.0)
}

/// What `level` has to be able to reach in this attempt, the experiment having to reach `best`.
pub(super) fn bar(spec: &TaskSpec, attempt: &AttemptView, level: u32, best: f64) -> Option<Bar> {
    let objective = spec.objectives.first()?.resolve();
    let gpus = gpus_of(spec, attempt.evidence.gpus);
    let share = if objective.per_gpu { f64::from(gpus) } else { 1.0 };
    let bar = Bar {
        metric: objective.metric,
        stat: objective.stat,
        goal: objective.goal,
        best: best * share,
        margin: MARGIN,
    };
    let decides = match objective.across {
        Across::Worst => true,
        Across::Level(deciding) => deciding == level,
        // The last one that could save it.
        Across::Best => {
            let others = (0..spec.load.levels.len() as u32).filter(|other| *other != level);
            let value = |other| level_value(&attempt.measurements, other, objective.metric, objective.stat);
            others.map(value).all(|value| value.is_some_and(|value| bar.is_missed_by(value)))
        }
    };
    (decides && is_followed(objective.metric, objective.stat, objective.goal)).then_some(bar)
}

/// Whether a running level tells in time how such a figure will end.
fn is_followed(metric: Metric, stat: Stat, goal: Goal) -> bool {
    match (metric, goal) {
        (Metric::Icl | Metric::Itl, _) => false,
        (metric, Goal::Minimize) if metric.is_time() => matches!(stat, Stat::Mean | Stat::Percentile(_)),
        (Metric::OutputThroughput | Metric::RequestThroughput | Metric::Goodput, Goal::Maximize) => true,
        _ => false,
    }
}

/// The level at which an attempt was ended because it could not win, and why.
pub(super) fn lost(attempt: &AttemptView) -> Option<(u32, &str)> {
    attempt.measurements.iter().filter(|m| m.is_valid()).find_map(|m| {
        let stopped = m.stopped.as_ref().filter(|stopped| stopped.rule == StopRule::Loser)?;
        Some((m.level, stopped.reason.as_str()))
    })
}
