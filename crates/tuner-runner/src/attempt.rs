//! One attempt: deploy, wait until ready, prove the arguments, guard, measure level by level.
//!
//! *Invariant*: the deployment's id and the attempt's row exist before anything is launched, so whatever is left after
//! a crash can be found and is accounted for.

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use tokio::sync::Mutex;
use tracing::{Instrument, error_span};
use tuner_core::plan::{AttemptEvidence, AttemptState, AttemptView, ExperimentView, LevelStep, next_level, to_beat};
use tuner_core::task::TaskSpec;
use tuner_core::{Failure, FailureClass};
use tuner_store::{Claimed, Phase, StoreError, TaskState};

use crate::clock::Clock;
use crate::error::RunError;
use crate::lab::{Job, Session, Turn};
use crate::patience::patiently;
use crate::worker::Worker;

/// Time an engine gets to end by itself when nobody waits for it.
const PATIENCE: Duration = Duration::from_secs(10);
/// The same when somebody does: all of a stop takes 2 s at most.
const HURRY: Duration = Duration::from_millis(800);

/// How an attempt left the worker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum AttemptEnd {
    /// By itself.
    Ended,
    /// At somebody's wish.
    Stopped,
    /// It did not begin: somebody else was faster.
    NotBegun,
    /// It cannot be tried where a helper runs, which says nothing of other places.
    Unfit(String),
}

/// An attempt under way.
pub(crate) struct Attempt<'a> {
    worker: &'a Worker,
    claimed: &'a Claimed,
    pub(crate) job: Job<'a>,
    started_at: DateTime<Utc>,
    began: Instant,
    evidence: Mutex<AttemptEvidence>,
    /// What the experiment has to reach, or it cannot win.
    best: Option<f64>,
}

impl<'a> Attempt<'a> {
    pub(crate) fn new(
        worker: &'a Worker,
        claimed: &'a Claimed,
        state: &'a TaskState,
        experiment: &'a ExperimentView,
        number: u32,
    ) -> Self {
        let spec = &state.spec;
        let flags = spec.effective_flags(&experiment.configuration);
        let job = Job { task: state.row.id, spec, experiment, attempt: number, flags };
        let best = to_beat(spec, &state.experiments, experiment.role);
        let (started_at, began) = (worker.clock.now(), Instant::now());
        Self { worker, claimed, job, started_at, began, evidence: Mutex::default(), best }
    }

    /// Everything between the attempt's row and its end. Dropping the future is safe; `stop` must follow.
    #[tracing::instrument(level = "error", name = "attempt", skip_all, fields(experiment = self.job.experiment.number, attempt = self.job.attempt))]
    pub(crate) async fn work(&self) -> Result<(), RunError> {
        self.phase(Phase::Provision).await?;
        let started = self.worker.lab.start(&self.job, self).instrument(error_span!("deploy")).await;
        let session = match started {
            Ok(session) => session,
            Err(RunError::Attempt(failure)) => return self.explain(Err(*failure), false).await,
            Err(error) => return Err(error),
        };
        self.in_time()?;
        self.phase(Phase::Ready).await?;
        if let Some(guard) = &self.job.spec.quality_guard {
            self.explain(self.worker.lab.guard(&self.job, &session, guard).await, false).await?;
        }
        self.levels(&session).await
    }

    async fn levels(&self, session: &Session) -> Result<(), RunError> {
        let mut so_far = AttemptView {
            number: self.job.attempt,
            state: AttemptState::Running,
            failure: None,
            started_at: self.started_at,
            ended_at: None,
            measurements: Vec::new(),
            evidence: self.evidence.lock().await.clone(),
        };
        let next = |so_far: &AttemptView| next_level(self.job.spec, so_far, self.best);
        while let LevelStep::Measure { level, repeat, client_threads, bar } = next(&so_far) {
            self.phase(Phase::Level { level, repeat }).await?;
            let turn = Turn { level, repeat, client_threads, bar };
            let measured = self.worker.lab.measure(&self.job, session, turn, &self.worker.activity);
            let measured = measured.instrument(error_span!("level", level, repeat)).await;
            let mut measurement = self.explain(measured, true).await?;
            if let Some(threads) = client_threads {
                measurement.notes.push(format!("measured with {threads} client threads: fewer were busy all the time"));
            }
            self.in_time()?;
            let (number, attempt) = (self.job.experiment.number, self.job.attempt);
            patiently(|| self.claimed.record_measurement(number, attempt, &measurement)).await?;
            let nothing_came = measurement.requests.completed == 0 && measurement.requests.failed > 0;
            let errors = measurement.errors.clone();
            so_far.measurements.push(measurement);
            if nothing_came {
                let text = format!("no request of level {} was completed: {errors:?}", level + 1);
                return self.explain(Err(Failure::new(FailureClass::NoAnswers, text)), true).await;
            }
        }
        Ok(())
    }

