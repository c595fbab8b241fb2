//! The use cases of conversations. Each wants a permit, as those of `tuner_app::service` do.
//!
//! *Invariant*: a conversation is its owner's: for everybody else there is none. What decides about calls is another
//! action than what talks, and no tool has it.

mod client;
mod connection;
mod leave;
mod told;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::{Value, json};
use tuner_app::access::Permit;
use tuner_core::with_causes;
use tuner_llm::{ChatMessage, ChatRequest, Check};
use tuner_policy::chat::{Command, Mode};
use tuner_policy::{Action, Actor, Role};
use tuner_store::{
    CallRow, ChatMessageRow, ChatRole, ChatRun, ChatSession, Conversation, Feedback, NewMessage, NewSession,
    SessionPage, StoreError,
};
use uuid::Uuid;

use crate::driver::Agent;
use crate::error::AgentError;

pub use leave::{Approval, GrantWish};

/// The longest message, in characters.
const LONGEST: usize = 100_000;
/// Messages of a conversation that is taken over.
const MOST_TAKEN_OVER: usize = 1000;
/// The longest title.
const TITLE: usize = 100;
/// What a conversation is called until something is said in it.
const UNTITLED: &str = "New conversation";

/// What there is to say about the agent.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct View {
    /// Whether it can be talked with.
    pub available: bool,
    /// Whose model it is.
    pub provider: Option<String>,
    /// The model.
    pub model: Option<String>,
    /// Settings that are missing.
    pub missing_config: Vec<&'static str>,
    /// The same in a sentence.
    pub message: String,
}

/// The use cases. Clones share the agent.
#[derive(Clone, Debug)]
pub struct Desk(Agent);

impl Desk {
    /// The desk of an agent.
    pub fn new(agent: Agent) -> Self {
        Self(agent)
    }

    /// The agent.
    pub fn agent(&self) -> &Agent {
        &self.0
    }

    /// The data directory.
    pub fn home(&self) -> &tuner_app::Home {
        self.0.service().home()
    }

    /// The store, to follow what happens.
    pub fn store(&self) -> &tuner_store::Store {
        self.0.store()
    }

    /// Whether the agent can be talked with.
    ///
    /// # Errors
    /// The permit is for something else.
    pub fn status(&self, permit: &Permit) -> Result<View, AgentError> {
        permit.must_be_for(Action::ChatRead)?;
        let connection = self.0.connection();
        let (provider, missing) = (connection.provider.as_ref(), connection.missing.clone());
        let available = self.0.model().is_some();
        let message = if available {
            "ready".to_owned()
        } else if missing.is_empty() {
            "the chat model's settings are not usable; see the log".to_owned()
        } else {
            format!("set {} to talk with the agent", missing.join(" and "))
        };
        Ok(View {
            available,
            provider: provider.map(|p| p.kind.name().to_owned()),
            model: provider.map(|p| p.model.clone()),
            missing_config: missing,
            message,
        })
    }

    /// Tries the connection to the model.
    ///
    /// # Errors
    /// [`AgentError::NotConfigured`].
    pub async fn check(&self, permit: &Permit) -> Result<Check, AgentError> {
        permit.must_be_for(Action::ChatWrite)?;
        Ok(self.model()?.check().await)
    }

    fn model(&self) -> Result<Arc<tuner_llm::ChatModel>, AgentError> {
        let missing = || AgentError::NotConfigured { missing: self.0.connection().missing.clone() };
        self.0.model().ok_or_else(missing)
    }

    /// Begins a conversation.
    ///
    /// # Errors
    /// [`AgentError::Invalid`] for a title that is too long.
    pub async fn begin(
        &self,
        permit: &Permit,
        title: Option<String>,
        mode: Option<Mode>,
    ) -> Result<ChatSession, AgentError> {
        permit.must_be_for(Action::ChatWrite)?;
        let title = title.map(checked_title).transpose()?.unwrap_or_else(|| UNTITLED.to_owned());
        let owner = permit.asker().key_space();
        let new = NewSession {
            id: permit.makes(),
            owner,
            title: self.0.redactor().clean(&title),
            mode: mode.unwrap_or_default(),
        };
        Ok(self.0.store().create_session(new).await?)
    }

