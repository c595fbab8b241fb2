//! Jobs as the rest of the program sees them.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use uuid::Uuid;

use super::Needs;
use crate::entity::jobs;
use crate::json::{decode, decode_option, number};
use crate::row::{TaskId, read_id, words};
use crate::{Owner, StoreError};

/// Names one job for ever. Newer jobs have larger ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct JobId(Uuid);

impl JobId {
    /// A new id, from the time and chance.
    pub fn new() -> Self {
        Self(Uuid::now_v7())
    }

    pub(super) fn bytes(self) -> [u8; 16] {
        self.0.into_bytes()
    }
}

impl From<JobId> for Uuid {
    /// The job as the maker of something.
    fn from(id: JobId) -> Self {
        id.0
    }
}

impl From<Uuid> for JobId {
    /// The job that was chosen elsewhere.
    fn from(id: Uuid) -> Self {
        Self(id)
    }
}

impl Default for JobId {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for JobId {
    type Err = uuid::Error;
    fn from_str(s: &str) -> Result<Self, Self::Err> {
        s.parse().map(Self)
    }
}

words! {
    /// What is to be done.
    JobKind {
        /// Run a task, or go on with it.
        RunTask = "run_task",
        /// Run experiments of a task that another worker runs.
        HelpTask = "help_task",
        /// Fetch a data set.
        FetchDataset = "fetch_dataset",
        /// Download a model.
        DownloadModel = "download_model",
        /// Install an engine.
        InstallEngine = "install_engine",
        /// Bring the cache of known issues up to date.
        RefreshIssueCache = "refresh_issue_cache",
        /// Render a report.
        RenderReport = "render_report",
    }
}

words! {
    /// How far a job is.
    JobStatus {
        /// Waits for a worker, perhaps until a time.
        Queued = "queued",
        /// A worker claimed it; whether that worker lives is its lease's matter.
        Running = "running",
        /// Done.
        Succeeded = "succeeded",
        /// Given up after its last attempt (a dead letter). A person may have it tried again.
        Dead = "dead",
        /// Stopped on request.
        Cancelled = "cancelled",
    }
}

impl JobStatus {
    /// Whether nothing more is going to happen by itself.
    pub fn is_end(self) -> bool {
        !matches!(self, Self::Queued | Self::Running)
    }
}

/// A job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JobRow {
    /// Its id.
    pub id: JobId,
    /// What is to be done.
    pub kind: JobKind,
    /// The task it is for; it goes when the task goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<TaskId>,
    /// The particulars, as the kind wants them.
    pub payload: Json,
    /// Larger ones are claimed first.
    pub priority: i32,
    /// Not claimed before.
    pub run_after: DateTime<Utc>,
    /// What its worker must have.
    pub needs: Needs,
    /// While a job with this key has not ended, no other one is queued.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unique_key: Option<String>,
    /// How far it is.
    pub status: JobStatus,
    /// How often it was claimed, less what was given back.
    pub attempts: u32,
    /// How often at most.
    pub max_attempts: u32,
    /// Number of the newest claim; 0 if it was never claimed.
    pub fence: i64,
    /// Who claimed it last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worker: Option<Owner>,
    /// When others may claim it, while it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease_until: Option<DateTime<Utc>>,
    /// The worker's last sign of life.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heartbeat_at: Option<DateTime<Utc>>,
    /// How far its worker is, as the kind says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<Json>,
    /// A person asked to stop it.
    pub cancel_requested: bool,
    /// What it gave.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<Json>,
    /// Why the last attempt failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    /// When it was queued.
    pub created_at: DateTime<Utc>,
    /// When it was last claimed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claimed_at: Option<DateTime<Utc>>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<DateTime<Utc>>,
}

impl TryFrom<jobs::Model> for JobRow {
    type Error = StoreError;
    fn try_from(row: jobs::Model) -> Result<Self, StoreError> {
        let id = read_job(&row.id)?;
        let of = |what: &str| format!("{what} of job {id}");
        Ok(Self {
            id,
            kind: JobKind::read(&row.kind)?,
            task: row.task_id.as_deref().map(read_id).transpose()?,
            payload: decode(|| of("payload"), &row.payload)?,
            priority: number("priority", row.priority)?,
            run_after: row.run_after,
            needs: decode(|| of("needs"), &row.needs)?,
            unique_key: row.unique_key,
            status: JobStatus::read(&row.status)?,
            attempts: number("attempts", row.attempts)?,
            max_attempts: number("attempts", row.max_attempts)?,
            fence: row.fence,
            worker: decode_option(|| of("worker"), row.worker.as_deref())?,
            lease_until: row.lease_until,
            heartbeat_at: row.heartbeat_at,
            progress: decode_option(|| of("progress"), row.progress.as_deref())?,
            cancel_requested: row.cancel_requested,
            result: decode_option(|| of("result"), row.result.as_deref())?,
            last_error: row.last_error,
            created_at: row.created_at,
            claimed_at: row.claimed_at,
            ended_at: row.ended_at,
        })
    }
}

/// A job's id from its column.
pub(crate) fn read_job(text: &str) -> Result<JobId, StoreError> {
    text.parse().map_err(|e: uuid::Error| StoreError::Corrupt { what: format!("job id {text:?}"), source: Box::new(e) })
}
