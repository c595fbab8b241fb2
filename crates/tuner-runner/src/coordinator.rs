//! The one that plans a task: asks the planner, does what it says, runs one experiment at a time itself, and has others
//! helped by whoever is free.
//!
//! *Invariant*: it writes under the task's lease what is planned and concluded, and never into an attempt; those are
//! written under leases on their experiments, by itself or by others.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;
use tuner_core::SearchSpace;
use tuner_core::plan::{ExperimentView, FinalStatus, Places, Step, next_step};
use tuner_core::sampler::Sampler;
use tuner_core::score::score;
use tuner_store::{Claimed, Lease, Severity, StoreError, TaskEnd, TaskState, TaskStatus};

use crate::attempt::AttemptEnd;
use crate::claim::claim_experiment;
use crate::crew::Crew;
use crate::error::RunError;
use crate::patience::patiently;
use crate::worker::{RunEnd, Worker};

/// How often one looks what became of others, if nothing wakes one before.
const LOOK: Duration = Duration::from_secs(1);
/// What happens together is looked at together.
const TOGETHER: Duration = Duration::from_millis(50);

/// An experiment to run here.
struct Order {
    state: TaskState,
    experiment: ExperimentView,
    lease: Lease,
}

/// The one that plans a task.
pub(crate) struct Coordinator<'a> {
    worker: &'a Worker,
    claimed: Arc<Claimed>,
    space: &'a SearchSpace,
    sampler: &'a dyn Sampler,
    state: TaskState,
    crew: Crew<'a>,
    stop: &'a CancellationToken,
    wish: &'a CancellationToken,
    lost: &'a CancellationToken,
    /// Ends what runs here, whatever the cause.
    over: CancellationToken,
    /// The experiment that runs here.
    here: Option<u32>,
    orders: mpsc::Sender<Order>,
    ends: mpsc::Receiver<Result<AttemptEnd, RunError>>,
    /// Until when one waits, as was told.
    told: Option<(u32, DateTime<Utc>)>,
    news: watch::Receiver<i64>,
}

