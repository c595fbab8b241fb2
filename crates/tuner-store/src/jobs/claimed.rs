//! The pen of the worker that claimed a job.
//!
//! *Invariants*: a write is refused with [`StoreError::LeaseLost`] once the job was claimed again or has ended
//! otherwise, and nothing of it is committed. Every write done twice equals the write done once.

use std::time::Duration;

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use sea_orm::{ActiveModelTrait, EntityTrait, IntoActiveModel};
use serde_json::Value as Json;

use super::{JobChange, JobRow, JobStatus, backoff, end, locked, told, update};
use crate::entity::jobs;
use crate::json::{encode, encode_option};
use crate::lease::{Holder, expiry};
use crate::store::Write;
use crate::{Renewal, Store, StoreError};

/// A job, as the worker that claimed it may write it.
#[derive(Clone, Debug)]
pub struct ClaimedJob {
    store: Store,
    job: JobRow,
    ttl: Duration,
}

/// Whether a failed job is worth another try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Again {
    /// After a wait that doubles with each attempt: 5 s, 10 s, … up to 10 minutes, less up to a half by chance.
    WithBackOff,
    /// After this wait.
    After(Duration),
    /// No try can succeed.
    Never,
}

/// What becomes of a failed job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterFailure {
    /// It is tried again, not before this time.
    Retry(DateTime<Utc>),
    /// It was its last attempt, or no try can succeed.
    Dead,
    /// A person had asked to stop it.
    Cancelled,
}

impl ClaimedJob {
    pub(super) fn new(store: Store, job: JobRow, ttl: Duration) -> Self {
        Self { store, job, ttl }
    }

    /// The job as it was claimed.
    pub fn job(&self) -> &JobRow {
        &self.job
    }

    /// A heartbeat: the claim lasts its time from now, unless the job was claimed again or has ended. Progress that is
    /// new is written down and told; a heartbeat without costs one row and no event.
    ///
    /// # Errors
    /// [`StoreError::Database`]; [`StoreError::Unstorable`] if the progress holds a number that is not finite.
    pub async fn renew(&self, progress: Option<&Json>) -> Result<Renewal, StoreError> {
        if let Some(progress) = progress
            && let Some(renewal) = self.progressed(progress).await?
        {
            return Ok(renewal);
        }
        let beat = self.store.beat().await?;
        let Some(mut row) = found(locked(beat.rows(), self.job.id).await)?.filter(|row| self.runs(row)) else {
            return Ok(Renewal { still_mine: false, cancel_requested: false });
        };
        let renewal = self.prolong(&mut row, self.store.time(beat.rows()).await?);
        jobs::Entity::update(row.into_active_model().reset_all()).exec_without_returning(beat.rows()).await?;
        beat.commit().await?;
        Ok(renewal)
    }

    /// Writes progress down, if it is new and the job is ours.
    async fn progressed(&self, progress: &Json) -> Result<Option<Renewal>, StoreError> {
        let text = encode("progress", progress)?;
        let write = self.store.write().await?;
        let row = found(locked(write.rows(), self.job.id).await)?;
        let news = row.filter(|row| self.runs(row) && row.progress.as_ref() != Some(&text));
        let Some(mut row) = news else { return Ok(None) };
        let renewal = self.prolong(&mut row, write.at);
        row.progress = Some(text);
        let event = told(&row, JobChange::Progressed { progress: progress.clone() })?;
        update(&write, row).await?;
        write.commit_scoped(event, Vec::new()).await?;
        Ok(Some(renewal))
    }

    fn prolong(&self, row: &mut jobs::Model, at: DateTime<Utc>) -> Renewal {
        row.heartbeat_at = Some(at);
        row.lease_until = Some(expiry(at, self.ttl));
        Renewal { still_mine: true, cancel_requested: row.cancel_requested }
    }

    /// Ends the job: it is done, and gave this. Also right if a person asked to stop it and it was faster.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`]; [`StoreError::NotFound`] if it went with its task.
    pub async fn finish(&self, result: Option<&Json>) -> Result<(), StoreError> {
        let text = encode_option("result", result)?;
        let (write, mut row) = self.write().await?;
        if !self.runs(&row) {
            let done = self.had(&row, JobStatus::Succeeded) && row.result == text;
            return if done { Ok(()) } else { Err(self.lost(&row)) };
        }
        row.result = text;
        row.last_error = None;
        self.end(write, row, JobStatus::Succeeded, None).await
    }

