//! Reads the figures that matter from any of these tools' result files, whoever wrote them.
//!
//! *Invariant*: which tool it was is told by the content, never by the name of the file.

use serde_json::Value;

use super::Tool;

/// The figures on which tools are compared, under our names and units. What a file does not say is `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Headline {
    /// Successful requests.
    pub completed: Option<f64>,
    /// Failed requests.
    pub failed: Option<f64>,
    /// Length over which rates are taken, seconds.
    pub duration_s: Option<f64>,
    /// Successful requests per second.
    pub request_throughput: Option<f64>,
    /// Output tokens per second.
    pub output_throughput: Option<f64>,
    /// Mean time to first token, ms.
    pub ttft_mean_ms: Option<f64>,
    /// Its median, ms.
    pub ttft_p50_ms: Option<f64>,
    /// Its 99th percentile, ms.
    pub ttft_p99_ms: Option<f64>,
    /// Mean time per output token after the first, ms, whatever the tool calls it.
    pub tpot_mean_ms: Option<f64>,
    /// Mean request latency, ms.
    pub e2e_mean_ms: Option<f64>,
}

impl Headline {
    /// The figures that are there, with names.
    pub fn named(&self) -> impl Iterator<Item = (&'static str, f64)> {
        [
            ("completed", self.completed),
            ("failed", self.failed),
            ("duration_s", self.duration_s),
            ("request_throughput", self.request_throughput),
            ("output_throughput", self.output_throughput),
            ("ttft_mean_ms", self.ttft_mean_ms),
            ("ttft_p50_ms", self.ttft_p50_ms),
            ("ttft_p99_ms", self.ttft_p99_ms),
            ("tpot_mean_ms", self.tpot_mean_ms),
            ("e2e_mean_ms", self.e2e_mean_ms),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
    }
}

/// A document that is no result of a tool known here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a result of vllm bench serve, sglang.bench_serving, GuideLLM, AIPerf or genai-bench; \
     give the JSON file that the tool saved (one line of a JSONL file at a time)"
)]
pub struct UnknownResult;

/// Whose result it is, and its figures: one for each level that the file holds.
///
/// # Errors
/// The document is none of these tools' result files.
pub fn read(document: &Value) -> Result<(Tool, Vec<Headline>), UnknownResult> {
    if let Some(benchmarks) = document.get("benchmarks").and_then(Value::as_array) {
        return Ok((Tool::Guidellm, benchmarks.iter().map(guidellm).collect()));
    }
    if document.get("aggregated_metrics").is_some() {
        return Ok((Tool::GenaiBench, vec![genai_bench(document)]));
    }
    let has = |key: &str| document.get(key).is_some();
    if has("mean_e2e_latency_ms") && has("completed") {
        return Ok((Tool::Sglang, vec![openai_style(document, "e2e_latency")]));
    }
    if has("total_token_throughput") && has("completed") {
        return Ok((Tool::Vllm, vec![openai_style(document, "e2el")]));
    }
    let unit = |key: &str| document.pointer(&format!("/{key}/unit")).is_some();
    if unit("request_latency") || unit("request_throughput") || unit("request_count") {
        return Ok((Tool::Aiperf, vec![aiperf(document)]));
    }
    Err(UnknownResult)
}

fn number(document: &Value, pointer: &str) -> Option<f64> {
    document.pointer(pointer)?.as_f64()
}

fn openai_style(document: &Value, latency: &str) -> Headline {
    let at = |key: &str| number(document, &format!("/{key}"));
    Headline {
        completed: at("completed"),
        failed: at("failed"),
        duration_s: at("duration"),
        request_throughput: at("request_throughput"),
        output_throughput: at("output_throughput"),
        ttft_mean_ms: at("mean_ttft_ms"),
        ttft_p50_ms: at("median_ttft_ms"),
        ttft_p99_ms: at("p99_ttft_ms"),
        tpot_mean_ms: at("mean_tpot_ms"),
        e2e_mean_ms: at(&format!("mean_{latency}_ms")),
    }
}

fn guidellm(benchmark: &Value) -> Headline {
    let at = |path: &str| number(benchmark, &format!("/metrics/{path}"));
    Headline {
        completed: at("request_totals/successful"),
        failed: at("request_totals/errored"),
        duration_s: number(benchmark, "/duration"),
        request_throughput: at("requests_per_second/successful/mean"),
        output_throughput: at("output_tokens_per_second/successful/mean"),
        ttft_mean_ms: at("time_to_first_token_ms/successful/mean"),
        ttft_p50_ms: at("time_to_first_token_ms/successful/median"),
        ttft_p99_ms: at("time_to_first_token_ms/successful/percentiles/p99"),
        tpot_mean_ms: at("inter_token_latency_ms/successful/mean"),
        e2e_mean_ms: at("request_latency/successful/mean").map(|s| s * 1000.0),
    }
}

fn aiperf(document: &Value) -> Headline {
    let at = |path: &str| number(document, &format!("/{path}"));
    let failed = at("error_request_count/avg");
    Headline {
        completed: at("request_count/avg"),
        failed,
        duration_s: at("benchmark_duration/avg"),
        request_throughput: at("request_throughput/avg"),
        output_throughput: at("output_token_throughput/avg"),
        ttft_mean_ms: at("time_to_first_token/avg"),
        ttft_p50_ms: at("time_to_first_token/p50"),
        ttft_p99_ms: at("time_to_first_token/p99"),
        tpot_mean_ms: at("inter_token_latency/avg"),
        e2e_mean_ms: at("request_latency/avg"),
    }
}

fn genai_bench(document: &Value) -> Headline {
    let to_ms = if document.get("_time_unit").and_then(Value::as_str) == Some("ms") { 1.0 } else { 1000.0 };
    let at = |path: &str| number(document, &format!("/aggregated_metrics/{path}"));
    let time = |path: &str| at(&format!("stats/{path}")).map(|x| x * to_ms);
    Headline {
        completed: at("num_completed_requests"),
        failed: at("num_error_requests"),
        duration_s: at("run_duration"),
        request_throughput: at("requests_per_second"),
        output_throughput: at("mean_output_throughput_tokens_per_s"),
        ttft_mean_ms: time("ttft/mean"),
        ttft_p50_ms: time("ttft/p50"),
        ttft_p99_ms: time("ttft/p99"),
        tpot_mean_ms: time("tpot/mean"),
        e2e_mean_ms: time("e2e_latency/mean"),
    }
}
