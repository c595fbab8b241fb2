//! Texts of exact token length, made of words that are one token wherever they stand.
//!
//! *Invariant*: a text is a function of (pool, prompt, length); but for what a prompt shares on purpose, its first words
//! differ from those of every other request with overwhelming probability, so no prefix cache is warmed by accident.

use rand::RngExt;
use rand::seq::IndexedRandom;
use tuner_core::record::SharedRun;

use super::{LocalTokenizer, TokenError};
use crate::seed::{Dimension, Seeds, rng};

/// Vocabulary entries that are tried at most; enough for thousands of words of any real vocabulary.
const MAX_CANDIDATES: usize = 12_000;
/// Fewer words than this cannot make prompts that differ from their first block on.
const MIN_WORDS: usize = 64;
/// Attempts at making a text exact by adding and removing words.
const MAX_FITS: u32 = 64;

/// Which text is wanted.
#[derive(Clone, Copy, Debug)]
pub struct Prompt<'a> {
    /// Seeds of the level.
    pub seeds: Seeds,
    /// Position of the level.
    pub level: u32,
    /// Repeat of the level.
    pub repeat: u32,
    /// The request.
    pub index: u64,
    /// What it begins with, in common with others of the level.
    pub shared: &'a [SharedRun],
}

/// Words that are single tokens, at the start of a text and after a space.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WordPool {
    /// One token at the start of a text.
    starts: Vec<String>,
    /// One token after a space.
    words: Vec<String>,
    /// Tokens that the model's tokenizer puts around a text of itself (beginning of text).
    pub special_tokens: u32,
}

impl WordPool {
    pub(super) fn new(starts: Vec<String>, words: Vec<String>, special_tokens: u32) -> Option<Self> {
        (!starts.is_empty() && words.len() >= MIN_WORDS).then_some(Self { starts, words, special_tokens })
    }

    /// Number of words.
    pub fn len(&self) -> usize {
        self.words.len()
    }

    /// Whether there are none; never for a pool that was built.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    pub(super) fn of(tokenizer: &LocalTokenizer) -> Result<Self, TokenError> {
        let vocabulary = tokenizer.vocabulary();
        let plain = |token: &str| {
            // `Ġ` and `▁` stand for a space in byte-level and SentencePiece vocabularies.
            let word = token.trim_start_matches(['Ġ', '▁']);
            let letters = word.len() >= 2 && word.len() <= 12 && word.bytes().all(|b| b.is_ascii_lowercase());
            letters.then(|| word.to_owned())
        };
        let mut candidates: Vec<String> = vocabulary.iter().filter_map(|(_, token)| plain(token)).collect();
        let mut seen = std::collections::HashSet::new();
        candidates.retain(|word| seen.insert(word.clone()));
        candidates.truncate(MAX_CANDIDATES);
        let is = |text: String, tokens: u32| tokenizer.count(&text).is_ok_and(|n| n == tokens);
        let starts: Vec<String> = candidates.iter().filter(|w| is(format!("{w} {w} {w}"), 3)).cloned().collect();
        let words = match starts.first() {
            Some(start) => candidates.into_iter().filter(|w| is(format!("{start} {w} {w}"), 3)).collect(),
            None => Vec::new(),
        };
        let special = tokenizer.encode("", true)?.len() as u32;
        let found = words.len();
        Self::new(starts, words, special).ok_or_else(|| TokenError::NoExactText {
            tokens: 0,
            tokenizer: tokenizer.origin.clone(),
            what: format!("only {found} words are single tokens, {MIN_WORDS} are needed"),
        })
    }

    /// A text of `tokens` words, each one token.
    pub fn text(&self, prompt: Prompt<'_>, tokens: u32) -> String {
        let Prompt { seeds, level, repeat, index, shared } = prompt;
        let mut text = String::with_capacity(tokens as usize * 8);
        for run in shared {
            let mut rng = rng(seeds.prompts, Dimension::PrefixWords, level, repeat, run.key);
            self.add(&mut text, run.tokens, &mut rng);
        }
        let own = tokens.saturating_sub(shared.iter().map(|run| run.tokens).sum());
        self.add(&mut text, own, &mut rng(seeds.prompts, Dimension::Prompts, level, repeat, index));
        text
    }

    fn add(&self, text: &mut String, words: u32, rng: &mut impl rand::Rng) {
        for _ in 0..words {
            let from = if text.is_empty() { &self.starts } else { &self.words };
            if !text.is_empty() {
                text.push(' ');
            }
            text.push_str(from.choose(rng).map_or("", String::as_str));
        }
    }

    /// The text, checked against the tokenizer and adjusted until it has exactly `tokens` tokens.
    ///
    /// # Errors
    /// It cannot be made exact.
    pub fn exact_text(
        &self,
        tokenizer: &LocalTokenizer,
        prompt: Prompt<'_>,
        tokens: u32,
    ) -> Result<String, TokenError> {
        let mut text = self.text(prompt, tokens);
        let Prompt { seeds, level, repeat, index, .. } = prompt;
        let mut rng = rng(seeds.prompts ^ u64::MAX, Dimension::Prompts, level, repeat, index);
        for _ in 0..MAX_FITS {
            let count = tokenizer.count(&text)?;
            match count.cmp(&tokens) {
                std::cmp::Ordering::Equal => return Ok(text),
                std::cmp::Ordering::Less => {
                    for _ in count..tokens {
                        text.push(' ');
                        text.push_str(&self.words[rng.random_range(0..self.words.len())]);
                    }
                }
                std::cmp::Ordering::Greater => {
                    for _ in tokens..count {
                        text.truncate(text.rfind(' ').unwrap_or(text.len()));
                    }
                }
            }
        }
        Err(TokenError::NoExactText {
            tokens,
            tokenizer: tokenizer.origin.clone(),
            what: format!("adding and removing words does not reach it in {MAX_FITS} steps"),
        })
    }
}
