//! What happened to a preset or a data set.

use serde::{Deserialize, Serialize};

/// What it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ShelfKind {
    /// A named set of parameters.
    Preset,
    /// Requests from a file or an address.
    Dataset,
}

/// A change of it. Variants are added, never renamed or removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ShelfChange {
    /// It is new.
    Stored,
    /// It says something else now.
    Changed,
    /// It is gone.
    Deleted,
}
