//! What comes next.

use chrono::{DateTime, Utc};

use super::attempt::{Conclusion, conclude};
use super::budget::{SearchEnd, live, search_end, searched, searching};
use super::verdict::{FinalStatus, Verdict};
use super::verify::{Verification, next_verification};
use super::{ExperimentView, Role, TaskView};
use crate::sampler::{Ask, Finished, Sampler, SuggestError};
use crate::score::{Class, Score, observe, score};
use crate::space::{Configuration, SearchSpace};
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
    /// An attempt is under way, or somebody else is about to begin one; ask again when something has changed.
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

/// What to do next: write down what has ended, then the baseline, then the search, then verification, then the end.
///
/// With more places than one, further experiments of the search are written down while others are open; the baseline is
/// the first to be, and nobody waits for its end. Verification is one experiment at a time, when nothing else is open.
///
/// Pure and total. `now` only decides about back-off and time budgets.
pub fn next_step(view: &TaskView<'_>, sampler: &dyn Sampler, now: DateTime<Utc>) -> Step {
    let open = open(view, now);
    if let Some(end) = open.iter().find_map(|open| ended(view, open)) {
        return end;
    }
    let room = open.is_empty() || open.len() < view.places.most as usize;
    let searched = match room && !view.cancel_requested {
        true => search(view, sampler, now).map_err(Some),
        false => Err(None),
    };
    let number = view.experiments.iter().map(|e| e.number).max().unwrap_or(0) + 1;
    let end = match searched {
        Ok((role, configuration)) => return Step::Create { number, role, configuration },
        Err(end) => end,
    };
    if let Some(step) = under_way(view, &open) {
        return step;
    }
    if view.cancel_requested {
        return finish(view, FinalStatus::Cancelled, None);
    }
    match next_verification(view) {
        Verification::Run { role, configuration } => Step::Create { number, role, configuration },
        Verification::Over => {
            let any = searched_any(view);
            finish(view, if any { FinalStatus::Completed } else { FinalStatus::Failed }, end)
        }
    }
}

/// An experiment that has not ended, and what is to be done with it.
pub(super) struct Open {
    pub(super) number: u32,
    pub(super) role: Role,
    pub(super) conclusion: Conclusion,
}

/// What has not ended, in order of numbers.
pub(super) fn open(view: &TaskView<'_>, now: DateTime<Utc>) -> Vec<Open> {
    let conclude = |e: &ExperimentView| match view.places.claimed.contains(&e.number) {
        true => Conclusion::Await,
        false => conclude(view, e, now),
    };
    let open = view.experiments.iter().filter(|e| e.outcome.is_none());
    open.map(|e| Open { number: e.number, role: e.role, conclusion: conclude(e) }).collect()
}

/// The end of an open experiment, if it has come. A wish to stop ends what nobody runs.
fn ended(view: &TaskView<'_>, Open { number, conclusion, .. }: &Open) -> Option<Step> {
    let outcome = match conclusion {
        Conclusion::End(outcome) => outcome.clone(),
        Conclusion::Run(_) | Conclusion::Wait(_) if view.cancel_requested => Outcome::Cancelled,
        _ => return None,
    };
    Some(Step::End { number: *number, outcome })
}

/// How what is open goes on; `None` if nothing is.
fn under_way(view: &TaskView<'_>, open: &[Open]) -> Option<Step> {
    let run = open.iter().find_map(|open| match open.conclusion {
        Conclusion::Run(attempt) => Some(Step::Run { number: open.number, attempt }),
        _ => None,
    });
    let wait = open.iter().filter_map(|open| match open.conclusion {
        Conclusion::Wait(until) => Some((until, open.number)),
        _ => None,
    });
    let wait = wait.min().map(|(until, number)| Step::Wait { number, until });
    let other = open.first().map(|open| Step::Await { number: open.number });
    run.filter(|_| view.places.free).or(wait).or(other)
}

/// The next experiment of baseline and search, or why there is none.
fn search(view: &TaskView<'_>, sampler: &dyn Sampler, now: DateTime<Utc>) -> Result<(Role, Configuration), SearchEnd> {
    if live(view).all(|e| e.role != Role::Baseline) {
        return Ok((Role::Baseline, view.spec.baseline.clone()));
    }
    if let Some(end) = verification_begun(view).then_some(SearchEnd::Experiments).or_else(|| search_end(view, now)) {
        return Err(end);
    }
    let suggested = suggest(view, sampler).map_err(|error| match error {
        SuggestError::Exhausted => SearchEnd::Exhausted,
        SuggestError::NothingValid => SearchEnd::NothingValid,
    });
    Ok((Role::Search, suggested?))
}

fn searched_any(view: &TaskView<'_>) -> bool {
    searched(view).any(|e| matches!(e.outcome, Some(Outcome::Success { .. })))
}

pub(super) fn verification_begun(view: &TaskView<'_>) -> bool {
    live(view).any(|e| matches!(e.role, Role::Verify { .. }))
}

/// What the experiments of the search taught, as samplers and analysis see it.
pub fn finished(spec: &TaskSpec, space: &SearchSpace, experiments: &[ExperimentView]) -> Vec<Finished> {
    let counts = |e: &&ExperimentView| {
        let searched = matches!(e.role, Role::Baseline | Role::Search);
        searched && e.outcome.as_ref().is_some_and(|outcome| *outcome != Outcome::Cancelled)
    };
    let ended = experiments.iter().filter(counts);
    let taught = ended.filter_map(|e| {
        let configuration = space.canonical(&e.configuration)?;
        Some(Finished { configuration, observation: observe(spec, e) })
    });
    taught.collect()
}

fn suggest(view: &TaskView<'_>, sampler: &dyn Sampler) -> Result<Configuration, SuggestError> {
    let canonical = |c: &Configuration| view.space.canonical(c);
    let tried =
        |wish: &Configuration| searching(view.experiments).any(|e| canonical(&e.configuration).as_ref() == Some(wish));
    // What is no point of the space was refused when it was proposed.
    if let Some(wish) = view.proposed.iter().filter_map(canonical).find(|wish| !tried(wish)) {
        return Ok(wish);
    }
    suggestion(view.spec, view.space, view.experiments, &[], sampler)
}

/// What the search tries next where nothing else ends it, as if `besides` ran already.
///
/// # Errors
/// [`SuggestError`]: there is nothing left.
pub fn suggestion(
    spec: &TaskSpec,
    space: &SearchSpace,
    experiments: &[ExperimentView],
    besides: &[Configuration],
    sampler: &dyn Sampler,
) -> Result<Configuration, SuggestError> {
    // The baseline may set flags outside the space or leave parameters to the engine; then it is no point of the space.
    let finished = finished(spec, space, experiments);
    let running = searching(experiments).filter(|e| e.outcome.is_none());
    let running = running.filter_map(|e| space.canonical(&e.configuration)).chain(besides.iter().cloned());
    let running: Vec<Configuration> = running.collect();
    let index = searching(experiments).filter(|e| e.role == Role::Search).count() + besides.len();
    sampler.suggest(&Ask {
        space,
        finished: &finished,
        running: &running,
        budget: spec.budget.experiments.saturating_sub(1),
        index: index as u32,
        seed: spec.seed,
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
