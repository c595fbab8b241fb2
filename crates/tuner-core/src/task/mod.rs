//! The task file: one schema for files, API and agent.
//!
//! [`TaskSpec`] is what a person writes, with every default filled in by serde, so that a spec that was read and
//! written again shows what will be done.

mod context;
mod conversation;
mod diagnostic;
mod domain;
mod import;
mod level;
mod load;
mod objective;
mod preset;
mod read;
mod rules;
mod scenario;
mod schema;
mod search;
mod target;
mod workload;
mod write;

pub use context::LeastContext;
pub use conversation::{Answers, ConversationError, ConversationSpec, Think, ThinkSpread, TurnRange, Turns};
pub use diagnostic::{Diagnostic, Severity, render_all};
pub use domain::{SpaceError, search_space};
pub use import::{ImportOptions, Imported, import_predecessor, is_predecessor_file};
pub use level::{Arrival, Level, Ramp};
pub use load::{Api, LoadSpec, Prompts, WorkloadSpec};
pub use objective::{Across, Bound, Goal, MetricObjective, Objective, ObjectiveName, ResolvedObjective, SloSpec};
pub use preset::{
    EnginesDiffer, KnownPresets, Merge, MergeConflict, Merged, PresetSpec, merge as merge_presets, read_presets,
};
pub use read::{LoadedTask, ReadContext, check, read};
pub use scenario::{Mix, SCENARIO_FORMS, Scenario, ScenarioError};
pub use schema::schema;
pub use search::{
    BoolWord, DomainSpec, Number, NumberKind, ParameterList, ParameterSpec, RangeSpec, SamplerSpec, SearchSpaceSpec,
};
pub use target::{BackendSpec, EngineSpec, HardwareSpec, ModelSpec};
pub use workload::{ClassSpec, DatasetSpec, ModelShare, SharedPrefix};
pub use write::{to_yaml, yaml_of};

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::space::Configuration;

/// One tuning effort.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TaskSpec {
    /// Name of the task: letters, digits, `-`, `_`, `.`; at most 100 characters.
    pub name: String,
    /// What it is for, in the user's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What is served.
    pub model: ModelSpec,
    /// What serves it.
    pub engine: EngineSpec,
    /// Where it runs.
    #[serde(default)]
    pub backend: BackendSpec,
    /// What may vary.
    pub search_space: SearchSpaceSpec,
    /// The flags in use today; the baseline that every result is compared with. Empty: the engine's defaults.
    #[serde(default, skip_serializing_if = "Configuration::is_empty")]
    pub baseline: Configuration,
    /// What is asked of the model.
    #[serde(default)]
    pub workload: WorkloadSpec,
    /// How hard and how long it is asked.
    #[serde(default)]
    pub load: LoadSpec,
    /// What is wanted; the first decides, more than one gives a Pareto front.
    #[serde(default = "default_objectives")]
    #[schemars(length(min = 1))]
    pub objectives: Vec<Objective>,
    /// What must hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub slos: Vec<SloSpec>,
    /// Highest share of failed requests that a level may have, 0..1.
    #[serde(default = "default_max_error_rate")]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub max_error_rate: f64,
    /// How candidates are proposed.
    #[serde(default)]
    pub sampler: SamplerSpec,
    /// When to stop searching.
    #[serde(default)]
    pub budget: Budget,
    /// How the best is compared with the baseline at the end.
    #[serde(default)]
    pub verification: Verification,
    /// Time budgets of the phases of one attempt.
    #[serde(default)]
    pub timeouts: Timeouts,
    /// What happens after a transient failure.
    #[serde(default)]
    pub retries: Retries,
    /// Measurements of each level within one experiment.
    #[serde(default = "one")]
    #[schemars(range(min = 1, max = 100))]
    pub repeats: u32,
    /// A command that can veto a configuration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quality_guard: Option<QualityGuard>,
    /// Every random choice follows from it.
    #[serde(default)]
    pub seed: u64,
}

impl TaskSpec {
    /// A task with every default.
    pub fn new(name: String, model: ModelSpec, engine: EngineSpec, search_space: SearchSpaceSpec) -> Self {
        Self {
            name,
            description: None,
            model,
            engine,
            backend: BackendSpec::default(),
            search_space,
            baseline: Configuration::default(),
            workload: WorkloadSpec::default(),
            load: LoadSpec::default(),
            objectives: default_objectives(),
            slos: Vec::new(),
            max_error_rate: default_max_error_rate(),
            sampler: SamplerSpec::default(),
            budget: Budget::default(),
            verification: Verification::default(),
            timeouts: Timeouts::default(),
            retries: Retries::default(),
            repeats: one(),
            quality_guard: None,
            seed: 0,
        }
    }

