//! Requests as the scheduler sees them, and what makes two prompts share cache blocks.

use std::sync::Arc;

use crate::noise::bits;

const STREAM_SHARED: u64 = 4;

/// What a prompt consists of, as far as prefix caching cares.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    /// Unlike every other prompt, but for the leading `shared` tokens that all of them have in common.
    Unique {
        /// Names the prompt.
        key: u64,
        /// Tokens at its start that every prompt has.
        shared: u32,
    },
    /// These tokens.
    Tokens(Arc<[u32]>),
}

/// A request as the scheduler sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct SimRequest {
    /// Unique among the unfinished.
    pub id: u64,
    /// Prompt length, tokens.
    pub prompt_tokens: u32,
    /// Tokens to generate, at least 1.
    pub output_tokens: u32,
    /// Lower runs first under `priority`.
    pub priority: i64,
    /// What the prompt consists of.
    pub content: Content,
}

impl SimRequest {
    /// One hash per full block of the prompt, each over everything up to the block's end.
    pub(super) fn block_hashes(&self, size: u32) -> Vec<u64> {
        match &self.content {
            Content::Unique { key, shared } => (0..self.prompt_tokens / size)
                .map(|i| {
                    if (i + 1) * size <= *shared {
                        bits(STREAM_SHARED, 0, u64::from(i))
                    } else {
                        bits(*key, 1, u64::from(i))
                    }
                })
                .collect(),
            Content::Tokens(tokens) => tokens
                .chunks_exact(size as usize)
                .scan(0u64, |hash, chunk| {
                    *hash = chunk.iter().fold(*hash, |h, token| bits(h, 2, u64::from(*token)));
                    Some(*hash)
                })
                .collect(),
        }
    }
}
