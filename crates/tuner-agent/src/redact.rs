//! Secrets out of everything that is kept, told, shown or sent to the model: known values, and what looks like one.
//!
//! *Invariant*: text goes through here once, before it goes anywhere else. A stream is held back to the last white space,
//! so that a secret in two pieces is seen as one.

use std::sync::Arc;

use tuner_deploy::redact::Secrets;
use tuner_engines::secrets::MASK;

/// Beginnings of keys that providers give out, and how long the rest is at least.
const KEYS: [(&str, usize); 14] = [
    ("sk-", 16),
    ("hf_", 16),
    ("ghp_", 16),
    ("gho_", 16),
    ("ghs_", 16),
    ("github_pat_", 16),
    ("glpat-", 16),
    ("xoxb-", 10),
    ("xoxp-", 10),
    ("AKIA", 12),
    ("AIza", 20),
    ("nvapi-", 16),
    ("tun_", 20),
    ("eyJhbGciOi", 20),
];
/// Words after which a secret follows.
const BEFORE: [&str; 2] = ["Bearer ", "bearer "];
/// Without white space for so long, text is let go.
const LONGEST: usize = 512;

/// Removes secrets. Clones share what they know.
#[derive(Clone, Default)]
pub(crate) struct Redactor(Arc<Secrets>);

impl std::fmt::Debug for Redactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Redactor")
    }
}

impl Redactor {
    /// One that knows these values.
    pub(crate) fn new<'a>(known: impl IntoIterator<Item = &'a String>) -> Self {
        let mut secrets = Secrets::default();
        known.into_iter().for_each(|value| secrets.add(value));
        Self(Arc::new(secrets))
    }

    /// The text without secrets.
    pub(crate) fn clean(&self, text: &str) -> String {
        let text = self.0.clean(text);
        let text = without_key_blocks(&text);
        without_keys(&text)
    }

    /// A document without secrets in its texts and names.
    pub(crate) fn clean_json(&self, value: &serde_json::Value) -> serde_json::Value {
        use serde_json::Value;
        match value {
            Value::String(text) => Value::String(self.clean(text)),
            Value::Array(items) => items.iter().map(|item| self.clean_json(item)).collect(),
            Value::Object(fields) => {
                let clean = |(name, value): (&String, &Value)| (self.clean(name), self.clean_json(value));
                Value::Object(fields.iter().map(clean).collect())
            }
            other => other.clone(),
        }
    }
}

fn is_of_key(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/' | '+' | '=')
}

fn without_keys(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    'text: while !rest.is_empty() {
        let fresh = out.chars().next_back().is_none_or(|c| !c.is_ascii_alphanumeric());
        if fresh {
            for (beginning, least) in KEYS {
                if let Some(tail) = rest.strip_prefix(beginning) {
                    let len = tail.find(|c| !is_of_key(c)).unwrap_or(tail.len());
                    if len >= least {
                        out.push_str(MASK);
                        rest = &tail[len..];
                        continue 'text;
                    }
                }
            }
            for word in BEFORE {
                if let Some(tail) = rest.strip_prefix(word) {
                    let len = tail.find(|c| !is_of_key(c)).unwrap_or(tail.len());
                    if len >= 12 {
                        out.push_str(word);
                        out.push_str(MASK);
                        rest = &tail[len..];
                        continue 'text;
                    }
                }
            }
        }
        let c = rest.chars().next().unwrap_or_default();
        out.push(c);
        rest = &rest[c.len_utf8()..];
    }
    out
}

fn without_key_blocks(text: &str) -> String {
    const BEGIN: &str = "-----BEGIN ";
    const END: &str = "-----END ";
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(BEGIN) {
        let block = &rest[at..];
        let head = block.lines().next().unwrap_or_default();
        if !head.contains("PRIVATE KEY") {
            out.push_str(&rest[..at + BEGIN.len()]);
            rest = &rest[at + BEGIN.len()..];
            continue;
        }
        out.push_str(&rest[..at]);
        out.push_str(MASK);
        rest = match block.find(END) {
            Some(end) => {
                let tail = &block[end + END.len()..];
                tail.find("-----").map_or("", |close| &tail[close + 5..])
            }
            // It was cut off: the rest is the key.
            None => "",
        };
    }
    out.push_str(rest);
    out
}

/// Text that comes in pieces.
#[derive(Debug)]
pub(crate) struct Pieces {
    redactor: Redactor,
    held: String,
}

impl Pieces {
    pub(crate) fn new(redactor: &Redactor) -> Self {
        Self { redactor: redactor.clone(), held: String::new() }
    }

    /// Takes a piece; gives what can be let go.
    pub(crate) fn take(&mut self, piece: &str) -> String {
        self.held.push_str(piece);
        if self.held.contains("-----BEGIN ") && !self.held.contains("-----END ") {
            return String::new();
        }
        // `Bearer` and what follows belong together.
        let whole = match self.held.rfind(char::is_whitespace) {
            Some(at) if !BEFORE.iter().any(|word| self.held[..=at].ends_with(word)) => {
                at + self.held[at..].chars().next().map_or(1, char::len_utf8)
            }
            _ if self.held.len() > LONGEST => self.held.len(),
            _ => return String::new(),
        };
        let rest = self.held.split_off(whole);
        let out = self.redactor.clean(&self.held);
        self.held = rest;
        out
    }

    /// The rest.
    pub(crate) fn end(&mut self) -> String {
        self.redactor.clean(&std::mem::take(&mut self.held))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_values_and_what_looks_like_a_key_are_removed() {
        let redactor = Redactor::new(&["correct horse".to_owned(), "hunter22".to_owned()]);
        for (text, clean) in [
            ("the word is hunter22.", "the word is ***."),
            ("say correct horse battery", "say *** battery"),
            ("key sk-abcdefghijklmnop1234, then", "key ***, then"),
            ("risk-abcdefghijklmnop1234 is a word", "risk-abcdefghijklmnop1234 is a word"),
            ("Authorization: Bearer abcdefghijklmnop", "Authorization: Bearer ***"),
            ("git clone https://me:word@host/x", "git clone https://***@host/x"),
            ("hf_short", "hf_short"),
        ] {
            assert_eq!(redactor.clean(text), clean);
        }
        let block = "a\n-----BEGIN RSA PRIVATE KEY-----\nMIIabc\n-----END RSA PRIVATE KEY-----\nb";
        assert_eq!(redactor.clean(block), "a\n***\nb");
    }

    /// Wherever a stream is cut, nothing of a secret gets out and nothing else is lost.
    #[test]
    fn a_secret_that_comes_in_two_pieces_is_removed_wherever_it_is_cut() {
        let redactor = Redactor::new(&["hunter22".to_owned()]);
        let text = "first hunter22 then sk-abcdefghijklmnop1234 and Bearer abcdefghijklmnop end";
        let whole = redactor.clean(text);
        for first in 0..text.len() {
            for second in first..text.len() {
                let mut pieces = Pieces::new(&redactor);
                let mut out = pieces.take(&text[..first]);
                out.push_str(&pieces.take(&text[first..second]));
                out.push_str(&pieces.take(&text[second..]));
                out.push_str(&pieces.end());
                assert_eq!(out, whole, "cut at {first} and {second}");
            }
        }
    }
}
