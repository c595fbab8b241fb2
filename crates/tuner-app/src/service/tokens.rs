//! Tokens for doors.

use chrono::{DateTime, Utc};
use tuner_policy::{Action, Role};
use tuner_store::TokenRow;

use super::Service;
use crate::access::Permit;
use crate::error::AppError;
use crate::tokens::{self, Created};

/// Longest name.
const LONGEST_NAME: usize = 100;

impl Service {
    /// The tokens, without their secrets.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn list_tokens(&self, permit: &Permit) -> Result<Vec<TokenRow>, AppError> {
        permit.must_be_for(Action::TokenRead)?;
        Ok(self.store().tokens().await?)
    }

    /// Makes a token.
    ///
    /// # Errors
    /// [`AppError::Invalid`]; [`AppError::NoRandomness`]; [`AppError::Store`].
    pub async fn create_token(
        &self,
        permit: &Permit,
        role: Role,
        name: &str,
        expires_at: Option<DateTime<Utc>>,
    ) -> Result<Created, AppError> {
        permit.must_be_for(Action::TokenCreate)?;
        let name = name.trim();
        if name.is_empty() || name.chars().count() > LONGEST_NAME || name.contains(char::is_control) {
            let message = format!("1 to {LONGEST_NAME} characters on one line");
            return Err(AppError::Invalid { field: "name", message });
        }
        if expires_at.is_some_and(|end| end <= Utc::now()) {
            return Err(AppError::Invalid { field: "expires_at", message: "it is in the past".to_owned() });
        }
        tokens::create(self.store(), role, name, expires_at).await
    }

    /// Takes the token with this id back.
    ///
    /// # Errors
    /// [`AppError::Store`]: no such token.
    pub async fn revoke_token(&self, permit: &Permit, id: &str) -> Result<(), AppError> {
        permit.must_be_for(Action::TokenRevoke)?;
        // By its id alone: a name may stand for several.
        if self.store().token(id).await?.is_none() {
            return Err(AppError::Absent { what: format!("token {id:?}") });
        }
        self.store().revoke_token(id).await?;
        Ok(())
    }
}
