//! Attempts: one try at running an experiment, with what it measured, under a lease on the experiment.

use std::collections::BTreeMap;

use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect};
use tuner_core::plan::{AttemptEvidence, AttemptState};
use tuner_core::{Failure, FailureClass, Measurement};

use super::Claimed;
use crate::entity::{attempts, events, measurements};
use crate::json::{decode, encode, encode_option, number as as_number, plain};
use crate::row::attempt_word;
use crate::store::{Scope, Write};
use crate::{Event, Holder, Phase, Resource, StoreError, lease, tasks};

/// How an attempt ends.
#[derive(Clone, Debug, PartialEq)]
pub struct AttemptEnd {
    /// Anything but running.
    pub state: AttemptState,
    /// What it died of.
    pub failure: Option<Failure>,
    /// Seconds with an engine deployed, times its GPUs; added to the task's.
    pub gpu_seconds: f64,
}

impl Claimed {
    /// Begins the next attempt of an experiment and gives its number. If this worker has an attempt of it running,
    /// that is the one.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`]; [`StoreError::NotFound`]; [`StoreError::WrongState`] if the experiment has ended, or
    /// if an earlier worker's attempt still runs ([`Claimed::interrupt_abandoned`] comes first).
    pub async fn begin_attempt(&self, experiment: u32) -> Result<u32, StoreError> {
        let write = self.write().await?;
        let row = self.experiment(&write, experiment).await?;
        if row.outcome.is_some() {
            return Err(StoreError::WrongState {
                what: self.experiment_name(experiment),
                state: "ended".to_owned(),
                wanted: "begin an attempt",
            });
        }
        let last = attempts::Entity::find()
            .filter(attempts::Column::TaskId.eq(&row.task_id))
            .filter(attempts::Column::Experiment.eq(row.number))
            .order_by_desc(attempts::Column::Number);
        let last = last.one(write.rows()).await?;
        if let Some(open) = last.as_ref().filter(|a| a.state == attempt_word(AttemptState::Running)) {
            if open.fence == self.lease.fence {
                return as_number("attempt", open.number);
            }
            return Err(StoreError::WrongState {
                what: format!("attempt {} of {}", open.number, self.experiment_name(experiment)),
                state: format!("running under {}", open.worker),
                wanted: "begin another one",
            });
        }
        let next = last.map_or(0, |a| a.number) + 1;
        let attempt: u32 = as_number("attempt", next)?;
        let worker = self.lease.owner.to_string();
        let begun = attempts::ActiveModel {
            task_id: Set(row.task_id),
            experiment: Set(row.number),
            number: Set(next),
            state: Set(attempt_word(AttemptState::Running).to_owned()),
            failure: Set(None),
            evidence: Set(encode("evidence", &AttemptEvidence::default())?),
            started_at: Set(write.at),
            ended_at: Set(None),
            worker: Set(worker.clone()),
            fence: Set(self.lease.fence),
            gpu_seconds: Set(0.0),
        };
        attempts::Entity::insert(begun).exec_without_returning(write.rows()).await?;
        write.commit(Scope::experiment(self.task, experiment), Event::AttemptStarted { attempt, worker }).await?;
        Ok(attempt)
    }

    /// Tells that an attempt entered a phase. The events are the only record of phases; one that repeats the last is
    /// left out.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`]; [`StoreError::NotFound`]; [`StoreError::WrongState`] if the attempt has ended.
    pub async fn record_phase(&self, experiment: u32, attempt: u32, phase: Phase) -> Result<(), StoreError> {
        let event = Event::Phase { attempt, phase };
        let write = self.write().await?;
        let row = self.attempt(&write, experiment, attempt).await?;
        self.must_run(&row, "enter a phase")?;
        let last = events::Entity::find()
            .select_only()
            .column(events::Column::Payload)
            .filter(events::Column::TaskId.eq(row.task_id))
            .filter(events::Column::Experiment.eq(row.experiment))
            .filter(events::Column::Kind.eq(event.kind()))
            .order_by_desc(events::Column::Seq);
        let last = last.into_tuple::<String>().one(write.rows()).await?;
        if last == Some(plain("phase", &event)?) {
            return Ok(());
        }
        write.commit(Scope::experiment(self.task, experiment), event).await
    }

