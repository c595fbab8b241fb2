//! Why a level ended before its plan did.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The kind of rule that ended a level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StopRule {
    /// Over-saturation: more came in than went out.
    Saturated,
    /// An SLO on a percentile cannot be met any more.
    Missed,
    /// A mean is surely worse than an incumbent's.
    Loser,
    /// A mean is known well enough.
    Precise,
    /// A number of requests or seconds.
    Limit,
}

impl StopRule {
    /// Its name, as it is stored.
    pub fn name(self) -> &'static str {
        match self {
            Self::Saturated => "saturated",
            Self::Missed => "missed",
            Self::Loser => "loser",
            Self::Precise => "precise",
            Self::Limit => "limit",
        }
    }
}

/// A level that was ended before its plan was through. What was in flight was awaited, the rest never sent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Stopped {
    /// What ended it.
    pub rule: StopRule,
    /// Seconds after the window opened; the window ends there.
    pub after_s: f64,
    /// In words, with the numbers.
    pub reason: String,
    /// Over-saturation: the share of the arrivals by which requests piled up, 0..1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub surplus: Option<f64>,
}
