//! The bodies of a conversation: everything but the engine's answers, written down before the first turn is sent.
//!
//! *Invariant*: no JSON is read or written while a level runs, but for escaping an answer: the body of a turn is its head,
//! what was said so far, what is new, and its tail, one after the other.

use bytes::Bytes;
use serde_json::{Map, Value, json};
use tuner_core::record::{PlannedConversation, PlannedRequest};
use tuner_core::task::{Answers, Api};

use super::build::{BuildError, Built, build, written};
use super::content::Content;
use super::fields;
use crate::client::Features;
use crate::dataset::{DatasetRow, salted};
use crate::plan::LevelPlan;
use crate::prompting::{PromptSource, row_of, salt, turn_text};
use crate::tokens::TokenSource;

/// Stands where a turn's messages go while the rest of its body is written.
const MARK: &str = "\u{e000}what was said\u{e000}";

/// A conversation, ready to be held.
#[derive(Clone, Debug)]
pub struct Script {
    /// Where it goes.
    pub api: Api,
    turns: Vec<ScriptTurn>,
}

/// One turn.
#[derive(Clone, Debug)]
struct ScriptTurn {
    head: Bytes,
    /// What is new in it.
    said: Bytes,
    tail: Bytes,
    /// What the history holds as its answer, escaped; `None`: what the engine answers.
    recorded: Option<String>,
    exact_output: Option<u32>,
}

impl Script {
    /// The body of a turn (from 0), after what was said before.
    pub fn body(&self, turn: usize, history: &History) -> Built {
        let ScriptTurn { head, said, tail, exact_output, .. } = &self.turns[turn];
        let bytes = if self.turns.len() == 1 {
            head.clone()
        } else {
            let mut bytes = Vec::with_capacity(head.len() + history.0.len() + said.len() + tail.len());
            [head.as_ref(), &history.0, said, tail].iter().for_each(|part| bytes.extend_from_slice(part));
            Bytes::from(bytes)
        };
        Built { api: self.api, bytes, exact_output: *exact_output }
    }

    /// Whether what the engine answers to a turn is said again in the next.
    pub fn needs_answer(&self, turn: usize) -> bool {
        turn + 1 < self.turns.len() && self.turns[turn].recorded.is_none()
    }

    /// Adds a turn and its answer to the history.
    pub fn answered(&self, turn: usize, answer: &str, history: &mut History) {
        let turn = &self.turns[turn];
        let escaped = turn.recorded.clone().unwrap_or_else(|| escape(answer));
        let (open, close) = match super::has_template(self.api) {
            true => (",{\"role\":\"assistant\",\"content\":\"", "\"},"),
            false => ("", " "),
        };
        history.0.extend_from_slice(&turn.said);
        [open, &escaped, close].iter().for_each(|part| history.0.extend_from_slice(part.as_bytes()));
    }
}

/// What was said so far, as the next body needs it.
#[derive(Clone, Debug, Default)]
pub struct History(Vec<u8>);

/// A text as it stands inside the quotes of JSON.
fn escape(text: &str) -> String {
    let quoted = Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

/// Everything that the bodies of a level's requests are made from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Materials<'a> {
    pub(crate) plan: &'a LevelPlan,
    pub(crate) prompts: &'a PromptSource,
    pub(crate) tokens: Option<&'a TokenSource>,
    pub(crate) model: &'a str,
    pub(crate) features: Features,
}

/// The bodies of one conversation.
pub(crate) fn script(materials: &Materials<'_>, conversation: &PlannedConversation) -> Result<Script, BuildError> {
    let Materials { plan, prompts, tokens, model, features } = *materials;
    let part = plan.part(conversation.number);
    if let [only] = conversation.turns.as_slice() {
        let Built { api, bytes, exact_output } = build(plan, &only.request, prompts, tokens, model, features)?;
        let nothing = Bytes::new;
        let turn = ScriptTurn { head: bytes, said: nothing(), tail: nothing(), recorded: None, exact_output };
        return Ok(Script { api, turns: vec![turn] });
    }
    let row = row_of(plan, conversation.number, prompts);
    let recorded = part.conversation.as_ref().is_some_and(|c| c.answers == Answers::Recorded);
    let mut turns = Vec::new();
    for (at, turn) in conversation.turns.iter().enumerate() {
        let round = row.and_then(|row| row.rounds.get(at));
        let said = match round {
            Some(round) => {
                let first = (at == 0 && plan.workload.salt).then(|| salt(plan));
                messages(part.api, salted_messages(round.messages.clone(), first))
            }
            None => {
                let text = turn_text(plan, turn, prompts, tokens)?;
                match super::has_template(part.api) {
                    true => messages(part.api, vec![json!({ "role": "user", "content": text })]),
                    false => escape(&text),
                }
            }
        };
        let (head, tail, exact_output) = envelope(materials, part.api, row, &turn.request)?;
        let answer = round.filter(|_| recorded).and_then(|round| round.answer.as_deref());
        turns.push(ScriptTurn { head, said: said.into(), tail, recorded: answer.map(escape), exact_output });
    }
    Ok(Script { api: part.api, turns })
}

fn salted_messages(messages: Vec<Value>, salt: Option<String>) -> Vec<Value> {
    let Some(salt) = salt else { return messages };
    let fields = Map::from_iter([("messages".to_owned(), Value::Array(messages))]);
    match salted(fields, &salt).remove("messages") {
        Some(Value::Array(messages)) => messages,
        _ => Vec::new(),
    }
}

/// Messages in the protocol's own form, without the list around them. Those that the protocol keeps elsewhere (a system
/// prompt of Anthropic's) are left out: [`envelope`] has them.
fn messages(api: Api, messages: Vec<Value>) -> String {
    let mut formed = fields::into_form(api, Map::from_iter([("messages".to_owned(), Value::Array(messages))]));
    let list = formed.remove("messages").or_else(|| formed.remove("input"));
    let texts: Vec<String> =
        list.as_ref().and_then(Value::as_array).into_iter().flatten().map(Value::to_string).collect();
    texts.join(",")
}

/// A turn's body around what was said: what stands before it, after it, and the length that is ordered.
fn envelope(
    materials: &Materials<'_>,
    api: Api,
    row: Option<&DatasetRow>,
    request: &PlannedRequest,
) -> Result<(Bytes, Bytes, Option<u32>), BuildError> {
    let Materials { plan, model, features, .. } = *materials;
    let marked = json!({ "role": "user", "content": MARK });
    let (content, mark) = match super::has_template(api) {
        false => (Content::Text(MARK.to_owned()), MARK.to_owned()),
        true => {
            let mut fields = row.and_then(|row| row.request.clone()).unwrap_or_default();
            let mut around = Vec::new();
            if api == Api::Anthropic {
                let round = row.and_then(|row| row.rounds.first());
                let first =
                    round.map(|round| salted_messages(round.messages.clone(), plan.workload.salt.then(|| salt(plan))));
                let is_system = |m: &Value| matches!(m["role"].as_str(), Some("system" | "developer"));
                around.extend(first.into_iter().flatten().filter(is_system));
            }
            around.push(marked.clone());
            fields.insert("messages".to_owned(), Value::Array(around));
            (Content::Fields(fields::into_form(api, fields)), marked.to_string())
        }
    };
    let (text, exact_output) = written(plan, request, content, model, features)?;
    let (head, tail) = text.split_once(&mark).unwrap_or((&text, ""));
    Ok((Bytes::copy_from_slice(head.as_bytes()), Bytes::copy_from_slice(tail.as_bytes()), exact_output))
}

#[cfg(test)]
mod tests;
