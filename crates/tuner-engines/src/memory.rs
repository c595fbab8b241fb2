//! How much memory a model needs on each GPU: weights and key-value cache.
//!
//! *Invariant*: an estimate from shapes alone. Activations, graphs and fragmentation are not in it; engines keep
//! them within the share that `gpu-memory-utilization` leaves free.

use serde_json::Value;

/// The numbers of a model that decide its memory.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ModelShape {
    /// Transformer layers.
    pub layers: u32,
    /// Attention heads.
    pub heads: u32,
    /// Key-value heads (grouped-query attention), ≤ `heads`.
    pub kv_heads: u32,
    /// Width of one head.
    pub head_dim: u32,
    /// Width of the residual stream.
    pub hidden: u32,
    /// Width of the feed-forward layer.
    pub intermediate: u32,
    /// Vocabulary.
    pub vocab: u32,
    /// Experts per layer; 0 for dense models.
    pub experts: u32,
    /// Input and output embeddings are one matrix.
    pub tied_embeddings: bool,
    /// Bytes of one weight.
    pub weight_bytes: f64,
}

/// How the model is spread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spread {
    /// Tensor parallel size.
    pub tensor: u32,
    /// Pipeline parallel size.
    pub pipeline: u32,
}

/// Memory of one GPU.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MemoryEstimate {
    /// Bytes of weights.
    pub weights: f64,
    /// Bytes of cache per token of context.
    pub kv_per_token: f64,
}

impl MemoryEstimate {
    /// Tokens of context that fit beside the weights in `budget` bytes; 0 if the weights alone do not fit.
    pub fn tokens_in(&self, budget: f64) -> u64 {
        let free = budget - self.weights;
        if free <= 0.0 || self.kv_per_token <= 0.0 { 0 } else { (free / self.kv_per_token) as u64 }
    }
}

impl ModelShape {
    /// Reads a Hugging Face `config.json` (its `text_config` for multimodal models). `None` if a number is missing.
    pub fn from_config(config: &Value) -> Option<Self> {
        let config = config.get("text_config").filter(|c| c.get("hidden_size").is_some()).unwrap_or(config);
        let int = |name: &str| config.get(name).and_then(Value::as_u64).and_then(|n| u32::try_from(n).ok());
        let heads = int("num_attention_heads")?;
        let hidden = int("hidden_size")?;
        let dtype = config.get("torch_dtype").or_else(|| config.get("dtype")).and_then(Value::as_str);
        Some(Self {
            layers: int("num_hidden_layers")?,
            heads,
            kv_heads: int("num_key_value_heads").unwrap_or(heads),
            head_dim: int("head_dim").or_else(|| hidden.checked_div(heads))?,
            hidden,
            intermediate: int("moe_intermediate_size").or_else(|| int("intermediate_size"))?,
            vocab: int("vocab_size")?,
            experts: int("num_local_experts")
                .or_else(|| int("num_experts"))
                .or_else(|| int("n_routed_experts"))
                .unwrap_or(0),
            tied_embeddings: config.get("tie_word_embeddings").and_then(Value::as_bool).unwrap_or(false),
            weight_bytes: dtype.map_or(2.0, bytes_of),
        })
    }

    /// Number of weights: embeddings `V·h` (twice if untied), and per layer attention
    /// `h·d·(2·heads + 2·kv_heads)` and a gated feed-forward `3·h·f` for each expert.
    pub fn parameters(&self) -> f64 {
        let (h, d) = (f64::from(self.hidden), f64::from(self.head_dim));
        let attention = h * d * 2.0 * (f64::from(self.heads) + f64::from(self.kv_heads));
        let forward = 3.0 * h * f64::from(self.intermediate) * f64::from(self.experts.max(1));
        let embeddings = f64::from(self.vocab) * h * if self.tied_embeddings { 1.0 } else { 2.0 };
        embeddings + f64::from(self.layers) * (attention + forward)
    }