    /// Ends an attempt that failed.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`]; [`StoreError::NotFound`] if it went with its task.
    pub async fn fail(&self, error: &str, again: Again) -> Result<AfterFailure, StoreError> {
        let (write, mut row) = self.write().await?;
        if !self.runs(&row) {
            let same = row.last_error.as_deref() == Some(error);
            return match JobStatus::read(&row.status)? {
                JobStatus::Queued if same && self.fenced(&row) => Ok(AfterFailure::Retry(row.run_after)),
                JobStatus::Dead if same && self.fenced(&row) => Ok(AfterFailure::Dead),
                JobStatus::Cancelled if same && self.fenced(&row) => Ok(AfterFailure::Cancelled),
                _ => Err(self.lost(&row)),
            };
        }
        row.last_error = Some(error.to_owned());
        if row.cancel_requested {
            self.end(write, row, JobStatus::Cancelled, Some(error)).await?;
            return Ok(AfterFailure::Cancelled);
        }
        let wait = match again {
            _ if row.attempts >= row.max_attempts => None,
            Again::Never => None,
            Again::WithBackOff => Some(backoff::wait(self.job.id, self.job.attempts)),
            Again::After(wait) => Some(wait),
        };
        let Some(wait) = wait else {
            self.end(write, row, JobStatus::Dead, Some(error)).await?;
            return Ok(AfterFailure::Dead);
        };
        let run_after = (write.at + TimeDelta::from_std(wait).unwrap_or(TimeDelta::days(1))).trunc_subsecs(6);
        row.run_after = run_after;
        back_in_line(&mut row);
        let change = JobChange::Failed { attempt: self.job.attempts, error: error.to_owned(), run_after };
        let event = told(&row, change)?;
        update(&write, row).await?;
        write.commit_scoped(event, Vec::new()).await?;
        Ok(AfterFailure::Retry(run_after))
    }

    /// Gives the job back for another worker, as a worker that is drained does: the attempt does not count, and the job
    /// keeps its turn and its progress. If a person had asked to stop it, it ends. One that was lost already is left as
    /// it is.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn release(&self) -> Result<(), StoreError> {
        let write = self.store.write().await?;
        let row = found(locked(write.rows(), self.job.id).await)?.filter(|row| self.runs(row));
        let Some(mut row) = row else { return Ok(()) };
        if row.cancel_requested {
            return self.end(write, row, JobStatus::Cancelled, None).await;
        }
        row.attempts -= 1;
        back_in_line(&mut row);
        let event = told(&row, JobChange::Released { fence: self.job.fence })?;
        update(&write, row).await?;
        write.commit_scoped(event, Vec::new()).await
    }

    /// Ends the job because a person asked to stop it, and nothing of it runs any more.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`]; [`StoreError::NotFound`] if it went with its task.
    pub async fn cancelled(&self) -> Result<(), StoreError> {
        let (write, row) = self.write().await?;
        if !self.runs(&row) {
            return if self.had(&row, JobStatus::Cancelled) { Ok(()) } else { Err(self.lost(&row)) };
        }
        self.end(write, row, JobStatus::Cancelled, None).await
    }

    async fn end(
        &self,
        write: Write,
        mut row: jobs::Model,
        status: JobStatus,
        error: Option<&str>,
    ) -> Result<(), StoreError> {
        end(&mut row, status, write.at);
        let event = told(&row, JobChange::Ended { status, error: error.map(str::to_owned) })?;
        update(&write, row).await?;
        write.commit_scoped(event, Vec::new()).await
    }

    async fn write(&self) -> Result<(Write, jobs::Model), StoreError> {
        let write = self.store.write().await?;
        let row = locked(write.rows(), self.job.id).await?;
        Ok((write, row))
    }

    /// Whether our claim is the newest, and not over.
    fn runs(&self, row: &jobs::Model) -> bool {
        self.had(row, JobStatus::Running)
    }

    fn had(&self, row: &jobs::Model, status: JobStatus) -> bool {
        self.fenced(row) && row.status == status.word()
    }

    fn fenced(&self, row: &jobs::Model) -> bool {
        row.fence == self.job.fence
    }

    fn lost(&self, row: &jobs::Model) -> StoreError {
        StoreError::LeaseLost {
            resource: format!("job {}", self.job.id),
            fence: self.job.fence,
            newer: holder(row).map(Box::new),
        }
    }
}

/// Who holds a job now.
fn holder(row: &jobs::Model) -> Option<Holder> {
    let owner = serde_json::from_str(row.worker.as_deref()?).ok()?;
    let (since, heartbeat_at, expires_at) = (row.claimed_at?, row.heartbeat_at?, row.lease_until?);
    Some(Holder { owner, fence: row.fence, since, heartbeat_at, expires_at })
}

/// Queued again; who had it stays to be seen.
fn back_in_line(row: &mut jobs::Model) {
    row.status = JobStatus::Queued.word().to_owned();
    row.lease_until = None;
}

/// A row that may be gone.
fn found(row: Result<jobs::Model, StoreError>) -> Result<Option<jobs::Model>, StoreError> {
    match row {
        Ok(row) => Ok(Some(row)),
        Err(StoreError::NotFound { .. }) => Ok(None),
        Err(e) => Err(e),
    }
}
