//! What happened to a worker.

use serde::{Deserialize, Serialize};

use super::Asked;
use crate::Owner;

/// A change of a worker. Variants and fields are added, never renamed or removed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum WorkerChange {
    /// It began, or has other things than before.
    Registered {
        /// The process.
        owner: Owner,
        /// Version of its program.
        version: String,
    },
    /// Somebody wants something of it.
    Asked {
        /// What.
        asked: Asked,
    },
    /// It ended, or was given up.
    Removed,
}
