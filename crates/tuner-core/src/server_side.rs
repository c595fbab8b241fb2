//! What the engine and its GPUs showed of themselves while a level ran, on the client's clock.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A count that only grows while the engine lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ServerCounter {
    /// Prompt tokens, cached ones included where the engine counts them so.
    PromptTokens,
    /// Output tokens.
    OutputTokens,
    /// Looked up in the prefix cache, in the engine's unit (tokens or blocks).
    CacheQueries,
    /// Found there, in the same unit.
    CacheHits,
    /// Requests that lost their place in the batch and were computed again.
    Preemptions,
    /// Requests that ended.
    FinishedRequests,
    /// Tokens that speculative decoding proposed.
    DraftTokens,
    /// Of them, those that were accepted.
    AcceptedTokens,
}

/// A quantity that goes up and down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ServerGauge {
    /// Requests in the batch.
    Running,
    /// Requests that wait for a place in it.
    Waiting,
    /// Share of the KV cache in use, 0..1.
    KvUsage,
}

/// A gauge over a window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GaugeSummary {
    /// Mean over the samples.
    pub mean: f64,
    /// Largest sample.
    pub max: f64,
}

impl GaugeSummary {
    /// `None` without samples.
    pub fn of(samples: impl IntoIterator<Item = f64>) -> Option<Self> {
        let (mut n, mut sum, mut max) = (0u32, 0.0, f64::NEG_INFINITY);
        for sample in samples {
            n += 1;
            sum += sample;
            max = f64::max(max, sample);
        }
        (n > 0).then(|| Self { mean: sum / f64::from(n), max })
    }
}

/// The engine at one moment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ServerSample {
    /// On the level's clock, seconds.
    pub at_s: f64,
    /// Gauges.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub gauges: BTreeMap<ServerGauge, f64>,
    /// Output tokens since the level began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_tokens: Option<f64>,
}

/// One GPU over the level's window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GpuSide {
    /// Number by which engines choose it.
    pub index: u32,
    /// Product name.
    pub name: String,
    /// Share of time its units were busy, percent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub utilization_percent: Option<GaugeSummary>,
    /// Memory in use, MiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_used_mib: Option<GaugeSummary>,
    /// Power drawn, W.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub power_w: Option<GaugeSummary>,
    /// Clock of its compute units, MHz.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock_mhz: Option<GaugeSummary>,
}

/// One GPU at one moment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GpuSample {
    /// On the level's clock, seconds.
    pub at_s: f64,
    /// Number by which engines choose it.
    pub index: u32,
    /// Share of time its units were busy, percent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub utilization_percent: Option<f64>,
    /// Memory in use, MiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_used_mib: Option<f64>,
    /// Power drawn, W.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub power_w: Option<f64>,
    /// Clock of its compute units, MHz.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock_mhz: Option<f64>,
}

/// The server's side of a level.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ServerSide {
    /// Whose names were read, and where: `vllm /metrics`; absent where the engine shows no metrics.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Growth over the whole level, warm-up and drain included.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub counters: BTreeMap<ServerCounter, f64>,
    /// Gauges in the measured window.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub gauges: BTreeMap<ServerGauge, GaugeSummary>,
    /// Samples of the whole level, thinned.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub series: Vec<ServerSample>,
    /// GPUs of this machine in the measured window.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub gpus: Vec<GpuSide>,
    /// Samples of each GPU over the whole level, thinned.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub gpu_series: Vec<GpuSample>,
}

impl ServerSide {
    /// Share of the prefix cache's look-ups that were hits over the level, 0..1.
    pub fn cache_hit_rate(&self) -> Option<f64> {
        let queries = self.counters.get(&ServerCounter::CacheQueries).copied().filter(|n| *n > 0.0)?;
        Some(self.counters.get(&ServerCounter::CacheHits)? / queries)
    }
}
