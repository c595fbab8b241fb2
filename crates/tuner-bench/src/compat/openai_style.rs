//! What vLLM's and SGLang's benchmarks share: per-request lists, reduced by NumPy.

use serde_json::{Map, Value, json};

use super::numbers::Sample;

/// A successful request in seconds.
pub(super) struct Answer {
    pub(super) start: f64,
    pub(super) ttft: f64,
    /// Gaps between successive events.
    pub(super) itl: Vec<f64>,
    pub(super) latency: f64,
    pub(super) input: u32,
    pub(super) output: u32,
}

impl Answer {
    /// `(latency − ttft) / (output − 1)`, absent for a single token.
    pub(super) fn tpot(&self) -> Option<f64> {
        (self.output > 1).then(|| (self.latency - self.ttft) / f64::from(self.output - 1))
    }
}

pub(super) fn gaps(times: &[f64]) -> Vec<f64> {
    times.windows(2).map(|w| w[1] - w[0]).collect()
}

/// Adds `mean_X_ms`, `median_X_ms`, `std_X_ms` and the percentiles of a sample in seconds.
pub(super) fn add(result: &mut Map<String, Value>, name: &str, sample: &Sample, percentiles: &[u32]) {
    result.insert(format!("mean_{name}_ms"), json!(sample.mean() * 1000.0));
    result.insert(format!("median_{name}_ms"), json!(sample.percentile(50.0) * 1000.0));
    result.insert(format!("std_{name}_ms"), json!(sample.std() * 1000.0));
    for p in percentiles {
        result.insert(format!("p{p}_{name}_ms"), json!(sample.percentile(f64::from(*p)) * 1000.0));
    }
}

/// Most events in any second counted from the first start, an event counting as a token.
pub(super) fn busiest_second(answers: &[Answer]) -> f64 {
    let start = answers.iter().map(|a| a.start).fold(f64::INFINITY, f64::min);
    let mut seconds = std::collections::BTreeMap::<u64, u64>::new();
    for answer in answers {
        let mut at = answer.start + answer.ttft - start;
        *seconds.entry(at as u64).or_insert(0) += 1;
        for gap in &answer.itl {
            at += gap;
            *seconds.entry(at as u64).or_insert(0) += 1;
        }
    }
    seconds.values().max().copied().unwrap_or(0) as f64
}
