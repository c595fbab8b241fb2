//! What comes next.

use chrono::{DateTime, Utc};

use super::attempt::{Conclusion, conclude};
use super::budget::{SearchEnd, live, search_end, searched};
use super::verdict::{FinalStatus, Verdict};
use super::verify::{Verification, next_verification};
use super::{ExperimentView, Role, TaskView};
use crate::sampler::{Ask, Finished, Sampler, SuggestError};
use crate::score::{Class, Score, observe, score};
use crate::space::Configuration;
use crate::{Outcome, TaskSpec};

/// What to do next with a task.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Write this experiment down.
    Create {
        /// Its number.
        number: u32,
        /// Why it is run.
        role: Role,
        /// What is tried.
        configuration: Configuration,
    },
    /// Begin an attempt: deploy, then measure as `next_level` says, then stop the engine.
    Run {
        /// The experiment.
        number: u32,
        /// The attempt, from 1.
        attempt: u32,
    },
    /// Nothing to do before this time (back-off before a retry).
    Wait {
        /// The experiment that waits.
        number: u32,
        /// When to ask again.
        until: DateTime<Utc>,
    },
    /// An attempt is under way; ask again when it has ended.
    Await {
        /// The experiment.
        number: u32,
    },
    /// Write the experiment's end down.
    End {
        /// The experiment.
        number: u32,
        /// Its end.
        outcome: Outcome,
    },
    /// Write the task's end down.
    Finish {
        /// Its final status.
        status: FinalStatus,
        /// What was found.
        verdict: Box<Verdict>,
    },
}

/// What to do next: finish what is open, then the baseline, then the search, then verification, then the end.
///
/// Pure and total. `now` only decides about back-off and time budgets.
pub fn next_step(view: &TaskView<'_>, sampler: &dyn Sampler, now: DateTime<Utc>) -> Step {
    if let Some(step) = open_experiment(view, now) {
        return step;
    }
    if view.cancel_requested {
        return finish(view, FinalStatus::Cancelled, None);
    }
    let number = view.experiments.iter().map(|e| e.number).max().unwrap_or(0) + 1;
    if live(view).all(|e| e.role != Role::Baseline) {
        return Step::Create { number, role: Role::Baseline, configuration: view.spec.baseline.clone() };
    }
    let end = match verification_begun(view).then_some(SearchEnd::Experiments).or_else(|| search_end(view, now)) {
        Some(end) => end,
        None => match suggest(view, sampler) {
            Ok(configuration) => return Step::Create { number, role: Role::Search, configuration },
            Err(SuggestError::Exhausted) => SearchEnd::Exhausted,
            Err(SuggestError::NothingValid) => SearchEnd::NothingValid,
        },
    };
    match next_verification(view) {
        Verification::Run { role, configuration } => Step::Create { number, role, configuration },
        Verification::Over => {
            let any = searched(view).any(|e| matches!(e.outcome, Some(Outcome::Success { .. })));
            finish(view, if any { FinalStatus::Completed } else { FinalStatus::Failed }, Some(end))
        }
    }
}

fn open_experiment(view: &TaskView<'_>, now: DateTime<Utc>) -> Option<Step> {
    let mut waiting: Option<Step> = None;
    for experiment in view.experiments.iter().filter(|e| e.outcome.is_none()) {
        let number = experiment.number;
        let conclusion = conclude(view, experiment, now);
        if view.cancel_requested && !matches!(conclusion, Conclusion::Await | Conclusion::End(_)) {
            return Some(Step::End { number, outcome: Outcome::Cancelled });
        }
        match conclusion {
            Conclusion::End(outcome) => return Some(Step::End { number, outcome }),
            Conclusion::Run(attempt) => return Some(Step::Run { number, attempt }),
            Conclusion::Await => return Some(Step::Await { number }),
            Conclusion::Wait(until) => {
                waiting.get_or_insert(Step::Wait { number, until });
            }
        }
    }
    waiting
}

fn verification_begun(view: &TaskView<'_>) -> bool {
    live(view).any(|e| matches!(e.role, Role::Verify { .. }))
}

fn suggest(view: &TaskView<'_>, sampler: &dyn Sampler) -> Result<Configuration, SuggestError> {
    // The baseline may set flags outside the space or leave parameters to the engine; then it is no point of the space.
    let finished: Vec<Finished> = searched(view)
        .filter(|e| e.outcome.is_some())
        .filter_map(|e| {
            let configuration = view.space.canonical(&e.configuration)?;
            Some(Finished { configuration, observation: observe(view.spec, e) })
        })
        .collect();
    let running: Vec<Configuration> =
        searched(view).filter(|e| e.outcome.is_none()).map(|e| e.configuration.clone()).collect();
    let index = searched(view).filter(|e| e.role == Role::Search).count() as u32;
    sampler.suggest(&Ask {
        space: view.space,
        finished: &finished,
        running: &running,
        budget: view.spec.budget.experiments.saturating_sub(1),
        index,
        seed: view.spec.seed,
    })
}

fn finish(view: &TaskView<'_>, status: FinalStatus, end: Option<SearchEnd>) -> Step {
    Step::Finish { status, verdict: Box::new(Verdict::of(view, end)) }
}

/// The best ended experiment of baseline and search, with its score; the earlier one wins a tie, so the baseline
/// stands unless something is strictly better.
pub fn leader<'a>(spec: &TaskSpec, experiments: &'a [ExperimentView]) -> Option<(&'a ExperimentView, Score)> {
    best_of(spec, experiments.iter().filter(|e| matches!(e.role, Role::Baseline | Role::Search)))
}

/// The best of these that has ended and was measured; the earlier one wins a tie.
pub(super) fn best_of<'a>(
    spec: &TaskSpec,
    experiments: impl Iterator<Item = &'a ExperimentView>,
) -> Option<(&'a ExperimentView, Score)> {
    let objective = spec.objectives.first()?.resolve();
    experiments
        .filter_map(|e| Some((e, score(spec, e)?)))
        .filter(|(_, s)| s.class < Class::Infeasible && s.primary().is_some())
        .min_by(|(_, a), (_, b)| a.compare(b, &objective))
}
