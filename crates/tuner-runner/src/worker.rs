//! Who works on tasks: as the one that plans a task, or as one that helps.
//!
//! *Invariant*: whoever plans holds the task's lease, whoever runs an experiment holds that experiment's. Nothing is
//! decided here: whatever moment the process dies at, loading the rows and asking the planner again goes on from there.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tuner_core::failure::Blame;
use tuner_core::plan::{AttemptState, ExperimentView, FinalStatus, Forecast, Places, TaskView, Verdict};
use tuner_core::sampler::Sampler;
use tuner_core::{Failure, SearchSpace};
use tuner_store::{Claimed, Lease, Needs, Owner, Phase, Store, StoreError, TaskId, TaskState};

use crate::activity::Activity;
use crate::attempt::{Attempt, AttemptEnd, over_time};
use crate::claim::{claim, give_back};
use crate::clock::Clock;
use crate::coordinator::Coordinator;
use crate::error::RunError;
use crate::lab::Lab;
use crate::patience::{Patience, patiently};
use crate::pulse::Pulse;

/// How work on a task ended.
#[derive(Clone, Debug, PartialEq)]
pub enum RunEnd {
    /// The task has ended.
    Finished {
        /// How.
        status: FinalStatus,
        /// What was found.
        verdict: Box<Verdict>,
    },
    /// The worker was asked to stop; everything of its own is stopped and the task can be resumed.
    Stopped,
}

/// Does tasks, one at a time.
#[derive(Debug)]
pub struct Worker {
    /// Where the truth is.
    pub store: Store,
    /// Where engines run.
    pub lab: Lab,
    /// Real or virtual time.
    pub clock: Arc<Clock>,
    /// Who we are.
    pub owner: Owner,
    /// What is known of configurations before they are tried.
    pub forecast: Box<dyn Forecast>,
    /// What is shown live and kept nowhere.
    pub activity: watch::Sender<Activity>,
    /// What workers must have that are asked to help; `None`: nobody is asked.
    pub help: Option<Needs>,
}

impl Worker {
    /// Works on a task until it has ended or `stop` is cancelled. Resume is the same call.
    ///
    /// # Errors
    /// [`RunError::Busy`], [`RunError::ClaimRace`] if another process plans it; [`RunError::LeaseLost`] if one took over.
    pub async fn run(
        &self,
        task: TaskId,
        space: &SearchSpace,
        sampler: &dyn Sampler,
        stop: &CancellationToken,
    ) -> Result<RunEnd, RunError> {
        let lease = claim(&self.store, &self.owner, task).await?;
        let lost = CancellationToken::new();
        let wish = CancellationToken::new();
        let pulse = Pulse::of_lease(&self.store, &lease, &wish, &lost);
        let claimed = self.store.claimed(task, lease.clone());
        let result = Coordinator::work(self, claimed, (space, sampler), [stop, &wish, &lost]).await;
        self.settle(&lease, pulse, result).await
    }

    /// Gives a lease back after what was done under it; work that lost it is told why, where the store was the cause.
    async fn settle<T>(&self, lease: &Lease, pulse: Pulse, result: Result<T, RunError>) -> Result<T, RunError> {
        let result = match (result, pulse.end().await) {
            (Err(RunError::LeaseLost), Some(unreachable)) => Err(unreachable.into()),
            (result, _) => result,
        };
        give_back(&self.store, lease).await;
        result
    }

