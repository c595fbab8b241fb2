//! Where GPU memory goes, and every knob resolved to a number: what an engine works out before it says "ready".
//!
//! vLLM: `cache = fraction · memory − weights − context − activation peak − logits`; graphs and allocator waste live
//! in what the fraction leaves. SGLang: `cache = fraction · memory − weights`; context, graphs and activations live in
//! the rest. *Invariant*: a [`Plan`] exists only if the engine would have started.

use tuner_core::Value;

use crate::compatible::{attention_backend, check_compatible, check_parallel};
use crate::error::SimError;
use crate::flags::{AttentionBackend, Context, Dialect, Flags, Quantization};
use crate::hardware::Gpu;
use crate::models::Architecture;

const GIB: f64 = 1024.0 * 1024.0 * 1024.0;
/// CUDA context, communication buffers and libraries per GPU.
const CONTEXT_BYTES: f64 = 0.6 * GIB;
/// Share of the activations that the allocator wastes under changing batch shapes.
const FRAGMENTATION: f64 = 0.3;
/// vLLM's default share (0.32).
const VLLM_FRACTION: f64 = 0.92;

/// Every knob resolved, and memory per GPU in bytes.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Most sequences running at once in one replica.
    pub max_num_seqs: u32,
    /// Most tokens of one step (vLLM) or prefill (SGLang).
    pub max_batched_tokens: u32,
    /// Share of memory, in the dialect's meaning.
    pub memory_fraction: f64,
    /// Tokens per cache block.
    pub block_size: u32,
    /// Cache blocks of one replica.
    pub blocks: u32,
    /// Longest prompt and answer together, tokens.
    pub max_model_len: u32,
    /// Largest batch with a CUDA graph; 0 in eager mode.
    pub graph_max_batch: u32,
    /// Kernels in use.
    pub attention: AttentionBackend,
    /// Weights per GPU.
    pub weights_bytes: f64,
    /// Cache per token and GPU.
    pub kv_bytes_per_token: f64,
    /// Activations per token of a step and GPU.
    pub activation_bytes_per_token: f64,
    /// CUDA graphs per GPU.
    pub graph_bytes: f64,
    /// Memory that the static allocations leave per GPU, for [`Plan::spike_bytes`].
    pub headroom_bytes: f64,
    logits_bytes_per_seq: f64,
    profiled: bool,
}

impl Plan {
    /// Tokens that the cache of one replica holds.
    pub fn cache_tokens(&self) -> u64 {
        u64::from(self.blocks) * u64::from(self.block_size)
    }

    /// Memory beyond the static allocations that a step of `tokens` over `seqs` sequences takes. vLLM has profiled its
    /// peak, so only the allocator's waste counts; SGLang has not, so the activations themselves count too.
    pub fn spike_bytes(&self, tokens: u32, seqs: u32) -> f64 {
        let activations = f64::from(tokens) * self.activation_bytes_per_token;
        let logits = f64::from(seqs) * self.logits_bytes_per_seq;
        let waste = FRAGMENTATION * (activations + logits);
        if self.profiled { waste } else { waste + activations + logits }
    }

    /// Resolves every knob and lays out memory, or says why the engine does not start.
    pub fn new(model: &Architecture, gpu: &Gpu, gpus: u32, flags: &Flags) -> Result<Self, SimError> {
        check_parallel(model, gpus, flags)?;
        let attention = attention_backend(gpu, flags)?;
        check_compatible(gpu, flags, attention)?;
        let max_model_len = match flags.context {
            Context::Model | Context::Fit => model.context,
            Context::Tokens(n) if n > model.context => {
                return Err(SimError::Arguments {
                    message: format!(
                        "User-specified max_model_len ({n}) is greater than the derived max_model_len ({})",
                        model.context
                    ),
                });
            }
            Context::Tokens(n) => n,
        };
        let (max_num_seqs, max_batched_tokens) = batch_limits(gpu, flags, max_model_len)?;
        let graph_max_batch = match flags.dialect {
            _ if flags.eager || gpu.is_cpu() => 0,
            Dialect::Vllm => flags.graph_max_batch.unwrap_or(512).min(max_num_seqs.saturating_mul(2)),
            Dialect::Sglang => flags.graph_max_batch.unwrap_or(if gpu.is_large() { 256 } else { 80 }),
        };
        let tp = f64::from(flags.tp);
        let inner = model.experts.map_or(model.intermediate, |e| (e.active + e.shared) * e.intermediate);
        let mut plan = Self {
            max_num_seqs,
            max_batched_tokens,
            memory_fraction: 0.0,
            block_size: flags.block_size.unwrap_or(if flags.dialect == Dialect::Vllm { 16 } else { 1 }),
            blocks: 0,
            max_model_len,
            graph_max_batch,
            attention,
            weights_bytes: weights_per_gpu(model, flags),
            kv_bytes_per_token: model.kv_elements() * flags.kv_dtype.bytes() * model.kv_share(flags.tp)
                / f64::from(flags.pp),
            activation_bytes_per_token: 2.0 * (6.0 * f64::from(model.hidden) + 3.0 * f64::from(inner) / tp),
            graph_bytes: if graph_max_batch == 0 {
                0.0
            } else {
                0.25e9 * f64::from(model.layers) / 32.0 + 1.5e6 * f64::from(graph_max_batch)
            },
            headroom_bytes: 0.0,
            logits_bytes_per_seq: 8.0 * f64::from(model.vocab),
            profiled: flags.dialect == Dialect::Vllm,
        };
        plan.lay_out(gpu, flags)?;
        Ok(plan)
    }

