//! How long one step takes: a roofline with overheads.
//!
//! ```text
//! gpu   = max(memory, compute) + 0.2 · min(memory, compute)           per pipeline stage
//! step  = pp · stage(work / pp) + hops + host
//! memory  = (weights read + cache read and written) / reachable bandwidth
//! compute = 2 · active parameters · tokens / reachable FLOP/s + attention FLOPs / reachable FLOP/s
//! ```
//! *Invariant*: never shorter for more work, a slower part or more latency. `docs/simulated-engine.md` derives each term.

use crate::flags::{AttentionBackend, Dialect, Flags, KvDtype, Quantization};
use crate::hardware::Gpu;
use crate::memory::{Plan, bytes_per_weight};
use crate::models::Architecture;

/// Share of the peak bandwidth that streaming weights reaches.
const BANDWIDTH_REACHED: f64 = 0.75;
/// Share of the peak FLOP/s that large matrix products reach.
const COMPUTE_REACHED: f64 = 0.55;
/// Share of the peak FLOP/s that prefill attention reaches.
const ATTENTION_REACHED: f64 = 0.40;
/// Share of the smaller of memory and compute time that is not hidden behind the larger.
const NOT_HIDDEN: f64 = 0.2;
/// Kernels launched per layer without graphs or compilation.
const KERNELS_PER_LAYER: f64 = 14.0;

/// What one step does.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Work {
    /// Sequences that decode.
    pub decoding: u32,
    /// Tokens in the caches of those sequences together.
    pub decode_context: u64,
    /// Prompt tokens prefilled.
    pub prefill_tokens: u32,
    /// Sequences that prefill.
    pub prefilling: u32,
    /// Tokens that prefilling sequences have in their caches after the step.
    pub prefill_context: u64,
    /// Σ over prefilling sequences of `q · (c + q/2)`: query/key pairs of `q` new tokens over `c` old ones.
    pub prefill_pairs: f64,
}

impl Work {
    /// Adds one sequence that prefills `tokens` after `before` computed ones.
    pub fn prefill(&mut self, tokens: u32, before: u32) {
        self.prefilling += 1;
        self.prefill_tokens += tokens;
        self.prefill_context += u64::from(before) + u64::from(tokens);
        self.prefill_pairs += f64::from(tokens) * (f64::from(before) + f64::from(tokens) / 2.0);
    }

    /// Adds one sequence that decodes with `context` tokens in its cache.
    pub fn decode(&mut self, context: u32) {
        self.decoding += 1;
        self.decode_context += u64::from(context);
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.decoding == 0 && self.prefilling == 0
    }
}

/// The step-time model with every constant of a configuration folded in.
#[derive(Clone, Debug, PartialEq)]
pub struct StepCost {
    stages: f64,
    common_weight_s: f64,
    routed_weight_s: f64,
    expert_miss: f64,
    kv_s_per_token: f64,
    linear_s_per_token: f64,
    head_s_per_seq: f64,
    attention_s_per_pair: f64,
    reduce_latency_s: f64,
    reduce_s_per_token: f64,
    hop_latency_s: f64,
    hop_s_per_token: f64,
    launch_s: f64,
    replay_s: f64,
    graph_max_batch: u32,
    compiled: bool,
    host_s: f64,
    host_s_per_seq: f64,
    tokens_per_decode: f64,
}