    /// Takes over a conversation that a page kept by itself; `None` if it is there already. It is as its client says it
    /// is, so nothing in it is a call or leave for one.
    ///
    /// # Errors
    /// [`AgentError::Invalid`].
    pub async fn import(
        &self,
        permit: &Permit,
        id: Uuid,
        began: DateTime<Utc>,
        said: Vec<(ChatRole, String, DateTime<Utc>)>,
    ) -> Result<Option<ChatSession>, AgentError> {
        permit.must_be_for(Action::ChatWrite)?;
        if said.len() > MOST_TAKEN_OVER || said.iter().any(|(_, text, _)| text.chars().count() > LONGEST) {
            let message = format!("at most {MOST_TAKEN_OVER} messages of at most {LONGEST} characters are taken over");
            return Err(AgentError::Invalid { field: "messages", message });
        }
        // Those of clients are made by this service alone: who made one could give it leave beforehand.
        if id.get_version_num() == 8 {
            let message = "this id belongs to a client's conversation".to_owned();
            return Err(AgentError::Invalid { field: "session_id", message });
        }
        let clean = |(role, text, at): (ChatRole, String, DateTime<Utc>)| (role, self.0.redactor().clean(&text), at);
        let said: Vec<_> = said.into_iter().map(clean).collect();
        let title = said.first().and_then(|(_, text, _)| title_of(text)).unwrap_or_else(|| UNTITLED.to_owned());
        let new = NewSession { id, owner: permit.asker().key_space(), title, mode: Mode::Ask };
        Ok(self.0.store().import_session(new, began, said).await?)
    }

    /// One's conversations, those that changed last first; an administrator's list holds everybody's.
    ///
    /// # Errors
    /// The store failed.
    pub async fn list(
        &self,
        permit: &Permit,
        text: Option<&str>,
        before: Option<DateTime<Utc>>,
        limit: u32,
    ) -> Result<SessionPage, AgentError> {
        permit.must_be_for(Action::ChatRead)?;
        let owner = permit.asker().key_space();
        let owner = (!is_admin(permit)).then_some(owner.as_str());
        // No text holds a NUL, and PostgreSQL takes none.
        let text = text.filter(|text| !text.contains('\0'));
        Ok(self.0.store().sessions(owner, text, before, limit).await?)
    }

    /// A conversation with all that was said and done in it.
    ///
    /// # Errors
    /// [`AgentError::NoSuchSession`].
    pub async fn show(&self, permit: &Permit, session: &str) -> Result<Conversation, AgentError> {
        permit.must_be_for(Action::ChatRead)?;
        let id = self.mine(permit, session).await?.id;
        Ok(self.0.store().conversation(id).await?)
    }

    /// A conversation alone.
    ///
    /// # Errors
    /// [`AgentError::NoSuchSession`].
    pub async fn session(&self, permit: &Permit, session: &str) -> Result<ChatSession, AgentError> {
        permit.must_be_for(Action::ChatRead)?;
        self.mine(permit, session).await
    }

    /// The same for whoever is going to say something in it.
    ///
    /// # Errors
    /// [`AgentError::NoSuchSession`].
    pub async fn session_to_write(&self, permit: &Permit, session: &str) -> Result<ChatSession, AgentError> {
        permit.must_be_for(Action::ChatWrite)?;
        self.mine(permit, session).await
    }

    /// Calls it otherwise, or has it treat calls otherwise.
    ///
    /// # Errors
    /// [`AgentError::NoSuchSession`], [`AgentError::Invalid`].
    pub async fn change(
        &self,
        permit: &Permit,
        session: &str,
        title: Option<String>,
        mode: Option<Mode>,
    ) -> Result<ChatSession, AgentError> {
        permit.must_be_for(Action::ChatWrite)?;
        let id = self.mine(permit, session).await?.id;
        let title = title.map(checked_title).transpose()?.map(|title| self.0.redactor().clean(&title));
        Ok(self.0.store().change_session(id, title, mode).await?)
    }

