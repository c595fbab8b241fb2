//! What is asked of a chat model and what comes back, in our own words.
//!
//! *Invariant*: no provider's field name stands here; the two protocols translate.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// One question: everything the model is told.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ChatRequest {
    /// The system text; may be empty.
    pub system: String,
    /// The conversation so far, oldest first.
    pub messages: Vec<ChatMessage>,
    /// What the model may call.
    pub tools: Vec<ToolSpec>,
}

/// One message of a conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "role", rename_all = "snake_case")]
pub enum ChatMessage {
    /// What the person (or the program in their name) said.
    User {
        /// Its text.
        text: String,
    },
    /// What the model said and asked for.
    Assistant {
        /// Its text; empty if it only called tools.
        text: String,
        /// Its calls, in order.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        calls: Vec<ToolCall>,
    },
    /// The result of one call.
    Tool {
        /// [`ToolCall::id`].
        call_id: String,
        /// [`ToolCall::name`].
        name: String,
        /// What the model is to read.
        content: String,
    },
}

/// A call that the model asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolCall {
    /// Not empty, and used by no earlier call of the conversation; made up where the server gave none.
    pub id: String,
    /// Name of the tool, as the model wrote it; empty if it wrote none.
    pub name: String,
    /// The arguments as the model wrote them, which need not be JSON.
    pub arguments: String,
}

/// A tool that the model may call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ToolSpec {
    /// Letters, digits, `_` and `-`.
    pub name: String,
    /// What it does, for the model.
    pub description: String,
    /// JSON schema of an object.
    pub parameters: serde_json::Value,
}

/// A piece of an answer, as it comes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delta {
    /// More of the text.
    Text(String),
    /// More of the model's own thinking.
    Reasoning(String),
    /// A call begins; calls are numbered from 0 in their order.
    CallBegun {
        /// Place among the calls of this answer.
        index: usize,
        /// [`ToolCall::id`].
        id: String,
        /// [`ToolCall::name`].
        name: String,
    },
    /// More of a call's arguments, which begun before.
    CallArguments {
        /// Place among the calls of this answer.
        index: usize,
        /// The next part of the text.
        piece: String,
    },
    /// The try failed before anything was said; the next one begins later.
    Retrying {
        /// Number of the try that comes, from 2.
        attempt: u32,
        /// When.
        after: Duration,
        /// What happened.
        why: String,
    },
}

/// A whole answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The text; the pieces told, joined.
    pub text: String,
    /// The model's thinking, if the server shows it.
    pub reasoning: String,
    /// The calls, in order.
    pub calls: Vec<ToolCall>,
    /// Why it ended.
    pub finish: Finish,
    /// What it cost; `None` where the server does not say.
    pub usage: Option<Usage>,
    /// The model that answered, by the server's own word.
    pub model: String,
}

/// Why an answer ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Finish {
    /// The model had said everything.
    Stop,
    /// The model waits for results.
    ToolCalls,
    /// The limit of tokens cut it; the last call's arguments may be cut too.
    Length,
    /// The provider withheld it.
    ContentFilter,
    /// Another reason, in the server's word.
    Other(String),
}

/// Tokens of one or several answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Everything that was read, cached or not.
    pub input_tokens: u64,
    /// The part of it that came from the provider's cache.
    pub cached_tokens: u64,
    /// Everything that was written, thinking included.
    pub output_tokens: u64,
    /// The part of it that was thinking.
    pub reasoning_tokens: u64,
}

impl std::ops::AddAssign for Usage {
    fn add_assign(&mut self, other: Self) {
        self.input_tokens += other.input_tokens;
        self.cached_tokens += other.cached_tokens;
        self.output_tokens += other.output_tokens;
        self.reasoning_tokens += other.reasoning_tokens;
    }
}
