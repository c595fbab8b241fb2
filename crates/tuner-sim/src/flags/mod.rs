//! The flags of vLLM and SGLang that the model knows, read from names and values into one set of knobs.
//!
//! *Invariant*: a knob has one meaning whatever it is called; a flag is applied, known to have no effect on speed
//! ([`INERT`]), or refused. Nothing is silently ignored.

mod argument;
mod table;

use std::collections::BTreeMap;

use tuner_core::Value;

use crate::error::SimError;
use argument::Argument;
pub use table::INERT;
use table::{SGLANG_ONLY, foreign, is_foreign, knob_of, unknown};

/// Whose defaults and memory rules apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// vLLM: the memory fraction covers everything; chunks of prompts share a step with decoding.
    Vllm,
    /// SGLang: the memory fraction covers weights and cache; prompts are prefilled before decoding goes on.
    Sglang,
}

/// Element type of the key/value cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KvDtype {
    /// 16 bits.
    Auto,
    /// 8 bits, four exponent bits.
    Fp8E4m3,
    /// 8 bits, five exponent bits.
    Fp8E5m2,
}

impl KvDtype {
    /// Bytes per element.
    pub fn bytes(self) -> f64 {
        if self == Self::Auto { 2.0 } else { 1.0 }
    }
}

/// How layer weights are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantization {
    /// 16 bits.
    None,
    /// 8-bit floats, computed in 8 bits where the GPU can.
    Fp8,
    /// 8-bit integers, computed in 8 bits.
    Int8,
    /// 4-bit integers in groups of 128 (AWQ, GPTQ), computed in 16 bits.
    Int4,
    /// 4-bit with slow unpacking (bitsandbytes).
    BitsAndBytes,
}

/// Order of the waiting queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// First come, first served.
    Fcfs,
    /// Longest cached prefix first.
    Lpm,
    /// Lowest priority number first, then first come.
    Priority,
}

/// Attention kernels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttentionBackend {
    /// FlashAttention 2 or 3.
    Flash,
    /// FlashInfer.
    FlashInfer,
    /// Triton.
    Triton,
    /// xFormers.
    Xformers,
    /// PyTorch's own.
    Torch,
}

/// Context length asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Context {
    /// The model's own.
    Model,
    /// The longest that fits.
    Fit,
    /// This many tokens.
    Tokens(u32),
}

/// Faults to inject, for tests and demonstrations.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Faults {
    /// Requests after this many answer with an error 500.
    pub fail_after_requests: Option<u64>,
    /// Start-up takes this much longer, seconds.
    pub slow_start_s: f64,
    /// The engine dies when this many requests are unfinished at once.
    pub die_at_concurrency: Option<u32>,
}

/// Every knob as asked for; `None` leaves the engine's default.
#[derive(Clone, Debug, PartialEq)]
pub struct Flags {
    /// Whose defaults apply.
    pub dialect: Dialect,
    /// Most sequences running at once.
    pub max_num_seqs: Option<u32>,
    /// Most tokens of one step (vLLM) or of one prefill (SGLang).
    pub max_batched_tokens: Option<u32>,
    /// Most prompt tokens of one prefill without chunking (SGLang).
    pub max_prefill_tokens: Option<u32>,
    /// Share of GPU memory, in the dialect's meaning.
    pub memory_fraction: Option<f64>,
    /// Tokens per cache block.
    pub block_size: Option<u32>,
    /// Keep and reuse blocks of finished prompts.
    pub prefix_caching: bool,
    /// Split long prompts over steps.
    pub chunked_prefill: bool,
    /// Prompt chunks and decoding share a step.
    pub mixed: bool,
    /// Cache element type.
    pub kv_dtype: KvDtype,
    /// Weight storage.
    pub quantization: Quantization,
    /// Tensor-parallel ranks.
    pub tp: u32,
    /// Pipeline stages.
    pub pp: u32,
    /// Replicas.
    pub dp: u32,
    /// No CUDA graphs, no compilation.
    pub eager: bool,
    /// Largest batch with a CUDA graph.
    pub graph_max_batch: Option<u32>,
    /// Context length.
    pub context: Context,
    /// Queue order.
    pub policy: Policy,
    /// Kernels; `None` lets the engine choose what works.
    pub attention: Option<AttentionBackend>,
    /// Tokens guessed per step; 0 is off.
    pub speculative_tokens: u32,
    /// Most tokens in the cache (SGLang).
    pub max_total_tokens: Option<u32>,
    /// Name that clients must ask for.
    pub served_model_name: Option<String>,
    /// Factor on the noise of steps and runs; 0 is none.
    pub noise: f64,
    /// Faults to inject.
    pub faults: Faults,
    /// Everything that was given, as given; `--no-x` as `x: false`.
    pub given: BTreeMap<String, Value>,
}

