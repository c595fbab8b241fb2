//! What a server said, made fit to be shown: without secrets and control characters, cut.
//!
//! *Invariant*: a secret is removed before the text is cut, so that no part of it survives the cut.

use crate::Secret;

/// Longest text of a server that is passed on, in characters.
pub const LONGEST: usize = 500;

/// The text in one line, without the secrets, at most [`LONGEST`] characters.
pub fn said(text: &str, secrets: &[&Secret]) -> String {
    let mut clean = text.to_owned();
    for secret in secrets {
        clean = secret.hide_in(&clean);
    }
    let mut words = String::new();
    for word in clean.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()) {
        if !words.is_empty() {
            words.push(' ');
        }
        words.push_str(word);
    }
    match words.char_indices().nth(LONGEST - 1) {
        Some((at, _)) if words[at..].chars().count() > 1 => format!("{}…", &words[..at]),
        _ => words,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_long_text_is_one_line_of_five_hundred_characters() {
        let text = format!("first\r\n\tsecond\u{1b}[31m {}", "ä".repeat(600));
        let shown = said(&text, &[]);
        assert!(shown.starts_with("first second [31m ää"), "{shown}");
        assert!(shown.ends_with('…') && shown.chars().count() == LONGEST, "{}", shown.chars().count());
        assert_eq!(said(&"x".repeat(LONGEST), &[]), "x".repeat(LONGEST));
    }

    proptest! {
        #[test]
        fn no_part_of_a_secret_survives_the_cut(before in 480usize..520) {
            let key = Secret::new("sk-abcdefghij").unwrap();
            let shown = said(&format!("{}sk-abcdefghij rest", "x".repeat(before)), &[&key]);
            prop_assert!(!shown.contains("sk-"), "{}", shown);
        }
    }
}
