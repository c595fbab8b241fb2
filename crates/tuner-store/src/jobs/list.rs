//! Lists of jobs, and how many there are.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::{JobId, JobKind, JobRow, JobStatus};
use crate::entity::jobs;
use crate::json::number;
use crate::row::TaskId;
use crate::{Store, StoreError};

/// Which jobs to list. The default is all of them.
#[derive(Clone, Debug, Default)]
pub struct JobFilter {
    /// Only of these statuses; empty: all.
    pub statuses: Vec<JobStatus>,
    /// Only of these kinds; empty: all.
    pub kinds: Vec<JobKind>,
    /// Only of this task.
    pub task: Option<TaskId>,
}

/// Part of a list, newest first.
#[derive(Clone, Debug, PartialEq)]
pub struct JobPage {
    /// The jobs.
    pub jobs: Vec<JobRow>,
    /// Give this to [`Store::list_jobs`] for the next part; `None` at the end.
    pub next: Option<JobId>,
}

/// The jobs of one kind that wait or run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueueDepth {
    /// How many wait, those for a later time included.
    pub queued: u64,
    /// How many run.
    pub running: u64,
    /// Since when the first of those waits whose time has come.
    pub oldest: Option<DateTime<Utc>>,
}

impl Store {
    /// The tasks that wait for a worker.
    ///
    /// # Errors
    /// [`StoreError::Database`], [`StoreError::Corrupt`].
    pub async fn queued_tasks(&self) -> Result<BTreeSet<TaskId>, StoreError> {
        let read = self.read().await?;
        let waiting = jobs::Entity::find()
            .select_only()
            .column(jobs::Column::TaskId)
            .filter(jobs::Column::Status.eq(JobStatus::Queued.word()))
            .filter(jobs::Column::Kind.eq(JobKind::RunTask.word()))
            .filter(jobs::Column::TaskId.is_not_null());
        let ids = waiting.into_tuple::<String>().all(read.rows()).await?;
        ids.iter().map(|id| crate::row::read_id(id)).collect()
    }

    /// At most `limit` jobs, newest first, that are older than `after`.
    ///
    /// # Errors
    /// [`StoreError::Database`], [`StoreError::Corrupt`].
    pub async fn list_jobs(&self, filter: &JobFilter, after: Option<JobId>, limit: u32) -> Result<JobPage, StoreError> {
        let read = self.read().await?;
        let mut query = jobs::Entity::find().order_by_desc(jobs::Column::Id).limit(u64::from(limit) + 1);
        if !filter.statuses.is_empty() {
            query = query.filter(jobs::Column::Status.is_in(filter.statuses.iter().map(|s| s.word())));
        }
        if !filter.kinds.is_empty() {
            query = query.filter(jobs::Column::Kind.is_in(filter.kinds.iter().map(|k| k.word())));
        }
        if let Some(task) = filter.task {
            query = query.filter(jobs::Column::TaskId.eq(task.to_string()));
        }
        if let Some(after) = after {
            query = query.filter(jobs::Column::Id.lt(after.to_string()));
        }
        let rows = query.all(read.rows()).await?;
        let more = rows.len() > limit as usize;
        let jobs: Vec<JobRow> =
            rows.into_iter().take(limit as usize).map(JobRow::try_from).collect::<Result<_, _>>()?;
        Ok(JobPage { next: jobs.last().filter(|_| more).map(|job| job.id), jobs })
    }

    /// How many jobs of each kind wait and run. A kind without any is absent.
    ///
    /// # Errors
    /// [`StoreError::Database`], [`StoreError::Corrupt`].
    pub async fn queue_depth(&self) -> Result<BTreeMap<JobKind, QueueDepth>, StoreError> {
        let read = self.read().await?;
        let at = self.time(read.rows()).await?;
        let counted = jobs::Entity::find()
            .select_only()
            .columns([jobs::Column::Kind, jobs::Column::Status])
            .column_as(jobs::Column::Id.count(), "n")
            .column_as(jobs::Column::RunAfter.min(), "oldest")
            .filter(jobs::Column::Status.is_in([JobStatus::Queued.word(), JobStatus::Running.word()]))
            .group_by(jobs::Column::Kind)
            .group_by(jobs::Column::Status);
        let counted = counted.into_tuple::<(String, String, i64, DateTime<Utc>)>().all(read.rows()).await?;
        let mut depth = BTreeMap::<JobKind, QueueDepth>::new();
        for (kind, status, n, oldest) in counted {
            let of_kind = depth.entry(JobKind::read(&kind)?).or_default();
            let n = number("count", n)?;
            if JobStatus::read(&status)? == JobStatus::Queued {
                of_kind.queued = n;
                of_kind.oldest = Some(oldest).filter(|oldest| *oldest <= at);
            } else {
                of_kind.running = n;
            }
        }
        Ok(depth)
    }
}
