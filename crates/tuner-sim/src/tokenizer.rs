//! The simulated tokenizer: a token is a piece of at most four characters of a word between white space.
//!
//! *Invariant*: `count(text)` is `Σ ⌈characters / 4⌉` over the words of `text`; white space is free. So the words that
//! the server answers with, and those of [`synthetic_text`], are one token each.

use crate::noise::bits;

/// Characters of a piece.
const PIECE: usize = 4;
/// Token ids are below this.
pub const VOCABULARY: u32 = 32_000;

/// Token ids of a text.
pub fn tokenize(text: &str) -> Vec<u32> {
    let mut out = Vec::with_capacity(text.len() / 3);
    for word in text.split_whitespace() {
        let mut hash = 0u64;
        let mut length = 0;
        for c in word.chars() {
            hash = bits(hash, 6, u64::from(u32::from(c)));
            length += 1;
            if length == PIECE {
                out.push((hash % u64::from(VOCABULARY)) as u32);
                (hash, length) = (0, 0);
            }
        }
        if length > 0 {
            out.push((hash % u64::from(VOCABULARY)) as u32);
        }
    }
    out
}

/// Number of tokens of a text.
pub fn count(text: &str) -> usize {
    text.split_whitespace().map(|word| word.chars().count().div_ceil(PIECE)).sum()
}

/// The `index`-th word of a stream of words: four letters, one token.
pub fn word(seed: u64, index: u64) -> [u8; PIECE] {
    let mut draw = bits(seed, 7, index);
    std::array::from_fn(|_| {
        let letter = b'a' + (draw % 26) as u8;
        draw /= 26;
        letter
    })
}

/// A text of exactly `tokens` tokens; other seeds give other texts.
pub fn synthetic_text(tokens: u32, seed: u64) -> String {
    let mut out = String::with_capacity(tokens as usize * (PIECE + 1));
    for index in 0..u64::from(tokens) {
        if index > 0 {
            out.push(' ');
        }
        out.extend(word(seed, index).map(char::from));
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_word_is_cut_every_four_characters() {
        assert_eq!(count("a four tokens é"), 1 + 1 + 2 + 1);
        assert_eq!(tokenize("  tokens ").len(), 2);
        assert_eq!(tokenize("same same"), [tokenize("same")[0]; 2]);
        assert_eq!(count(""), 0);
    }

    proptest! {
        #[test]
        fn counting_agrees_with_tokenizing(text in ".{0,80}") {
            prop_assert_eq!(tokenize(&text).len(), count(&text));
        }

        #[test]
        fn synthetic_texts_have_the_length_asked_for(tokens in 0u32..300, seed in any::<u64>()) {
            prop_assert_eq!(count(&synthetic_text(tokens, seed)), tokens as usize);
        }
    }
}