    /// Splits memory into weights, cache and headroom.
    fn lay_out(&mut self, gpu: &Gpu, flags: &Flags) -> Result<(), SimError> {
        let total = gpu.memory_bytes;
        let context = if gpu.is_cpu() { 0.0 } else { CONTEXT_BYTES };
        let activations = f64::from(self.max_batched_tokens) * self.activation_bytes_per_token;
        let logits = |seqs: u32| f64::from(seqs) * self.logits_bytes_per_seq;
        let (fraction, taken, outside) = match flags.dialect {
            Dialect::Vllm => (
                flags.memory_fraction.unwrap_or(VLLM_FRACTION),
                self.weights_bytes + context + activations + logits(self.max_num_seqs),
                self.graph_bytes,
            ),
            Dialect::Sglang => {
                let rest = context + self.graph_bytes + (1.0 + FRAGMENTATION) * (activations + logits(512));
                let automatic = ((total - rest) / total).clamp(0.3, 0.9);
                (flags.memory_fraction.unwrap_or(automatic), self.weights_bytes, context + self.graph_bytes)
            }
        };
        self.memory_fraction = fraction;
        self.headroom_bytes = total * (1.0 - fraction) - outside;
        let out_of_memory = |needed: f64, available: f64| SimError::OutOfMemory {
            needed_gib: needed / GIB,
            available_gib: available / GIB,
            total_gib: total / GIB,
        };
        if self.headroom_bytes < 0.0 {
            return Err(out_of_memory(outside, total * (1.0 - fraction)));
        }
        let block = self.kv_bytes_per_token * f64::from(self.block_size);
        let cache = total * fraction - taken;
        if cache < block {
            return Err(out_of_memory(taken + block, total * fraction));
        }
        let mut blocks = (cache / block).floor().min(f64::from(u32::MAX)) as u32;
        if let Some(most) = flags.max_total_tokens {
            blocks = blocks.min((most / self.block_size).max(1));
        }
        self.blocks = blocks;
        self.fit_context(flags)
    }

    /// vLLM refuses to start when the cache cannot hold one full sequence; SGLang serves shorter ones.
    fn fit_context(&mut self, flags: &Flags) -> Result<(), SimError> {
        let longest = u32::try_from(self.cache_tokens()).unwrap_or(u32::MAX);
        if longest >= self.max_model_len {
            return Ok(());
        }
        if flags.dialect == Dialect::Sglang || flags.context == Context::Fit {
            self.max_model_len = longest;
            return Ok(());
        }
        Err(SimError::CacheTooSmall {
            max_model_len: self.max_model_len,
            needed_gib: f64::from(self.max_model_len) * self.kv_bytes_per_token / GIB,
            available_gib: f64::from(longest) * self.kv_bytes_per_token / GIB,
            longest,
        })
    }

