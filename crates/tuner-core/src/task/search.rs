//! What may vary, and how candidates are proposed.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Value;

/// What may vary, in the engine's own flag names without leading dashes.
///
/// `parameters` keeps the order of the file: parents of a `when:` come before their children.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SearchSpaceSpec {
    /// Flag name to its values.
    #[schemars(with = "BTreeMap<String, ParameterSpec>")]
    pub parameters: ParameterList,
    /// Conditions that every configuration must satisfy: `max-num-batched-tokens >= max-num-seqs`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub constraints: Vec<String>,
}

/// Parameters by name, in the order of the file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ParameterList(pub Vec<(String, ParameterSpec)>);

impl Serialize for ParameterList {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(k, v)| (k, v)))
    }
}

impl<'de> Deserialize<'de> for ParameterList {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = ParameterList;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a map of parameter names to values")
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut list = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    list.push(entry);
                }
                Ok(ParameterList(list))
            }
        }
        deserializer.deserialize_map(Visitor)
    }
}

/// One parameter: a list of values, the word `bool`, or an object.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum ParameterSpec {
    /// `[8, 16, 32]`
    List(Vec<Value>),
    /// `bool`
    Word(BoolWord),
    /// `{low: 0.7, high: 0.95, step: 0.05}` or `{values: […], when: "…"}`
    Full(DomainSpec),
}

/// The word for a switch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BoolWord {
    /// false and true.
    Bool,
}

/// A parameter as an object: either `values` or a range (`low`, `high`) or `type: bool`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DomainSpec {
    /// Kind of the numbers, or `bool`. Default: from the values.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<NumberKind>,
    /// The values.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub values: Option<Vec<Value>>,
    /// The range, flattened.
    #[serde(flatten)]
    pub range: RangeSpec,
    /// The parameter exists only where this holds: `enable-chunked-prefill == true`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
}

/// Kind of a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NumberKind {
    /// Whole numbers.
    Int,
    /// Real numbers.
    Float,
    /// A switch.
    Bool,
    /// Values without an order, even if they are numbers.
    Categorical,
}

/// A range of numbers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct RangeSpec {
    /// Smallest value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub low: Option<f64>,
    /// Largest value (inclusive).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub high: Option<f64>,
    /// Distance between neighbours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<f64>,
    /// Sample on a logarithmic scale.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub log: bool,
}

/// How candidates are proposed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum SamplerSpec {
    /// Every combination; shuffled by the seed when the budget cuts it.
    Grid,
    /// Uniformly at random, without repetition.
    Random,
    /// Scrambled Sobol points, without repetition.
    Sobol,
    /// Tree-structured Parzen estimator.
    Bayesian {
        /// Space-filling experiments before the model is used; default: a quarter of the budget, 4 to 10.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        initial: Option<u32>,
        /// Candidates scored per suggestion.
        #[serde(default = "candidates")]
        candidates: u32,
    },
}

fn candidates() -> u32 {
    24
}

impl Default for SamplerSpec {
    fn default() -> Self {
        Self::Bayesian { initial: None, candidates: candidates() }
    }
}
