//! Why work on a task stopped.

use tuner_core::Failure;
use tuner_store::{Holder, StoreError};

/// Work on a task could not go on. The rows are as they were after the last step; the task can be resumed.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// Another process works on it.
    #[error("the task is held by {holder}")]
    Busy {
        /// Who.
        holder: Box<Holder>,
    },
    /// Another process took it while we asked.
    #[error("another process took the task at the same moment")]
    ClaimRace,
    /// The lease expired and somebody else works on it now.
    #[error("another worker took the task over")]
    LeaseLost,
    /// The store failed.
    #[error("the store does not work")]
    Store(#[from] StoreError),
    /// A value cannot be stored.
    #[error("a result cannot be written as JSON")]
    Encode(#[source] serde_json::Error),
    /// An attempt is marked as running although nobody runs it.
    #[error("experiment {number} has an attempt that nobody runs")]
    StrayAttempt {
        /// The experiment.
        number: u32,
    },
    /// The attempt failed; an experiment's matter, not the task's.
    #[error("{}", .0.message)]
    Attempt(Box<Failure>),
    /// What an earlier run left cannot be cleaned up.
    #[error("what an earlier run left behind cannot be stopped")]
    Reap(#[from] tuner_deploy::DeployError),
}

impl RunError {
    /// Whether somebody else has what was worked on.
    pub fn is_lease_lost(&self) -> bool {
        matches!(self, Self::LeaseLost | Self::Store(StoreError::LeaseLost { .. }))
    }
}

impl From<Failure> for RunError {
    fn from(failure: Failure) -> Self {
        Self::Attempt(Box::new(failure))
    }
}
