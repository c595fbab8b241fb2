//! Whether the engine was in a steady state while a level was measured.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Whether the engine was in a steady state in the window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum Steady {
    /// From one moment on, to the end of the window.
    Steady {
        /// Seconds after the window opened; 0 is the whole window.
        from_s: f64,
        /// Length of the window, seconds.
        to_s: f64,
    },
    /// In no part that is long enough.
    None {
        /// Why not.
        reason: Unsteady,
        /// The series that shows it: `tpot`, `output_throughput` or `in_flight`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        series: Option<String>,
        /// How much it changes over the window, as a share of its median; upwards is positive.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        change: Option<f64>,
    },
}

/// Why there is no steady state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Unsteady {
    /// The window is too short, or too little happened in it, to tell.
    TooShort,
    /// It grows all along.
    DriftUp,
    /// It falls all along.
    DriftDown,
    /// It jumps from one level to another.
    LevelShift,
    /// It varies too much, without direction.
    Unstable,
}
