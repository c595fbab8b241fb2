//! What an answer holds, how it is put into events, and how it goes wrong.
//!
//! *Invariant*: the same [`Say`] gives the same bytes, but for the ids of calls that name none.

use std::time::Duration;

use serde_json::Value;

/// An answer of the model.
#[derive(Clone, Debug)]
pub struct Say {
    /// Its thinking, in pieces.
    pub reasoning: Vec<String>,
    /// Its text, in pieces.
    pub text: Vec<String>,
    /// Its calls.
    pub calls: Vec<Call>,
    /// The reason of the end, in OpenAI's words; what fits, if `None`.
    pub finish: Option<String>,
    /// Tokens read and written; none are told, if `None`.
    pub usage: Option<(u64, u64)>,
    /// Before the first event.
    pub first_after: Duration,
    /// Between two pieces of bytes.
    pub pause: Duration,
    /// How calls are put into events.
    pub shape: Shape,
    /// How the bytes are cut.
    pub cut: Cut,
    /// How it ends.
    pub end: End,
    /// Whether it streams at all; if not, it sends one object even if asked for a stream.
    pub stream: bool,
}

impl Default for Say {
    fn default() -> Self {
        Self {
            reasoning: Vec::new(),
            text: Vec::new(),
            calls: Vec::new(),
            finish: None,
            usage: Some((7, 3)),
            first_after: Duration::ZERO,
            pause: Duration::ZERO,
            shape: Shape::Pieces(4),
            cut: Cut::Events,
            end: End::Whole,
            stream: true,
        }
    }
}

impl Say {
    /// A text, in two pieces.
    pub fn text(text: &str) -> Self {
        let middle = text.char_indices().nth(text.chars().count() / 2).map_or(0, |(at, _)| at);
        let (a, b) = text.split_at(middle);
        Self::pieces([a, b])
    }

    /// A text in these pieces.
    pub fn pieces<const N: usize>(pieces: [&str; N]) -> Self {
        let text = pieces.iter().filter(|piece| !piece.is_empty()).map(|piece| (*piece).to_owned()).collect();
        Self { text, ..Self::default() }
    }

    /// Calls, and no text.
    pub fn calls<const N: usize>(calls: [Call; N]) -> Self {
        Self { calls: calls.to_vec(), ..Self::default() }
    }

    /// With these calls after the text.
    #[must_use]
    pub fn and_calls<const N: usize>(mut self, calls: [Call; N]) -> Self {
        self.calls = calls.to_vec();
        self
    }

    /// In this shape.
    #[must_use]
    pub fn shape(mut self, shape: Shape) -> Self {
        self.shape = shape;
        self
    }

    /// Cut like this.
    #[must_use]
    pub fn cut(mut self, cut: Cut) -> Self {
        self.cut = cut;
        self
    }

    /// Ending like this.
    #[must_use]
    pub fn end(mut self, end: End) -> Self {
        self.end = end;
        self
    }

    /// With this time between two pieces.
    #[must_use]
    pub fn pause(mut self, pause: Duration) -> Self {
        self.pause = pause;
        self
    }

    /// The reason of the end in OpenAI's words.
    pub(super) fn finish(&self) -> &str {
        let fitting = if self.calls.is_empty() { "stop" } else { "tool_calls" };
        self.finish.as_deref().unwrap_or(fitting)
    }
}

/// A call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Its id; one of its own if `None`.
    pub id: Option<String>,
    /// Name of the tool.
    pub name: String,
    /// The arguments as text, which may be no JSON.
    pub arguments: String,
}

impl Call {
    /// A call with an id of its own.
    pub fn new(name: &str, arguments: &str) -> Self {
        Self { id: None, name: name.to_owned(), arguments: arguments.to_owned() }
    }

    /// With this id.
    #[must_use]
    pub fn id(mut self, id: &str) -> Self {
        self.id = Some(id.to_owned());
        self
    }
}

/// How calls are put into events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Id and name first, then arguments in pieces of so many characters, all calls taking turns.
    Pieces(usize),
    /// One event with all calls.
    Whole,
    /// One event for each call, without numbers.
    Unnumbered,
    /// One event for each call, all numbered 0.
    AllZero,
    /// Pieces of so many characters, each with id and name.
    Repeating(usize),
    /// Pieces of so many characters, without ids.
    NoIds(usize),
}

/// How the bytes of an answer are cut. Each piece is one chunk of the transfer encoding, which clients see as one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cut {
    /// After each event.
    Events,
    /// After so many bytes.
    Every(usize),
    /// After these bytes, counted from the start.
    At(Vec<usize>),
}

/// How an answer ends.
#[derive(Clone, Debug, PartialEq)]
pub enum End {
    /// As it should.
    Whole,
    /// The last event (`[DONE]`, `message_stop`) is missing.
    WithoutLast,
    /// The connection breaks after so many events.
    Disconnect(usize),
    /// The stream ends properly after so many events, in the middle of the answer.
    Close(usize),
    /// Nothing more comes after so many events.
    Hang(usize),
    /// An error is reported after so many events.
    Error(usize, Value),
}
