//! Presets: named sets of parameters that tasks take over when they are read.
//!
//! *Invariant*: a task never points at a preset once it is stored. What it took over stands in it like anything else, so
//! an edit of a preset changes no task.

mod expand;
mod merge;
mod read;

pub(super) use expand::expand;
pub use merge::{EnginesDiffer, Merge, MergeConflict, Merged, merge};
pub use read::{KnownPresets, read_presets};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use super::search::{ParameterList, ParameterSpec};
use crate::engine::EngineName;

/// A named set of parameters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PresetSpec {
    /// Its name: letters, digits, `-`, `_`, `.`; at most 100 characters.
    pub name: String,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Where lists file it: `general`, `quantisation`, `parallelism`, or a word of your own.
    #[serde(default = "general")]
    pub category: String,
    /// The engine whose flags it holds; absent: flags that several engines have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub engine: Option<EngineName>,
    /// Flag name to its values, as in a task file.
    #[schemars(with = "std::collections::BTreeMap<String, ParameterSpec>")]
    pub parameters: ParameterList,
    /// Conditions that every configuration must satisfy.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub constraints: Vec<String>,
    /// Whatever else people or programs keep with it.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub metadata: Map<String, Json>,
}

fn general() -> String {
    "general".to_owned()
}
