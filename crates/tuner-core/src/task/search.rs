//! What may vary, and how candidates are proposed.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::preset::Merge;
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
    /// Named parameter sets that are taken over when the file is read; `parameters` and `engine.fixed` count over them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub presets: Vec<String>,
    /// How several presets become one. Default: `union`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub merge: Option<Merge>,
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
    /// Smallest value. Whole `low`, `high` and `step` make whole numbers; write `0.0` for real ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub low: Option<Number>,
    /// Largest value (inclusive).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub high: Option<Number>,
    /// Distance between neighbours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<Number>,
    /// Sample on a logarithmic scale.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub log: bool,
}

/// A number that remembers whether it was written whole: `1` and `1.0` span different ranges.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Number {
    /// Written without a point.
    Whole(i64),
    /// Written with one.
    Real(f64),
}

impl Number {
    /// Its magnitude.
    pub fn as_f64(self) -> f64 {
        match self {
            Self::Whole(whole) => whole as f64,
            Self::Real(real) => real,
        }
    }

    /// The whole number, if it is one by magnitude.
    pub fn as_i64(self) -> Option<i64> {
        match self {
            Self::Whole(whole) => Some(whole),
            Self::Real(real) => (real.fract() == 0.0 && real.abs() < 9e15).then_some(real as i64),
        }
    }
}

impl From<i64> for Number {
    fn from(whole: i64) -> Self {
        Self::Whole(whole)
    }
}
impl From<f64> for Number {
    fn from(real: f64) -> Self {
        Self::Real(real)
    }
}

impl JsonSchema for Number {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Number".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "number" })
    }
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
        #[schemars(range(min = 1, max = 10_000))]
        /// Space-filling experiments before the model is used; default: a quarter of the budget, 4 to 10.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        initial: Option<u32>,
        /// Candidates scored per suggestion.
        #[schemars(range(min = 1, max = 10_000))]
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
