//! What people want of jobs: stop them, try them again, forget them. These calls record intent and need no claim.

use chrono::{DateTime, Utc};
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect};

use super::{JobChange, JobId, JobKind, JobRow, JobStatus, end, live, locked, told, update};
use crate::dialect::Transaction;
use crate::entity::jobs;
use crate::row::TaskId;
use crate::store::{Scope, Write};
use crate::{Event, Store, StoreError};

impl Store {
    /// Asks to stop a job: a queued one is cancelled at once, a running one by its worker, which learns of it with its
    /// next heartbeat. One that has ended stays as it is. Gives the status afterwards.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn cancel_job(&self, id: JobId) -> Result<JobStatus, StoreError> {
        let write = self.write().await?;
        let row = locked(write.rows(), id).await?;
        let status = JobStatus::read(&row.status)?;
        let Some(told) = cancel(&write, row).await? else { return Ok(status) };
        write.commit_scoped(told, Vec::new()).await?;
        Ok(if status == JobStatus::Queued { JobStatus::Cancelled } else { status })
    }

    /// Ends the claim of a worker that is known to be dead, before it expires: the job is in turn again, and the attempt
    /// counts. Nothing happens if it was claimed again since `fence` was seen.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::Database`].
    pub async fn lapse_job(&self, id: JobId, fence: i64) -> Result<(), StoreError> {
        let beat = self.beat().await?;
        let mut row = locked(beat.rows(), id).await?;
        if row.fence == fence && row.status == JobStatus::Running.word() {
            row.lease_until = Some(self.time(beat.rows()).await?);
            let update = jobs::Entity::update(row.into_active_model().reset_all());
            update.exec_without_returning(beat.rows()).await?;
            beat.commit().await?;
        }
        Ok(())
    }

    /// Has a dead or cancelled job tried again, with all its attempts before it.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::WrongState`] if it succeeded or has not ended;
    /// [`StoreError::Conflict`] if another job with its unique key is live.
    pub async fn retry_job(&self, id: JobId) -> Result<JobRow, StoreError> {
        let write = self.write().await?;
        let mut row = locked(write.rows(), id).await?;
        let was = JobStatus::read(&row.status)?;
        if !matches!(was, JobStatus::Dead | JobStatus::Cancelled) {
            return Err(StoreError::WrongState {
                what: format!("job {id}"),
                state: row.status,
                wanted: "try it again",
            });
        }
        if let Some(key) = &row.unique_key
            && let Some(live) = live(write.rows(), key).await?
        {
            return Err(StoreError::Conflict { what: format!("the key {key:?} of job {id}, by job {},", live.id) });
        }
        row.status = JobStatus::Queued.word().to_owned();
        row.attempts = 0;
        row.run_after = write.at;
        row.cancel_requested = false;
        row.live_key.clone_from(&row.unique_key);
        row.ended_at = None;
        let event = told(&row, JobChange::Revived { was })?;
        update(&write, row.clone()).await?;
        write.commit_scoped(event, Vec::new()).await?;
        row.try_into()
    }

    /// Forgets the jobs that ended before a time, and gives their number.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn purge_jobs(&self, ended_before: DateTime<Utc>) -> Result<u64, StoreError> {
        let write = self.write().await?;
        let old = jobs::Entity::delete_many().filter(jobs::Column::EndedAt.lt(ended_before));
        let jobs = old.exec(write.rows()).await?.rows_affected;
        if jobs > 0 {
            write.commit(Scope::default(), Event::JobsPurged { jobs, ended_before }).await?;
        }
        Ok(jobs)
    }
}

/// Asks to stop a job; the event is the caller's to commit. None if it has ended or was asked before.
pub(super) async fn cancel(write: &Write, mut row: jobs::Model) -> Result<Option<(Scope, Event)>, StoreError> {
    let change = match JobStatus::read(&row.status)? {
        JobStatus::Queued => {
            end(&mut row, JobStatus::Cancelled, write.at);
            JobChange::Ended { status: JobStatus::Cancelled, error: None }
        }
        JobStatus::Running if !row.cancel_requested => JobChange::CancelRequested,
        _ => return Ok(None),
    };
    row.cancel_requested = true;
    let event = told(&row, change)?;
    update(write, row).await?;
    Ok(Some(event))
}

/// The jobs that run a task or help with it, or are going to.
pub(super) async fn of_task(rows: &Transaction, task: TaskId) -> Result<Vec<jobs::Model>, StoreError> {
    let live = jobs::Entity::find()
        .filter(jobs::Column::TaskId.eq(task.to_string()))
        .filter(jobs::Column::Kind.is_in([JobKind::RunTask.word(), JobKind::HelpTask.word()]))
        .filter(jobs::Column::Status.is_in([JobStatus::Queued.word(), JobStatus::Running.word()]))
        .order_by_asc(jobs::Column::Id)
        .lock_exclusive();
    Ok(live.all(rows).await?)
}
