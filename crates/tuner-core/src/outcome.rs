//! How an experiment ended.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Failure;

/// The end of an experiment. `Infeasible` is knowledge about the configuration, `Failed` is our trouble and says
/// nothing about it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Outcome {
    /// Measured. `partial`: the engine died or was stopped after some of the levels; those measured count.
    Success {
        /// Some levels are missing.
        partial: bool,
        /// Why the missing levels are missing.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        failure: Option<Failure>,
    },
    /// The configuration cannot work here.
    Infeasible {
        /// What it died of, or would have died of.
        failure: Failure,
        /// Nothing was started: that it cannot work was certain before.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        predicted: bool,
    },
    /// Stopped early because it could not win.
    Pruned {
        /// The rule that stopped it.
        reason: String,
    },
    /// It could not be tried.
    Failed {
        /// What went wrong.
        failure: Failure,
    },
    /// A person or a limit stopped it.
    Cancelled,
}

impl Outcome {
    /// The word shown to people.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Success { partial: false, .. } => "success",
            Self::Success { partial: true, .. } => "partial",
            Self::Infeasible { .. } => "infeasible",
            Self::Pruned { .. } => "pruned",
            Self::Failed { .. } => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether it was known beforehand, so that nothing was started and nothing spent.
    pub fn is_predicted(&self) -> bool {
        matches!(self, Self::Infeasible { predicted: true, .. })
    }

    /// The failure it carries, if any.
    pub fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Success { failure, .. } => failure.as_ref(),
            Self::Infeasible { failure, .. } | Self::Failed { failure } => Some(failure),
            Self::Pruned { .. } | Self::Cancelled => None,
        }
    }
}