    /// Has the model name a conversation; without a model its first message does.
    ///
    /// # Errors
    /// [`AgentError::NoSuchSession`].
    pub async fn name(&self, permit: &Permit, session: &str) -> Result<ChatSession, AgentError> {
        permit.must_be_for(Action::ChatWrite)?;
        let id = self.mine(permit, session).await?.id;
        let talk = self.0.store().conversation(id).await?;
        let Some(first) = talk.messages.first().map(|m| m.body.text.clone()) else {
            return Err(AgentError::Invalid { field: "session", message: "nothing was said in it yet".to_owned() });
        };
        let said: Vec<String> = talk.messages.iter().take(4).map(|m| m.body.text.chars().take(500).collect()).collect();
        let request = ChatRequest {
            system: "Name this conversation in six to eight words, in its language. Answer with the name alone."
                .to_owned(),
            messages: vec![ChatMessage::User { text: said.join("\n---\n") }],
            tools: Vec::new(),
        };
        let named = match self.0.model() {
            Some(model) => match model.ask(&request, &mut |_| {}).await {
                Ok(reply) => Some(reply.text),
                Err(error) => {
                    tracing::warn!(error = %with_causes(&error), "the model gave no title");
                    None
                }
            },
            None => None,
        };
        let named = named.as_deref().and_then(title_of).or_else(|| title_of(&first));
        let title = named.unwrap_or_else(|| UNTITLED.to_owned());
        Ok(self.0.store().change_session(id, Some(self.0.redactor().clean(&title)), None).await?)
    }

    /// Removes a conversation; what is under way in it is stopped.
    ///
    /// # Errors
    /// [`AgentError::NoSuchSession`].
    pub async fn delete(&self, permit: &Permit, session: &str) -> Result<(), AgentError> {
        permit.must_be_for(Action::ChatWrite)?;
        let id = self.mine(permit, session).await?.id;
        self.stop_run(permit, id).await?;
        Ok(self.0.store().delete_session(id).await?)
    }

    /// Says something. If the model is at work it hears it before it answers next.
    ///
    /// # Errors
    /// [`AgentError::NoSuchSession`], [`AgentError::NotConfigured`], [`AgentError::Invalid`].
    pub async fn say(
        &self,
        permit: &Permit,
        session: &str,
        text: &str,
    ) -> Result<(ChatMessageRow, ChatRun), AgentError> {
        permit.must_be_for(Action::ChatWrite)?;
        let known = self.mine(permit, session).await?;
        self.model()?;
        let text = text.trim();
        if text.is_empty() || text.chars().count() > LONGEST {
            let message = format!("a message has 1 to {LONGEST} characters");
            return Err(AgentError::Invalid { field: "content", message });
        }
        let text = self.0.redactor().clean(text);
        if known.message_count == 0
            && known.title == UNTITLED
            && let Some(title) = title_of(&text)
        {
            self.0.store().change_session(known.id, Some(title), None).await?;
        }
        let new = NewMessage { id: permit.makes(), text, asker: asker(permit) };
        Ok(self.0.store().say(known.id, new).await?)
    }

    /// Stops what is under way in a conversation: nothing more is started, and what runs is cut off. Gives the run.
    ///
    /// # Errors
    /// [`AgentError::NoSuchSession`].
    pub async fn stop(&self, permit: &Permit, session: &str) -> Result<Option<ChatRun>, AgentError> {
        permit.must_be_for(Action::ChatWrite)?;
        let id = self.mine(permit, session).await?.id;
        self.stop_run(permit, id).await
    }

    async fn stop_run(&self, permit: &Permit, session: Uuid) -> Result<Option<ChatRun>, AgentError> {
        let live = self.0.store().live_runs().await?;
        let Some(run) = live.into_iter().find(|run| run.session == session) else { return Ok(None) };
        let stop = Command::Stop { by: permit.asker().describe() };
        self.0.store().apply(run.run.id, stop, self.0.rules()).await?;
        self.0.interrupt(run.run.id);
        Ok(Some(self.0.store().chat_run(run.run.id).await?))
    }

    /// Goes on after a run that failed, was stopped or reached a limit, without a new message.
    ///
    /// # Errors
    /// [`AgentError::NoSuchSession`]; [`StoreError::WrongState`] while a run is under way.
    pub async fn resume(&self, permit: &Permit, session: &str) -> Result<ChatRun, AgentError> {
        permit.must_be_for(Action::ChatWrite)?;
        let id = self.mine(permit, session).await?.id;
        self.model()?;
        Ok(self.0.store().begin_run(id, &asker(permit)).await?)
    }