impl<'a> Coordinator<'a> {
    /// Works on a task until it has ended, `stop` is cancelled or the lease is `lost`; `wish`: a person wants it stopped.
    pub(crate) async fn work(
        worker: &'a Worker,
        claimed: Claimed,
        (space, sampler): (&'a SearchSpace, &'a dyn Sampler),
        [stop, wish, lost]: [&'a CancellationToken; 3],
    ) -> Result<RunEnd, RunError> {
        patiently(|| claimed.start_task()).await?;
        let state = worker.store.load(claimed.task()).await?;
        let claimed = Arc::new(claimed);
        let (orders, mut ordered) = mpsc::channel(1);
        let (ended, ends) = mpsc::channel(1);
        let over = stop.child_token();
        let mut this = Self {
            worker,
            space,
            sampler,
            crew: Crew::new(worker, claimed.clone()),
            claimed,
            state,
            stop,
            wish,
            lost,
            over: over.clone(),
            here: None,
            orders,
            ends,
            told: None,
            news: worker.store.watch_events(),
        };
        // What is measured goes on while one plans, also while the store is away. Whatever went wrong with the plan, the
        // engine that runs here is stopped before anybody is told.
        let plans = async {
            let result = this.steps().await;
            this.over.cancel();
            drop(this);
            result
        };
        let runs = async {
            while let Some(Order { state, experiment, lease }) = ordered.recv().await {
                let end = worker.run_one(state, experiment, lease, over.clone(), false).await;
                if let Err(mpsc::error::SendError(Err(error))) = ended.send(end).await {
                    tracing::warn!(%error, "an experiment did not end as it should");
                }
            }
        };
        let (result, ()) = tokio::join!(plans, runs);
        result
    }

    async fn steps(&mut self) -> Result<RunEnd, RunError> {
        self.crew.clean_up().await?;
        loop {
            self.news.mark_unchanged();
            self.worker.refresh(&mut self.state).await?;
            if self.lost.is_cancelled() {
                return Err(RunError::LeaseLost);
            }
            if let Some(end) = self.step().await? {
                return Ok(end);
            }
        }
    }

    /// Does what comes next; gives the end if that was it.
    async fn step(&mut self) -> Result<Option<RunEnd>, RunError> {
        let held = self.crew.held(&mut self.state, self.here).await?;
        let alone = self.worker.view(&self.state, self.space, self.wish.is_cancelled(), Places::ALONE);
        let helpers = self.crew.helpers(&alone, self.worker.clock.now()).await?;
        let places = Places { most: 1 + helpers, free: self.here.is_none(), claimed: &held };
        let view = self.worker.view(&self.state, self.space, self.wish.is_cancelled(), places);
        let step = next_step(&view, self.sampler, self.worker.clock.now());
        tracing::debug!(?step, "next");
        match step {
            Step::Create { number, role, configuration } => {
                patiently(|| self.claimed.create_experiment(number, role, &configuration)).await?;
            }
            Step::End { number, outcome } => {
                let score = self.experiment(number).and_then(|e| {
                    let ended = ExperimentView { outcome: Some(outcome.clone()), ..e.clone() };
                    score(&self.state.spec, &ended)
                });
                let score = score.map(serde_json::to_value).transpose().map_err(RunError::Encode)?;
                match patiently(|| self.claimed.end_experiment(number, &outcome, score.as_ref())).await {
                    // Somebody began another attempt of it in this moment.
                    Err(StoreError::WrongState { .. }) => return self.rest(None).await,
                    ended => ended?,
                }
            }
            Step::Wait { number, until } => {
                if self.told.replace((number, until)) != Some((number, until)) {
                    let text = format!("waiting before the next attempt, until {}", until.format("%H:%M:%S UTC"));
                    patiently(|| self.claimed.note(Some(number), Severity::Info, &text)).await?;
                }
                return self.rest(Some(until)).await;
            }
            Step::Await { .. } => return self.rest(None).await,
            Step::Run { number, .. } => {
                if self.stop.is_cancelled() {
                    return Ok(Some(RunEnd::Stopped));
                }
                return self.begin(number).await;
            }
            Step::Finish { status, verdict } => {
                let failure = verdict.failure.as_ref().map(|f| f.message.clone());
                let value = serde_json::to_value(&verdict).map_err(RunError::Encode)?;
                let end = TaskEnd { status: status_of(status), verdict: Some(value), failure };
                patiently(|| self.claimed.finish_task(end.clone())).await?;
                return Ok(Some(RunEnd::Finished { status, verdict }));
            }
        }
        Ok(None)
    }

    fn experiment(&self, number: u32) -> Option<&ExperimentView> {
        self.state.experiments.iter().find(|e| e.number == number)
    }

    /// Begins an attempt here, unless somebody was faster.
    async fn begin(&mut self, number: u32) -> Result<Option<RunEnd>, RunError> {
        let task = self.claimed.task();
        let Some(experiment) = self.experiment(number).cloned() else { return Err(RunError::StrayAttempt { number }) };
        let beside_others = self.worker.lab.shares_host(&self.state.spec);
        let Some(lease) = claim_experiment(self.worker, task, number, beside_others).await? else {
            return self.rest(None).await;
        };
        self.here = Some(number);
        // Whoever takes orders does so for as long as we live.
        let _ = self.orders.send(Order { state: self.state.clone(), experiment, lease }).await;
        // While nobody helps there is nothing to plan before its end, and in virtual time nothing else happens.
        if self.crew.is_alone() { self.rest_alone().await } else { Ok(None) }
    }

    /// Waits for the end of what runs here.
    async fn rest_alone(&mut self) -> Result<Option<RunEnd>, RunError> {
        let end = tokio::select! {
            end = self.ends.recv() => end,
            () = self.lost.cancelled() => return Err(RunError::LeaseLost),
        };
        self.ended(end)
    }

    /// Waits until there may be something to do.
    async fn rest(&mut self, until: Option<DateTime<Utc>>) -> Result<Option<RunEnd>, RunError> {
        if self.stop.is_cancelled() && self.here.is_none() {
            return Ok(Some(RunEnd::Stopped));
        }
        let busy = self.here.is_some();
        let wished = self.wish.is_cancelled();
        let clock = &self.worker.clock;
        let due = async {
            match until {
                Some(until) => clock.wait_until(until).await,
                None => std::future::pending().await,
            }
        };
        let news = async {
            // The sender lives in our own store, so it does not go.
            let _ = self.news.changed().await;
            tokio::time::sleep(TOGETHER).await;
        };
        let end = tokio::select! {
            biased;
            end = self.ends.recv(), if busy => end,
            () = due => return Ok(None),
            () = self.stop.cancelled(), if !busy => return Ok(Some(RunEnd::Stopped)),
            () = self.wish.cancelled(), if !wished => return Ok(None),
            () = self.lost.cancelled() => return Ok(None),
            () = news => return Ok(None),
            () = tokio::time::sleep(LOOK) => return Ok(None),
        };
        self.ended(end)
    }

    /// What ran here has ended.
    fn ended(&mut self, end: Option<Result<AttemptEnd, RunError>>) -> Result<Option<RunEnd>, RunError> {
        self.here = None;
        match end.unwrap_or(Ok(AttemptEnd::Stopped)) {
            Ok(AttemptEnd::Stopped) if self.stop.is_cancelled() => Ok(Some(RunEnd::Stopped)),
            Ok(_) => Ok(None),
            // Whether the task is lost too shows in its own lease.
            Err(error) if error.is_lease_lost() => Ok(None),
            Err(error) => Err(error),
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