    /// Records all that is known about what runs, in place of what was known before. May still be called after the
    /// attempt ended: how long the stop took is known only then.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`]; [`StoreError::NotFound`].
    pub async fn record_evidence(
        &self,
        experiment: u32,
        attempt: u32,
        evidence: &AttemptEvidence,
    ) -> Result<(), StoreError> {
        let text = encode("evidence", evidence)?;
        let write = self.write().await?;
        let row = self.attempt(&write, experiment, attempt).await?;
        if row.evidence == text {
            return Ok(());
        }
        let before: AttemptEvidence = decode(|| self.attempt_name(experiment, attempt), &row.evidence)?;
        let mut change = row.into_active_model();
        change.evidence = Set(text);
        attempts::Entity::update(change).exec_without_returning(write.rows()).await?;
        let mut more = Vec::new();
        if evidence.read_back != before.read_back {
            more.push(Event::ReadBack { attempt, arguments: evidence.read_back.clone() });
        }
        let event = Event::Evidence { attempt, evidence: Box::new(evidence.clone()) };
        write.commit_all(Scope::experiment(self.task, experiment), event, more).await
    }

    /// Records what a level gave.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`]; [`StoreError::NotFound`]; [`StoreError::WrongState`] if the attempt has ended;
    /// [`StoreError::Conflict`] if this level and repeat gave something else; [`StoreError::Unstorable`] if a figure
    /// is not finite.
    pub async fn record_measurement(
        &self,
        experiment: u32,
        attempt: u32,
        measurement: &Measurement,
    ) -> Result<(), StoreError> {
        let text = encode("measurement", measurement)?;
        let (level, repeat) = (i64::from(measurement.level), i64::from(measurement.repeat));
        let write = self.write().await?;
        let row = self.attempt(&write, experiment, attempt).await?;
        let key = (row.task_id.clone(), row.experiment, row.number, level, repeat);
        if let Some(known) = measurements::Entity::find_by_id(key).one(write.rows()).await? {
            if known.measurement == text {
                return Ok(());
            }
            let attempt = self.attempt_name(experiment, attempt);
            return Err(StoreError::Conflict { what: format!("level {level}, repeat {repeat} of {attempt}") });
        }
        self.must_run(&row, "record a measurement")?;
        let measured = measurements::ActiveModel {
            task_id: Set(row.task_id),
            experiment: Set(row.experiment),
            attempt: Set(row.number),
            level: Set(level),
            repeat: Set(repeat),
            measurement: Set(text),
            at: Set(write.at),
        };
        measurements::Entity::insert(measured).exec_without_returning(write.rows()).await?;
        let event = Event::LevelMeasured { attempt, figures: measurement.into() };
        write.commit(Scope::experiment(self.task, experiment), event).await
    }

    /// Ends an attempt and adds its GPU-seconds to the task's.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`]; [`StoreError::NotFound`]; [`StoreError::Conflict`] if it has ended otherwise;
    /// [`StoreError::WrongState`] if `end` is no end.
    pub async fn end_attempt(&self, experiment: u32, attempt: u32, end: &AttemptEnd) -> Result<(), StoreError> {
        let failure = encode_option("failure", end.failure.as_ref())?;
        encode("GPU-seconds", &end.gpu_seconds)?;
        let word = attempt_word(end.state);
        let write = self.write().await?;
        let row = self.attempt(&write, experiment, attempt).await?;
        if end.state == AttemptState::Running {
            self.must_run(&row, "end it by letting it run")?;
        }
        if row.state != attempt_word(AttemptState::Running) {
            if row.state == word && row.failure == failure && row.gpu_seconds == end.gpu_seconds {
                return Ok(());
            }
            return Err(StoreError::Conflict {
                what: format!("the end of {}", self.attempt_name(experiment, attempt)),
            });
        }
        let mut change = row.into_active_model();
        change.state = Set(word.to_owned());
        change.failure = Set(failure);
        change.gpu_seconds = Set(end.gpu_seconds);
        change.ended_at = Set(Some(write.at));
        attempts::Entity::update(change).exec_without_returning(write.rows()).await?;
        if end.gpu_seconds != 0.0 {
            tasks::add_gpu_seconds(&write, self.task, end.gpu_seconds).await?;
        }
        let event = Event::AttemptEnded { attempt, state: end.state, failure: end.failure.clone() };
        write.commit(Scope::experiment(self.task, experiment), event).await
    }

