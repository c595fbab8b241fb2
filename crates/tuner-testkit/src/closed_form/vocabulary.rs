//! The words that the closed-form server writes, and a tokenizer of which each is one token.

use serde_json::json;

/// Pronounceable words, each one token of [`tokenizer_json`].
pub(super) fn word(k: u32) -> String {
    let syllable = |n: u32| {
        let consonant = char::from(b"bdfgklmnprstvz"[(n % 14) as usize]);
        let vowel = char::from(b"aeiou"[(n / 14 % 5) as usize]);
        format!("{consonant}{vowel}")
    };
    format!("{}{}", syllable(k), syllable(k / 70 + 3))
}

/// Words in the vocabulary.
const VOCABULARY: u32 = 1400;

/// A Hugging Face `tokenizer.json` whose tokens are the words that this server writes, one per word.
pub fn tokenizer_json() -> String {
    let mut vocabulary = serde_json::Map::new();
    vocabulary.insert("<unk>".to_owned(), json!(0));
    for entry in (0..VOCABULARY).map(word).chain(["ä漢".to_owned()]) {
        let id = vocabulary.len();
        vocabulary.entry(entry).or_insert(json!(id));
    }
    json!({
        "version": "1.0", "truncation": null, "padding": null, "added_tokens": [],
        "normalizer": null, "pre_tokenizer": { "type": "WhitespaceSplit" },
        "post_processor": null, "decoder": null,
        "model": { "type": "WordLevel", "vocab": vocabulary, "unk_token": "<unk>" },
    })
    .to_string()
}
