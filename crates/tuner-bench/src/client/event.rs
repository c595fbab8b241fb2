//! What a stream event means: the taxonomy of `docs/measuring.md`, in which every protocol's reader answers
//! ([`crate::protocol`]).
//!
//! *Invariant*: an event is never dropped silently; each falls into at least one class, and an event can be several
//! (content, finish and usage in one).

use std::borrow::Cow;

use serde::{Deserialize, Deserializer};

/// Token counts as the engine reports them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Usage {
    /// Tokens of the prompt, template included.
    #[serde(default)]
    pub prompt_tokens: Option<u32>,
    /// Tokens of the answer so far, reasoning included.
    #[serde(default)]
    pub completion_tokens: Option<u32>,
    /// Where prompt tokens came from.
    #[serde(default)]
    pub prompt_tokens_details: Option<PromptDetails>,
}

/// Where prompt tokens came from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct PromptDetails {
    /// Tokens found in a cache.
    #[serde(default)]
    pub cached_tokens: Option<u32>,
}

/// One event, understood.
#[derive(Debug, Default, PartialEq)]
pub struct Reading<'a> {
    /// Text of the answer (or an answer's tool call).
    pub answer: Cow<'a, str>,
    /// Text of the reasoning.
    pub reasoning: Cow<'a, str>,
    /// Something else that is output: a refusal, a tool call, audio.
    pub other_output: bool,
    /// It names a role.
    pub role: bool,
    /// Why the answer ended.
    pub finish: Option<Cow<'a, str>>,
    /// Token counts.
    pub usage: Option<Usage>,
    /// It is part of an answer, so that counts in it are running counts.
    pub running: bool,
    /// Which answer it belongs to, where a request has several; `None` if to more than one.
    pub index: Option<u32>,
    /// Answers that ended with it.
    pub finished: u32,
    /// `answer` is all that was written so far, not what is new.
    pub cumulative: bool,
    /// The protocol's own last event: nothing after it matters.
    pub last: bool,
    /// The engine reports an error.
    pub error: Option<String>,
}

impl Reading<'_> {
    /// Whether output is in it, going by its fields; counts can also tell ([`crate::client::Collector`]).
    pub fn has_output(&self) -> bool {
        !self.answer.is_empty() || !self.reasoning.is_empty() || self.other_output
    }
}

/// The whole event cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unparsed;

#[derive(Deserialize)]
#[serde(transparent)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// A text that may be missing, borrowed where it holds no escapes. (A bare `Option<Cow<str>>` always copies.)
pub(crate) fn text<'de: 'a, 'a, D: Deserializer<'de>>(from: D) -> Result<Option<Cow<'a, str>>, D::Error> {
    Ok(Option::<Text<'a>>::deserialize(from)?.map(|text| text.0))
}

/// Joins texts without copying where there is only one.
pub(crate) fn append<'a>(to: &mut Cow<'a, str>, text: Cow<'a, str>) {
    if to.is_empty() {
        *to = text;
    } else {
        to.to_mut().push_str(&text);
    }
}

/// The readable part of an error: its `message`, else all of it.
pub(crate) fn error_text(error: &serde_json::Value) -> String {
    let text = match error.get("message").unwrap_or(error) {
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    text.chars().take(500).collect()
}
