//! Calls of models that are not this service's own: those of clients, which ask for one tool at a time.
//!
//! *Invariant*: a client's call is a call like any other, in a conversation of its own: the same gate, the same leave,
//! the same rows. Who holds the client's token does not decide about its calls.

use std::time::Duration;

use serde_json::Value;
use sha2::{Digest, Sha256};
use tuner_app::access::Permit;
use tuner_llm::ToolCall;
use tuner_policy::Action;
use tuner_policy::chat::{CallState, Mode};
use tuner_store::{CallRow, ChatSession, NewSession, StoreError};
use uuid::{Builder, Uuid};

use super::{Desk, TITLE, asker, is_admin};
use crate::error::AgentError;

/// How often one looks at a call that nothing told of.
const LOOK: Duration = Duration::from_secs(1);

impl Desk {
    /// The conversation of a client: the same one each time for its owner and name.
    ///
    /// # Errors
    /// The store failed.
    pub async fn of_client(&self, permit: &Permit, client: &str, mode: Mode) -> Result<ChatSession, AgentError> {
        permit.must_be_for(Action::ChatWrite)?;
        let owner = permit.asker().key_space();
        let mut hash = Sha256::new();
        for part in [owner.as_str(), client, mode.word()] {
            hash.update(part);
            hash.update([0]);
        }
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&hash.finalize()[..16]);
        let id = Builder::from_custom_bytes(bytes).into_uuid();
        // It is there for every call but the first, and looking holds nobody up.
        match self.0.store().session(id).await {
            Err(StoreError::NotFound { .. }) => {}
            known => return Ok(known?),
        }
        let name: String = client.chars().filter(|c| !c.is_control()).take(TITLE - 5).collect();
        let title = self.0.redactor().clean(&format!("MCP: {}", name.trim()));
        let new = NewSession { id, owner, title, mode };
        Ok(self.0.store().create_session(new).await?)
    }

    /// Has a tool called for a client. The same call while the first is not over is the first.
    ///
    /// # Errors
    /// [`AgentError::NoSuchSession`]; [`StoreError::WrongState`] while the service's own model is at work
    /// in the conversation.
    pub async fn call_tool(
        &self,
        permit: &Permit,
        session: &ChatSession,
        client: &str,
        tool: &str,
        arguments: &Value,
    ) -> Result<CallRow, AgentError> {
        permit.must_be_for(Action::ChatWrite)?;
        let (session, asker) = (own(permit, session)?, asker(permit));
        let call = ToolCall { id: String::new(), name: tool.to_owned(), arguments: arguments.to_string() };
        let new = self.0.propose(session, &asker, 0, call).await;
        let id = self.0.store().propose(session, &asker, client, new, self.0.patience(), self.0.rules()).await?;
        self.call(session, id).await
    }

    /// A call, as soon as it is over, or waits for a person, or the time is.
    ///
    /// # Errors
    /// [`AgentError::NoSuchSession`]; [`StoreError::Refused`] if the conversation has no such call.
    pub async fn watch_call(
        &self,
        permit: &Permit,
        session: &ChatSession,
        call: Uuid,
        limit: Duration,
    ) -> Result<CallRow, AgentError> {
        permit.must_be_for(Action::ChatWrite)?;
        let session = own(permit, session)?;
        let until = tokio::time::Instant::now() + limit;
        let mut news = self.0.store().watch_events();
        loop {
            news.mark_unchanged();
            let row = self.call(session, call).await?;
            let rests = row.call.state.is_end() || row.call.state == CallState::AwaitingAuthorization;
            if rests || tokio::time::Instant::now() >= until {
                return Ok(row);
            }
            let look = until.min(tokio::time::Instant::now() + LOOK);
            // Another process may have written it, or the service ends: one looks again.
            let _ = tokio::time::timeout_at(look, news.changed()).await;
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// The conversation whose calls somebody may decide about: one's own; of a client's, whoever does not hold its token.
    pub(super) async fn to_decide(&self, permit: &Permit, session: &str) -> Result<ChatSession, AgentError> {
        permit.must_be_for(Action::ChatApprove)?;
        let found = self.find(session).await?;
        let own = found.owner == permit.asker().key_space();
        let clients = self.0.store().is_of_client(found.id).await?;
        if own && clients && permit.asker().token.is_some() {
            return Err(AgentError::OwnClient);
        }
        if own || (clients && is_admin(permit)) {
            Ok(found)
        } else {
            Err(AgentError::NoSuchSession(session.to_owned()))
        }
    }
}

/// The conversation, if it is of the one who asks.
fn own(permit: &Permit, session: &ChatSession) -> Result<Uuid, AgentError> {
    let own = session.owner == permit.asker().key_space();
    if own { Ok(session.id) } else { Err(AgentError::NoSuchSession(session.id.to_string())) }
}
