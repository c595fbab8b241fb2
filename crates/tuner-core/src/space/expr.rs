//! The small language of `when:` conditions and constraints: `max-num-batched-tokens >= max-num-seqs`.
//!
//! Names are flag names and may contain dashes and dots, so a minus needs white space before it. Truth is three-valued
//! (Kleene): a name without a value makes unknown whatever depends on it, and nothing else. Evaluation never fails:
//! what cannot be compared (`"a" < 3`, a division by zero) is unknown too.

mod eval;
mod lex;
mod parse;

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Value;

/// A parsed condition. Evaluation is three-valued: unknown (`None`) where a parameter is not set.
#[derive(Clone, Debug, PartialEq)]
pub struct Expr {
    source: String,
    root: Node,
}

/// One operation. `And` and `Or` hold two or more members.
#[derive(Clone, Debug, PartialEq)]
enum Node {
    Literal(Value),
    Name { name: String, column: usize },
    Not(Box<Node>),
    And(Vec<Node>),
    Or(Vec<Node>),
    Compare { op: Comparison, left: Box<Node>, right: Box<Node> },
    In { item: Box<Node>, list: Vec<Node> },
    Arithmetic { op: Operation, left: Box<Node>, right: Box<Node> },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operation {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

impl Expr {
    /// Longest condition that is parsed, in bytes.
    pub const MAX_LENGTH: usize = 2000;

    /// Parses a condition.
    pub fn parse(source: &str) -> Result<Self, ExprError> {
        Ok(Self { source: source.to_owned(), root: parse::condition(source)? })
    }

    /// The names it mentions, in order of appearance, without duplicates.
    pub fn names(&self) -> Vec<&str> {
        self.name_columns().into_iter().map(|(name, _)| name).collect()
    }

    /// The names it mentions with the one-based column (in characters) of their first appearance.
    pub fn name_columns(&self) -> Vec<(&str, usize)> {
        let mut found: Vec<(&str, usize)> = Vec::new();
        self.root.walk(&mut |node| {
            if let Node::Name { name, column } = node
                && !found.iter().any(|(n, _)| n == name)
            {
                found.push((name, *column));
            }
        });
        found
    }

    /// Pairs of a name and a value that it is compared with by `==`, `!=` or `in`, for checks against its domain.
    pub fn equalities(&self) -> Vec<(&str, &Value)> {
        let mut pairs = Vec::new();
        self.root.walk(&mut |node| match node {
            Node::Compare { op: Comparison::Equal | Comparison::NotEqual, left, right } => {
                pairs.extend(left.pair_with(right));
                pairs.extend(right.pair_with(left));
            }
            Node::In { item, list } => pairs.extend(list.iter().filter_map(|v| item.pair_with(v))),
            _ => {}
        });
        pairs
    }

    /// Its truth under these values; `None` when a name it depends on has no value.
    pub fn evaluate<'a>(&self, lookup: &dyn Fn(&str) -> Option<&'a Value>) -> Option<bool> {
        eval::truth(&self.root, lookup)
    }
}

impl Node {
    /// Visits the tree in the order of the text.
    fn walk<'n>(&'n self, visit: &mut dyn FnMut(&'n Node)) {
        visit(self);
        match self {
            Self::Literal(_) | Self::Name { .. } => {}
            Self::Not(inner) => inner.walk(visit),
            Self::And(members) | Self::Or(members) => members.iter().for_each(|m| m.walk(visit)),
            Self::Compare { left, right, .. } | Self::Arithmetic { left, right, .. } => {
                left.walk(visit);
                right.walk(visit);
            }
            Self::In { item, list } => {
                item.walk(visit);
                list.iter().for_each(|m| m.walk(visit));
            }
        }
    }

    fn pair_with<'n>(&'n self, other: &'n Node) -> Option<(&'n str, &'n Value)> {
        match (self, other) {
            (Self::Name { name, .. }, Self::Literal(value)) => Some((name, value)),
            _ => None,
        }
    }
}

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source)
    }
}

impl std::str::FromStr for Expr {
    type Err = ExprError;
    fn from_str(source: &str) -> Result<Self, Self::Err> {
        Self::parse(source)
    }
}

impl Serialize for Expr {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.source)
    }
}

impl<'de> Deserialize<'de> for Expr {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// Why a condition does not parse.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{message} at column {column}")]
pub struct ExprError {
    /// What is wrong, as a fragment.
    pub message: String,
    /// One-based column (in characters) in the condition's text.
    pub column: usize,
}

#[cfg(test)]
mod tests;
