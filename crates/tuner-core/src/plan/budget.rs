//! When the search ends, and how far a task is.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{AttemptView, ExperimentView, Role, TaskView};
use crate::Outcome;
use crate::failure::Blame;

/// Experiments in a row that could not be tried before the search gives up.
const MAX_FAILED_IN_A_ROW: usize = 3;

/// Why the search ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SearchEnd {
    /// The budget of experiments is used up.
    Experiments,
    /// The budget of wall time is used up.
    WallTime,
    /// The budget of GPU-seconds is used up.
    GpuSeconds,
    /// Every valid configuration was tried.
    Exhausted,
    /// No configuration satisfies the constraints.
    NothingValid,
    /// Several experiments in a row could not be tried.
    Failures,
    /// The baseline could not be tried for a reason that will not pass by itself.
    Environment,
}

impl SearchEnd {
    /// Words for people.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Experiments => "the budget of experiments is used up",
            Self::WallTime => "the budget of wall time is used up",
            Self::GpuSeconds => "the budget of GPU-seconds is used up",
            Self::Exhausted => "every valid configuration was tried",
            Self::NothingValid => "no configuration satisfies the constraints",
            Self::Failures => "several experiments in a row could not be tried",
            Self::Environment => "the baseline cannot be tried until something is fixed",
        }
    }
}

/// How far a task is, in experiments.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// Ended.
    pub done: u32,
    /// Expected in all, verification included.
    pub total: u32,
    /// Mean seconds of an ended experiment; 0 before the first.
    pub mean_experiment_s: f64,
}

/// How far the task is. The total is an upper bound: a search may end early.
pub fn progress(view: &TaskView<'_>) -> Progress {
    let done = view.experiments.iter().filter(|e| e.outcome.is_some()).count() as u32;
    let space = view.space.cardinality_bound().and_then(|n| u32::try_from(n.saturating_add(1)).ok());
    let budget = view.spec.budget.experiments.saturating_add(free(view) as u32);
    let search = budget.min(space.unwrap_or(u32::MAX));
    let total = (search + 2 * view.spec.verification.blocks).max(view.experiments.len() as u32);
    let spent: f64 = attempts(view).filter_map(|a| Some((a.ended_at? - a.started_at).as_seconds_f64())).sum();
    Progress { done, total, mean_experiment_s: if done == 0 { 0.0 } else { spent / f64::from(done) } }
}

/// What a person cut off does not count: a task that is taken up again tries it afresh.
pub(super) fn live<'a>(view: &TaskView<'a>) -> impl DoubleEndedIterator<Item = &'a ExperimentView> {
    view.experiments.iter().filter(|e| e.outcome != Some(Outcome::Cancelled))
}

pub(super) fn searched<'a>(view: &TaskView<'a>) -> impl DoubleEndedIterator<Item = &'a ExperimentView> {
    searching(view.experiments)
}

/// Those of baseline and search that count.
pub(super) fn searching(experiments: &[ExperimentView]) -> impl DoubleEndedIterator<Item = &ExperimentView> {
    let counts =
        |e: &&ExperimentView| e.outcome != Some(Outcome::Cancelled) && matches!(e.role, Role::Baseline | Role::Search);
    experiments.iter().filter(counts)
}

/// Experiments that the budget does not count: what was known to be impossible cost nothing. At most as many as it
/// counts, or a search of a space without an end would have none.
fn free(view: &TaskView<'_>) -> usize {
    let predicted = |e: &&ExperimentView| e.outcome.as_ref().is_some_and(Outcome::is_predicted);
    searched(view).filter(predicted).count().min(view.spec.budget.experiments as usize)
}

/// Whether a limit forbids another search experiment.
pub(super) fn search_end(view: &TaskView<'_>, now: DateTime<Utc>) -> Option<SearchEnd> {
    let environment = |e: &ExperimentView| matches!(&e.outcome, Some(Outcome::Failed { failure }) if failure.class.blame() == Blame::Environment);
    if searched(view).next().is_some_and(environment) {
        return Some(SearchEnd::Environment);
    }
    let failed = |e: &&ExperimentView| matches!(e.outcome, Some(Outcome::Failed { .. }));
    let have_ended = searched(view).rev().filter(|e| e.outcome.is_some());
    if have_ended.take_while(failed).count() >= MAX_FAILED_IN_A_ROW {
        return Some(SearchEnd::Failures);
    }
    if searched(view).count() - free(view) >= view.spec.budget.experiments as usize {
        return Some(SearchEnd::Experiments);
    }
    if view.spec.budget.wall_time_s.is_some_and(|limit| at_work_s(view, now) >= limit) {
        return Some(SearchEnd::WallTime);
    }
    let tries = searched(view).flat_map(|e| &e.attempts);
    let gpu_seconds = tries.map(|a| length_s(span(a, now)) * f64::from(a.evidence.gpus.unwrap_or(0)));
    if view.spec.budget.gpu_seconds.is_some_and(|limit| gpu_seconds.sum::<f64>() >= limit) {
        return Some(SearchEnd::GpuSeconds);
    }
    None
}

/// Seconds in which at least one attempt of the search ran: what runs side by side takes its time once.
fn at_work_s(view: &TaskView<'_>, now: DateTime<Utc>) -> f64 {
    let mut spans: Vec<_> = searched(view).flat_map(|e| &e.attempts).map(|a| span(a, now)).collect();
    spans.sort_unstable();
    let (mut spent, mut until) = (0.0, DateTime::<Utc>::MIN_UTC);
    for (from, to) in spans {
        spent += length_s((from.max(until), to));
        until = until.max(to);
    }
    spent
}

fn span(attempt: &AttemptView, now: DateTime<Utc>) -> (DateTime<Utc>, DateTime<Utc>) {
    (attempt.started_at, attempt.ended_at.unwrap_or(now))
}

fn length_s((from, to): (DateTime<Utc>, DateTime<Utc>)) -> f64 {
    (to - from).as_seconds_f64().max(0.0)
}

fn attempts<'a>(view: &TaskView<'a>) -> impl Iterator<Item = &'a AttemptView> {
    view.experiments.iter().flat_map(|e| &e.attempts)
}
