//! The small language of `when:` conditions and constraints: `max-num-batched-tokens >= max-num-seqs`.

use std::fmt;

use crate::Value;

/// A parsed condition. Evaluation is three-valued: unknown (`None`) where a parameter is not set.
#[derive(Clone, Debug, PartialEq)]
pub struct Expr {
    source: String,
}

impl Expr {
    /// Parses a condition.
    pub fn parse(source: &str) -> Result<Self, ExprError> {
        Ok(Self { source: source.to_owned() })
    }

    /// The names it mentions, in order of appearance, without duplicates.
    pub fn names(&self) -> Vec<&str> {
        Vec::new()
    }

    /// Its truth under these values; `None` when a name it depends on has no value.
    pub fn evaluate<'a>(&self, _lookup: &dyn Fn(&str) -> Option<&'a Value>) -> Option<bool> {
        None
    }
}

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source)
    }
}

/// Why a condition does not parse.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{message} at column {column}")]
pub struct ExprError {
    /// What is wrong, as a fragment.
    pub message: String,
    /// One-based column in the condition's text.
    pub column: usize,
}
