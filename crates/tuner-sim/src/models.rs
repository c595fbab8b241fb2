//! The models the simulator knows, by the dimensions in their published configurations.
//!
//! *Invariant*: parameter counts and cache bytes are computed from the dimensions, never stated.

/// How keys and values are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attention {
    /// Grouped queries: `kv_heads` heads of `head_dim` each, keys and values.
    Grouped {
        /// Key/value heads.
        kv_heads: u32,
        /// Elements per head.
        head_dim: u32,
    },
    /// Multi-head latent attention (DeepSeek-V2, arXiv 2405.04434): one compressed vector per token and layer.
    Latent {
        /// Compressed elements.
        rank: u32,
        /// Rotary elements kept beside them.
        rope: u32,
        /// Elements per head of the uncompressed query, key and value.
        head_dim: u32,
    },
}

/// Routed experts of a mixture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Experts {
    /// Routed experts per layer.
    pub routed: u32,
    /// Routed experts that each token visits.
    pub active: u32,
    /// Experts that every token visits.
    pub shared: u32,
    /// Inner width of one expert.
    pub intermediate: u32,
}

/// A decoder-only transformer, as its configuration file describes it.
#[derive(Clone, Debug, PartialEq)]
pub struct Architecture {
    /// Name in task files; an id matches when its last part starts with this name.
    pub name: &'static str,
    /// Layers.
    pub layers: u32,
    /// Query heads.
    pub heads: u32,
    /// Attention layout.
    pub attention: Attention,
    /// Width of the residual stream.
    pub hidden: u32,
    /// Inner width of the dense feed-forward block.
    pub intermediate: u32,
    /// Vocabulary.
    pub vocab: u32,
    /// Mixture, if any; it replaces the dense block in every layer.
    pub experts: Option<Experts>,
    /// Input and output embeddings are one matrix.
    pub tied: bool,
    /// Longest context the model was made for, tokens.
    pub context: u32,
}

impl Architecture {
    /// The model that an id or path names: the last path component, without regard to case, must start with the name,
    /// and what follows must not continue a word or number (`meta-llama/Llama-3.1-8B-Instruct` is `llama-3.1-8b`).
    pub fn named(id: &str) -> Option<&'static Self> {
        let last = id.trim_end_matches('/').rsplit('/').next().unwrap_or(id).to_ascii_lowercase();
        let last = last.replace('_', "-");
        let last = last.strip_prefix("meta-").unwrap_or(&last);
        MODELS.iter().find(|m| {
            last.strip_prefix(m.name).is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_alphanumeric()))
        })
    }

    /// Elements of the key/value cache per token, all layers, over the whole model.
    pub fn kv_elements(&self) -> f64 {
        let per_layer = match self.attention {
            Attention::Grouped { kv_heads, head_dim } => 2.0 * f64::from(kv_heads) * f64::from(head_dim),
            Attention::Latent { rank, rope, .. } => f64::from(rank + rope),
        };
        f64::from(self.layers) * per_layer
    }

    /// Share of the cache that each of `tp` ranks holds: heads are split until there is one per rank; a latent cache
    /// is replicated.
    pub fn kv_share(&self, tp: u32) -> f64 {
        match self.attention {
            Attention::Grouped { kv_heads, .. } => 1.0 / f64::from(tp.min(kv_heads)),
            Attention::Latent { .. } => 1.0,
        }
    }

    /// Width of all query heads together.
    pub fn query_width(&self) -> f64 {
        let head_dim = match self.attention {
            Attention::Grouped { head_dim, .. } | Attention::Latent { head_dim, .. } => head_dim,
        };
        f64::from(self.heads) * f64::from(head_dim)
    }

    fn attention_parameters(&self) -> f64 {
        let h = f64::from(self.hidden);
        let q = self.query_width();
        let per_layer = match self.attention {
            Attention::Grouped { kv_heads, head_dim } => 2.0 * h * q + 2.0 * h * f64::from(kv_heads * head_dim),
            Attention::Latent { rank, rope, .. } => {
                2.0 * h * q + h * f64::from(rank + rope) + 2.0 * f64::from(rank) * q
            }
        };
        f64::from(self.layers) * per_layer
    }

    fn feed_forward(&self, width: u32) -> f64 {
        f64::from(self.layers) * 3.0 * f64::from(self.hidden) * f64::from(width)
    }

    /// Parameters of the layers that every token uses: attention, dense blocks, shared experts.
    pub fn common_parameters(&self) -> f64 {
        self.attention_parameters()
            + match self.experts {
                None => self.feed_forward(self.intermediate),
                Some(e) => self.feed_forward(e.intermediate * e.shared),
            }
    }

    /// Parameters of all routed experts.
    pub fn routed_parameters(&self) -> f64 {
        self.experts.map_or(0.0, |e| self.feed_forward(e.intermediate) * f64::from(e.routed))
    }

    /// Parameters of the output projection, which every step reads.
    pub fn head_parameters(&self) -> f64 {
        f64::from(self.vocab) * f64::from(self.hidden)
    }

    /// Parameters of the embedding matrices held in memory.
    pub fn embedding_parameters(&self) -> f64 {
        self.head_parameters() * if self.tied { 1.0 } else { 2.0 }
    }

    /// All parameters.
    pub fn parameters(&self) -> f64 {
        self.common_parameters() + self.routed_parameters() + self.embedding_parameters()
    }

    /// Layer parameters that one token passes through.
    pub fn active_parameters(&self) -> f64 {
        self.common_parameters() + self.experts.map_or(0.0, |e| self.feed_forward(e.intermediate) * f64::from(e.active))
    }

    /// Share of the routed experts that a step of `tokens` reads, if the router is uniform: `1 − (1 − a/E)^tokens`.
    pub fn experts_touched(&self, tokens: f64) -> f64 {
        self.experts.map_or(0.0, |e| 1.0 - (1.0 - f64::from(e.active) / f64::from(e.routed)).powf(tokens))
    }
}

