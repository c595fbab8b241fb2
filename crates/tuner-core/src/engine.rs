//! Words about engines and backends that files, store and reports share. The engines themselves live in
//! `tuner-engines`.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Serving software.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum EngineName {
    /// SGLang, `python -m sglang.launch_server`.
    #[serde(rename = "sglang")]
    Sglang,
    /// vLLM, `vllm serve`.
    #[serde(rename = "vllm")]
    Vllm,
    /// TensorRT-LLM, `trtllm-serve`.
    #[serde(rename = "tensorrt-llm")]
    TensorrtLlm,
    /// llama.cpp, `llama-server`.
    #[serde(rename = "llama.cpp")]
    LlamaCpp,
    /// The simulated engine of this project.
    #[serde(rename = "simulated")]
    Simulated,
}

impl EngineName {
    /// Every engine.
    pub const ALL: [Self; 5] = [Self::Sglang, Self::Vllm, Self::TensorrtLlm, Self::LlamaCpp, Self::Simulated];

    /// The word used in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sglang => "sglang",
            Self::Vllm => "vllm",
            Self::TensorrtLlm => "tensorrt-llm",
            Self::LlamaCpp => "llama.cpp",
            Self::Simulated => "simulated",
        }
    }
}

impl fmt::Display for EngineName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One argument as it was asked, sent and reported by the engine (B9).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ReadBack {
    /// Flag name.
    pub name: String,
    /// What the configuration asked for.
    pub asked: String,
    /// What the engine says it uses; absent when it does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reported: Option<String>,
    /// Whether the two agree.
    pub verdict: ReadBackVerdict,
}

/// How a read-back compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReadBackVerdict {
    /// The engine reports the value asked for.
    Proven,
    /// The engine reports another value.
    Different,
    /// The engine does not report this argument.
    NotReported,
}