    /// Every flag an experiment runs with: the fixed ones, the baseline's flags that are not being searched, and the
    /// experiment's own configuration over them. Parameters that are inactive in a candidate are left to the engine.
    pub fn effective_flags(&self, configuration: &Configuration) -> Configuration {
        let searched = |name: &str| self.search_space.parameters.0.iter().any(|(p, _)| p == name);
        let mut flags = Configuration(self.engine.fixed.clone());
        for (name, value) in self.baseline.iter().filter(|(name, _)| !searched(name)) {
            flags.set(name, value.clone());
        }
        flags.overlaid(configuration)
    }
}

fn default_objectives() -> Vec<Objective> {
    vec![Objective::Named(ObjectiveName::MaximizeThroughput)]
}
fn default_max_error_rate() -> f64 {
    0.01
}
fn one() -> u32 {
    1
}

/// When to stop searching. Verification comes on top.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Budget {
    /// Configurations to try, the baseline included.
    #[schemars(range(min = 1, max = 100_000))]
    pub experiments: u32,
    /// Wall time of the search in seconds.
    #[schemars(range(min = 1.0))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wall_time_s: Option<f64>,
    /// GPU-seconds of the search: time with an engine deployed times its GPUs.
    #[schemars(range(min = 1.0))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gpu_seconds: Option<f64>,
    /// Experiments of the search that run at once, where free workers help; verification is one at a time.
    #[schemars(range(min = 1, max = 64))]
    pub parallel: u32,
    /// Let them run on one host at once though they share its processor. Those of the simulated engine may always, and
    /// those on GPUs, each of which has its own.
    pub share_host: bool,
}

impl Default for Budget {
    fn default() -> Self {
        Self { experiments: 20, wall_time_s: None, gpu_seconds: None, parallel: 1, share_host: false }
    }
}

/// The final comparison of the best with the baseline, in interleaved pairs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Verification {
    /// Pairs of runs (baseline and best, in alternating order); 0 skips verification, else at least 2.
    #[schemars(range(min = 0, max = 50))]
    pub blocks: u32,
    /// Confidence of the interval on the difference, above 0.5 and below 1.
    #[schemars(range(min = 0.5, max = 1.0))]
    pub confidence: f64,
    /// Differences smaller than this share are no difference worth having, 0..1.
    #[schemars(range(min = 0.0, max = 0.9))]
    pub indifference: f64,
}

impl Default for Verification {
    fn default() -> Self {
        Self { blocks: 4, confidence: 0.95, indifference: 0.0 }
    }
}

/// Time budgets of one attempt, seconds. Each phase has its own, so a slow start eats nobody else's time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Timeouts {
    /// From launch to the process being up.
    #[schemars(range(min = 0.1, max = 604_800.0))]
    pub provision_s: f64,
    /// From launch to the first good answer, unless the log still moves.
    #[schemars(range(min = 0.1, max = 604_800.0))]
    pub ready_s: f64,
    /// The most that a start whose log still moves may take.
    #[schemars(range(min = 0.1, max = 604_800.0))]
    pub ready_limit_s: f64,
    /// One level: warm-up, window and drain.
    #[schemars(range(min = 0.1, max = 604_800.0))]
    pub measure_s: f64,
    /// From the request to stop to memory and port being free.
    #[schemars(range(min = 0.1, max = 604_800.0))]
    pub stop_s: f64,
    /// Everything an experiment does, engine start included (`timeout_per_iteration` of predecessor files).
    #[schemars(range(min = 0.1, max = 604_800.0))]
    pub experiment_s: f64,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            provision_s: 120.0,
            ready_s: 600.0,
            ready_limit_s: 1800.0,
            measure_s: 600.0,
            stop_s: 60.0,
            experiment_s: 1800.0,
        }
    }
}

/// What happens after a transient failure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Retries {
    /// Attempts of one experiment, the first included.
    #[schemars(range(min = 1, max = 20))]
    pub max_attempts: u32,
    /// Wait before the second attempt, seconds; doubles with each further one.
    #[schemars(range(min = 0.0, max = 86_400.0))]
    pub backoff_s: f64,
    /// Longest wait, seconds.
    #[schemars(range(min = 0.0, max = 86_400.0))]
    pub max_backoff_s: f64,
}

impl Default for Retries {
    fn default() -> Self {
        Self { max_attempts: 3, backoff_s: 2.0, max_backoff_s: 120.0 }
    }
}

/// A command run against the ready engine. It gets `AUTOTUNER_BASE_URL`, `AUTOTUNER_MODEL` and
/// `AUTOTUNER_CONFIGURATION` (JSON). A non-zero exit vetoes; so does a last line whose number is outside the limits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct QualityGuard {
    /// Program and arguments.
    #[schemars(length(min = 1))]
    pub command: Vec<String>,
    /// The number on its last line must be at least this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    /// The number on its last line must be at most this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
    /// Seconds it may take.
    #[serde(default = "guard_timeout")]
    #[schemars(range(min = 0.1, max = 86_400.0))]
    pub timeout_s: f64,
}

fn guard_timeout() -> f64 {
    300.0
}

/// Environment variables, name to value.
pub type Environment = BTreeMap<String, String>;