    /// Frees the experiments of this task whose holders are `gone`, and ends every attempt that nobody holds any more;
    /// gives their experiments and numbers. Nothing is concluded from them, and no GPU-seconds are counted, since nobody
    /// knows when they died. A holder that comes back finds its fence stale.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`].
    pub async fn interrupt_abandoned(
        &self,
        gone: impl Fn(u32, &Holder) -> bool,
    ) -> Result<Vec<(u32, u32)>, StoreError> {
        let write = self.write().await?;
        let (mut told, mut fences) = (Vec::new(), BTreeMap::new());
        for (number, holder) in lease::held(write.rows(), self.task).await? {
            if gone(number, &holder) {
                told.extend(lease::vacate(&write, &Resource::experiment(self.task, number), holder.fence).await?);
            } else {
                fences.insert(i64::from(number), holder.fence);
            }
        }
        let left = attempts::Entity::find()
            .filter(attempts::Column::TaskId.eq(self.task.to_string()))
            .filter(attempts::Column::State.eq(attempt_word(AttemptState::Running)))
            .order_by_asc(attempts::Column::Experiment)
            .lock_exclusive();
        let left = left.all(write.rows()).await?;
        let mut interrupted = Vec::new();
        for row in left.into_iter().filter(|row| fences.get(&row.experiment) != Some(&row.fence)) {
            let key = (as_number("experiment", row.experiment)?, as_number("attempt", row.number)?);
            let failure = Failure::new(FailureClass::Interrupted, format!("{} ended without closing it", row.worker));
            let mut change = row.into_active_model();
            change.state = Set(attempt_word(AttemptState::Interrupted).to_owned());
            change.failure = Set(Some(encode("failure", &failure)?));
            change.ended_at = Set(Some(write.at));
            attempts::Entity::update(change).exec_without_returning(write.rows()).await?;
            let event =
                Event::AttemptEnded { attempt: key.1, state: AttemptState::Interrupted, failure: Some(failure) };
            told.push((Scope::experiment(self.task, key.0), event));
            interrupted.push(key);
        }
        write.commit_any(told).await?;
        Ok(interrupted)
    }

    /// An attempt's row, locked until the end of the transaction.
    pub(super) async fn attempt(
        &self,
        write: &Write,
        experiment: u32,
        attempt: u32,
    ) -> Result<attempts::Model, StoreError> {
        let key = (self.task.to_string(), i64::from(experiment), i64::from(attempt));
        let row = attempts::Entity::find_by_id(key).lock_exclusive().one(write.rows()).await?;
        row.ok_or_else(|| StoreError::not_found(self.attempt_name(experiment, attempt)))
    }

    /// Refuses what only a running attempt may do.
    pub(super) fn must_run(&self, row: &attempts::Model, wanted: &'static str) -> Result<(), StoreError> {
        if row.state == attempt_word(AttemptState::Running) && row.fence == self.lease.fence {
            return Ok(());
        }
        let what = format!("attempt {} of experiment {} of task {}", row.number, row.experiment, self.task);
        Err(StoreError::WrongState { what, state: row.state.clone(), wanted })
    }

    fn attempt_name(&self, experiment: u32, attempt: u32) -> String {
        format!("attempt {attempt} of {}", self.experiment_name(experiment))
    }
}