impl Flags {
    /// The defaults of a dialect.
    pub fn defaults(dialect: Dialect) -> Self {
        Self {
            dialect,
            max_num_seqs: None,
            max_batched_tokens: None,
            max_prefill_tokens: None,
            memory_fraction: None,
            block_size: None,
            prefix_caching: true,
            chunked_prefill: true,
            mixed: dialect == Dialect::Vllm,
            kv_dtype: KvDtype::Auto,
            quantization: Quantization::None,
            tp: 1,
            pp: 1,
            dp: 1,
            eager: false,
            graph_max_batch: None,
            context: Context::Model,
            policy: Policy::Fcfs,
            attention: None,
            speculative_tokens: 0,
            max_total_tokens: None,
            served_model_name: None,
            noise: 1.0,
            faults: Faults::default(),
            given: BTreeMap::new(),
        }
    }

    /// Reads flags. With a dialect, the other engine's names are unknown. Without one both are accepted, and SGLang's
    /// defaults apply where a name that only SGLang has occurs, else vLLM's.
    ///
    /// Names come without leading dashes, with `-` or `_`; `Null` leaves a flag out.
    pub fn read<'a>(
        dialect: Option<Dialect>,
        flags: impl IntoIterator<Item = (&'a str, &'a Value)>,
    ) -> Result<Self, SimError> {
        let given: BTreeMap<String, Value> = flags
            .into_iter()
            .filter(|(_, value)| **value != Value::Null)
            .map(|(name, value)| (name.trim_start_matches("--").replace('_', "-"), value.clone()))
            .collect();
        let strict = dialect;
        let sglang = || given.keys().any(|name| SGLANG_ONLY.contains(&name.as_str()));
        let dialect = dialect.unwrap_or_else(|| if sglang() { Dialect::Sglang } else { Dialect::Vllm });
        let mut out = Self::defaults(dialect);
        let mut seen: Vec<(&str, &str)> = Vec::new();
        for (name, value) in &given {
            let (knob, negated) = knob_of(name, value).ok_or_else(|| unknown(name))?;
            if let Some(dialect) = strict.filter(|d| is_foreign(name, *d)) {
                return Err(foreign(name, knob, dialect));
            }
            if let Some((_, other)) = seen.iter().find(|(k, _)| *k == knob && !knob.is_empty()) {
                return Err(SimError::Arguments { message: format!("--{other} and --{name} set the same thing") });
            }
            seen.push((knob, name));
            out.apply(knob, &Argument { name, value, negated })?;
        }
        out.given = given
            .into_iter()
            .map(|(name, value)| match name.strip_prefix("no-") {
                Some(positive) => (positive.to_owned(), Value::Bool(false)),
                None => (name, value),
            })
            .collect();
        Ok(out)
    }

    fn apply(&mut self, knob: &str, arg: &Argument<'_>) -> Result<(), SimError> {
        match knob {
            "max-num-seqs" => self.max_num_seqs = Some(arg.count(1)?),
            "max-num-batched-tokens" => self.max_batched_tokens = Some(arg.count(1)?),
            "chunked-prefill-size" => match arg.value.as_i64() {
                Some(-1) => self.chunked_prefill = false,
                _ => self.max_batched_tokens = Some(arg.count(1)?),
            },
            "max-prefill-tokens" => self.max_prefill_tokens = Some(arg.count(1)?),
            "memory-fraction" => self.memory_fraction = Some(arg.share()?),
            "block-size" => self.block_size = Some(arg.count(1)?),
            "prefix-caching" => self.prefix_caching = arg.switch()?,
            "disable-prefix-caching" => self.prefix_caching = !arg.switch()?,
            "chunked-prefill" => self.chunked_prefill = arg.switch()?,
            "mixed" => self.mixed = arg.switch()?,
            "kv-cache-dtype" => {
                self.kv_dtype = arg.one_of(&[
                    ("auto", KvDtype::Auto),
                    ("bfloat16", KvDtype::Auto),
                    ("bf16", KvDtype::Auto),
                    ("float16", KvDtype::Auto),
                    ("fp8", KvDtype::Fp8E4m3),
                    ("fp8_e4m3", KvDtype::Fp8E4m3),
                    ("fp8_e5m2", KvDtype::Fp8E5m2),
                ])?;
            }
            "quantization" => {
                self.quantization = arg.one_of(&[
                    ("none", Quantization::None),
                    ("fp8", Quantization::Fp8),
                    ("w8a8_fp8", Quantization::Fp8),
                    ("w8a8_int8", Quantization::Int8),
                    ("awq", Quantization::Int4),
                    ("awq_marlin", Quantization::Int4),
                    ("gptq", Quantization::Int4),
                    ("gptq_marlin", Quantization::Int4),
                    ("bitsandbytes", Quantization::BitsAndBytes),
                ])?;
            }
            "tp" => self.tp = arg.count(1)?,
            "pp" => self.pp = arg.count(1)?,
            "dp" => self.dp = arg.count(1)?,
            "eager" => self.eager = arg.switch()?,
            "graph-max-batch" => self.graph_max_batch = Some(arg.count(1)?),
            "context" => self.context = arg.context()?,
            "policy" => {
                self.policy =
                    arg.one_of(&[("fcfs", Policy::Fcfs), ("lpm", Policy::Lpm), ("priority", Policy::Priority)])?;
            }
            "attention-backend" => {
                self.attention = arg.one_of(&[
                    ("auto", None),
                    ("FLASH_ATTN", Some(AttentionBackend::Flash)),
                    ("fa3", Some(AttentionBackend::Flash)),
                    ("FLASHINFER", Some(AttentionBackend::FlashInfer)),
                    ("TRITON_ATTN", Some(AttentionBackend::Triton)),
                    ("triton", Some(AttentionBackend::Triton)),
                    ("XFORMERS", Some(AttentionBackend::Xformers)),
                    ("TORCH_SDPA", Some(AttentionBackend::Torch)),
                    ("torch_native", Some(AttentionBackend::Torch)),
                ])?;
            }
            "speculative-tokens" => self.speculative_tokens = arg.count(0)?.min(16),
            "max-total-tokens" => self.max_total_tokens = Some(arg.count(1)?),
            "served-model-name" => self.served_model_name = Some(arg.value.to_string()),
            "noise" => self.noise = arg.number(0.0, 100.0)?,
            "fail-after-requests" => self.faults.fail_after_requests = Some(u64::from(arg.count(0)?)),
            "slow-start" => self.faults.slow_start_s = arg.number(0.0, 1e6)?,
            "die-at-concurrency" => self.faults.die_at_concurrency = Some(arg.count(1)?),
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(flags: &[(&str, Value)]) -> Result<Flags, SimError> {
        Flags::read(None, flags.iter().map(|(n, v)| (*n, v)))
    }

    #[test]
    fn both_names_of_a_knob_mean_the_same() {
        let vllm = read(&[("max-num-seqs", Value::Int(7)), ("enable_prefix_caching", Value::Bool(false))]).unwrap();
        let sglang = read(&[("max-running-requests", Value::Int(7)), ("disable-radix-cache", Value::Bool(true))]);
        let sglang = sglang.unwrap();
        assert_eq!(vllm.max_num_seqs, sglang.max_num_seqs);
        assert_eq!(vllm.prefix_caching, sglang.prefix_caching);
        assert_eq!((vllm.dialect, sglang.dialect), (Dialect::Vllm, Dialect::Sglang));
    }

    #[test]
    fn an_unknown_flag_is_refused_and_the_nearest_named() {
        let error = read(&[("max-num-sequences", Value::Int(7))]).unwrap_err();
        assert_eq!(error.to_string(), "unrecognized arguments: --max-num-sequences (did you mean --max-num-seqs?)");
        assert_eq!(error.exit_code(), 2);
    }

    #[test]
    fn one_knob_set_by_two_names_is_refused() {
        let error = read(&[("tp-size", Value::Int(2)), ("tensor-parallel-size", Value::Int(2))]).unwrap_err();
        assert_eq!(error.to_string(), "--tensor-parallel-size and --tp-size set the same thing");
    }

    #[test]
    fn null_leaves_a_flag_out_and_no_turns_a_switch_around() {
        let flags = read(&[("max-num-seqs", Value::Null), ("no-enable-chunked-prefill", Value::Bool(true))]).unwrap();
        assert_eq!(flags.max_num_seqs, None);
        assert!(!flags.chunked_prefill);
        assert_eq!(flags.given.get("enable-chunked-prefill"), Some(&Value::Bool(false)));
    }

    #[test]
    fn bad_values_say_what_is_allowed() {
        let message = |name, value| read(&[(name, value)]).unwrap_err().to_string();
        assert_eq!(
            message("gpu-memory-utilization", Value::Float(1.2)),
            "argument --gpu-memory-utilization: invalid value: \"1.2\" (a share above 0 and at most 1)"
        );
        assert!(message("scheduling-policy", Value::from("random")).contains("choose from fcfs, lpm, priority"));
        assert!(message("max-num-seqs", Value::Int(0)).contains("at least 1"));
    }
}
