//! What is served, by what, where.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Environment;
use crate::Value;
use crate::engine::EngineName;

/// What is served. One of `path` and `id` must be given (the simulated engine takes `id` as one of its model names).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ModelSpec {
    /// A local file (GGUF) or folder (Hugging Face layout).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// A hub id, `organisation/name`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The name clients ask for. Default: the engine's own rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub served_name: Option<String>,
    /// A folder or `tokenizer.json` or GGUF with the model's tokenizer. Default: taken from the model itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokenizer: Option<String>,
}

impl ModelSpec {
    /// What the engine is given: the path, else the id.
    pub fn source(&self) -> &str {
        self.path.as_deref().or(self.id.as_deref()).unwrap_or_default()
    }
}

/// What serves it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EngineSpec {
    /// Which engine.
    pub name: EngineName,
    /// The version meant; the installed one is recorded and compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Program to run instead of the installed engine's launcher, with leading arguments.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub command: Vec<String>,
    /// Flags that stay the same in every experiment, without leading dashes; `null` leaves a flag out.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fixed: BTreeMap<String, Value>,
    /// Environment variables of the engine.
    #[serde(default, skip_serializing_if = "Environment::is_empty")]
    pub env: Environment,
    /// GPUs one deployment uses; default: product of the parallel sizes where the machine has GPUs, else 0.
    #[schemars(range(max = 1024))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gpus: Option<u32>,
    /// Hardware the simulated engine pretends to have; ignored by real engines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hardware: Option<HardwareSpec>,
}

/// Hardware of the simulated engine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HardwareSpec {
    /// A GPU the simulator knows, `h100-80g`.
    pub gpu: String,
    /// How many.
    #[schemars(range(min = 1, max = 1024))]
    #[serde(default = "one_gpu")]
    pub count: u32,
    /// Simulated seconds that pass per real second when it runs as a server; 1 is real time.
    #[schemars(range(min = 0.001, max = 1_000_000.0))]
    #[serde(default = "real_time")]
    pub speed: f64,
}

fn one_gpu() -> u32 {
    1
}
fn real_time() -> f64 {
    1.0
}

/// Where engines run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum BackendSpec {
    /// As processes on this machine.
    #[default]
    Local,
    /// In containers (arrives with a later version; refused until then).
    Docker {
        /// Image with tag.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        image: Option<String>,
    },
    /// In a cluster (arrives with a later version; refused until then).
    Kubernetes {
        /// Namespace.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        namespace: Option<String>,
    },
    /// An endpoint that already runs: only load parameters may vary.
    Attached {
        /// Base URL without `/v1`, `http://127.0.0.1:8000`.
        url: String,
        /// Name of the environment variable that holds the API key.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        api_key_env: Option<String>,
    },
    /// No process and no socket: the simulated engine's model is evaluated directly, in virtual time.
    Virtual,
}
