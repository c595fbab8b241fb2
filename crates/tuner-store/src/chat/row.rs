//! Conversations as the rest of the program sees them.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use tuner_policy::chat::{Call, Grant, Mode, Run};
use uuid::Uuid;

use super::entity::{calls, grants, messages, runs, sessions};
use crate::StoreError;
use crate::json::{decode, decode_option, number};
use crate::row::words;

words! {
    /// Who says something.
    ChatRole {
        /// A person.
        User = "user",
        /// The model.
        Assistant = "assistant",
        /// This service, about the conversation.
        Note = "note",
    }
}

words! {
    /// Whether a message is whole.
    MessageState {
        /// It waits until the run before it is done.
        Queued = "queued",
        /// It is.
        Complete = "complete",
        /// It was cut off.
        Interrupted = "interrupted",
    }
}

/// A conversation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChatSession {
    /// Its id.
    pub id: Uuid,
    /// Whose it is.
    pub owner: String,
    /// What it is called.
    pub title: String,
    /// How it treats calls that need leave.
    pub mode: Mode,
    /// What stands for the messages that the model is not told any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<Json>,
    /// When it last read text that others may have written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub untrusted_at: Option<DateTime<Utc>>,
    /// How many messages it has.
    pub message_count: u32,
    /// When it began.
    pub created_at: DateTime<Utc>,
    /// When something last changed in it.
    pub updated_at: DateTime<Utc>,
}

impl TryFrom<sessions::Model> for ChatSession {
    type Error = StoreError;
    fn try_from(row: sessions::Model) -> Result<Self, StoreError> {
        Ok(Self {
            id: read_uuid(&row.id)?,
            owner: row.owner,
            title: row.title,
            mode: read_mode(&row.mode)?,
            summary: decode_option(|| "summary".to_owned(), row.summary.as_deref())?,
            untrusted_at: row.untrusted_at,
            message_count: number("messages", row.messages)?,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

/// What a run used, added up over its steps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChatUsage {
    /// Tokens that were sent.
    #[serde(default)]
    pub input_tokens: u64,
    /// Of them, those that the provider had kept.
    #[serde(default)]
    pub cached_tokens: u64,
    /// Tokens that were written.
    #[serde(default)]
    pub output_tokens: u64,
    /// Of them, those of reasoning.
    #[serde(default)]
    pub reasoning_tokens: u64,
    /// Answers of the model that told no usage.
    #[serde(default)]
    pub untold: u64,
}

impl std::ops::AddAssign for ChatUsage {
    fn add_assign(&mut self, other: Self) {
        self.input_tokens += other.input_tokens;
        self.cached_tokens += other.cached_tokens;
        self.output_tokens += other.output_tokens;
        self.reasoning_tokens += other.reasoning_tokens;
        self.untold += other.untold;
    }
}

/// A run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChatRun {
    /// Of this conversation.
    pub session: Uuid,
    /// Where it is.
    #[serde(flatten)]
    pub run: Run,
    /// Who began it, as the application describes askers: its calls are theirs.
    #[serde(skip)]
    pub asker: Json,
    /// What it used.
    pub usage: ChatUsage,
    /// When it began.
    pub created_at: DateTime<Utc>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<DateTime<Utc>>,
}

impl TryFrom<runs::Model> for ChatRun {
    type Error = StoreError;
    fn try_from(row: runs::Model) -> Result<Self, StoreError> {
        Ok(Self {
            session: read_uuid(&row.session_id)?,
            run: decode(|| format!("run {}", row.id), &row.run)?,
            asker: decode(|| format!("asker of run {}", row.id), &row.asker)?,
            usage: decode(|| format!("usage of run {}", row.id), &row.usage)?,
            created_at: row.created_at,
            ended_at: row.ended_at,
        })
    }
}

/// What a message says.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MessageBody {
    /// The text.
    pub text: String,
    /// What the model thought before.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reasoning: String,
    /// The model that wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// What the answer used, as its provider told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<ChatUsage>,
    /// The run was waiting for a person before it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub post_authorization: bool,
    /// What people think of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub feedback: Option<Feedback>,
}

/// What a person thinks of a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Feedback {
    /// Good, or not.
    pub good: bool,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// A message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChatMessageRow {
    /// Its id.
    pub id: Uuid,
    /// Of this conversation.
    pub session: Uuid,
    /// Of this run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<Uuid>,
    /// Its place in the conversation, from 1.
    pub place: u32,
    /// Who says it.
    pub role: ChatRole,
    /// Whether it is whole.
    pub state: MessageState,
    /// What it says.
    #[serde(flatten)]
    pub body: MessageBody,
    /// When it was said.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

impl TryFrom<messages::Model> for ChatMessageRow {
    type Error = StoreError;
    fn try_from(row: messages::Model) -> Result<Self, StoreError> {
        Ok(Self {
            body: decode(|| format!("message {}", row.id), &row.body)?,
            id: read_uuid(&row.id)?,
            session: read_uuid(&row.session_id)?,
            run: row.run_id.as_deref().map(read_uuid).transpose()?,
            place: number("place", row.place)?,
            role: ChatRole::read(&row.role)?,
            state: MessageState::read(&row.state)?,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

/// What a tool gave.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CallResult {
    /// Whether it did what it was asked for.
    pub success: bool,
    /// What the model is told, cut in the middle where the whole is too long.
    pub text: String,
    /// Bytes of the whole.
    pub bytes: u64,
    /// The whole is longer: it is kept, and can be read in parts.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cut: bool,
    /// It holds text that others may have written.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub untrusted: bool,
}

/// A call with everything that its card shows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CallRow {
    /// Itself.
    #[serde(flatten)]
    pub call: Call,
    /// Of this conversation.
    pub session: Uuid,
    /// The message that proposes it.
    pub message: Uuid,
    /// What the provider calls it.
    pub provider_id: String,
    /// What it would do, as this service sees it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effects: Option<Json>,
    /// What it gave.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<CallResult>,
}

impl TryFrom<calls::Model> for CallRow {
    type Error = StoreError;
    fn try_from(row: calls::Model) -> Result<Self, StoreError> {
        Ok(Self {
            call: decode(|| format!("call {}", row.id), &row.call)?,
            session: read_uuid(&row.session_id)?,
            message: read_uuid(&row.message_id)?,
            provider_id: row.provider_id,
            effects: decode_option(|| format!("effects of call {}", row.id), row.effects.as_deref())?,
            result: decode_option(|| format!("result of call {}", row.id), row.result.as_deref())?,
        })
    }
}

impl TryFrom<grants::Model> for GrantRow {
    type Error = StoreError;
    fn try_from(row: grants::Model) -> Result<Self, StoreError> {
        Ok(Self { grant: decode(|| format!("grant {}", row.id), &row.granted)?, session: read_uuid(&row.session_id)? })
    }
}

/// A grant of a conversation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GrantRow {
    /// Itself.
    #[serde(flatten)]
    pub grant: Grant,
    /// The conversation that it is good for.
    pub session: Uuid,
}

/// An id from its column.
pub(super) fn read_uuid(text: &str) -> Result<Uuid, StoreError> {
    text.parse().map_err(|e: uuid::Error| StoreError::Corrupt { what: format!("id {text:?}"), source: Box::new(e) })
}

fn read_mode(word: &str) -> Result<Mode, StoreError> {
    Mode::ALL.into_iter().find(|mode| mode.word() == word).ok_or_else(|| StoreError::Corrupt {
        what: "mode".to_owned(),
        source: format!("{word:?} is not one of its words").into(),
    })
}