const DENSE: Architecture = Architecture {
    name: "",
    layers: 0,
    heads: 0,
    attention: Attention::Grouped { kv_heads: 8, head_dim: 128 },
    hidden: 0,
    intermediate: 0,
    vocab: 128_256,
    experts: None,
    tied: false,
    context: 131_072,
};

const QWEN: Architecture = Architecture { vocab: 152_064, context: 32_768, ..DENSE };

/// Every model.
pub static MODELS: [Architecture; 9] = [
    Architecture { name: "llama-3.1-8b", layers: 32, heads: 32, hidden: 4096, intermediate: 14_336, ..DENSE },
    Architecture {
        name: "llama-3.2-1b",
        layers: 16,
        heads: 32,
        attention: Attention::Grouped { kv_heads: 8, head_dim: 64 },
        hidden: 2048,
        intermediate: 8192,
        tied: true,
        ..DENSE
    },
    Architecture {
        name: "qwen2.5-7b",
        layers: 28,
        heads: 28,
        attention: Attention::Grouped { kv_heads: 4, head_dim: 128 },
        hidden: 3584,
        intermediate: 18_944,
        ..QWEN
    },
    Architecture { name: "qwen2.5-14b", layers: 48, heads: 40, hidden: 5120, intermediate: 13_824, ..QWEN },
    Architecture { name: "qwen2.5-32b", layers: 64, heads: 40, hidden: 5120, intermediate: 27_648, ..QWEN },
    Architecture { name: "llama-3.3-70b", layers: 80, heads: 64, hidden: 8192, intermediate: 28_672, ..DENSE },
    Architecture {
        name: "mixtral-8x7b",
        layers: 32,
        heads: 32,
        hidden: 4096,
        intermediate: 14_336,
        vocab: 32_000,
        experts: Some(Experts { routed: 8, active: 2, shared: 0, intermediate: 14_336 }),
        context: 32_768,
        ..DENSE
    },
    Architecture {
        name: "deepseek-v2-lite",
        layers: 27,
        heads: 16,
        attention: Attention::Latent { rank: 512, rope: 64, head_dim: 128 },
        hidden: 2048,
        intermediate: 10_944,
        vocab: 102_400,
        experts: Some(Experts { routed: 64, active: 6, shared: 2, intermediate: 1408 }),
        context: 32_768,
        ..DENSE
    },
    Architecture {
        name: "smollm2-135m",
        layers: 30,
        heads: 9,
        attention: Attention::Grouped { kv_heads: 3, head_dim: 64 },
        hidden: 576,
        intermediate: 1536,
        vocab: 49_152,
        tied: true,
        context: 8192,
        ..DENSE
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_matched_by_its_last_part_up_to_a_word_boundary() {
        let name = |id| Architecture::named(id).map(|m| m.name);
        assert_eq!(name("meta-llama/Llama-3.1-8B-Instruct"), Some("llama-3.1-8b"));
        assert_eq!(name("meta-llama/Meta-Llama-3.1-8B"), Some("llama-3.1-8b"));
        assert_eq!(name("/models/SmolLM2-135M/"), Some("smollm2-135m"));
        assert_eq!(name("llama-3.1-80b"), None);
        assert_eq!(name(""), None);
    }

    #[test]
    fn parameter_counts_agree_with_the_published_ones_within_three_percent() {
        let published = [8.03, 1.24, 7.62, 14.77, 32.76, 70.55, 46.70, 15.71, 0.1345];
        for (model, billions) in MODELS.iter().zip(published) {
            let ratio = model.parameters() / (billions * 1e9);
            assert!((0.97..1.03).contains(&ratio), "{}: {ratio}", model.name);
        }
    }

    #[test]
    fn a_large_batch_touches_every_expert_and_one_token_its_own() {
        let mixtral = Architecture::named("mixtral-8x7b").unwrap();
        assert!((mixtral.experts_touched(1.0) - 0.25).abs() < 1e-12);
        assert!(mixtral.experts_touched(256.0) > 0.999);
    }
}
