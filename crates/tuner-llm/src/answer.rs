//! An answer while it comes in.
//!
//! *Invariant*: what was told piece by piece, joined, is what the reply holds; it knows whether anything was given out.

use std::collections::HashSet;

use crate::calls::{Calls, Piece};
use crate::thoughts::{Part, Thoughts};
use crate::{ChatMessage, ChatRequest, Delta, Finish, Reply, Usage};

/// The listener, and what it has heard.
pub(crate) struct Told<'a> {
    sink: &'a mut (dyn FnMut(Delta) + Send),
    /// Keeps the text back: it is not meant for people yet.
    pub(crate) hold_text: bool,
    /// Something of the answer was given out.
    pub(crate) given: bool,
}

impl<'a> Told<'a> {
    pub(crate) fn new(sink: &'a mut (dyn FnMut(Delta) + Send)) -> Self {
        Self { sink, hold_text: false, given: false }
    }

    pub(crate) fn give(&mut self, delta: Delta) {
        if self.hold_text && matches!(delta, Delta::Text(_)) {
            return;
        }
        self.given |= !matches!(delta, Delta::Retrying { .. });
        (self.sink)(delta);
    }
}

/// An error that the server reports inside of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Inside {
    /// Its type and code, as words.
    pub(crate) kind: String,
    pub(crate) message: String,
}

/// The parts that have come.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    pub(crate) text: String,
    pub(crate) reasoning: String,
    pub(crate) calls: Calls,
    pub(crate) finish: Option<Finish>,
    pub(crate) usage: Option<Usage>,
    pub(crate) model: String,
    /// The server said that this is all.
    pub(crate) over: bool,
    thoughts: Thoughts,
}

impl Answer {
    pub(crate) fn to(request: &ChatRequest) -> Self {
        Self { calls: Calls::new(used_ids(request)), ..Self::default() }
    }

    /// Text, which may begin with the model's thinking.
    pub(crate) fn text(&mut self, piece: &str, told: &mut Told<'_>) {
        for part in self.thoughts.push(piece) {
            self.part(part, told);
        }
    }

    fn part(&mut self, part: Part, told: &mut Told<'_>) {
        match part {
            Part::Thought(thought) => self.reasoning(&thought, told),
            Part::Text(text) if text.is_empty() => {}
            Part::Text(text) => {
                self.text.push_str(&text);
                told.give(Delta::Text(text));
            }
        }
    }

    pub(crate) fn reasoning(&mut self, piece: &str, told: &mut Told<'_>) {
        if !piece.is_empty() {
            self.reasoning.push_str(piece);
            told.give(Delta::Reasoning(piece.to_owned()));
        }
    }

    pub(crate) fn calls(&mut self, pieces: Vec<Piece>, told: &mut Told<'_>) {
        if !pieces.is_empty() {
            self.calls.take(pieces, told);
        }
    }

    pub(crate) fn model(&mut self, name: Option<&str>) {
        if let Some(name) = name.filter(|_| self.model.is_empty()) {
            self.model = name.to_owned();
        }
    }

    /// Whether it may end here: the server said so, or gave a reason for the end.
    pub(crate) fn may_end(&self) -> bool {
        self.over || self.finish.is_some()
    }

    /// The reply. `asked` is the model's name where the server gives none.
    pub(crate) fn into_reply(mut self, asked: &str, told: &mut Told<'_>) -> Reply {
        if let Some(held) = self.thoughts.finish() {
            self.part(held, told);
        }
        let called = !self.calls.is_empty();
        let finish = match self.finish {
            // Servers exist that say "stop" after calls.
            None | Some(Finish::Stop) if called => Finish::ToolCalls,
            Some(Finish::ToolCalls) if !called => Finish::Stop,
            other => other.unwrap_or(Finish::Stop),
        };
        let model = if self.model.is_empty() { asked.to_owned() } else { self.model };
        let calls = self.calls.finish(told);
        Reply { text: self.text, reasoning: self.reasoning, calls, finish, usage: self.usage, model }
    }
}

/// The ids of the calls that the conversation holds.
pub(crate) fn used_ids(request: &ChatRequest) -> HashSet<String> {
    let calls = request.messages.iter().filter_map(|message| match message {
        ChatMessage::Assistant { calls, .. } => Some(calls),
        _ => None,
    });
    calls.flatten().map(|call| call.id.clone()).collect()
}
