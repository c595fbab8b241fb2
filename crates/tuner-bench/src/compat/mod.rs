//! The same requests in the figures and file formats of other tools, so that their numbers can be compared with ours.
//!
//! *Invariant*: a pure function of the request records. Each tool's figures follow that tool's own rules, also where
//! they are worse than ours (role chunks as first tokens, truncated answers as successes, shares of errors that are
//! always 0); what a tool could not have seen in our records is named in `docs/measuring.md`, "Other tools' figures".
//!
//! ```
//! use tuner_bench::compat::{self, Tool};
//! use tuner_core::task::{Api, Level};
//!
//! let arrival = Level::closed(8);
//! let level = compat::Level { arrival: &arrival, records: &[], zero_unix_s: 1.7e9 };
//! let run = compat::Run { model: "m", url: "http://127.0.0.1:8000", api: Api::Chat, tokenizer: None,
//!     scenario: Some("D(256,64)"), slos: &[], levels: &[level] };
//! for file in compat::emit(Tool::Vllm, &run) {
//!     // write file.document to a folder, under file.path
//!     assert!(file.path.ends_with(".json") && file.document["completed"] == 0);
//! }
//! ```

mod aiperf;
mod attempt;
mod genai_bench;
mod guidellm;
mod numbers;
mod openai_style;
mod read;
mod sglang;
mod vllm;

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde_json::Value;
use tuner_core::record::RequestRecord;
use tuner_core::task::{Api, SloSpec};

pub use read::{Headline, UnknownResult, read};

/// Whose rules and file format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tool {
    /// `vllm bench serve`
    Vllm,
    /// `sglang.bench_serving`
    Sglang,
    /// GuideLLM
    Guidellm,
    /// AIPerf
    Aiperf,
    /// genai-bench
    GenaiBench,
}

impl Tool {
    /// Every tool.
    pub const ALL: [Self; 5] = [Self::Vllm, Self::Sglang, Self::Guidellm, Self::Aiperf, Self::GenaiBench];

    /// The word used on command lines: `vllm`, `sglang`, `guidellm`, `aiperf`, `genai-bench`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Vllm => "vllm",
            Self::Sglang => "sglang",
            Self::Guidellm => "guidellm",
            Self::Aiperf => "aiperf",
            Self::GenaiBench => "genai-bench",
        }
    }
}

impl fmt::Display for Tool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A tool whose format is not written here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown tool {0:?}; one of vllm, sglang, guidellm, aiperf, genai-bench")]
pub struct UnknownTool(pub String);

impl FromStr for Tool {
    type Err = UnknownTool;
    fn from_str(s: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|tool| tool.name() == s).ok_or_else(|| UnknownTool(s.to_owned()))
    }
}

/// One level as it was run.
#[derive(Clone, Copy, Debug)]
pub struct Level<'a> {
    /// The arrival process.
    pub arrival: &'a tuner_core::task::Level,
    /// Every request; those of the warm-up are left out here.
    pub records: &'a [RequestRecord],
    /// The zero of the records' clock, in Unix seconds.
    pub zero_unix_s: f64,
}

/// What a result file says about the run besides its figures.
#[derive(Clone, Copy, Debug)]
pub struct Run<'a> {
    /// Model asked for.
    pub model: &'a str,
    /// Address of the endpoint.
    pub url: &'a str,
    /// Endpoint used.
    pub api: Api,
    /// Where token counts came from.
    pub tokenizer: Option<&'a str>,
    /// Lengths of synthetic prompts.
    pub scenario: Option<&'a str>,
    /// What goodput is measured against. These tools know limits on each request's TTFT, TPOT and latency; others are
    /// left out.
    pub slos: &'a [SloSpec],
    /// The levels, in order.
    pub levels: &'a [Level<'a>],
}

/// One result file.
#[derive(Clone, Debug, PartialEq)]
pub struct ResultFile {
    /// Where the tool itself would put it, relative to the folder of results. SGLang's is one line of JSON.
    pub path: String,
    /// What stands in it.
    pub document: Value,
}

/// The run in the result files of `tool`: one for each level, but one for all levels for GuideLLM, and one more
/// (`experiment_metadata.json`) for genai-bench. No two have the same path: repeats of a level are numbered.
pub fn emit(tool: Tool, run: &Run<'_>) -> Vec<ResultFile> {
    let mut files = match tool {
        Tool::Vllm => run.levels.iter().map(|level| vllm::result(run, level)).collect(),
        Tool::Sglang => run.levels.iter().map(|level| sglang::result(run, level)).collect(),
        Tool::Guidellm => vec![guidellm::report(run)],
        Tool::Aiperf => run.levels.iter().map(|level| aiperf::export(run, level)).collect(),
        Tool::GenaiBench => genai_bench::experiment(run),
    };
    let mut taken = BTreeSet::new();
    for file in &mut files {
        let path = file.path.clone();
        for number in 2.. {
            if taken.insert(file.path.clone()) {
                break;
            }
            // In front, since some tools tell a file by how its name ends.
            file.path = format!("{number}-{path}");
        }
    }
    files
}

/// What wrote the file, since it was not the tool itself.
fn generator() -> String {
    format!("autotuner {}", env!("CARGO_PKG_VERSION"))
}

#[cfg(test)]
mod tests;
