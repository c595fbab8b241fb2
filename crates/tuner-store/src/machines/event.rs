//! What happened to a machine.

use serde::{Deserialize, Serialize};

/// A change of a machine. Variants are added, never renamed or removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MachineChange {
    /// It is new.
    Stored,
    /// It is reached otherwise, or its worker is to be started otherwise.
    Changed,
    /// A worker was deployed to it.
    Deployed,
    /// It has another name.
    Renamed,
    /// It is gone.
    Forgotten,
}
