//! Which names there are, and which knob each of them sets.

use tuner_core::Value;

use super::Dialect;
use crate::error::SimError;

/// Flag name to knob; the names of one knob stand together.
pub(super) const KNOBS: &[(&str, &str)] = &[
    ("max-num-seqs", "max-num-seqs"),
    ("max-running-requests", "max-num-seqs"),
    ("max-num-batched-tokens", "max-num-batched-tokens"),
    ("chunked-prefill-size", "chunked-prefill-size"),
    ("max-prefill-tokens", "max-prefill-tokens"),
    ("gpu-memory-utilization", "memory-fraction"),
    ("mem-fraction-static", "memory-fraction"),
    ("block-size", "block-size"),
    ("page-size", "block-size"),
    ("enable-prefix-caching", "prefix-caching"),
    ("disable-radix-cache", "disable-prefix-caching"),
    ("enable-chunked-prefill", "chunked-prefill"),
    ("enable-mixed-chunk", "mixed"),
    ("kv-cache-dtype", "kv-cache-dtype"),
    ("quantization", "quantization"),
    ("tensor-parallel-size", "tp"),
    ("tp-size", "tp"),
    ("pipeline-parallel-size", "pp"),
    ("pp-size", "pp"),
    ("data-parallel-size", "dp"),
    ("dp-size", "dp"),
    ("enforce-eager", "eager"),
    ("disable-cuda-graph", "eager"),
    ("cuda-graph-max-bs", "graph-max-batch"),
    ("max-cudagraph-capture-size", "graph-max-batch"),
    ("max-model-len", "context"),
    ("context-length", "context"),
    ("scheduling-policy", "policy"),
    ("schedule-policy", "policy"),
    ("attention-backend", "attention-backend"),
    ("num-speculative-tokens", "speculative-tokens"),
    ("speculative-num-draft-tokens", "speculative-tokens"),
    ("max-total-tokens", "max-total-tokens"),
    ("served-model-name", "served-model-name"),
    ("noise", "noise"),
    ("fail-after-requests", "fail-after-requests"),
    ("slow-start", "slow-start"),
    ("die-at-concurrency", "die-at-concurrency"),
];

/// Names that make a set of flags SGLang's.
pub(super) const SGLANG_ONLY: &[&str] = &[
    "max-running-requests",
    "chunked-prefill-size",
    "max-prefill-tokens",
    "mem-fraction-static",
    "page-size",
    "disable-radix-cache",
    "enable-mixed-chunk",
    "tp-size",
    "pp-size",
    "dp-size",
    "disable-cuda-graph",
    "cuda-graph-max-bs",
    "context-length",
    "schedule-policy",
    "max-total-tokens",
    "schedule-conservativeness",
];

/// Names that only vLLM has.
const VLLM_ONLY: &[&str] = &[
    "max-num-seqs",
    "max-num-batched-tokens",
    "gpu-memory-utilization",
    "block-size",
    "enable-prefix-caching",
    "enable-chunked-prefill",
    "enforce-eager",
    "max-cudagraph-capture-size",
    "max-model-len",
    "scheduling-policy",
    "num-speculative-tokens",
];

/// Whether an engine of this dialect would not know the name.
pub(super) fn is_foreign(name: &str, dialect: Dialect) -> bool {
    match dialect {
        Dialect::Vllm => SGLANG_ONLY.contains(&name),
        Dialect::Sglang => VLLM_ONLY.contains(&name),
    }
}

/// The refusal of a foreign name, which names the counterpart.
pub(super) fn foreign(name: &str, knob: &str, dialect: Dialect) -> SimError {
    let same = |(flag, k): &&(&str, &str)| *k == knob && !is_foreign(flag, dialect);
    let nearest = KNOBS.iter().find(same).map(|(flag, _)| (*flag).to_owned());
    SimError::UnknownFlag { name: name.to_owned(), nearest }
}

/// Flags of the real engines that the model accepts and that change nothing in it.
pub const INERT: &[&str] = &[
    "allow-credentials",
    "api-key",
    "async-scheduling",
    "chat-template",
    "cpu-offload-gb",
    "disable-custom-all-reduce",
    "disable-log-requests",
    "disable-log-stats",
    "disable-overlap-schedule",
    "download-dir",
    "dtype",
    "enable-auto-tool-choice",
    "enable-log-requests",
    "enable-metrics",
    "enable-prompt-tokens-details",
    "generation-config",
    "hf-token",
    "load-format",
    "log-level",
    "long-prefill-token-threshold",
    "random-seed",
    "reasoning-parser",
    "revision",
    "schedule-conservativeness",
    "seed",
    "stream-interval",
    "swap-space",
    "tokenizer",
    "tokenizer-mode",
    "tokenizer-path",
    "tool-call-parser",
    "trust-remote-code",
    "uvicorn-log-level",
    "watchdog-timeout",
];

/// The knob of a flag (empty for an inert one) and whether it came as `--no-…`.
pub(super) fn knob_of<'a>(name: &str, value: &Value) -> Option<(&'a str, bool)> {
    let find = |n: &str| {
        KNOBS.iter().find(|(flag, _)| *flag == n).map(|(_, knob)| *knob).or_else(|| INERT.contains(&n).then_some(""))
    };
    if let Some(knob) = find(name) {
        return Some((knob, false));
    }
    value.as_bool()?;
    name.strip_prefix("no-").and_then(find).map(|knob| (knob, true))
}

pub(super) fn unknown(name: &str) -> SimError {
    let names = KNOBS.iter().map(|(flag, _)| *flag).chain(INERT.iter().copied());
    let nearest = names
        .map(|n| (strsim::jaro_winkler(n, name), n))
        .filter(|(likeness, _)| *likeness > 0.85)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, n)| n.to_owned());
    SimError::UnknownFlag { name: name.to_owned(), nearest }
}