    /// What a person thinks of a message; `None` takes it back.
    ///
    /// # Errors
    /// [`AgentError::NoSuchSession`]; [`StoreError::NotFound`].
    pub async fn rate(
        &self,
        permit: &Permit,
        session: &str,
        message: Uuid,
        feedback: Option<Feedback>,
    ) -> Result<ChatMessageRow, AgentError> {
        permit.must_be_for(Action::ChatWrite)?;
        let id = self.mine(permit, session).await?.id;
        let clean = |feedback: Feedback| Feedback {
            good: feedback.good,
            text: feedback.text.map(|text| self.0.redactor().clean(&text)),
        };
        Ok(self.0.store().rate_message(id, message, feedback.map(clean)).await?)
    }

    /// A conversation as Markdown.
    ///
    /// # Errors
    /// [`AgentError::NoSuchSession`].
    pub async fn export(&self, permit: &Permit, session: &str) -> Result<String, AgentError> {
        use std::fmt::Write as _;
        let talk = self.show(permit, session).await?;
        let mut text = format!("# {}\n\n{}\n", talk.session.title, talk.session.created_at.to_rfc3339());
        for message in &talk.messages {
            let _ =
                write!(text, "\n## {} · {}\n\n{}\n", message.role, message.created_at.to_rfc3339(), message.body.text);
            for row in talk.calls.iter().filter(|row| row.message == message.id) {
                let state = row.call.state.word();
                let _ = write!(text, "\n- `{}` {state}\n\n  ```json\n  {}\n  ```\n", row.call.tool, row.call.arguments);
            }
        }
        Ok(text)
    }

    /// What a conversation used, all runs together.
    ///
    /// # Errors
    /// [`AgentError::NoSuchSession`].
    pub async fn usage(&self, permit: &Permit, session: &str) -> Result<Value, AgentError> {
        let talk = self.show(permit, session).await?;
        let mut sum = tuner_store::ChatUsage::default();
        talk.runs.iter().for_each(|run| sum += run.usage);
        let steps: u32 = talk.runs.iter().map(|run| run.run.steps).sum();
        let cost = self.0.settings().prices.map(|prices| prices.cost(sum));
        Ok(json!({
            "usage": sum,
            "cost": cost,
            "runs": talk.runs.len(),
            "model_answers": steps,
            "tool_calls": talk.calls.len(),
        }))
    }

    async fn call(&self, session: Uuid, call: Uuid) -> Result<CallRow, AgentError> {
        Ok(self.0.store().chat_call(session, call).await?)
    }

    /// A conversation of the one who asks, or anybody's for an administrator who reads.
    async fn mine(&self, permit: &Permit, session: &str) -> Result<ChatSession, AgentError> {
        let found = self.find(session).await?;
        let reads = permit.action() == Action::ChatRead && is_admin(permit);
        let may = found.owner == permit.asker().key_space() || reads;
        if may { Ok(found) } else { Err(AgentError::NoSuchSession(session.to_owned())) }
    }

    async fn find(&self, session: &str) -> Result<ChatSession, AgentError> {
        let absent = || AgentError::NoSuchSession(session.to_owned());
        let id: Uuid = session.parse().map_err(|_| absent())?;
        match self.0.store().session(id).await {
            Err(StoreError::NotFound { .. }) => Err(absent()),
            other => Ok(other?),
        }
    }
}

/// Who asks, as it is kept with what they begin.
fn asker(permit: &Permit) -> Value {
    serde_json::to_value(permit.asker()).unwrap_or_default()
}

fn is_admin(permit: &Permit) -> bool {
    matches!(permit.asker().actor, Actor::Local | Actor::Token { role: Role::Admin })
}

fn checked_title(title: String) -> Result<String, AgentError> {
    let title = title.trim().to_owned();
    if title.is_empty() || title.chars().count() > TITLE || title.chars().any(char::is_control) {
        return Err(AgentError::Invalid { field: "title", message: format!("a title has 1 to {TITLE} characters") });
    }
    Ok(title)
}

/// The first line of a text, cut to what fits into a list.
fn title_of(text: &str) -> Option<String> {
    let line =
        text.lines().map(|line| line.trim_matches(['"', '\'', '#', '*', ' ', '.'])).find(|line| !line.is_empty())?;
    Some(if line.chars().count() > 50 { line.chars().take(49).chain(['…']).collect() } else { line.to_owned() })
}
