//! What happened: one typed event per change, in one order, for everything that shows progress.
//!
//! *Invariant*: an event is readable for ever. Variants and fields are added, never renamed or removed; a new field
//! has a default.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tuner_core::engine::ReadBack;
use tuner_core::measure::RequestCounts;
use tuner_core::plan::{AttemptEvidence, AttemptState, Role};
use tuner_core::{Configuration, Failure, Measurement, Metric, Outcome, Percentile, Stat};
use uuid::Uuid;

use crate::chat::ChatChange;
use crate::jobs::{JobChange, JobId};
use crate::lease::Owner;
use crate::machines::MachineChange;
use crate::row::{TaskId, TaskStatus};
use crate::shelf::{ShelfChange, ShelfKind};
use crate::workers::{WorkerChange, WorkerId};

/// What happened to a task or one of its experiments.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Event {
    /// A task was stored.
    TaskCreated {
        /// Its name.
        name: String,
    },
    /// A worker began with it, or goes on with it.
    TaskStarted {
        /// It had been started before.
        resumed: bool,
        /// Who works on it.
        worker: String,
    },
    /// An ended task may be worked on again.
    TaskReopened {
        /// How it had ended.
        was: TaskStatus,
    },
    /// A person asked to stop it.
    CancelRequested,
    /// It ended.
    TaskEnded {
        /// How.
        status: TaskStatus,
        /// The final comparison, as the report shows it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        verdict: Option<serde_json::Value>,
        /// Why it could not go on.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        failure: Option<String>,
    },
    /// It and all its rows are gone.
    TaskDeleted {
        /// Its name.
        name: String,
    },
    /// A task was edited: this is what it asks for now.
    TaskRevised {
        /// Its name.
        name: String,
        /// The new revision, from 2.
        number: u32,
        /// The task that keeps what was there before.
        replaces: TaskId,
    },
    /// It was put away.
    TaskArchived,
    /// It was put back.
    TaskUnarchived,
    /// A worker took a lease.
    LeaseClaimed {
        /// On what.
        resource: String,
        /// The worker.
        owner: Owner,
        /// The number that makes older claims harmless.
        fence: i64,
        /// Whose lease on it had expired.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<Owner>,
    },
    /// A worker gave a lease back.
    LeaseReleased {
        /// On what.
        resource: String,
        /// Its fence.
        fence: i64,
    },
    /// A lease was taken from a worker that is known to be dead.
    LeaseBroken {
        /// On what.
        resource: String,
        /// The worker.
        owner: Owner,
        /// Its fence.
        fence: i64,
    },
    /// A configuration is going to be tried.
    ExperimentCreated {
        /// Why.
        role: Role,
        /// What.
        configuration: Configuration,
    },
    /// A try began.
    AttemptStarted {
        /// From 1 within the experiment.
        attempt: u32,
        /// Who tries.
        worker: String,
    },
    /// A try entered its next phase.
    Phase {
        /// Of this try.
        attempt: u32,
        /// Which phase.
        #[serde(flatten)]
        phase: Phase,
    },
    /// An engine is going to be launched.
    DeploymentReserved {
        /// For this try.
        attempt: u32,
        /// Its id.
        deployment: String,
        /// The port it holds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        port: Option<u16>,
    },
    /// GPUs were set aside for it.
    GpusReserved {
        /// For this try.
        attempt: u32,
        /// The deployment's id.
        deployment: String,
        /// As their driver counts them.
        gpus: Vec<u32>,
    },
    /// An engine was launched.
    DeploymentLaunched {
        /// For this try.
        attempt: u32,
        /// Its id.
        deployment: String,
        /// Its process.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pid: Option<u32>,
        /// Where it answers.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        address: Option<String>,
    },
    /// An engine is gone, with its port.
    DeploymentStopped {
        /// Of this try.
        attempt: u32,
        /// Its id.
        deployment: String,
    },
    /// Something was learnt about what runs.
    Evidence {
        /// In this try.
        attempt: u32,
        /// All that is known now.
        evidence: Box<AttemptEvidence>,
    },
    /// The engine's own report of its arguments was compared with what was asked.
    ReadBack {
        /// In this try.
        attempt: u32,
        /// Each argument.
        arguments: Vec<ReadBack>,
    },
    /// A level was measured.
    LevelMeasured {
        /// In this try.
        attempt: u32,
        /// The figures that a line of progress shows.
        #[serde(flatten)]
        figures: LevelFigures,
    },
    /// A try ended.
    AttemptEnded {
        /// Which.
        attempt: u32,
        /// How.
        state: AttemptState,
        /// What it died of.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        failure: Option<Failure>,
    },
    /// An experiment ended.
    ExperimentEnded {
        /// How.
        outcome: Outcome,
        /// Its score, as the report shows it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        score: Option<serde_json::Value>,
    },
    /// A job changed.
    Job {
        /// Which.
        job: JobId,
        /// How.
        #[serde(flatten)]
        change: JobChange,
    },
    /// Jobs that had ended were forgotten.
    JobsPurged {
        /// How many.
        jobs: u64,
        /// They had ended before this time.
        ended_before: DateTime<Utc>,
    },
    /// A worker changed.
    Worker {
        /// Which.
        worker: WorkerId,
        /// How.
        #[serde(flatten)]
        change: WorkerChange,
    },
    /// A preset or a data set was stored, changed or removed.
    Shelf {
        /// What it is.
        item: ShelfKind,
        /// Its name, from now on.
        name: String,
        /// The change.
        change: ShelfChange,
    },
    /// A machine that workers are deployed to was stored, changed or removed.
    Machine {
        /// Which.
        machine: Uuid,
        /// Its name, from now on.
        name: String,
        /// The change.
        change: MachineChange,
    },
    /// Something happened in a conversation with the agent.
    Chat {
        /// Which.
        session: Uuid,
        /// What.
        #[serde(flatten)]
        change: ChatChange,
    },
    /// Something that people should know.
    Note {
        /// How much they should care.
        severity: Severity,
        /// One line.
        text: String,
    },
}

