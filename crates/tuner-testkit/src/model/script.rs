//! The script: turns in their order, and rules that fit by content in any order.
//!
//! *Invariant*: a request takes the first rule that fits and is not used up, else the next turn, which must fit.

use std::collections::VecDeque;

use bytes::Bytes;
use serde_json::{Value, json};

use super::say::{Call, Say};
use super::seen::Seen;

/// What the model will say.
#[derive(Clone, Debug)]
pub struct Script {
    pub(super) turns: VecDeque<Turn>,
    pub(super) rules: Vec<Turn>,
    pub(super) model: String,
    pub(super) key: Option<String>,
}

impl Default for Script {
    fn default() -> Self {
        Self { turns: VecDeque::new(), rules: Vec::new(), model: "scripted".into(), key: None }
    }
}

impl Script {
    /// An empty script: every request is too much.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads a script from YAML (or JSON): `turns`, `rules`, `model`, `key`; see `written.rs` for the fields.
    pub fn from_yaml(text: &str) -> Result<Self, String> {
        super::written::read(text)
    }

    /// The next turn.
    #[must_use]
    pub fn turn(mut self, turn: Turn) -> Self {
        self.turns.push_back(turn);
        self
    }

    /// A turn that is taken whenever it fits: once, or any number of times with [`Turn::repeat`].
    #[must_use]
    pub fn rule(mut self, turn: Turn) -> Self {
        self.rules.push(turn);
        self
    }

    /// The name that the model goes by.
    #[must_use]
    pub fn model(mut self, name: &str) -> Self {
        self.model = name.to_owned();
        self
    }

    /// Requests without this key are refused.
    #[must_use]
    pub fn key(mut self, key: &str) -> Self {
        self.key = Some(key.to_owned());
        self
    }

    /// The answer to a request, which is the `nth` (from 1).
    pub(super) fn next(&mut self, seen: &Seen, nth: usize) -> Result<Answer, String> {
        if let Some(at) = self.rules.iter().position(|rule| rule.when.misfit(seen, nth).is_none()) {
            let rule = &self.rules[at];
            let answer = rule.answer.clone();
            if !rule.repeat {
                self.rules.remove(at);
            }
            return Ok(answer);
        }
        let turn = self.turns.front().ok_or_else(|| format!("request {nth}: the script is over"))?;
        if let Some(misfit) = turn.when.misfit(seen, nth) {
            return Err(format!("request {nth}: {misfit}"));
        }
        let answer = turn.answer.clone();
        if !turn.repeat {
            self.turns.pop_front();
        }
        Ok(answer)
    }

    /// What must still come.
    pub(super) fn left(&self) -> Vec<String> {
        let waiting = self.turns.iter().chain(&self.rules).filter(|turn| !turn.repeat);
        waiting.map(|turn| format!("not asked for: {:?}", turn.answer)).collect()
    }
}

/// One answer, and when it is given.
#[derive(Clone, Debug)]
pub struct Turn {
    pub(super) when: When,
    pub(super) repeat: bool,
    pub(super) answer: Answer,
}

/// What is sent back.
#[derive(Clone, Debug)]
pub enum Answer {
    /// An answer in the protocol that was asked in.
    Say(Say),
    /// A status that is no success.
    Status {
        /// The status.
        status: u16,
        /// The `Retry-After` header.
        retry_after: Option<String>,
        /// The body.
        body: Value,
    },
    /// Nothing, for ever.
    Hang,
    /// These bytes, in these pieces.
    Raw {
        /// The `Content-Type` header.
        content_type: String,
        /// The pieces.
        pieces: Vec<Bytes>,
    },
}

impl From<Answer> for Turn {
    fn from(answer: Answer) -> Self {
        Self { when: When::default(), repeat: false, answer }
    }
}

impl From<Say> for Turn {
    fn from(say: Say) -> Self {
        Answer::Say(say).into()
    }
}

