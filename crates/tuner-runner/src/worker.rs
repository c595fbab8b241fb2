//! The worker: claims a task, asks the planner, does what it says, writes down what came of it.
//!
//! *Invariant*: nothing is decided here. Whatever moment the process dies at, loading the rows and asking again goes
//! on from there.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tuner_core::SearchSpace;
use tuner_core::plan::{AttemptState, FinalStatus, Forecast, Step, TaskView, Verdict, next_step};
use tuner_core::sampler::Sampler;
use tuner_core::score::score;
use tuner_store::{Claimed, Lease, Owner, Phase, Severity, Store, StoreError, TaskEnd, TaskId, TaskState, TaskStatus};

use crate::activity::Activity;
use crate::attempt::{Attempt, AttemptEnd, over_time};
use crate::claim::{claim, give_back};
use crate::clock::Clock;
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
    /// The worker was asked to stop; everything is stopped and the task can be resumed.
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
}

impl Worker {
    /// Works on a task until it has ended or `stop` is cancelled. Resume is the same call.
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
        let pulse = Pulse::start(self.store.clone(), lease.clone(), wish.clone(), lost.clone());
        let result = self.work(task, &lease, space, sampler, stop, &wish, &lost).await;
        let result = match (result, pulse.end().await) {
            (Err(RunError::LeaseLost), Some(unreachable)) => Err(unreachable.into()),
            (result, _) => result,
        };
        give_back(&self.store, &lease).await;
        result
    }

    #[allow(clippy::too_many_arguments, reason = "each is one cause to stop or one source of truth")]
    async fn work(
        &self,
        task: TaskId,
        lease: &Lease,
        space: &SearchSpace,
        sampler: &dyn Sampler,
        stop: &CancellationToken,
        wish: &CancellationToken,
        lost: &CancellationToken,
    ) -> Result<RunEnd, RunError> {
        let claimed = self.store.claimed(task, lease.clone());
        patiently(|| claimed.start_task()).await?;
        self.clean_up(task, &claimed).await?;
        let mut state = self.store.load(task).await?;
        loop {
            if lost.is_cancelled() {
                return Err(RunError::LeaseLost);
            }
            let view = view(&state, space, wish.is_cancelled(), self.forecast.as_ref());
            let step = next_step(&view, sampler, self.clock.now());
            tracing::debug!(?step, "next");
            match step {
                Step::Create { number, role, configuration } => {
                    patiently(|| claimed.create_experiment(number, role, &configuration)).await?;
                }
                Step::End { number, outcome } => {
                    let score = state.experiments.iter().find(|e| e.number == number).and_then(|e| {
                        let ended = tuner_core::plan::ExperimentView { outcome: Some(outcome.clone()), ..e.clone() };
                        score(&state.spec, &ended)
                    });
                    let score = score.map(serde_json::to_value).transpose().map_err(RunError::Encode)?;
                    patiently(|| claimed.end_experiment(number, &outcome, score.as_ref())).await?;
                }
                Step::Wait { number, until } => {
                    let text = format!("waiting before the next attempt, until {}", until.format("%H:%M:%S UTC"));
                    patiently(|| claimed.note(Some(number), Severity::Info, &text)).await?;
                    tokio::select! {
                        () = self.clock.wait_until(until) => {}
                        () = stop.cancelled() => return Ok(RunEnd::Stopped),
                        () = wish.cancelled() => {}
                        () = lost.cancelled() => {}
                    }
                }
                Step::Await { number } => return Err(RunError::StrayAttempt { number }),
                Step::Finish { status, verdict } => {
                    let failure = verdict.failure.as_ref().map(|f| f.message.clone());
                    let value = serde_json::to_value(&verdict).map_err(RunError::Encode)?;
                    let end = TaskEnd { status: status_of(status), verdict: Some(value), failure };
                    patiently(|| claimed.finish_task(end.clone())).await?;
                    return Ok(RunEnd::Finished { status, verdict });
                }
                Step::Run { number, attempt } => {
                    if stop.is_cancelled() {
                        return Ok(RunEnd::Stopped);
                    }
                    let end = self.attempt(&claimed, &state, number, attempt, [stop, wish, lost]).await?;
                    if end == AttemptEnd::Stopped && stop.is_cancelled() {
                        return Ok(RunEnd::Stopped);
                    }
                }
            }
            self.refresh(&mut state).await?;
        }
    }

    async fn refresh(&self, state: &mut TaskState) -> Result<(), StoreError> {
        let mut patience = Patience::new();
        while let Err(error) = self.store.refresh(state).await {
            patience.again(error).await?;
        }
        Ok(())
    }

    /// What a dead worker left: its attempts are interrupted, its engines stopped.
    async fn clean_up(&self, task: TaskId, claimed: &Claimed) -> Result<(), RunError> {
        for found in self.lab.reap(task, &self.store).await? {
            let text = format!("stopped what an earlier run left behind: {found}");
            claimed.note(None, Severity::Info, &text).await?;
        }
        claimed.interrupt_open_attempts().await?;
        Ok(())
    }

    /// One attempt, from its row to its end; the engine is stopped whatever happens.
    async fn attempt(
        &self,
        claimed: &Claimed,
        state: &TaskState,
        number: u32,
        attempt: u32,
        [stop, wish, lost]: [&CancellationToken; 3],
    ) -> Result<AttemptEnd, RunError> {
        let Some(experiment) = state.experiments.iter().find(|e| e.number == number) else {
            return Err(RunError::StrayAttempt { number });
        };
        let begun = patiently(|| claimed.begin_attempt(number)).await?;
        debug_assert_eq!(begun, attempt, "the planner counts attempts as the store does");
        let attempt = Attempt::new(self, claimed, state.row.id, &state.spec, experiment, begun);
        let limit = Duration::from_secs_f64(state.spec.timeouts.experiment_s);
        let (end, failure) = tokio::select! {
            result = attempt.work() => match result {
                Ok(()) => (AttemptState::Succeeded, None),
                Err(RunError::Attempt(failure)) => (AttemptState::Failed, Some(*failure)),
                Err(error) => {
                    attempt.stop().await;
                    return Err(error);
                }
            },
            () = self.limit(limit) => (AttemptState::Failed, Some(over_time(&state.spec))),
            () = stop.cancelled() => (AttemptState::Cancelled, None),
            () = wish.cancelled() => (AttemptState::Cancelled, None),
            () = lost.cancelled() => {
                attempt.stop().await;
                return Err(RunError::LeaseLost);
            }
        };
        attempt.phase(Phase::Stopping).await?;
        attempt.stop_and_record(end == AttemptState::Cancelled).await?;
        let gpu_seconds = attempt.gpu_seconds().await;
        let ended = tuner_store::AttemptEnd { state: end, failure, gpu_seconds };
        patiently(|| claimed.end_attempt(number, begun, &ended)).await?;
        Ok(if end == AttemptState::Cancelled { AttemptEnd::Stopped } else { AttemptEnd::Ended })
    }

    /// The experiment's time limit; virtual time keeps its own.
    async fn limit(&self, limit: Duration) {
        match *self.clock {
            Clock::Real => tokio::time::sleep(limit).await,
            Clock::Virtual(_) => std::future::pending().await,
        }
    }
}

fn status_of(status: FinalStatus) -> TaskStatus {
    match status {
        FinalStatus::Completed => TaskStatus::Completed,
        FinalStatus::Failed => TaskStatus::Failed,
        FinalStatus::Cancelled => TaskStatus::Cancelled,
    }
}

fn view<'a>(state: &'a TaskState, space: &'a SearchSpace, wish: bool, forecast: &'a dyn Forecast) -> TaskView<'a> {
    TaskView {
        spec: &state.spec,
        space,
        experiments: &state.experiments,
        started_at: state.row.started_at.unwrap_or(state.row.created_at),
        cancel_requested: wish || state.row.cancel_requested,
        forecast,
    }
}