    /// Memory of each GPU.
    ///
    /// Weights: `total / (tensor · pipeline)`, where the total is `weights_on_disk` if known, else
    /// `parameters · weight_bytes`. Cache of one token: `2 · layers/pipeline · ceil(kv_heads/tensor) · head_dim ·
    /// kv_bytes`; key-value heads are copied, not split, once there are more ranks than heads.
    pub fn estimate(&self, spread: Spread, kv_bytes: f64, weights_on_disk: Option<u64>) -> MemoryEstimate {
        let (tensor, pipeline) = (spread.tensor.max(1), spread.pipeline.max(1));
        let total = weights_on_disk.map_or_else(|| self.parameters() * self.weight_bytes, |bytes| bytes as f64);
        let layers = f64::from(self.layers.div_ceil(pipeline));
        let heads = f64::from(self.kv_heads.div_ceil(tensor));
        MemoryEstimate {
            weights: total / f64::from(tensor) / f64::from(pipeline),
            kv_per_token: 2.0 * layers * heads * f64::from(self.head_dim) * kv_bytes,
        }
    }
}

/// Bytes of one element of a dtype as engines and configs spell it; block formats with their scales.
pub fn bytes_of(dtype: &str) -> f64 {
    let lower = dtype.to_ascii_lowercase();
    match lower.strip_prefix("torch.").unwrap_or(&lower) {
        "float32" | "float" | "fp32" | "f32" => 4.0,
        "fp8" | "fp8_e4m3" | "fp8_e5m2" | "float8_e4m3fn" | "int8" | "mxfp8" => 1.0,
        // 32 elements and their scales: 34, 24, 22, 20 and 18 bytes.
        "q8_0" => 34.0 / 32.0,
        "q5_1" => 24.0 / 32.0,
        "q5_0" => 22.0 / 32.0,
        "q4_1" => 20.0 / 32.0,
        "q4_0" | "iq4_nl" => 18.0 / 32.0,
        "nvfp4" | "int4" | "fp4" => 0.5,
        _ => 2.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn llama_8b() -> ModelShape {
        let config = serde_json::json!({
            "num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 8, "hidden_size": 4096,
            "intermediate_size": 14336, "vocab_size": 128256, "torch_dtype": "bfloat16", "tie_word_embeddings": false
        });
        ModelShape::from_config(&config).unwrap()
    }

    #[test]
    fn llama_8b_has_eight_billion_weights_and_128_kib_of_cache_per_token() {
        let shape = llama_8b();
        assert!((shape.parameters() / 8.03e9 - 1.0).abs() < 0.01, "{}", shape.parameters());
        let one = shape.estimate(Spread { tensor: 1, pipeline: 1 }, 2.0, None);
        assert_eq!(one.kv_per_token, 131_072.0);
        let split = shape.estimate(Spread { tensor: 4, pipeline: 2 }, 2.0, None);
        assert!((split.weights * 8.0 - one.weights).abs() < 1.0);
        assert_eq!(split.kv_per_token * 8.0, one.kv_per_token);
        // More ranks than key-value heads: the heads are copied.
        assert_eq!(shape.estimate(Spread { tensor: 16, pipeline: 1 }, 2.0, None).kv_per_token, one.kv_per_token / 8.0);
        assert_eq!(one.tokens_in(10e9), 0);
        assert!(one.tokens_in(72e9) > 400_000);
    }

    #[test]
    fn the_cache_of_smollm2_is_what_llama_cpp_prints() {
        // llama.cpp: 2 sequences of 1024 cells, 30 layers, K (q8_0) 11.95 MiB, V (f16) 22.50 MiB.
        let smol = ModelShape { layers: 30, heads: 9, kv_heads: 3, head_dim: 64, ..llama_8b() };
        let half =
            |dtype: &str| smol.estimate(Spread { tensor: 1, pipeline: 1 }, bytes_of(dtype), None).kv_per_token / 2.0;
        let mib = 1024.0 * 1024.0;
        assert!((half("q8_0") * 2048.0 / mib - 11.95).abs() < 0.01);
        assert!((half("f16") * 2048.0 / mib - 22.50).abs() < 0.01);
    }
}
