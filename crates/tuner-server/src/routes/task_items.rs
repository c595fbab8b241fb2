//! Tasks as answers show them.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use tuner_core::TaskSpec;
use tuner_core::task::Diagnostic;
use tuner_store::{FullTask, Holder, OutcomeCounts, RevisionRow, TaskRow};
use utoipa::ToSchema;

/// A task in a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TaskItem {
    /// Its id.
    pub(crate) id: String,
    /// Its name, unique.
    name: String,
    /// The engine's word.
    engine: String,
    /// `pending`, `running`, `cancelling`, `completed`, `failed` or `cancelled`.
    status: String,
    /// The final comparison.
    #[schema(value_type = Option<Object>)]
    verdict: Option<Value>,
    /// Why it could not go on.
    failure: Option<String>,
    /// When it was stored.
    created_at: DateTime<Utc>,
    /// When a worker first began.
    started_at: Option<DateTime<Utc>>,
    /// When it ended.
    ended_at: Option<DateTime<Utc>>,
    /// Somebody asked to stop it.
    cancel_requested: bool,
    /// GPU-seconds of its ended attempts.
    gpu_seconds: f64,
    /// Experiments by outcome; `open` for those without.
    experiments: BTreeMap<String, u32>,
}

impl TaskItem {
    pub(crate) fn new(row: TaskRow, counts: &OutcomeCounts) -> Self {
        Self {
            experiments: counts.get(&row.id).cloned().unwrap_or_default(),
            id: row.id.to_string(),
            name: row.name,
            engine: row.engine,
            status: row.status.word().to_owned(),
            verdict: row.verdict,
            failure: row.failure,
            created_at: row.created_at,
            started_at: row.started_at,
            ended_at: row.ended_at,
            cancel_requested: row.cancel_requested,
            gpu_seconds: row.gpu_seconds,
        }
    }
}

/// A task with everything of it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TaskDetail {
    #[serde(flatten)]
    item: TaskItem,
    /// Counts its edits, from 1.
    revision: u32,
    /// The task that took its place when it was edited.
    replaced_by: Option<String>,
    /// When it was put away.
    archived_at: Option<DateTime<Utc>>,
    /// What was asked, with every default filled in.
    #[schema(value_type = Object)]
    task: TaskSpec,
    /// The document as it was sent.
    source: String,
    /// Experiments under way, and who runs them.
    running: Vec<RunningExperiment>,
}

/// An experiment under way.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RunningExperiment {
    /// Its number.
    number: u32,
    /// The host of the process that runs it.
    host: String,
    /// That process.
    pid: u32,
    /// Since when.
    since: DateTime<Utc>,
    /// Its last sign of life.
    heartbeat_at: DateTime<Utc>,
}

impl RunningExperiment {
    fn new((number, holder): (u32, Holder)) -> Self {
        let Holder { owner, since, heartbeat_at, .. } = holder;
        Self { number, host: owner.host, pid: owner.pid, since, heartbeat_at }
    }
}

impl From<FullTask> for TaskDetail {
    fn from(detail: FullTask) -> Self {
        Self {
            item: TaskItem::new(detail.row, &detail.counts),
            revision: detail.revised.number,
            replaced_by: detail.revised.replaced_by.map(|id| id.to_string()),
            archived_at: detail.revised.archived_at,
            task: detail.spec,
            source: detail.source,
            running: detail.held.into_iter().map(RunningExperiment::new).collect(),
        }
    }
}

/// Part of the list of tasks. Pages come ready from the store; this says what they hold.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TaskList {
    /// The tasks, newest first.
    pub(crate) items: Vec<TaskItem>,
    /// Send it as `cursor` for the next part; null at the end.
    pub(crate) next_cursor: Option<String>,
}

/// One revision of a task.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Revision {
    /// From 1.
    revision: u32,
    /// When it was made.
    revised_at: DateTime<Utc>,
    /// The task that it is.
    task: TaskItem,
}

impl From<RevisionRow> for Revision {
    fn from(row: RevisionRow) -> Self {
        let task = TaskItem::new(row.task, &OutcomeCounts::new());
        Self { revision: row.number, revised_at: row.at, task }
    }
}

/// Every revision of a task.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RevisionList {
    /// The newest first.
    pub(crate) items: Vec<Revision>,
    /// Always null: there is one part.
    pub(crate) next_cursor: Option<String>,
}

/// What a document says.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Validation {
    /// It could be stored and run.
    pub(crate) valid: bool,
    /// It was a file of the predecessor.
    pub(crate) imported: bool,
    /// Errors and notes, each with line, column, field, message, what is allowed and the nearest word.
    #[schema(value_type = Vec<Object>)]
    pub(crate) findings: Vec<Diagnostic>,
    /// What else is worth knowing.
    pub(crate) remarks: Vec<String>,
    /// What it would do, in one line.
    pub(crate) summary: Option<String>,
    /// The task with every default filled in.
    #[schema(value_type = Option<Object>)]
    pub(crate) task: Option<TaskSpec>,
}
