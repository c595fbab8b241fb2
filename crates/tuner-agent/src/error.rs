//! What the agent refuses or cannot do.

use tuner_app::AppError;
use tuner_store::StoreError;

/// Why something asked of the agent was not done.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// No model is set.
    #[error("no chat model is set: {} missing", missing.join(", "))]
    NotConfigured {
        /// The settings.
        missing: Vec<&'static str>,
    },
    /// A word that is no scope.
    #[error("{0}")]
    NoSuchScope(String),
    /// A field of a request is wrong.
    #[error("{field}: {message}")]
    Invalid {
        /// The field.
        field: &'static str,
        /// Why.
        message: String,
    },
    /// There is no such conversation, or it is somebody else's.
    #[error("there is no conversation {0:?}")]
    NoSuchSession(String),
    /// A setting that a variable of the environment sets.
    #[error("{0} of the service's environment sets this")]
    SetBy(&'static str),
    /// A client's calls are for somebody else to decide about.
    #[error("who holds a client's token does not decide about its calls")]
    OwnClient,
    /// A use case or the store failed.
    #[error(transparent)]
    App(#[from] AppError),
}

impl From<StoreError> for AgentError {
    fn from(error: StoreError) -> Self {
        Self::App(error.into())
    }
}
