//! Rows as the rest of the program sees them.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use sea_orm::DerivePartialModel;
use serde::{Deserialize, Serialize};
use tuner_core::plan::{AttemptState, Role};
use tuner_core::{Configuration, Outcome};
use uuid::Uuid;

use crate::entity::{deployments, experiments, tasks};
use crate::json::{decode, decode_option, number};
use crate::{Event, StoreError};

/// Names one task for ever. Newer tasks have larger ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TaskId(Uuid);

impl TaskId {
    /// A new id, from the time and chance.
    pub fn new() -> Self {
        Self(Uuid::now_v7())
    }
}

impl From<Uuid> for TaskId {
    /// The task that was chosen elsewhere.
    fn from(id: Uuid) -> Self {
        Self(id)
    }
}

impl Default for TaskId {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for TaskId {
    type Err = uuid::Error;
    fn from_str(s: &str) -> Result<Self, Self::Err> {
        s.parse().map(Self)
    }
}

/// A task's id from its column.
pub(crate) fn read_id(text: &str) -> Result<TaskId, StoreError> {
    text.parse()
        .map_err(|e: uuid::Error| StoreError::Corrupt { what: format!("task id {text:?}"), source: Box::new(e) })
}

/// An enum whose variants are words in a column.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name { $($(#[$variant_doc])* #[serde(rename = $word)] $variant,)* }

        impl $name {
            /// Every one.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The word used in files, columns and reports.
            pub fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            pub(crate) fn read(word: &str) -> Result<Self, StoreError> {
                Self::ALL.iter().copied().find(|x| x.word() == word).ok_or_else(|| StoreError::Corrupt {
                    what: stringify!($name).to_owned(),
                    source: format!("{word:?} is not one of its words").into(),
                })
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.word())
            }
        }
    };
}

pub(crate) use words;

words! {
    /// How far a task is.
    TaskStatus {
        /// Stored, not started.
        Pending = "pending",
        /// Started, not ended; whether somebody works on it now is the lease's matter.
        Running = "running",
        /// A person asked to stop it; the worker has not ended yet.
        Cancelling = "cancelling",
        /// Everything was done.
        Completed = "completed",
        /// It could not go on.
        Failed = "failed",
        /// Stopped on request. What was measured stays.
        Cancelled = "cancelled",
    }
}

words! {
    /// How far a deployment is.
    DeploymentState {
        /// Its id and port are taken; the launch may or may not have happened.
        Reserved = "reserved",
        /// Launched.
        Running = "running",
        /// Gone, its port free.
        Stopped = "stopped",
    }
}

impl TaskStatus {
    /// Whether nothing more is going to happen by itself.
    pub fn is_end(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled)
    }
}

/// A task without its specification.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TaskRow {
    /// Its id.
    pub id: TaskId,
    /// Its name, unique.
    pub name: String,
    /// The engine's word.
    pub engine: String,
    /// Counts the changes of this row, from 1.
    pub revision: i64,
    /// How far it is.
    pub status: TaskStatus,
    /// The final comparison, as the report shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<serde_json::Value>,
    /// Why it could not go on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// When it was stored.
    pub created_at: DateTime<Utc>,
    /// When a worker first began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<DateTime<Utc>>,
    /// A person asked to stop it.
    pub cancel_requested: bool,
    /// GPU-seconds of all its ended attempts; interrupted ones add none.
    pub gpu_seconds: f64,
}

/// The columns of a task without its documents, which are larger than all others together.
#[derive(Clone, Debug, DerivePartialModel)]
#[sea_orm(entity = "tasks::Entity")]
pub(crate) struct TaskColumns {
    pub(crate) id: String,
    name: String,
    engine: String,
    revision: i64,
    status: String,
    verdict: Option<String>,
    failure: Option<String>,
    created_at: DateTime<Utc>,
    started_at: Option<DateTime<Utc>>,
    ended_at: Option<DateTime<Utc>>,
    cancel_requested: bool,
    gpu_seconds: f64,
}

