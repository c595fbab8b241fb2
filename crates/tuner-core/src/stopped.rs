//! Why a level ended before its plan did.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::measure::{Metric, Stat};
use crate::task::Goal;

/// What a running level has to be able to reach: where it surely cannot, its experiment cannot win.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bar {
    /// Of which figure.
    pub metric: Metric,
    /// Which number of it.
    pub stat: Stat,
    /// Which way is better.
    pub goal: Goal,
    /// What the best so far has, in the metric's unit.
    pub best: f64,
    /// The share of it by which a loser is behind, 0..1.
    pub margin: f64,
}

impl Bar {
    /// The figure beyond which a level is lost.
    pub fn limit(&self) -> f64 {
        match self.goal {
            Goal::Maximize => self.best * (1.0 - self.margin),
            Goal::Minimize => self.best / (1.0 - self.margin),
        }
    }

    /// Whether a figure is worse than the limit.
    pub fn is_missed_by(&self, figure: f64) -> bool {
        match self.goal {
            Goal::Maximize => figure < self.limit(),
            Goal::Minimize => figure > self.limit(),
        }
    }
}

/// The kind of rule that ended a level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StopRule {
    /// Over-saturation: more came in than went out.
    Saturated,
    /// An SLO on a percentile cannot be met any more.
    Missed,
    /// Its experiment surely cannot win.
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
