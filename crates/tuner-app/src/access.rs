//! Who asks, and whether they may: the only place that authorises.
//!
//! *Invariant*: a [`Permit`] is made by [`permit`] alone, and every use case of [`crate::service`] wants one for its own
//! action. A door that forgets to ask cannot call.

use serde::{Deserialize, Serialize};
use tuner_policy::{Action, Actor, Decision, Effect, Resource, decide};
use tuner_store::{NewAudit, Store};
use uuid::Uuid;

use crate::error::AppError;

/// Somebody who asks, as far as they are known.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Asker {
    /// Their standing.
    pub actor: Actor,
    /// `local`, or what the token is called.
    pub name: String,
    /// The token's id.
    pub token: Option<String>,
    /// The address they come from.
    pub peer: String,
    /// The request that they make.
    pub request_id: String,
}

impl Asker {
    /// Their standing and name in one word or two.
    pub fn describe(&self) -> String {
        match self.actor {
            Actor::Token { role } => format!("{role} {}", self.name),
            other => other.word().to_owned(),
        }
    }

    /// Whose idempotency keys these are.
    pub fn key_space(&self) -> String {
        self.token.clone().unwrap_or_else(|| self.actor.word().to_owned())
    }
}

/// Leave to do one thing.
#[derive(Clone, Debug)]
pub struct Permit {
    asker: Asker,
    action: Action,
    id: Uuid,
}

impl Permit {
    /// Who may.
    pub fn asker(&self) -> &Asker {
        &self.asker
    }

    /// The same for a request whose client may send it again: what it makes has this id each time.
    #[must_use]
    pub fn making(self, id: Uuid) -> Self {
        Self { id, ..self }
    }

    /// The id of what is made with it. Made under the same id twice it is made once.
    pub fn makes<T: From<Uuid>>(&self) -> T {
        self.id.into()
    }

    /// What they may do.
    pub fn action(&self) -> Action {
        self.action
    }

    /// Refuses unless the permit is for this.
    ///
    /// # Errors
    /// [`AppError::WrongPermit`].
    pub fn must_be_for(&self, wanted: Action) -> Result<(), AppError> {
        if self.action == wanted {
            return Ok(());
        }
        Err(AppError::WrongPermit { permitted: self.action.word(), wanted: wanted.word() })
    }

    /// The same for a resource that is known only now.
    pub(crate) fn must_reach(&self, resource: Resource) -> Result<(), AppError> {
        permit(self.asker.clone(), self.action, resource).map(drop)
    }
}

/// Asks the policy.
///
/// # Errors
/// [`AppError::NeedsRole`], [`AppError::Refused`].
pub fn permit(asker: Asker, action: Action, resource: Resource) -> Result<Permit, AppError> {
    match decide(asker.actor, action, resource) {
        Decision::Allow => Ok(Permit { asker, action, id: Uuid::now_v7() }),
        Decision::NeedsRole(needed) => {
            Err(AppError::NeedsRole { action: action.word(), needed, who: asker.describe() })
        }
        Decision::Deny(why) => Err(AppError::Refused { action: action.word(), why }),
    }
}

/// An entry of the audit log whose end is not written yet.
#[derive(Debug)]
pub struct Entry(i64);

/// Writes down a change before it is tried; `None` for what changes nothing.
///
/// # Errors
/// [`AppError::Store`]: then the change must not be tried.
pub async fn begin(store: &Store, permit: &Permit, target: &str) -> Result<Option<Entry>, AppError> {
    if permit.action.effect() == Effect::Reads {
        return Ok(None);
    }
    note(store, &permit.asker, permit.action, target).await.map(Some)
}

/// Writes down that a change was refused.
///
/// # Errors
/// [`AppError::Store`].
pub async fn refused(store: &Store, asker: &Asker, action: Action, target: &str) -> Result<(), AppError> {
    if action.effect() == Effect::Changes {
        let entry = note(store, asker, action, target).await?;
        end(store, entry, "refused", None).await?;
    }
    Ok(())
}

async fn note(store: &Store, asker: &Asker, action: Action, target: &str) -> Result<Entry, AppError> {
    let new = NewAudit {
        actor: asker.describe(),
        token: asker.token.clone(),
        peer: asker.peer.clone(),
        action: action.word().to_owned(),
        target: target.to_owned(),
        request_id: asker.request_id.clone(),
    };
    Ok(Entry(store.audit_begin(new).await?))
}

/// Writes down how it went; `target` if only the end could tell to what it was done.
///
/// # Errors
/// [`AppError::Store`].
pub async fn end(store: &Store, entry: Entry, outcome: &str, target: Option<&str>) -> Result<(), AppError> {
    Ok(store.audit_end(entry.0, outcome, target).await?)
}