impl From<tasks::Model> for TaskColumns {
    fn from(row: tasks::Model) -> Self {
        Self {
            id: row.id,
            name: row.name,
            engine: row.engine,
            revision: row.revision,
            status: row.status,
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

impl TryFrom<tasks::Model> for TaskRow {
    type Error = StoreError;
    fn try_from(row: tasks::Model) -> Result<Self, StoreError> {
        TaskColumns::from(row).try_into()
    }
}

impl TryFrom<TaskColumns> for TaskRow {
    type Error = StoreError;
    fn try_from(row: TaskColumns) -> Result<Self, StoreError> {
        let id = read_id(&row.id)?;
        Ok(Self {
            id,
            status: TaskStatus::read(&row.status)?,
            verdict: decode_option(|| format!("verdict of task {id}"), row.verdict.as_deref())?,
            name: row.name,
            engine: row.engine,
            revision: row.revision,
            failure: row.failure,
            created_at: row.created_at,
            started_at: row.started_at,
            ended_at: row.ended_at,
            cancel_requested: row.cancel_requested,
            gpu_seconds: row.gpu_seconds,
        })
    }
}

/// An experiment without its attempts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExperimentRow {
    /// 1..N within the task.
    pub number: u32,
    /// Why it is run.
    pub role: Role,
    /// What is tried.
    pub configuration: Configuration,
    /// The configuration's key.
    pub key: String,
    /// Its end; `None` while open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// Its score, as the report shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<serde_json::Value>,
    /// When it was decided on.
    pub created_at: DateTime<Utc>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<DateTime<Utc>>,
}

impl TryFrom<experiments::Model> for ExperimentRow {
    type Error = StoreError;
    fn try_from(row: experiments::Model) -> Result<Self, StoreError> {
        let of = |what: &str| format!("{what} of experiment {} of task {}", row.number, row.task_id);
        Ok(Self {
            number: number("experiment", row.number)?,
            role: decode(|| of("role"), &row.role)?,
            configuration: decode(|| of("configuration"), &row.configuration)?,
            outcome: decode_option(|| of("outcome"), row.outcome.as_deref())?,
            score: decode_option(|| of("score"), row.score.as_deref())?,
            key: row.key,
            created_at: row.created_at,
            ended_at: row.ended_at,
        })
    }
}

/// One launched engine, or one whose launch was announced.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeploymentRow {
    /// Chosen before the launch.
    pub id: String,
    /// For which task.
    pub task: TaskId,
    /// For which experiment.
    pub experiment: u32,
    /// For which attempt.
    pub attempt: u32,
    /// What launched it: `local`, `attached`, ….
    pub kind: String,
    /// Host of the worker that launched it.
    pub host: String,
    /// How far it is.
    pub state: DeploymentState,
    /// Its port; held while it lives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// Its process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pid: Option<u32>,
    /// Its process group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pgid: Option<u32>,
    /// When its process started, in clock ticks since boot: a pid alone may have been given away again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_ticks: Option<u64>,
    /// Where it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// Its log file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_path: Option<String>,
    /// Fence of the lease under which it was launched.
    pub fence: i64,
    /// When it was announced.
    pub created_at: DateTime<Utc>,
    /// When it was found to be gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped_at: Option<DateTime<Utc>>,
}

impl DeploymentRow {
    pub(crate) fn stopped_event(&self) -> Event {
        Event::DeploymentStopped { attempt: self.attempt, deployment: self.id.clone() }
    }
}

impl TryFrom<deployments::Model> for DeploymentRow {
    type Error = StoreError;
    fn try_from(row: deployments::Model) -> Result<Self, StoreError> {
        let task = read_id(&row.task_id)?;
        Ok(Self {
            task,
            experiment: number("experiment", row.experiment)?,
            attempt: number("attempt", row.attempt)?,
            state: DeploymentState::read(&row.state)?,
            port: row.port.map(|p| number("port", p)).transpose()?,
            pid: row.pid.map(|p| number("pid", p)).transpose()?,
            pgid: row.pgid.map(|p| number("pgid", p)).transpose()?,
            start_ticks: row.start_ticks.map(|t| number("start time", t)).transpose()?,
            id: row.id,
            kind: row.kind,
            host: row.host,
            address: row.address,
            log_path: row.log_path,
            fence: row.fence,
            created_at: row.created_at,
            stopped_at: row.stopped_at,
        })
    }
}

/// The word of an attempt's state in its column.
pub(crate) fn attempt_word(state: AttemptState) -> &'static str {
    match state {
        AttemptState::Running => "running",
        AttemptState::Succeeded => "succeeded",
        AttemptState::Failed => "failed",
        AttemptState::Interrupted => "interrupted",
        AttemptState::Cancelled => "cancelled",
    }
}

/// The state of an attempt from its column.
pub(crate) fn read_attempt(word: &str) -> Result<AttemptState, StoreError> {
    use AttemptState::{Cancelled, Failed, Interrupted, Running, Succeeded};
    let all = [Running, Succeeded, Failed, Interrupted, Cancelled];
    all.into_iter().find(|s| attempt_word(*s) == word).ok_or_else(|| StoreError::Corrupt {
        what: "state of an attempt".to_owned(),
        source: format!("{word:?} is not one of its words").into(),
    })
}
