//! What is asked of the model, and how hard.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::level::Level;

/// What is asked of the model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct WorkloadSpec {
    /// Where the prompts come from.
    #[serde(flatten)]
    pub prompts: Prompts,
    /// Endpoint: `chat`, `completions`, …
    pub api: Api,
    /// Ask the engine not to stop before the output length (`ignore_eos`), so that configurations do equal work.
    pub ignore_eos: bool,
    /// Sampling temperature.
    #[schemars(range(min = 0.0, max = 2.0))]
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

/// Which endpoint, and so which protocol.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Api {
    /// `/v1/chat/completions`
    #[default]
    Chat,
    /// `/v1/completions`
    Completions,
    /// `/v1/responses`
    Responses,
    /// Anthropic's `/v1/messages`
    Anthropic,
    /// `/v1/embeddings`: vectors of texts.
    Embeddings,
    /// `/v1/rerank`: documents ranked by a query, from a `prompts_file` whose lines have both in `request_body`.
    Rerank,
    /// SGLang's own `/generate`
    SglangGenerate,
    /// llama.cpp's own `/completion`
    LlamacppCompletion,
}

impl Api {
    /// Every endpoint.
    pub const ALL: [Self; 8] = [
        Self::Chat,
        Self::Completions,
        Self::Responses,
        Self::Anthropic,
        Self::Embeddings,
        Self::Rerank,
        Self::SglangGenerate,
        Self::LlamacppCompletion,
    ];

    /// Its name in a task file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::Completions => "completions",
            Self::Responses => "responses",
            Self::Anthropic => "anthropic",
            Self::Embeddings => "embeddings",
            Self::Rerank => "rerank",
            Self::SglangGenerate => "sglang_generate",
            Self::LlamacppCompletion => "llamacpp_completion",
        }
    }
}

/// Where prompts come from: one of `scenario` and `prompts_file`; neither means `D(256,64)`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(from = "WrittenPrompts")]
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
        WrittenPrompts::default().into()
    }
}

/// Prompts as they stand in a file, before the default scenario is filled in.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, rename = "Prompts")]
struct WrittenPrompts {
    /// Synthetic prompts of exact token length, input and output: `D(512,128)` (always), `N(480,240)/(300,150)` (normal:
    /// mean, standard deviation), `U(100,500)/(50,200)` (uniform: from, to). Default `D(256,64)` without `prompts_file`.
    scenario: Option<String>,
    /// A JSONL file (`prompt`, `messages` or `request_body` per line) or a CSV file (`prompt` or `request_body`).
    prompts_file: Option<String>,
    /// Output tokens for prompts from a file that do not say.
    #[schemars(range(min = 1, max = 1_000_000))]
    output_tokens: Option<u32>,
}

impl From<WrittenPrompts> for Prompts {
    fn from(written: WrittenPrompts) -> Self {
        let WrittenPrompts { scenario, prompts_file, output_tokens } = written;
        let synthetic = prompts_file.is_none().then(|| "D(256,64)".to_owned());
        Self { scenario: scenario.or(synthetic), prompts_file, output_tokens }
    }
}

/// How hard and how long.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(from = "WrittenLoad")]
pub struct LoadSpec {
    /// The levels, measured in this order.
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
        WrittenLoad::default().into()
    }
}

/// A load as it stands in a file, before the default window is filled in.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, rename = "LoadSpec")]
struct WrittenLoad {
    /// The levels, measured in this order.
    #[schemars(length(min = 1, max = 100))]
    levels: Vec<Level>,
    /// Requests measured per level; with `duration_s` too, whichever ends first.
    #[schemars(range(min = 1))]
    requests: Option<u32>,
    /// Measured window per level, seconds. Default 30 where `requests` is not given.
    #[schemars(range(min = 0.1, max = 86_400.0))]
    duration_s: Option<f64>,
    /// Requests before the window opens; default: one per stream of the level, at least 2.
    warmup_requests: Option<u32>,
    /// Time-out of one request, seconds.
    #[schemars(range(min = 0.1, max = 86_400.0))]
    request_timeout_s: f64,
}

impl Default for WrittenLoad {
    fn default() -> Self {
        Self {
            levels: vec![Level::closed(1), Level::closed(8)],
            requests: None,
            duration_s: None,
            warmup_requests: None,
            request_timeout_s: 300.0,
        }
    }
}

impl From<WrittenLoad> for LoadSpec {
    fn from(written: WrittenLoad) -> Self {
        let WrittenLoad { levels, requests, duration_s, warmup_requests, request_timeout_s } = written;
        let window = requests.is_none().then_some(30.0);
        Self { levels, requests, duration_s: duration_s.or(window), warmup_requests, request_timeout_s }
    }
}
