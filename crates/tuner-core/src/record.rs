//! What happened to each request of a level. The load generator and the simulated engine both write these records;
//! every metric is a pure function of them (`tuner-bench`, `report`).
//!
//! All times are seconds on one monotonic clock whose zero is the start of the level.

use serde::{Deserialize, Serialize};

/// A request that a level is going to send.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PlannedRequest {
    /// Position in the level, warm-up included, from 0.
    pub index: u64,
    /// Before the measured window.
    pub warmup: bool,
    /// Planned arrival (open loop); `None` in a closed loop: as soon as a stream is free.
    pub planned_s: Option<f64>,
    /// Prompt length in tokens.
    pub input_tokens: u32,
    /// Output length to ask for, in tokens.
    pub output_tokens: u32,
    /// The request class, where the workload has several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// The model name to ask for, where the workload mixes several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// What the prompt begins with that other prompts of the level may begin with too, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shared: Vec<SharedRun>,
    /// The conversation that it belongs to, from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversation: Option<u64>,
    /// Which turn of it, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn: Option<u32>,
}

impl PlannedRequest {
    /// Names everything that is said in its conversation, as the key of a [`SharedRun`].
    pub fn conversation_key(&self) -> Option<u64> {
        // Other keys are mixed; these count down from the end.
        self.conversation.map(|number| u64::MAX - number)
    }

    /// Leading tokens that other prompts may have too.
    pub fn shared_tokens(&self) -> u32 {
        self.shared.iter().map(|run| run.tokens).sum()
    }
}

/// A conversation that a level is going to hold: requests that follow each other.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PlannedConversation {
    /// Its number, from 0.
    pub number: u64,
    /// Who holds it, where each user has a schedule of its own.
    pub user: Option<u32>,
    /// Its turns; at least one.
    pub turns: Vec<PlannedTurn>,
}

/// One turn of a conversation.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PlannedTurn {
    /// What is sent. Its input is the whole prompt, answers taken to be as long as they are asked to be. `planned_s`
    /// stands where the time is known beforehand: at the first turn of an open loop, or at every turn where users have a
    /// schedule; in a closed loop at the first turn of each user.
    pub request: PlannedRequest,
    /// Tokens of the prompt that are new in this turn.
    pub own_tokens: u32,
    /// How long the user thinks after the answer, seconds.
    pub think_s: f64,
}

/// Tokens that are the same wherever their key is the same: two prompts whose runs begin alike begin alike. A shorter
/// run of a key is the beginning of a longer one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SharedRun {
    /// Names the content.
    pub key: u64,
    /// Its length.
    pub tokens: u32,
}

/// One read from the socket that carried at least one token-bearing event.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct TokenRead {
    /// When it arrived: the kernel's time of receipt, else when the read returned.
    pub at_s: f64,
    /// Token-bearing events in it.
    pub events: u32,
    /// Tokens in it, where the engine says so (continuous usage).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens: Option<u32>,
}

/// How a request ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Fate {
    /// It ended as a stream must end, with an answer.
    Completed,
    /// It did not.
    Failed {
        /// Error class: `connect`, `http_503`, `timeout_first`, `timeout_total`, `cut`, `truncated`, `stream_error`,
        /// `parse`, `empty`, `length_mismatch`.
        class: String,
        /// What the server or the socket said.
        message: String,
    },
    /// Cut off by the end of the run.
    Cancelled,
    /// Never sent.
    Unsent,
}

/// One request, from its plan to its end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RequestRecord {
    /// Position in the level, warm-up included, from 0.
    pub index: u64,
    /// Before the measured window.
    pub warmup: bool,
    /// Planned arrival; in a closed loop the moment its stream became free, after the user's thinking.
    pub planned_s: f64,
    /// Sent (connection in hand, first byte about to be written); `None` if never.
    pub sent_s: Option<f64>,
    /// Time spent connecting before `sent_s`, if a connection had to be made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connect_s: Option<f64>,
    /// First stream event of any class.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_event_s: Option<f64>,
    /// First answer (non-reasoning) token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_answer_s: Option<f64>,
    /// Token-bearing reads in order of time.
    pub reads: Vec<TokenRead>,
    /// End of the stream.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_s: Option<f64>,
    /// Prompt tokens by the engine's usage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_tokens: Option<u32>,
    /// Prompt tokens that came from a cache.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cached_tokens: Option<u32>,
    /// Output tokens by the engine's usage, else by the model's tokenizer after the run; never what was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_tokens: Option<u32>,
    /// Prompt length that was planned.
    pub planned_input_tokens: u32,
    /// Output length that was asked for.
    pub planned_output_tokens: u32,
    /// The request class, where the workload has several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// The conversation that it belongs to, from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversation: Option<u64>,
    /// Which turn of it, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn: Option<u32>,
    /// How long the user thinks after the answer; only where users think.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub think_s: Option<f64>,
    /// Why it was never sent, where that follows from another request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unsent_because: Option<String>,
    /// How it ended.
    pub fate: Fate,
}

impl RequestRecord {
    /// The record of a request to which nothing has happened yet. `planned_s`: its planned arrival; in a closed loop
    /// the moment its stream became free.
    pub fn unsent(request: &PlannedRequest, planned_s: f64) -> Self {
        Self {
            index: request.index,
            warmup: request.warmup,
            planned_s,
            sent_s: None,
            connect_s: None,
            first_event_s: None,
            first_answer_s: None,
            reads: Vec::new(),
            ended_s: None,
            input_tokens: None,
            cached_tokens: None,
            output_tokens: None,
            planned_input_tokens: request.input_tokens,
            planned_output_tokens: request.output_tokens,
            class: request.class.clone(),
            conversation: request.conversation,
            turn: request.turn,
            think_s: None,
            unsent_because: None,
            fate: Fate::Unsent,
        }
    }

    /// First token-bearing read.
    pub fn first_token_s(&self) -> Option<f64> {
        self.reads.first().map(|r| r.at_s)
    }

    /// Last token-bearing read.
    pub fn last_token_s(&self) -> Option<f64> {
        self.reads.last().map(|r| r.at_s)
    }
}