/// Where a try is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "phase", rename_all = "snake_case")]
pub enum Phase {
    /// From launch to the process being up.
    Provision,
    /// The engine loads weights and builds its cache.
    Loading,
    /// It gave its first good answer.
    Ready,
    /// Load that is not measured, before a level's window.
    WarmUp {
        /// Position of the level, from 0.
        level: u32,
        /// Repeat of the level, from 0.
        repeat: u32,
    },
    /// The measured window of a level.
    Level {
        /// Position of the level, from 0.
        level: u32,
        /// Repeat of the level, from 0.
        repeat: u32,
    },
    /// The engine is being stopped.
    Stopping,
}

/// How much people should care about a note.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Good to know.
    Info,
    /// May explain a bad result.
    Warning,
}

/// The figures of a measurement that a line of progress shows; the whole stands in the experiment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LevelFigures {
    /// Position of the level, from 0.
    pub level: u32,
    /// Repeat of the level, from 0.
    pub repeat: u32,
    /// Whether it may be scored.
    pub valid: bool,
    /// Wall time the level took in seconds.
    pub elapsed_s: f64,
    /// Requests by fate.
    pub requests: RequestCounts,
    /// Output tokens per second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_throughput: Option<f64>,
    /// Median time to first token, ms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttft_p50_ms: Option<f64>,
    /// Its 99th percentile, ms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttft_p99_ms: Option<f64>,
    /// Median time per output token, ms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tpot_p50_ms: Option<f64>,
    /// Share of finished requests that failed, 0..1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_rate: Option<f64>,
}

impl From<&Measurement> for LevelFigures {
    fn from(m: &Measurement) -> Self {
        let at = |metric, percentile| m.stat(metric, Stat::Percentile(percentile));
        Self {
            level: m.level,
            repeat: m.repeat,
            valid: m.is_valid(),
            elapsed_s: m.elapsed_s,
            requests: m.requests,
            output_throughput: m.stat(Metric::OutputThroughput, Stat::Mean),
            ttft_p50_ms: at(Metric::Ttft, Percentile::P50),
            ttft_p99_ms: at(Metric::Ttft, Percentile::P99),
            tpot_p50_ms: at(Metric::Tpot, Percentile::P50),
            error_rate: m.stat(Metric::ErrorRate, Stat::Mean),
        }
    }
}

impl Event {
    /// The word of every kind.
    pub const KINDS: [&'static str; 31] = [
        "task_created",
        "task_started",
        "task_reopened",
        "cancel_requested",
        "task_ended",
        "task_deleted",
        "task_revised",
        "task_archived",
        "task_unarchived",
        "lease_claimed",
        "lease_released",
        "lease_broken",
        "experiment_created",
        "attempt_started",
        "phase",
        "deployment_reserved",
        "gpus_reserved",
        "deployment_launched",
        "deployment_stopped",
        "evidence",
        "read_back",
        "level_measured",
        "attempt_ended",
        "experiment_ended",
        "job",
        "jobs_purged",
        "worker",
        "shelf",
        "machine",
        "chat",
        "note",
    ];

    /// The word in the `kind` field and column.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::TaskCreated { .. } => "task_created",
            Self::TaskStarted { .. } => "task_started",
            Self::TaskReopened { .. } => "task_reopened",
            Self::CancelRequested => "cancel_requested",
            Self::TaskEnded { .. } => "task_ended",
            Self::TaskDeleted { .. } => "task_deleted",
            Self::TaskRevised { .. } => "task_revised",
            Self::TaskArchived => "task_archived",
            Self::TaskUnarchived => "task_unarchived",
            Self::LeaseClaimed { .. } => "lease_claimed",
            Self::LeaseReleased { .. } => "lease_released",
            Self::LeaseBroken { .. } => "lease_broken",
            Self::ExperimentCreated { .. } => "experiment_created",
            Self::AttemptStarted { .. } => "attempt_started",
            Self::Phase { .. } => "phase",
            Self::DeploymentReserved { .. } => "deployment_reserved",
            Self::GpusReserved { .. } => "gpus_reserved",
            Self::DeploymentLaunched { .. } => "deployment_launched",
            Self::DeploymentStopped { .. } => "deployment_stopped",
            Self::Evidence { .. } => "evidence",
            Self::ReadBack { .. } => "read_back",
            Self::LevelMeasured { .. } => "level_measured",
            Self::AttemptEnded { .. } => "attempt_ended",
            Self::ExperimentEnded { .. } => "experiment_ended",
            Self::Job { .. } => "job",
            Self::JobsPurged { .. } => "jobs_purged",
            Self::Worker { .. } => "worker",
            Self::Shelf { .. } => "shelf",
            Self::Machine { .. } => "machine",
            Self::Chat { .. } => "chat",
            Self::Note { .. } => "note",
        }
    }
}

/// An event in its place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EventRow {
    /// Its number; later events have larger ones, with gaps.
    pub seq: i64,
    /// Of which task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<TaskId>,
    /// Of which experiment of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub experiment: Option<u32>,
    /// When.
    pub at: DateTime<Utc>,
    /// What.
    #[serde(flatten)]
    pub event: Event,
}

#[cfg(test)]
mod tests;