    /// The arguments in force, under the dialect's names: what `/server_info` reports.
    pub fn arguments(&self, flags: &Flags) -> Vec<(&'static str, Value)> {
        let int = |n: u32| Value::Int(i64::from(n));
        let policy = format!("{:?}", flags.policy).to_lowercase();
        match flags.dialect {
            Dialect::Vllm => vec![
                ("max-num-seqs", int(self.max_num_seqs)),
                ("max-num-batched-tokens", int(self.max_batched_tokens)),
                ("gpu-memory-utilization", Value::Float(self.memory_fraction)),
                ("block-size", int(self.block_size)),
                ("enable-prefix-caching", Value::Bool(flags.prefix_caching)),
                ("enable-chunked-prefill", Value::Bool(flags.chunked_prefill)),
                ("max-model-len", int(self.max_model_len)),
                ("tensor-parallel-size", int(flags.tp)),
                ("pipeline-parallel-size", int(flags.pp)),
                ("data-parallel-size", int(flags.dp)),
                ("enforce-eager", Value::Bool(flags.eager)),
                ("scheduling-policy", Value::Text(policy)),
            ],
            Dialect::Sglang => vec![
                ("max-running-requests", int(self.max_num_seqs)),
                (
                    "chunked-prefill-size",
                    if flags.chunked_prefill { int(self.max_batched_tokens) } else { Value::Int(-1) },
                ),
                ("mem-fraction-static", Value::Float(self.memory_fraction)),
                ("page-size", int(self.block_size)),
                ("disable-radix-cache", Value::Bool(!flags.prefix_caching)),
                ("enable-mixed-chunk", Value::Bool(flags.mixed)),
                ("context-length", int(self.max_model_len)),
                ("tp-size", int(flags.tp)),
                ("pp-size", int(flags.pp)),
                ("dp-size", int(flags.dp)),
                ("disable-cuda-graph", Value::Bool(flags.eager)),
                ("schedule-policy", Value::Text(policy)),
            ],
        }
    }
}

/// Bytes of the weights that one GPU holds.
pub(crate) fn weights_per_gpu(model: &Architecture, flags: &Flags) -> f64 {
    let tp = f64::from(flags.tp);
    let layers = weights_bytes(model, flags) / tp / f64::from(flags.pp);
    layers + 2.0 * model.embedding_parameters() / tp / f64::from(flags.pp.min(2))
}

/// Bytes of all layer weights: 2 per parameter, 1 in 8 bits, 0.56 in 4 bits with scales and zero points of groups of
/// 128. Embeddings and output projection stay in 16 bits.
pub(crate) fn weights_bytes(model: &Architecture, flags: &Flags) -> f64 {
    (model.common_parameters() + model.routed_parameters()) * bytes_per_weight(flags.quantization)
}

/// Bytes of one layer weight.
pub(crate) fn bytes_per_weight(quantization: Quantization) -> f64 {
    match quantization {
        Quantization::None => 2.0,
        Quantization::Fp8 | Quantization::Int8 => 1.0,
        Quantization::Int4 | Quantization::BitsAndBytes => 0.56,
    }
}

/// Most sequences and most tokens per step, with the engines' defaults and vLLM's checks.
fn batch_limits(gpu: &Gpu, flags: &Flags, max_model_len: u32) -> Result<(u32, u32), SimError> {
    let large = gpu.is_large();
    if flags.dialect == Dialect::Sglang {
        let chunk = flags.max_batched_tokens.unwrap_or(if large { 8192 } else { 2048 });
        let tokens = if flags.chunked_prefill { chunk } else { flags.max_prefill_tokens.unwrap_or(16_384) };
        return Ok((flags.max_num_seqs.unwrap_or(if large { 4096 } else { 2048 }), tokens));
    }
    let default_tokens = match (flags.chunked_prefill, large) {
        (true, true) => 8192,
        (true, false) => 2048,
        (false, _) => max_model_len.max(2048),
    };
    let tokens = flags.max_batched_tokens.unwrap_or_else(|| default_tokens.max(flags.max_num_seqs.unwrap_or(0)));
    let seqs = flags.max_num_seqs.unwrap_or(if large { 1024 } else { 256 }.min(tokens));
    if tokens < seqs {
        return Err(SimError::Arguments {
            message: format!(
                "max_num_batched_tokens ({tokens}) must be greater than or equal to max_num_seqs ({seqs})."
            ),
        });
    }
    if !flags.chunked_prefill && tokens < max_model_len {
        return Err(SimError::Arguments {
            message: format!(
                "max_num_batched_tokens ({tokens}) is smaller than max_model_len ({max_model_len}). This effectively \
                 limits the maximum sequence length to max_num_batched_tokens and makes the engine reject longer \
                 sequences. Please increase max_num_batched_tokens or decrease max_model_len."
            ),
        });
    }
    Ok((seqs, tokens))
}
