//! Why a level could not be measured at all. A request that fails is no error but a record.

use crate::client::TargetError;
use crate::dataset::{DatasetError, FetchError};
use crate::plan::PlanError;
use crate::protocol::{BuildError, ContentError};
use crate::tokens::TokenError;

/// Why a level could not be measured.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// The address or a header cannot be used.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// The level cannot be planned.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// There is no tokenizer, or no exact prompt.
    #[error(transparent)]
    Tokens(#[from] TokenError),
    /// The data set cannot be used.
    #[error(transparent)]
    Dataset(#[from] DatasetError),
    /// The data set cannot be fetched.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// The protocol cannot carry what was asked.
    #[error(transparent)]
    Content(#[from] ContentError),
    /// The endpoint cannot be reached or does not speak the protocol.
    #[error("{url}: {what}")]
    Endpoint {
        /// What was called.
        url: String,
        /// What happened.
        what: String,
    },
    /// A thread of the load generator could not be started or died.
    #[error("a client thread could not do its work: {0}")]
    Thread(String),
}

impl From<BuildError> for BenchError {
    fn from(error: BuildError) -> Self {
        match error {
            BuildError::Tokens(error) => Self::Tokens(error),
            BuildError::Content(error) => Self::Content(error),
        }
    }
}
