//! One file per engine: parameter catalogue, launch spec, read-back, exit classification, memory estimate.
//!
//! *Invariant*: pure. Engines are described here and run elsewhere; nothing in this crate touches a file, a process,
//! a clock or the environment.

pub mod catalogue;
pub mod environment;
pub mod exit;
pub mod forecast;
pub mod help;
pub mod install;
mod known;
pub mod launch;
mod llama_cpp;
pub mod manifest;
pub mod memory;
mod paste;
pub mod presets;
pub mod proxies;
mod python_repr;
pub mod read_back;
pub mod secrets;
mod sglang;
mod simulated;
mod tensorrt_llm;
mod vllm;

use tuner_core::engine::{EngineName, ReadBack};
use tuner_core::space::Configuration;
use tuner_core::{Failure, FailureClass, Value};

pub use catalogue::{Catalogue, ChangeCost, Flag, FlagKind, Found, SwitchForm};
pub use exit::{ExitPhase, ExitReport};
pub use launch::{LaunchError, LaunchRequest, LaunchSpec};
pub use memory::{MemoryEstimate, ModelShape, Spread};
pub use paste::quote;
pub use proxies::Proxies;
pub use read_back::{EngineReport, ReportSources};

/// What there is to know about one engine. Implementations hold no state: the same question has the same answer.
pub trait Engine: Sync {
    /// Its name.
    fn name(&self) -> EngineName;

    /// Its flags, as of the version that ships with this crate.
    fn catalogue(&self) -> &Catalogue;

    /// How a person gets it onto a machine that lacks it, in one line.
    fn how_to_provide(&self) -> &'static str;

    /// The command that starts it, checked.
    ///
    /// # Errors
    /// A value of the wrong kind, a flag the tuner owns, one flag under two names, no model.
    fn launch_spec(&self, request: &LaunchRequest<'_>) -> Result<LaunchSpec, LaunchError>;

    /// Where it reports the arguments that it really uses.
    fn report_sources(&self) -> ReportSources;

    /// Compares each flag that is set with the engine's own report. `null` flags are not listed.
    fn read_back(&self, configuration: &Configuration, report: &EngineReport<'_>) -> Vec<ReadBack>;

    /// How the model is spread over GPUs by this configuration.
    fn spread(&self, configuration: &Configuration) -> Spread;

    /// GPUs that one deployment takes: tensor · pipeline · data parallel.
    fn gpus_needed(&self, configuration: &Configuration) -> u32;

    /// Why it ended.
    fn classify_exit(&self, report: &ExitReport<'_>) -> Failure {
        exit::classify(report)
    }

    /// Largest share of a GPU's memory that weights may take under these flags, 0..1; `None` where the engine puts on a GPU
    /// what fits.
    fn weights_share(&self, _flags: &Configuration) -> Option<f64> {
        None
    }

    /// Tokens of prompt and answer together beyond which no request is answered as it was asked, where the flags say.
    fn context(&self, _flags: &Configuration) -> Option<u64> {
        None
    }

    /// Memory of each GPU under this configuration; see [`ModelShape::estimate`].
    fn memory_estimate(
        &self,
        shape: &ModelShape,
        configuration: &Configuration,
        weights_on_disk: Option<u64>,
    ) -> MemoryEstimate {
        let kv = ["kv-cache-dtype", "cache-type-k", "kv_cache_dtype"].iter().find_map(|n| configuration.get(n));
        let kv_bytes = match kv {
            Some(Value::Text(dtype)) if dtype != "auto" => memory::bytes_of(dtype),
            _ => 2.0,
        };
        shape.estimate(self.spread(configuration), kv_bytes, weights_on_disk)
    }
}

/// The engine of this name.
pub fn engine(name: EngineName) -> &'static dyn Engine {
    match name {
        EngineName::Sglang => &sglang::Sglang,
        EngineName::Vllm => &vllm::Vllm,
        EngineName::TensorrtLlm => &tensorrt_llm::TensorrtLlm,
        EngineName::LlamaCpp => &llama_cpp::LlamaCpp,
        EngineName::Simulated => &simulated::Simulated,
    }
}

/// What a person can do about a failure of an attempt on this engine.
pub fn hint(class: FailureClass, name: EngineName) -> &'static str {
    match class {
        FailureClass::EngineMissing => engine(name).how_to_provide(),
        class => class.hint(),
    }
}

/// Reads a catalogue that ships with this crate. A damaged one would be empty, which a test excludes.
fn shipped(name: EngineName, json: &str) -> Catalogue {
    Catalogue::from_json(name, json).unwrap_or_else(|_| Catalogue::new(name, "", Vec::new()))
}

/// The share under any spelling of a flag; all of it if it is not set to one.
fn share(catalogue: &Catalogue, configuration: &Configuration, flag: &str) -> f64 {
    let value = value_of(catalogue, configuration, flag).and_then(|value| value.to_string().parse::<f64>().ok());
    value.filter(|share| *share > 0.0 && *share <= 1.0).unwrap_or(1.0)
}

/// The whole number under any spelling of a flag, at least 1; 1 if it is not set.
fn size(catalogue: &Catalogue, configuration: &Configuration, flag: &str) -> u32 {
    configuration
        .iter()
        .filter(|(name, _)| catalogue.find(name).is_some_and(|f| f.flag.name == flag))
        .find_map(|(_, value)| value.as_i64())
        .and_then(|n| u32::try_from(n).ok())
        .map_or(1, |n| n.max(1))
}

/// A number of tokens that a flag gives; 0 and words leave it to the model.
fn tokens(catalogue: &Catalogue, configuration: &Configuration, flag: &str) -> Option<u64> {
    let given = value_of(catalogue, configuration, flag)?.as_i64()?;
    u64::try_from(given).ok().filter(|tokens| *tokens > 0)
}

/// The value under any spelling of a flag.
fn value_of<'a>(catalogue: &Catalogue, configuration: &'a Configuration, flag: &str) -> Option<&'a Value> {
    configuration
        .iter()
        .find(|(name, value)| **value != Value::Null && catalogue.find(name).is_some_and(|f| f.flag.name == flag))
        .map(|(_, value)| value)
}
