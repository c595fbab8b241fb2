//! What is asked of the model, and how hard.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is asked of the model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct WorkloadSpec {
    /// Where the prompts come from.
    #[serde(flatten)]
    pub prompts: Prompts,
    /// Endpoint: `chat` or `completions`.
    pub api: Api,
    /// Ask the engine not to stop before the output length (`ignore_eos`), so that configurations do equal work.
    pub ignore_eos: bool,
    /// Sampling temperature.
    pub temperature: f64,
    /// Further request fields, sent as they are.
    #[serde(skip_serializing_if = "serde_json::Map::is_empty")]
    #[schemars(with = "std::collections::BTreeMap<String, serde_json::Value>")]
    pub extra_body: serde_json::Map<String, serde_json::Value>,
}

impl Default for WorkloadSpec {
    fn default() -> Self {
        Self {
            prompts: Prompts::default(),
            api: Api::Chat,
            ignore_eos: true,
            temperature: 0.0,
            extra_body: serde_json::Map::new(),
        }
    }
}

/// Which OpenAI endpoint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Api {
    /// `/v1/chat/completions`
    #[default]
    Chat,
    /// `/v1/completions`
    Completions,
}

/// Where prompts come from: exactly one of `scenario` and `prompts_file`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Prompts {
    /// Synthetic prompts of exact token length: `D(512,128)`, `N(480,240)/(300,150)`, `U(100,500)/(50,200)`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scenario: Option<String>,
    /// A JSONL file (`prompt`, `messages` or `request_body` per line) or a CSV file (`prompt` or `request_body`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompts_file: Option<String>,
    /// Output tokens for prompts from a file that do not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_tokens: Option<u32>,
}

impl Default for Prompts {
    fn default() -> Self {
        Self { scenario: Some("D(256,64)".to_owned()), prompts_file: None, output_tokens: None }
    }
}

/// How hard and how long.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LoadSpec {
    /// The levels, measured in this order.
    #[schemars(length(min = 1))]
    pub levels: Vec<Level>,
    /// Requests measured per level; with `duration_s` too, whichever ends first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests: Option<u32>,
    /// Measured window per level, seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_s: Option<f64>,
    /// Requests before the window opens; default: one per stream of the level, at least 2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warmup_requests: Option<u32>,
    /// Time-out of one request, seconds.
    pub request_timeout_s: f64,
}

impl Default for LoadSpec {
    fn default() -> Self {
        Self {
            levels: vec![Level::closed(1), Level::closed(8)],
            requests: None,
            duration_s: Some(30.0),
            warmup_requests: None,
            request_timeout_s: 300.0,
        }
    }
}

/// One arrival process at one intensity: `{concurrency: 8}` or `{rate: 2.5, arrival: poisson}`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Level {
    /// Closed loop: this many requests always in flight. With `rate`: the most in flight.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<u32>,
    /// Open loop: requests per second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<f64>,
    /// How open-loop requests arrive.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arrival: Option<Arrival>,
}

/// How open-loop requests arrive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Arrival {
    /// Exponential gaps.
    #[default]
    Poisson,
    /// Equal gaps.
    Constant,
}

impl Level {
    /// A closed loop of `concurrency` streams.
    pub fn closed(concurrency: u32) -> Self {
        Self { concurrency: Some(concurrency), ..Self::default() }
    }

    /// Poisson arrivals at `rate` per second.
    pub fn poisson(rate: f64) -> Self {
        Self { rate: Some(rate), arrival: Some(Arrival::Poisson), ..Self::default() }
    }

    /// Short name for people: `c8`, `2.5/s poisson`.
    pub fn label(&self) -> String {
        match (self.rate, self.concurrency) {
            (Some(rate), _) => {
                let shape = match self.arrival.unwrap_or_default() {
                    Arrival::Poisson => "poisson",
                    Arrival::Constant => "constant",
                };
                format!("{rate}/s {shape}")
            }
            (None, concurrency) => format!("c{}", concurrency.unwrap_or(1)),
        }
    }
}
