//! Combinations that the engines refuse: parallel sizes, kernels, element types.

use crate::error::SimError;
use crate::flags::{AttentionBackend, Dialect, Flags, KvDtype, Quantization};
use crate::hardware::Gpu;
use crate::models::Architecture;

/// Whether the machine has the GPUs and the model can be split this way.
pub(crate) fn check_parallel(model: &Architecture, gpus: u32, flags: &Flags) -> Result<(), SimError> {
    let needed = flags.tp.saturating_mul(flags.pp).saturating_mul(flags.dp);
    if needed > gpus {
        return Err(SimError::TooFewGpus { needed, present: gpus });
    }
    if !model.heads.is_multiple_of(flags.tp) {
        return Err(SimError::Arguments {
            message: format!(
                "Total number of attention heads ({}) must be divisible by tensor parallel size ({}).",
                model.heads, flags.tp
            ),
        });
    }
    if flags.pp > model.layers {
        return Err(SimError::Arguments {
            message: format!("{} layers cannot be split into {} pipeline stages", model.layers, flags.pp),
        });
    }
    Ok(())
}

fn is_hopper(gpu: &Gpu) -> bool {
    gpu.name.starts_with("h100") || gpu.name.starts_with("h200")
}

/// The kernels asked for, or those that the engine would choose.
pub(crate) fn attention_backend(gpu: &Gpu, flags: &Flags) -> Result<AttentionBackend, SimError> {
    let fp8 = flags.kv_dtype != KvDtype::Auto;
    let chosen = match flags.attention {
        Some(asked) => asked,
        None if gpu.is_cpu() => AttentionBackend::Torch,
        None if gpu.name.starts_with("mi") => AttentionBackend::Triton,
        None if fp8 && !is_hopper(gpu) => AttentionBackend::FlashInfer,
        None => AttentionBackend::Flash,
    };
    if gpu.is_cpu() && chosen != AttentionBackend::Torch {
        return Err(SimError::Incompatible { message: format!("{chosen:?} attention is not supported on CPU") });
    }
    Ok(chosen)
}

/// Combinations that pass the argument check and die while the model is built.
pub(crate) fn check_compatible(gpu: &Gpu, flags: &Flags, attention: AttentionBackend) -> Result<(), SimError> {
    let fp8_cache = flags.kv_dtype != KvDtype::Auto;
    let block = flags.block_size.unwrap_or(16);
    let message = if flags.kv_dtype == KvDtype::Fp8E5m2 && flags.quantization == Quantization::Fp8 {
        "fp8_e5m2 kv-cache is not supported with fp8 checkpoints."
    } else if fp8_cache && flags.attention.is_some() && attention == AttentionBackend::Flash && !is_hopper(gpu) {
        "FlashAttention does not support fp8 kv-cache on this device."
    } else if fp8_cache && matches!(attention, AttentionBackend::Xformers | AttentionBackend::Torch) {
        "the attention backend does not support an fp8 kv-cache."
    } else if flags.dialect == Dialect::Vllm && !gpu.is_cpu() && !block.is_multiple_of(16) {
        "no valid attention backend: block_size must be a multiple of 16."
    } else if flags.dialect == Dialect::Vllm && attention == AttentionBackend::FlashInfer && block > 64 {
        "FlashInfer supports block sizes 16, 32 and 64."
    } else if gpu.is_cpu() && flags.quantization == Quantization::Fp8 {
        "fp8 quantization is not supported on CPU."
    } else if flags.speculative_tokens > 0 && flags.pp > 1 {
        "pipeline parallelism is not supported with speculative decoding."
    } else {
        return Ok(());
    };
    Err(SimError::Incompatible { message: message.to_owned() })
}