    /// In virtual time an attempt is over time when a step of it ended too late; real ones are cut off by the worker.
    fn in_time(&self) -> Result<(), Failure> {
        let spent = self.worker.clock.now() - self.started_at;
        match *self.worker.clock {
            Clock::Virtual(_) if spent.as_seconds_f64() > self.job.spec.timeouts.experiment_s => {
                Err(over_time(self.job.spec))
            }
            _ => Ok(()),
        }
    }

    /// Lets the engine's own end explain a failure: its exit and last log lines know more than we do.
    async fn explain<T>(&self, result: Result<T, Failure>, under_load: bool) -> Result<T, RunError> {
        match result {
            Ok(value) => Ok(value),
            Err(failure) => Err(self.worker.lab.explain(&self.job, failure, under_load).await.into()),
        }
    }

    /// Notes where the attempt is.
    pub(crate) async fn phase(&self, phase: Phase) -> Result<(), RunError> {
        let (number, attempt) = (self.job.experiment.number, self.job.attempt);
        Ok(patiently(|| self.claimed.record_phase(number, attempt, phase)).await?)
    }

    /// Adds to what is known of this attempt and writes it down.
    pub(crate) async fn learn(&self, change: impl FnOnce(&mut AttemptEvidence)) -> Result<(), RunError> {
        let mut evidence = self.evidence.lock().await;
        change(&mut evidence);
        let (number, attempt) = (self.job.experiment.number, self.job.attempt);
        Ok(patiently(|| self.claimed.record_evidence(number, attempt, &evidence)).await?)
    }

    /// The claim that this attempt writes through.
    pub(crate) fn claimed(&self) -> &Claimed {
        self.claimed
    }

    /// Time with an engine, weighted by its GPUs.
    pub(crate) async fn gpu_seconds(&self) -> f64 {
        let gpus = self.evidence.lock().await.gpus.unwrap_or(0);
        let spent_s = match *self.worker.clock {
            // The machine's clock may be set meanwhile.
            Clock::Real => self.began.elapsed().as_secs_f64(),
            Clock::Virtual(_) => (self.worker.clock.now() - self.started_at).as_seconds_f64().max(0.0),
        };
        spent_s * f64::from(gpus)
    }

    /// Stops the engine and frees what it held; used where nothing more can be written under the claim.
    pub(crate) async fn stop(&self) {
        let gone = async {
            if self.worker.lab.stop(&self.job, HURRY).await?.is_some() {
                self.forget_deployment().await?;
            }
            Ok::<(), RunError>(())
        };
        if let Err(error) = gone.await {
            tracing::error!(%error, "the engine could not be stopped; the next start reaps it");
        }
    }

    /// Stops the engine and writes down how long it took. Somebody who asked for the stop does not wait for long.
    pub(crate) async fn stop_and_record(&self, asked: bool) -> Result<(), RunError> {
        let limit = Duration::from_secs_f64(self.job.spec.timeouts.stop_s);
        let grace = limit.min(if asked { HURRY } else { PATIENCE });
        if let Some(took) = self.worker.lab.stop(&self.job, grace).await? {
            self.forget_deployment().await?;
            self.learn(|evidence| evidence.stop_s = Some(took.as_secs_f64())).await?;
        }
        Ok(())
    }

    /// That it is gone is a fact which needs no claim.
    async fn forget_deployment(&self) -> Result<(), StoreError> {
        let id = self.job.deployment();
        match patiently(|| self.worker.store.deployment_stopped(&id)).await {
            // The attempt ended before anything was reserved.
            Err(StoreError::NotFound { .. }) => Ok(()),
            result => result,
        }
    }
}

/// Why an attempt is cut off after `timeouts.experiment_s`.
pub(crate) fn over_time(spec: &TaskSpec) -> Failure {
    let message = format!("the experiment took longer than timeouts.experiment_s = {} s", spec.timeouts.experiment_s);
    Failure::new(FailureClass::TimeoutMeasure, message)
}
