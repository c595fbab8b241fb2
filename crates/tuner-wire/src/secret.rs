//! A secret that does not print itself.
//!
//! *Invariant*: `Debug` and `Display` never show the value; only [`Secret::reveal`] gives it out.

use serde::Deserialize;

/// What stands in the place of a secret.
pub const MASK: &str = "***";

/// Shorter values are too likely to appear by chance in a text.
const SHORTEST: usize = 6;

/// A key or a token. It can be read from a settings file and is never written to one.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// The secret, without the blanks and line ends that a copied key often carries; `None` if nothing is left.
    pub fn new(value: &str) -> Option<Self> {
        let value = value.trim();
        (!value.is_empty()).then(|| Self(value.to_owned()))
    }

    /// The value, for the one header that needs it.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// The text without the secret.
    pub fn hide_in(&self, text: &str) -> String {
        if self.0.len() < SHORTEST { text.to_owned() } else { text.replace(&self.0, MASK) }
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(MASK)
    }
}

impl std::fmt::Display for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(MASK)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // R14.7
    #[test]
    fn a_secret_is_never_printed_and_a_blank_one_is_none() {
        let key = Secret::new(" sk-123456\n").unwrap();
        assert_eq!(key.reveal(), "sk-123456");
        assert_eq!(format!("{key} {key:?}"), "*** ***");
        assert_eq!(key.hide_in("key sk-123456 is wrong"), "key *** is wrong");
        assert_eq!(Secret::new(" \t"), None);
        assert_eq!(Secret::new("a").unwrap().hide_in("a cat"), "a cat");
    }
}