impl Turn {
    /// Says the text, in two pieces.
    pub fn text(text: &str) -> Self {
        Say::text(text).into()
    }

    /// Calls one tool with these arguments, as text.
    pub fn call(tool: &str, arguments: &str) -> Self {
        Say::calls([Call::new(tool, arguments)]).into()
    }

    /// Calls several tools at once.
    pub fn calls<const N: usize>(calls: [Call; N]) -> Self {
        Say::calls(calls).into()
    }

    /// Answers with a status and an error in the form of OpenAI's.
    pub fn status(status: u16, message: &str) -> Self {
        Answer::Status { status, retry_after: None, body: json!({"error": {"message": message}}) }.into()
    }

    /// Answers 429 and asks to wait.
    pub fn limited(retry_after: &str) -> Self {
        let body = json!({"error": {"message": "too many requests", "type": "rate_limit_error"}});
        Answer::Status { status: 429, retry_after: Some(retry_after.to_owned()), body }.into()
    }

    /// Never answers.
    pub fn hang() -> Self {
        Answer::Hang.into()
    }

    /// Sends these pieces as they are.
    pub fn raw<P: Into<Bytes>>(content_type: &str, pieces: impl IntoIterator<Item = P>) -> Self {
        let pieces = pieces.into_iter().map(Into::into).collect();
        Answer::Raw { content_type: content_type.to_owned(), pieces }.into()
    }

    /// Only when this holds.
    #[must_use]
    pub fn when(mut self, when: When) -> Self {
        self.when = when;
        self
    }

    /// Any number of times.
    #[must_use]
    pub fn repeat(mut self) -> Self {
        self.repeat = true;
        self
    }
}

/// What a request must hold; all that is named.
#[derive(Clone, Debug, Default)]
pub struct When {
    /// Part of the last thing the person said.
    pub user: Option<String>,
    /// A tool, and part of one of its results since the person spoke last.
    pub result: Option<(String, String)>,
    /// A tool that is offered.
    pub offers: Option<String>,
    /// Part of the system text.
    pub system: Option<String>,
    /// Number of the request, from 1.
    pub nth: Option<usize>,
}

impl When {
    /// The last thing the person said contains this.
    pub fn user(text: &str) -> Self {
        Self { user: Some(text.to_owned()), ..Self::default() }
    }

    /// A result of this tool that contains this came after the person spoke last.
    pub fn result(tool: &str, text: &str) -> Self {
        Self { result: Some((tool.to_owned(), text.to_owned())), ..Self::default() }
    }

    /// This tool is offered.
    #[must_use]
    pub fn offers(mut self, tool: &str) -> Self {
        self.offers = Some(tool.to_owned());
        self
    }

    /// It is the request of this number, from 1.
    #[must_use]
    pub fn nth(mut self, nth: usize) -> Self {
        self.nth = Some(nth);
        self
    }

    /// Why the request does not fit, if it does not.
    fn misfit(&self, seen: &Seen, nth: usize) -> Option<String> {
        if let Some(text) = self.user.as_ref().filter(|text| !seen.last_user().contains(*text)) {
            return Some(format!("the person said {:?}, not {text:?}", seen.last_user()));
        }
        if let Some((tool, text)) = &self.result {
            let results = seen.results();
            if !results.iter().any(|(name, content)| name == tool && content.contains(text)) {
                return Some(format!("no result of {tool} holds {text:?}: {results:?}"));
            }
        }
        if let Some(tool) = self.offers.as_ref().filter(|tool| !seen.tools().contains(tool)) {
            return Some(format!("{tool} is not offered: {:?}", seen.tools()));
        }
        if let Some(text) = self.system.as_ref().filter(|text| !seen.system().contains(*text)) {
            return Some(format!("the system text does not hold {text:?}"));
        }
        self.nth.filter(|wanted| *wanted != nth).map(|wanted| format!("it is not number {wanted}"))
    }
}
