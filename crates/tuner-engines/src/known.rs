//! What this project knows about flags beyond their help text: true kinds, conflicts, and values worth trying.
//!
//! *Invariant*: a row refines a flag that the catalogue already has. It never invents one, so a row for a flag that
//! a version lacks has no effect.

use tuner_core::Value;
use tuner_core::engine::EngineName;
use tuner_core::task::{BoolWord, DomainSpec, Number, ParameterSpec, RangeSpec};

use crate::catalogue::{Flag, FlagKind};

/// One row of knowledge.
struct Known {
    name: &'static str,
    kind: Kind,
    try_: Try,
    conflicts: &'static [&'static str],
}

/// What the flag really takes, where its help text does not say.
#[derive(Clone, Copy)]
enum Kind {
    AsParsed,
    Int,
    IntOr(&'static [&'static str]),
    Float,
}

/// Values worth trying.
#[derive(Clone, Copy)]
enum Try {
    Nothing,
    Switch,
    Ints(&'static [i64]),
    Words(&'static [&'static str]),
    Floats { low: f64, high: f64, step: f64 },
}

const fn row(name: &'static str, kind: Kind, try_: Try) -> Known {
    Known { name, kind, try_, conflicts: &[] }
}

const fn clash(name: &'static str, kind: Kind, try_: Try, conflicts: &'static [&'static str]) -> Known {
    Known { name, kind, try_, conflicts }
}

use Kind::{AsParsed, Float, Int, IntOr};
use Try::{Floats, Ints, Nothing, Switch, Words};

const VLLM: &[Known] = &[
    row("max-num-seqs", Int, Ints(&[16, 32, 64, 128, 256, 512])),
    row("max-num-batched-tokens", AsParsed, Ints(&[1024, 2048, 4096, 8192, 16384])),
    clash("gpu-memory-utilization", Float, Floats { low: 0.8, high: 0.95, step: 0.05 }, &["kv-cache-memory-bytes"]),
    row("block-size", Int, Ints(&[16, 32, 64, 128])),
    row("enable-prefix-caching", AsParsed, Switch),
    row("enable-chunked-prefill", AsParsed, Switch),
    row("async-scheduling", AsParsed, Switch),
    row("kv-cache-dtype", AsParsed, Words(&["auto", "fp8"])),
    clash("enforce-eager", AsParsed, Switch, &["compilation-config", "cudagraph-capture-sizes"]),
    row("tensor-parallel-size", Int, Ints(&[1, 2, 4, 8])),
    row("pipeline-parallel-size", Int, Ints(&[1, 2])),
    row("data-parallel-size", Int, Ints(&[1, 2, 4])),
    row("decode-context-parallel-size", Int, Nothing),
    row("prefill-context-parallel-size", Int, Nothing),
    row("enable-expert-parallel", AsParsed, Switch),
    row("performance-mode", AsParsed, Words(&["balanced", "interactivity", "throughput"])),
    row("optimization-level", Int, Ints(&[0, 1, 2, 3])),
    row("max-num-partial-prefills", Int, Ints(&[1, 2, 4])),
    row("max-long-partial-prefills", Int, Nothing),
    row("long-prefill-token-threshold", Int, Nothing),
    row("stream-interval", Int, Ints(&[1, 4, 16])),
    row("scheduling-policy", AsParsed, Nothing),
    row("max-model-len", IntOr(&["auto"]), Nothing),
    row("num-gpu-blocks-override", Int, Nothing),
    row("swap-space", Float, Nothing),
    row("cpu-offload-gb", Float, Nothing),
    row("spec-tokens", Int, Ints(&[1, 2, 3, 4])),
    row("max-cudagraph-capture-size", Int, Nothing),
    row("seed", Int, Nothing),
];

const SGLANG: &[Known] = &[
    row("mem-fraction-static", Float, Floats { low: 0.7, high: 0.92, step: 0.02 }),
    row("max-running-requests", Int, Ints(&[32, 64, 128, 256, 512])),
    row("max-queued-requests", Int, Nothing),
    row("max-total-tokens", Int, Nothing),
    row("chunked-prefill-size", Int, Ints(&[-1, 2048, 4096, 8192, 16384])),
    row("max-prefill-tokens", Int, Ints(&[8192, 16384, 32768])),
    row("schedule-policy", AsParsed, Words(&["fcfs", "lpm", "random", "dfs-weight"])),
    row("schedule-conservativeness", Float, Floats { low: 0.3, high: 1.3, step: 0.1 }),
    row("page-size", Int, Ints(&[1, 16, 32, 64])),
    row("num-continuous-decode-steps", Int, Ints(&[1, 2, 4])),
    row("stream-interval", Int, Ints(&[1, 4, 16])),
    row("attention-backend", AsParsed, Words(&["flashinfer", "fa3", "triton"])),
    row("kv-cache-dtype", AsParsed, Words(&["auto", "fp8_e5m2", "fp8_e4m3"])),
    row("disable-radix-cache", AsParsed, Switch),
    row("disable-overlap-schedule", AsParsed, Switch),
    row("enable-mixed-chunk", AsParsed, Switch),
    row("enable-torch-compile", AsParsed, Switch),
    row("disable-cuda-graph", AsParsed, Switch),
    row("cuda-graph-max-bs", Int, Ints(&[64, 128, 256, 512])),
    row("cuda-graph-max-bs-decode", Int, Ints(&[64, 128, 256, 512])),
    row("disable-cuda-graph-padding", AsParsed, Nothing),
    row("tp-size", Int, Ints(&[1, 2, 4, 8])),
    row("pp-size", Int, Ints(&[1, 2])),
    row("dp-size", Int, Ints(&[1, 2, 4])),
    row("attn-dp-size", Int, Nothing),
    row("ep-size", Int, Ints(&[1, 2, 4, 8])),
    row("nnodes", Int, Nothing),
    row("context-length", IntOr(&[]), Nothing),
    row("torch-compile-max-bs", Int, Nothing),
    row("cpu-offload-gb", Int, Nothing),
    row("hicache-ratio", Float, Nothing),
    row("speculative-num-steps", Int, Ints(&[1, 2, 3, 5])),
    row("speculative-eagle-topk", Int, Ints(&[1, 4, 8])),
    row("speculative-num-draft-tokens", Int, Ints(&[2, 4, 8])),
    row("random-seed", Int, Nothing),
];

const LLAMA_CPP: &[Known] = &[
    row("parallel", Int, Ints(&[1, 2, 4, 8, 16])),
    row("batch-size", Int, Ints(&[256, 512, 1024, 2048, 4096])),
    row("ubatch-size", Int, Ints(&[64, 128, 256, 512, 1024])),
    row("threads", Int, Ints(&[1, 2, 4, 8, 16])),
    row("threads-batch", Int, Ints(&[1, 2, 4, 8, 16])),
    row("flash-attn", AsParsed, Words(&["on", "off"])),
    row("cache-type-k", AsParsed, Words(&["f16", "q8_0", "q4_0"])),
    row("cache-type-v", AsParsed, Words(&["f16", "q8_0", "q4_0"])),
    row("kv-unified", AsParsed, Switch),
    row("kv-unified-per-slot", Int, Nothing),
    row("cont-batching", AsParsed, Switch),
    row("gpu-layers", IntOr(&["auto", "all"]), Nothing),
    row("n-cpu-moe", Int, Nothing),
    row("n-cpu-ffn", Int, Nothing),
    row("split-mode", AsParsed, Words(&["layer", "row", "tensor"])),
    row("poll", Int, Ints(&[0, 50, 100])),
    row("cache-reuse", Int, Ints(&[0, 128, 256])),
    row("cache-ram", Int, Nothing),
    row("load-mode", AsParsed, Words(&["mmap", "none", "mmap+mlock"])),
    row("repack", AsParsed, Switch),
    row("ctx-size", Int, Nothing),
    row("ctx-checkpoints", Int, Nothing),
    row("threads-http", Int, Nothing),
    row("spec-draft-n-max", Int, Ints(&[1, 2, 3, 4, 8])),
    row("spec-draft-threads", Int, Nothing),
    row("spec-draft-threads-batch", Int, Nothing),
    row("timeout", Int, Nothing),
    row("verbosity", Int, Nothing),
];

const TENSORRT_LLM: &[Known] = &[
    row("max_batch_size", AsParsed, Ints(&[32, 64, 128, 256, 512])),
    row("max_num_tokens", AsParsed, Ints(&[2048, 4096, 8192, 16384])),
    row("kv_cache_free_gpu_memory_fraction", AsParsed, Floats { low: 0.8, high: 0.95, step: 0.05 }),
    row("tp_size", AsParsed, Ints(&[1, 2, 4, 8])),
    row("pp_size", AsParsed, Ints(&[1, 2])),
    row("ep_size", AsParsed, Ints(&[1, 2, 4, 8])),
];

const SIMULATED: &[Known] = &[
    row("max-num-seqs", AsParsed, Ints(&[16, 32, 64, 128, 256, 512])),
    row("max-num-batched-tokens", AsParsed, Ints(&[1024, 2048, 4096, 8192, 16384])),
    row("gpu-memory-utilization", AsParsed, Floats { low: 0.8, high: 0.95, step: 0.05 }),
    row("block-size", AsParsed, Ints(&[16, 32, 64])),
    row("enable-prefix-caching", AsParsed, Switch),
    row("enable-chunked-prefill", AsParsed, Switch),
    row("kv-cache-dtype", AsParsed, Words(&["auto", "fp8"])),
    row("quantization", AsParsed, Words(&["fp8"])),
    row("enforce-eager", AsParsed, Switch),
    row("tensor-parallel-size", AsParsed, Ints(&[1, 2, 4, 8])),
];

/// Lays the rows of an engine over its flags.
pub(crate) fn enrich(engine: EngineName, flags: &mut [Flag]) {
    let rows = match engine {
        EngineName::Vllm => VLLM,
        EngineName::Sglang => SGLANG,
        EngineName::LlamaCpp => LLAMA_CPP,
        EngineName::TensorrtLlm => TENSORRT_LLM,
        EngineName::Simulated => SIMULATED,
    };
    for known in rows {
        let Some(flag) = flags.iter_mut().find(|f| f.name == known.name) else { continue };
        match (known.kind, &mut flag.kind) {
            (AsParsed, _) => {}
            (Int | IntOr(&[]), FlagKind::Int { .. }) => {}
            (Int, kind) => *kind = FlagKind::Int { words: Vec::new(), suffix: false },
            (IntOr(accepted), FlagKind::Int { words, .. }) => *words = owned(accepted),
            (IntOr(accepted), kind) => *kind = FlagKind::Int { words: owned(accepted), suffix: false },
            (Float, kind) => *kind = FlagKind::Float,
        }
        flag.conflicts = owned(known.conflicts);
        flag.tunable = known.try_.spec();
    }
}

fn owned(words: &[&str]) -> Vec<String> {
    words.iter().map(|w| (*w).to_owned()).collect()
}

impl Try {
    fn spec(self) -> Option<ParameterSpec> {
        match self {
            Nothing => None,
            Switch => Some(ParameterSpec::Word(BoolWord::Bool)),
            Ints(values) => Some(ParameterSpec::List(values.iter().map(|v| Value::Int(*v)).collect())),
            Words(values) => Some(ParameterSpec::List(values.iter().map(|v| Value::from(*v)).collect())),
            Floats { low, high, step } => Some(ParameterSpec::Full(DomainSpec {
                range: RangeSpec {
                    low: Some(Number::Real(low)),
                    high: Some(Number::Real(high)),
                    step: Some(Number::Real(step)),
                    log: false,
                },
                ..DomainSpec::default()
            })),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine;

    #[test]
    fn most_rows_name_a_flag_of_the_shipped_catalogue() {
        // Rows for flags that only other versions have.
        let elsewhere = [
            "swap-space",
            "cuda-graph-max-bs",
            "num-continuous-decode-steps",
            "max-num-partial-prefills",
            "max-long-partial-prefills",
        ];
        for (name, rows) in [
            (EngineName::Vllm, VLLM),
            (EngineName::Sglang, SGLANG),
            (EngineName::LlamaCpp, LLAMA_CPP),
            (EngineName::TensorrtLlm, TENSORRT_LLM),
            (EngineName::Simulated, SIMULATED),
        ] {
            let flags = engine(name).catalogue().flags();
            let lost: Vec<_> = rows.iter().map(|r| r.name).filter(|r| !flags.iter().any(|f| f.name == *r)).collect();
            let unexpected: Vec<_> = lost.into_iter().filter(|n| !elsewhere.contains(n)).collect();
            assert!(unexpected.is_empty(), "{name}: {unexpected:?}");
        }
    }
}