impl StepCost {
    /// Folds model, GPU and knobs into the constants of the formula.
    pub fn new(model: &Architecture, gpu: &Gpu, flags: &Flags, plan: &Plan) -> Self {
        let (tp, pp) = (f64::from(flags.tp), f64::from(flags.pp));
        let share = tp * pp;
        let unpack = if flags.quantization == Quantization::BitsAndBytes { 0.45 } else { 1.0 };
        let bandwidth = gpu.bandwidth * BANDWIDTH_REACHED;
        let weight = bytes_per_weight(flags.quantization) / unpack / bandwidth;
        let flops = COMPUTE_REACHED
            * match flags.quantization {
                Quantization::None => gpu.flops_bf16,
                Quantization::Fp8 if gpu.has_fp8() => gpu.flops_fp8 * 0.9,
                Quantization::Int8 if !gpu.is_cpu() => gpu.flops_bf16 * 1.6,
                Quantization::Fp8 | Quantization::Int8 => gpu.flops_bf16 * 0.9,
                Quantization::Int4 => gpu.flops_bf16 * 0.8,
                Quantization::BitsAndBytes => gpu.flops_bf16 * 0.5,
            };
        let layers = f64::from(model.layers);
        let width = f64::from(model.hidden) * 2.0;
        let launches = layers / pp * KERNELS_PER_LAYER * gpu.launch_s * 1.6;
        let sglang = flags.dialect == Dialect::Sglang;
        Self {
            stages: pp,
            common_weight_s: model.common_parameters() / share * weight
                + 2.0 * model.head_parameters() / share / bandwidth,
            routed_weight_s: model.routed_parameters() / share * weight,
            expert_miss: model.experts.map_or(0.0, |e| 1.0 - f64::from(e.active) / f64::from(e.routed)),
            kv_s_per_token: plan.kv_bytes_per_token / (bandwidth * cache_efficiency(flags, plan)),
            linear_s_per_token: 2.0 * model.active_parameters() / share / flops,
            head_s_per_seq: 2.0 * model.head_parameters() / share / (gpu.flops_bf16 * COMPUTE_REACHED),
            attention_s_per_pair: 4.0 * layers * model.query_width()
                / share
                / (gpu.flops_bf16 * ATTENTION_REACHED * backend_efficiency(plan.attention)),
            reduce_latency_s: if flags.tp > 1 { 2.0 * layers / pp * gpu.link_latency_s * tp.log2() } else { 0.0 },
            reduce_s_per_token: 2.0 * layers / pp * (2.0 * (tp - 1.0) / tp) * width / gpu.link_bandwidth,
            hop_latency_s: (pp - 1.0) * gpu.link_latency_s,
            hop_s_per_token: (pp - 1.0) * width / gpu.link_bandwidth,
            launch_s: launches,
            replay_s: 0.1e-3 + layers / pp * 1.5e-6,
            graph_max_batch: plan.graph_max_batch,
            compiled: !flags.eager && flags.dialect == Dialect::Vllm,
            host_s: if sglang { 0.15e-3 } else { 0.25e-3 },
            host_s_per_seq: if sglang { 2e-6 } else { 4e-6 },
            tokens_per_decode: 1.0 + f64::from(flags.speculative_tokens),
        }
    }

    /// Seconds of one step without noise. Work is split evenly over pipeline stages, which run at the same time on
    /// different sequences, so each sequence waits for all stages.
    pub fn step_s(&self, work: &Work) -> f64 {
        let seqs = f64::from(work.decoding + work.prefilling);
        let tokens = f64::from(work.decoding) * self.tokens_per_decode + f64::from(work.prefill_tokens);
        let stage_tokens = tokens / self.stages;
        let cached = work.decode_context as f64 + work.prefill_context as f64 + tokens;
        let touched = 1.0 - self.expert_miss.powf(stage_tokens.max(1.0));
        let memory = self.common_weight_s
            + if self.routed_weight_s > 0.0 { self.routed_weight_s * touched } else { 0.0 }
            + cached / self.stages * self.kv_s_per_token;
        let compute = (tokens * self.linear_s_per_token
            + seqs * self.tokens_per_decode * self.head_s_per_seq
            + (work.prefill_pairs + work.decode_context as f64 * self.tokens_per_decode) * self.attention_s_per_pair)
            / self.stages;
        let gpu = roof(memory, compute) + self.reduce_latency_s + stage_tokens * self.reduce_s_per_token;
        let launch = if stage_tokens <= f64::from(self.graph_max_batch) {
            self.replay_s
        } else if self.compiled {
            self.launch_s / 2.0
        } else {
            self.launch_s
        };
        let stage = roof(gpu, launch);
        self.stages * stage
            + self.hop_latency_s
            + stage_tokens * self.hop_s_per_token
            + self.host_s
            + seqs * self.host_s_per_seq
    }
}

/// Two things that overlap imperfectly.
fn roof(a: f64, b: f64) -> f64 {
    a.max(b) + NOT_HIDDEN * a.min(b)
}

fn backend_efficiency(backend: AttentionBackend) -> f64 {
    match backend {
        AttentionBackend::Flash => 1.0,
        AttentionBackend::FlashInfer => 0.97,
        AttentionBackend::Triton => 0.85,
        AttentionBackend::Xformers => 0.7,
        AttentionBackend::Torch => 0.5,
    }
}

/// Share of the streaming bandwidth that reading the paged cache reaches: kernels, element type, and the gathering of
/// small blocks.
fn cache_efficiency(flags: &Flags, plan: &Plan) -> f64 {
    let kernels = match (plan.attention, flags.kv_dtype) {
        (AttentionBackend::FlashInfer, _) => 1.0,
        (AttentionBackend::Flash, KvDtype::Auto) => 0.98,
        (AttentionBackend::Flash, _) => 0.90,
        (AttentionBackend::Triton, KvDtype::Auto) => 0.85,
        (AttentionBackend::Triton, _) => 0.80,
        (AttentionBackend::Xformers, _) => 0.7,
        (AttentionBackend::Torch, _) => 0.5,
    };
    kernels * (1.0 - 0.06 / f64::from(plan.block_size).sqrt())
}
