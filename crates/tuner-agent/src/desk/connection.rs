//! The connection to the model, for people: seen, and set anew. No tool reaches it.

use tuner_app::AppError;
use tuner_app::access::Permit;
use tuner_core::with_causes;
use tuner_policy::Action;

use super::Desk;
use crate::error::AgentError;
use crate::setup::{ConnectionChange, ConnectionView, Setup, SetupError};

impl From<SetupError> for AgentError {
    fn from(error: SetupError) -> Self {
        match error {
            SetupError::SetBy { variable } => Self::SetBy(variable),
            SetupError::Value { field, what, hint } => Self::Invalid { field, message: format!("{what}; {hint}") },
            SetupError::Read { path, source } => Self::App(AppError::Read { path, source }),
            SetupError::Write { path, source } => Self::App(AppError::Write { path, source }),
            error @ SetupError::File { .. } => Self::Invalid { field: "agent.json", message: with_causes(&error) },
            SetupError::Provider(error) => {
                Self::Invalid { field: "provider", message: format!("{}; {}", with_causes(&error), error.hint()) }
            }
        }
    }
}

impl Desk {
    fn kept(&self) -> Result<Setup, AgentError> {
        let message = "the settings of this agent are not kept in a file".to_owned();
        self.agent().settings().kept.clone().ok_or(AgentError::Invalid { field: "agent.json", message })
    }

    /// Which model is asked, and by whose word; never a key.
    ///
    /// # Errors
    /// The settings file cannot be read.
    pub fn connection(&self, permit: &Permit) -> Result<ConnectionView, AgentError> {
        permit.must_be_for(Action::AgentRead)?;
        Ok(self.kept()?.view()?)
    }

    /// Changes the settings file, and asks the model that it names from now on.
    ///
    /// # Errors
    /// [`AgentError::SetBy`]; [`AgentError::Invalid`] for what cannot be used: then nothing is changed.
    pub fn connect(&self, permit: &Permit, change: &ConnectionChange) -> Result<ConnectionView, AgentError> {
        permit.must_be_for(Action::AgentWrite)?;
        let kept = self.kept()?;
        let settings = kept.change(change)?;
        self.agent().connect(&settings).map_err(SetupError::from)?;
        Ok(kept.view()?)
    }
}
