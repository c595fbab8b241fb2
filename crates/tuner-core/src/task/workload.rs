//! What a workload is made of beside its lengths: request classes, data sets, shared prefixes, a mix of models.
//!
//! *Invariant*: every share is a weight relative to the sum of its list, so a list needs no particular sum.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::conversation::ConversationSpec;
use super::load::{Api, Prompts};
use super::objective::SloSpec;

/// One kind of request among several in the same run, with its own SLOs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClassSpec {
    /// Its name in reports.
    pub name: String,
    /// Share of the requests, relative to the other classes.
    #[serde(default = "one")]
    #[schemars(range(min = 0.000_001, max = 1_000_000_000.0))]
    pub weight: f64,
    /// Synthetic prompts, as `workload.scenario`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scenario: Option<String>,
    /// Short for `dataset: {source: FILE}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompts_file: Option<String>,
    /// Requests from a data set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dataset: Option<DatasetSpec>,
    /// Output tokens for rows of the data set that do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub output_tokens: Option<u32>,
    /// Conversations, where they are others than the workload's; `{turns: 1}` has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversation: Option<ConversationSpec>,
    /// Endpoint, where it is another than the workload's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api: Option<Api>,
    /// Sampling temperature, where it is another than the workload's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0, max = 2.0))]
    pub temperature: Option<f64>,
    /// Request fields beside and over the workload's.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    #[schemars(with = "std::collections::BTreeMap<String, serde_json::Value>")]
    pub extra_body: serde_json::Map<String, serde_json::Value>,
    /// What must hold for this class.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub slos: Vec<SloSpec>,
}

impl ClassSpec {
    /// Where its prompts come from.
    pub fn prompts(&self) -> Prompts {
        Prompts {
            scenario: self.scenario.clone(),
            prompts_file: self.prompts_file.clone(),
            dataset: self.dataset.clone(),
            output_tokens: self.output_tokens,
        }
    }
}

fn one() -> f64 {
    1.0
}

/// Requests from a file or a URL. The format is recognised by content: JSONL and CSV of prompts or request bodies,
/// ShareGPT, and the traces of Azure, Mooncake, BurstGPT and Vidur.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DatasetSpec {
    /// A file, or an http or https address, which is fetched once and kept in the data directory.
    pub source: String,
    /// SHA-256 that the content must have, in hexadecimal digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// Leave out rows that arrive before this second of the data set's own time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0))]
    pub from_s: Option<f64>,
    /// Leave out rows that arrive at this second or later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0))]
    pub to_s: Option<f64>,
    /// Leave out rows whose prompt and answer together have more tokens than this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 2))]
    pub max_context: Option<u32>,
    /// Use this many of its rows at most, the first ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub limit: Option<u32>,
}

impl DatasetSpec {
    /// A whole file, as it is.
    pub fn file(source: &str) -> Self {
        Self { source: source.to_owned(), ..Self::default() }
    }

    /// Whether it has to be fetched.
    pub fn is_url(&self) -> bool {
        self.source.starts_with("http://") || self.source.starts_with("https://")
    }
}

/// Prompts that begin alike, to exercise the engine's prefix cache.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SharedPrefix {
    /// Leading tokens that the prompts of a group have in common.
    #[schemars(range(min = 1, max = 10_000_000))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokens: Option<u32>,
    /// Instead of `tokens`: the share of all prompt tokens that a perfect prefix cache serves. Each prompt that shares
    /// does so in proportion to its length.
    #[schemars(range(min = 0.001, max = 0.999))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hit_rate: Option<f64>,
    /// Groups, each with a prefix of its own; a request belongs to one of them with equal chance.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub groups: u32,
    /// Share of the prompts that begin with their group's prefix.
    #[schemars(range(min = 0.001, max = 1.0))]
    pub share: f64,
}

impl Default for SharedPrefix {
    fn default() -> Self {
        Self { tokens: None, hit_rate: None, groups: 1, share: 1.0 }
    }
}

/// A model name to ask for, among several: adapters of one base model, for instance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ModelShare {
    /// The name that requests carry.
    pub name: String,
    /// Share of the requests, relative to the other models.
    #[serde(default = "one")]
    #[schemars(range(min = 0.000_001, max = 1_000_000_000.0))]
    pub weight: f64,
}
