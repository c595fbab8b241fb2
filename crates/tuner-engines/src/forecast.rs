//! Configurations that are certain not to fit: their weights alone are larger than the memory that they may take.
//!
//! *Invariant*: a lower bound against an upper bound. The weights are the smaller of what is stored and what the model's
//! shape gives in 16 bits, spread evenly; the memory is all that the largest device has, times the share that the flags
//! allow. What may make weights smaller than stored (quantising or leaving some on the host while loading) ends the
//! certainty, and so does every flag that is not understood to be harmless.

use std::fmt;

use tuner_core::engine::EngineName;
use tuner_core::plan::Forecast;
use tuner_core::{Configuration, Failure, FailureClass, Value};

use crate::memory::ModelShape;
use crate::{engine, memory};

const GIB: f64 = 1024.0 * 1024.0 * 1024.0;

/// A device that engines compute on.
#[derive(Clone, Debug, PartialEq)]
pub struct Device {
    /// Product name.
    pub name: String,
    /// All of its memory, bytes.
    pub memory: f64,
}

/// The weights of one device, and the memory that is too small for them.
#[derive(Clone, Debug, PartialEq)]
pub struct TooLarge {
    /// Bytes of weights on each device.
    pub weights: f64,
    /// Share of the device's memory that they may take, 0..1.
    pub share: f64,
    /// The device.
    pub device: Device,
}

impl TooLarge {
    /// The comparison; `None` where the weights fit or might.
    pub fn of(weights: f64, share: f64, device: &Device) -> Option<Self> {
        (weights > share * device.memory).then(|| Self { weights, share, device: device.clone() })
    }
}

impl fmt::Display for TooLarge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { weights, share, device } = self;
        write!(f, "the weights alone take {:.1} GiB of each GPU, ", weights / GIB)?;
        let (left, all) = (share * device.memory / GIB, device.memory / GIB);
        if *share < 1.0 {
            write!(f, "the flags leave them {left:.1} of the {all:.1} GiB of {}", device.name)
        } else {
            write!(f, "{} has {all:.1} GiB", device.name)
        }
    }
}

impl From<TooLarge> for Failure {
    fn from(too_large: TooLarge) -> Self {
        Self::new(FailureClass::OomLoad, too_large.to_string())
    }
}

/// What a model of known shape needs on the devices of one machine.
#[derive(Clone, Debug, PartialEq)]
pub struct MemoryForecast {
    /// The engine.
    pub engine: EngineName,
    /// The model's dimensions.
    pub shape: ModelShape,
    /// Bytes of its weights as they are stored.
    pub weights_on_disk: u64,
    /// The largest device there is.
    pub device: Device,
}

impl Forecast for MemoryForecast {
    fn impossible(&self, flags: &Configuration) -> Option<Failure> {
        let engine = engine(self.engine);
        let share = engine.weights_share(flags)?;
        if flags.iter().any(|(name, value)| may_shrink_weights(name, value)) {
            return None;
        }
        // Engines load 32-bit weights in 16 bits unless told otherwise.
        let halves = ModelShape { weight_bytes: memory::bytes_of("bfloat16"), ..self.shape };
        let stored = engine.memory_estimate(&self.shape, flags, Some(self.weights_on_disk)).weights;
        let shaped = engine.memory_estimate(&halves, flags, None).weights;
        TooLarge::of(stored.min(shaped), share, &self.device).map(Failure::from)
    }
}

