//! Requests as the scheduler sees them, and what makes two prompts share cache blocks.

use std::sync::Arc;

use tuner_core::record::SharedRun;

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
    /// Unlike every other prompt, but for what it begins with: prompts whose runs begin alike share blocks.
    Runs {
        /// Names the prompt.
        key: u64,
        /// What it begins with, in order.
        runs: Vec<SharedRun>,
    },
    /// These tokens: the prompt's, and those of the answer as far as they are known beforehand.
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
    /// One hash per full block of the prompt, and of the answer where its content is known; each over everything up to the
    /// block's end.
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
            Content::Runs { key, runs } => {
                let mut pieces = Pieces { runs, run: 0, offset: 0 };
                let mut hash = 0;
                let mut shared = true;
                let prompt = self.prompt_tokens / size;
                let block = |i: u32| {
                    shared = shared && pieces.block(size, &mut hash);
                    // What is generated is found again where a later prompt goes on from it.
                    (shared || i < prompt).then(|| if shared { hash } else { bits(*key, 1, u64::from(i)) })
                };
                (0..(self.prompt_tokens + self.output_tokens) / size).map_while(block).collect()
            }
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

/// A walk through the runs of a prompt.
struct Pieces<'r> {
    runs: &'r [SharedRun],
    run: usize,
    offset: u32,
}

impl Pieces<'_> {
    /// Adds the content of the next `size` tokens to `hash`; false when the runs end before.
    fn block(&mut self, size: u32, hash: &mut u64) -> bool {
        let mut left = size;
        while left > 0 {
            let Some(run) = self.runs.get(self.run) else { return false };
            let taken = left.min(run.tokens - self.offset);
            *hash = bits(*hash ^ run.key, STREAM_SHARED, (u64::from(self.offset) << 32) | u64::from(taken));
            self.offset += taken;
            left -= taken;
            if self.offset == run.tokens {
                (self.run, self.offset) = (self.run + 1, 0);
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hashes(key: u64, tokens: u32, runs: &[(u64, u32)]) -> Vec<u64> {
        let runs = runs.iter().map(|&(key, tokens)| SharedRun { key, tokens }).collect();
        let content = Content::Runs { key, runs };
        SimRequest { id: 0, prompt_tokens: tokens, output_tokens: 1, priority: 0, content }.block_hashes(16)
    }

    #[test]
    fn a_prompt_that_goes_on_from_an_answer_begins_with_its_blocks() {
        let turn = |prompt_tokens, output_tokens, tokens| {
            let content = Content::Runs { key: 1, runs: vec![SharedRun { key: 9, tokens }] };
            SimRequest { id: 0, prompt_tokens, output_tokens, priority: 0, content }.block_hashes(16)
        };
        let (first, second) = (turn(32, 32, 64), turn(96, 16, 112));
        assert_eq!((first.len(), &second[..4]), (4, first.as_slice()));
        assert_eq!(turn(32, 32, 32).len(), 2, "an answer that is not known cannot be found again");
    }

    #[test]
    fn prompts_share_the_whole_blocks_of_what_they_begin_with_alike() {
        let one = hashes(1, 100, &[(7, 64)]);
        let two = hashes(2, 100, &[(7, 64)]);
        assert_eq!((&one[..4], one.len()), (&two[..4], 6));
        assert!(one[4..].iter().all(|hash| !two.contains(hash)));
        // A shorter run is the beginning of a longer one; a block that it fills only in part is its own.
        let shorter = hashes(3, 100, &[(7, 40)]);
        assert_eq!(shorter[..2], one[..2]);
        assert_ne!(shorter[2], one[2]);
        // The same run after another beginning is something else.
        let after = hashes(4, 100, &[(8, 32), (7, 64)]);
        assert!(after.iter().all(|hash| !one.contains(hash)));
        let mooncake = (hashes(5, 64, &[(1, 20), (2, 20), (3, 20)]), hashes(6, 64, &[(1, 20), (2, 20), (4, 20)]));
        assert_eq!((mooncake.0[..2] == mooncake.1[..2], mooncake.0[2] == mooncake.1[2]), (true, false));
    }
}