    /// What the planner sees.
    pub(crate) fn view<'a>(
        &'a self,
        state: &'a TaskState,
        space: &'a SearchSpace,
        wish: bool,
        places: Places<'a>,
    ) -> TaskView<'a> {
        TaskView {
            spec: &state.spec,
            space,
            experiments: &state.experiments,
            proposed: &state.proposed,
            started_at: state.row.started_at.unwrap_or(state.row.created_at),
            cancel_requested: wish || state.row.cancel_requested,
            forecast: self.forecast.as_ref(),
            places,
        }
    }

    pub(crate) async fn refresh(&self, state: &mut TaskState) -> Result<(), StoreError> {
        let mut patience = Patience::new();
        while let Err(error) = self.store.refresh(state).await {
            patience.again(error).await?;
        }
        Ok(())
    }

    /// One attempt at an experiment under a lease on it, which is given back; the engine is stopped whatever happens.
    /// Whoever only `helps` concludes nothing from a place that is not fit for it.
    pub(crate) async fn run_one(
        &self,
        state: TaskState,
        experiment: ExperimentView,
        lease: Lease,
        over: CancellationToken,
        helps: bool,
    ) -> Result<AttemptEnd, RunError> {
        let task = state.row.id;
        let (wish, lost) = (CancellationToken::new(), CancellationToken::new());
        let pulse = Pulse::of_lease(&self.store, &lease, &wish, &lost);
        let claimed = self.store.claimed(task, lease.clone());
        self.activity.send_replace(Activity { experiment: Some(experiment.number), live: None });
        let result = match self.is_as_seen(task, &experiment).await {
            // Large, and moved about: on the heap it overflows no thread's stack.
            Ok(true) => Box::pin(self.attempt(&claimed, &state, &experiment, [&over, &wish, &lost], helps)).await,
            Ok(false) => Ok(AttemptEnd::NotBegun),
            Err(error) => Err(error.into()),
        };
        self.settle(&lease, pulse, result).await
    }

    /// Whether nothing has become of an experiment since the planner saw it: before its lease was ours, others may have
    /// tried it or ended it.
    async fn is_as_seen(&self, task: TaskId, seen: &ExperimentView) -> Result<bool, StoreError> {
        let known = patiently(|| self.store.experiment(task, seen.number)).await?;
        Ok(known.outcome.is_none() && known.attempts.len() == seen.attempts.len())
    }

    /// One attempt, from its row to its end.
    async fn attempt(
        &self,
        claimed: &Claimed,
        state: &TaskState,
        experiment: &ExperimentView,
        [over, wish, lost]: [&CancellationToken; 3],
        helps: bool,
    ) -> Result<AttemptEnd, RunError> {
        let number = experiment.number;
        let begun = match patiently(|| claimed.begin_attempt(number)).await {
            Err(StoreError::WrongState { .. }) => return Ok(AttemptEnd::NotBegun),
            begun => begun?,
        };
        let attempt = Attempt::new(self, claimed, state, experiment, begun);
        let limit = Duration::from_secs_f64(state.spec.timeouts.experiment_s);
        let (end, failure) = tokio::select! {
            result = Box::pin(attempt.work()) => match result {
                Ok(()) => (AttemptState::Succeeded, None),
                Err(RunError::Attempt(failure)) => (AttemptState::Failed, Some(*failure)),
                Err(error) => {
                    attempt.stop().await;
                    return Err(error);
                }
            },
            () = self.limit(limit) => (AttemptState::Failed, Some(over_time(&state.spec))),
            () = over.cancelled() => (AttemptState::Cancelled, None),
            () = wish.cancelled() => (AttemptState::Cancelled, None),
            () = lost.cancelled() => {
                attempt.stop().await;
                return Err(RunError::LeaseLost);
            }
        };
        let environment = |failure: &&Failure| failure.class.blame() == Blame::Environment;
        let unfit = failure.as_ref().filter(|_| helps).filter(environment).map(|failure| failure.message.clone());
        attempt.phase(Phase::Stopping).await?;
        attempt.stop_and_record(end == AttemptState::Cancelled).await?;
        let end = if unfit.is_some() { AttemptState::Cancelled } else { end };
        let gpu_seconds = attempt.gpu_seconds().await;
        let ended = tuner_store::AttemptEnd { state: end, failure, gpu_seconds };
        patiently(|| claimed.end_attempt(number, begun, &ended)).await?;
        Ok(match (unfit, end) {
            (Some(why), _) => AttemptEnd::Unfit(why),
            (None, AttemptState::Cancelled) => AttemptEnd::Stopped,
            (None, _) => AttemptEnd::Ended,
        })
    }

    /// The experiment's time limit; virtual time keeps its own.
    async fn limit(&self, limit: Duration) {
        match *self.clock {
            Clock::Real => tokio::time::sleep(limit).await,
            Clock::Virtual(_) => std::future::pending().await,
        }
    }
}