/// Whether a flag may leave less on a device than the model's weights: by quantising them while they are loaded, by keeping
/// some on the host or on other ranks, by loading something else.
fn may_shrink_weights(name: &str, value: &Value) -> bool {
    const WORDS: [&str; 9] =
        ["quant", "offload", "load-format", "loader", "override", "torchao", "expert", "ep-size", "context-parallel"];
    let unset = matches!(value, Value::Null | Value::Bool(false)) || *value == Value::from("auto");
    let name = name.trim_start_matches('-').replace('_', "-");
    !unset && (name == "device" || WORDS.iter().any(|word| name.contains(word)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 70 billion weights in 16 bits on 80 GB devices.
    fn llama_70b(engine: EngineName) -> MemoryForecast {
        let config = serde_json::json!({
            "num_hidden_layers": 80, "num_attention_heads": 64, "num_key_value_heads": 8, "hidden_size": 8192,
            "intermediate_size": 28672, "vocab_size": 128256, "torch_dtype": "bfloat16", "tie_word_embeddings": false
        });
        MemoryForecast {
            engine,
            shape: ModelShape::from_config(&config).unwrap(),
            weights_on_disk: 141_107_412_992,
            device: Device { name: "NVIDIA H100 80GB HBM3".to_owned(), memory: 81_559.0 * 1024.0 * 1024.0 },
        }
    }

    fn says(forecast: &MemoryForecast, flags: &str) -> Option<String> {
        forecast.impossible(&serde_json::from_str(flags).unwrap()).map(|failure| failure.message)
    }

    // B5
    #[test]
    fn weights_that_are_larger_than_the_memory_they_may_take_are_foretold() {
        let vllm = llama_70b(EngineName::Vllm);
        insta::assert_snapshot!(says(&vllm, "{}").unwrap(), @"the weights alone take 131.4 GiB of each GPU, NVIDIA H100 80GB HBM3 has 79.6 GiB");
        insta::assert_snapshot!(
            says(&vllm, r#"{"tensor-parallel-size": 2, "gpu-memory-utilization": 0.8}"#).unwrap(),
            @"the weights alone take 65.7 GiB of each GPU, the flags leave them 63.7 of the 79.6 GiB of NVIDIA H100 80GB HBM3"
        );
        let failure = vllm.impossible(&Configuration::default()).unwrap();
        assert_eq!(failure.class, FailureClass::OomLoad);
        let sglang = llama_70b(EngineName::Sglang);
        assert!(says(&sglang, r#"{"tp-size": 2, "mem-fraction-static": 0.8}"#).is_some());
        assert_eq!(says(&sglang, r#"{"tp-size": 2, "mem-fraction-static": 0.9}"#), None);
    }

    // B5: never a guess.
    #[test]
    fn what_might_fit_is_not_foretold() {
        let vllm = llama_70b(EngineName::Vllm);
        for flags in [
            // There is room for a little cache, whether it is enough or not.
            r#"{"tensor-parallel-size": 2, "gpu-memory-utilization": 0.85}"#,
            r#"{"tensor-parallel-size": 2}"#,
            r#"{"pipeline_parallel_size": 2}"#,
            // The weights may become smaller than they are stored.
            r#"{"quantization": "fp8"}"#,
            r#"{"cpu-offload-gb": 100}"#,
            r#"{"load-format": "dummy"}"#,
            r#"{"hf-overrides": "{}"}"#,
            r#"{"enable-expert-parallel": true}"#,
            r#"{"gpu-memory-utilization": 0.5, "kv-cache-memory-bytes": 1000000, "tensor-parallel-size": 2}"#,
        ] {
            assert_eq!(says(&vllm, flags), None, "{flags}");
        }
        for flags in [r#"{"quantization": null}"#, r#"{"load-format": "auto", "enable-expert-parallel": false}"#] {
            assert!(says(&vllm, flags).is_some(), "{flags}");
        }
        // llama.cpp puts on a device what fits, TensorRT-LLM reads files that we do not.
        for name in [EngineName::LlamaCpp, EngineName::TensorrtLlm] {
            assert_eq!(says(&llama_70b(name), "{}"), None);
        }
    }

    #[test]
    fn quantised_files_count_as_they_are_stored_and_32_bit_ones_as_they_are_loaded() {
        let vllm = llama_70b(EngineName::Vllm);
        let awq = MemoryForecast { weights_on_disk: 40_000_000_000, ..vllm.clone() };
        assert_eq!(says(&awq, "{}"), None);
        let full = MemoryForecast { weights_on_disk: 282_000_000_000, ..vllm };
        assert!(says(&full, "{}").unwrap().contains("131.4 GiB"));
    }
}
