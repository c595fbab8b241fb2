//! Who asks.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What a token lets its bearer do. Each role may do all that the one before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Sees tasks, experiments and the machine.
    Viewer,
    /// Also creates, changes, cancels and deletes tasks.
    Operator,
    /// Also sees what everybody did.
    Admin,
}

impl Role {
    /// Every role, the least first.
    pub const ALL: [Self; 3] = [Self::Viewer, Self::Operator, Self::Admin];

    /// The word in tables and command lines.
    pub fn word(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for Role {
    type Err = String;
    fn from_str(word: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|role| role.word() == word);
        found.ok_or_else(|| format!("{word:?} is no role; there are viewer, operator and admin"))
    }
}

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Actor {
    /// Nobody is known: no token, and not on this machine.
    Anonymous,
    /// Whoever is on this machine, without a token.
    Local,
    /// The bearer of a token.
    Token {
        /// What it allows.
        role: Role,
    },
}

impl Actor {
    /// Every actor.
    pub const ALL: [Self; 5] = [
        Self::Anonymous,
        Self::Token { role: Role::Viewer },
        Self::Token { role: Role::Operator },
        Self::Token { role: Role::Admin },
        Self::Local,
    ];

    /// The word in tables.
    pub fn word(self) -> &'static str {
        match self {
            Self::Anonymous => "anonymous",
            Self::Local => "local",
            Self::Token { role } => role.word(),
        }
    }
}
