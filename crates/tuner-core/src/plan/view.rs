//! What the planner sees: the task and all its experiments, as the store holds them.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Forecast;
use crate::engine::ReadBack;
use crate::space::{Configuration, SearchSpace};
use crate::{Failure, Measurement, Outcome, TaskSpec};

/// Why an experiment is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Role {
    /// The flags in use today, tried first.
    Baseline,
    /// A candidate of the sampler.
    Search,
    /// A repeat for the final comparison.
    Verify {
        /// Block, from 0; each block holds both arms.
        block: u32,
        /// Which side.
        arm: Arm,
    },
}

/// Side of the final comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Arm {
    /// The baseline's configuration.
    Baseline,
    /// The best configuration found.
    Best,
}

/// How far an attempt is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AttemptState {
    /// Under way by the worker that holds the lease.
    Running,
    /// All levels measured.
    Succeeded,
    /// Ended in a failure.
    Failed,
    /// The worker died; nothing is concluded.
    Interrupted,
    /// A person or a limit stopped it.
    Cancelled,
}

/// One try at running an experiment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AttemptView {
    /// From 1 within the experiment.
    pub number: u32,
    /// How far it is.
    pub state: AttemptState,
    /// What it died of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<DateTime<Utc>>,
    /// What was measured in it, in order.
    pub measurements: Vec<Measurement>,
    /// What was launched and how it went; evidence, not input to decisions.
    #[serde(default)]
    pub evidence: AttemptEvidence,
}

/// What was launched, proven and logged in an attempt.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct AttemptEvidence {
    /// Id of the deployment, chosen before the launch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deployment: Option<String>,
    /// The effective command, ready to paste, secrets removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// GPUs the deployment used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gpus: Option<u32>,
    /// Address that was measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base_url: Option<String>,
    /// Model name that the engine serves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub served_model: Option<String>,
    /// Engine version as the engine or its installation reports it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub engine_version: Option<String>,
    /// Arguments compared with the engine's own report.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub read_back: Vec<ReadBack>,
    /// Warnings of the launch (unknown flags, …).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// Seconds from launch to the first good answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ready_s: Option<f64>,
    /// Seconds from the request to stop to everything being gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_s: Option<f64>,
    /// The engine's log file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_path: Option<String>,
    /// The process that ran it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub worker: Option<String>,
    /// The host that measured it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// What that host has: processor and GPUs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hardware: Option<String>,
}

/// An experiment with its attempts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ExperimentView {
    /// 1..N within the task.
    pub number: u32,
    /// Why it is run.
    pub role: Role,
    /// What is tried: the varying parameters only.
    pub configuration: Configuration,
    /// Its end; `None` while open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// Its attempts in order.
    pub attempts: Vec<AttemptView>,
}

impl ExperimentView {
    /// The attempt that counts: the last one.
    pub fn last_attempt(&self) -> Option<&AttemptView> {
        self.attempts.last()
    }

    /// The measurements that count: those of the last attempt that has any.
    pub fn measurements(&self) -> &[Measurement] {
        self.attempts.iter().rev().find(|a| !a.measurements.is_empty()).map_or(&[], |a| &a.measurements)
    }
}

/// Who can run experiments now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Places<'a> {
    /// Experiments that may be open at once: one of whoever asks, and one for each helper. At least 1.
    pub most: u32,
    /// Whether whoever asks can begin an attempt now.
    pub free: bool,
    /// Experiments that somebody has claimed and may be running.
    pub claimed: &'a [u32],
}

impl Places<'static> {
    /// One process that does one experiment after the other, and is between two.
    pub const ALONE: Self = Self { most: 1, free: true, claimed: &[] };
}

/// Everything `next_step` may look at.
#[derive(Clone, Copy, Debug)]
pub struct TaskView<'a> {
    /// What was asked.
    pub spec: &'a TaskSpec,
    /// Its search space, built from the spec.
    pub space: &'a SearchSpace,
    /// All experiments in order of their numbers.
    pub experiments: &'a [ExperimentView],
    /// Configurations that somebody wants tried before what the search would try, in order.
    pub proposed: &'a [Configuration],
    /// When the task was first started.
    pub started_at: DateTime<Utc>,
    /// A person asked to stop.
    pub cancel_requested: bool,
    /// What is known of configurations before they are tried.
    pub forecast: &'a dyn Forecast,
    /// Who can run experiments.
    pub places: Places<'a>,
}
