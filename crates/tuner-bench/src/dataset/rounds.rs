//! Recorded conversations, turn by turn.
//!
//! *Invariant*: every message of the row stands in exactly one turn, in its order; a turn ends with what the assistant
//! said to the user, so calls of tools and their results stay within theirs.

use serde_json::{Map, Value};

use super::{Dataset, DatasetRow, drop_row, plain_text};
use crate::tokens::{TokenError, TokenSource};

/// One turn of a recorded conversation.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Round {
    /// What is new in it, up to the question.
    pub messages: Vec<Value>,
    /// The answer that was given.
    pub answer: Option<String>,
    /// Tokens of `messages`, where a tokenizer says.
    pub own_tokens: Option<u32>,
    /// Tokens of the answer, where a tokenizer or the row says.
    pub output_tokens: Option<u32>,
}

fn is(message: &Value, role: &str) -> bool {
    message["role"] == role
}

/// What a message says.
fn said(message: &Value) -> String {
    let fields = Map::from_iter([("messages".to_owned(), Value::Array(vec![message.clone()]))]);
    plain_text(&fields)
}

/// The turns of a conversation.
fn split(messages: Vec<Value>) -> Vec<Round> {
    let mut rounds = Vec::new();
    let mut current: Vec<Value> = Vec::new();
    let mut rest = messages.into_iter().peekable();
    while let Some(message) = rest.next() {
        let asked = current.iter().any(|m| is(m, "user"));
        let closes = is(&message, "assistant") && asked && rest.peek().is_none_or(|next| is(next, "user"));
        if closes {
            let messages = std::mem::take(&mut current);
            rounds.push(Round { messages, answer: Some(said(&message)), ..Round::default() });
        } else {
            current.push(message);
        }
    }
    if current.iter().any(|m| is(m, "user")) {
        rounds.push(Round { messages: current, ..Round::default() });
    }
    rounds
}

impl DatasetRow {
    /// Everything that was said in it.
    fn all_messages(&self) -> Vec<Value> {
        let first = self.request.as_ref().and_then(|r| r.get("messages")).and_then(Value::as_array);
        let mut all: Vec<Value> = first.into_iter().flatten().cloned().collect();
        if let Some(answer) = self.answer.as_ref().filter(|_| !all.is_empty()) {
            all.push(serde_json::json!({ "role": "assistant", "content": answer }));
        }
        all.extend(self.later.iter().cloned());
        all
    }

    /// How many turns it has; 1 for what is no conversation.
    pub fn turns(&self) -> usize {
        if self.rounds.is_empty() { split(self.all_messages()).len().max(1) } else { self.rounds.len() }
    }
}

impl Dataset {
    /// Takes conversations apart: each row's request then asks its first turn only. At most `most` turns of each.
    pub(crate) fn take_apart(&mut self, most: u32) {
        for row in &mut self.rows {
            let mut rounds = split(row.all_messages());
            rounds.truncate(most.max(1) as usize);
            row.later = Vec::new();
            let Some(first) = rounds.first() else { continue };
            let answered = first.answer.is_some();
            row.answer = first.answer.clone();
            if let Some(request) = &mut row.request {
                request.insert("messages".to_owned(), Value::Array(first.messages.clone()));
            }
            for round in &mut rounds {
                // A recorded answer tells its length itself; a limit in the row is for what has none.
                round.output_tokens = row.output_tokens.filter(|_| round.answer.is_none());
            }
            if answered {
                row.output_tokens = None;
            }
            row.input_tokens = None;
            row.rounds = if rounds.len() > 1 { rounds } else { Vec::new() };
        }
    }

    /// Leaves what follows the first turn out of account.
    pub(crate) fn first_turns_only(&mut self) {
        self.rows.iter_mut().for_each(|row| row.later = Vec::new());
    }

    /// Counts every turn, and cuts off those that are longer than `max_context` together with what was said before them.
    pub(super) async fn count_rounds(
        &mut self,
        tokens: Option<&TokenSource>,
        max_context: Option<u32>,
    ) -> Result<(), TokenError> {
        for row in &mut self.rows {
            let mut total = 0u64;
            let mut fitting = 0;
            for round in &mut row.rounds {
                if let Some(tokens) = tokens {
                    let fields = Map::from_iter([("messages".to_owned(), Value::Array(round.messages.clone()))]);
                    round.own_tokens = Some(tokens.count(&plain_text(&fields)).await?.max(1));
                    if let (None, Some(answer)) = (round.output_tokens, &round.answer) {
                        round.output_tokens = Some(tokens.count(answer).await?.max(1));
                    }
                }
                total += u64::from(round.own_tokens.unwrap_or(0)) + u64::from(round.output_tokens.unwrap_or(0));
                fitting += usize::from(max_context.is_none_or(|most| total <= u64::from(most)));
            }
            if fitting > 0 && fitting < row.rounds.len() {
                row.rounds.truncate(fitting);
                drop_row(&mut self.dropped, row.line, "in part: later turns are longer than max_context");
            }
            if let Some(first) = row.rounds.first() {
                row.input_tokens = first.own_tokens;
                row.output_tokens = first.output_tokens;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn message(role: &str, text: &str) -> Value {
        json!({ "role": role, "content": text })
    }

    #[test]
    fn a_turn_ends_with_what_the_assistant_said_to_the_user() {
        let all = vec![
            message("system", "be brief"),
            message("user", "a"),
            message("assistant", "A"),
            message("user", "b"),
            json!({ "role": "assistant", "content": null, "tool_calls": [] }),
            message("tool", "42"),
            message("assistant", "B"),
            message("user", "c"),
        ];
        let rounds = split(all.clone());
        let shape: Vec<(usize, Option<&str>)> =
            rounds.iter().map(|r| (r.messages.len(), r.answer.as_deref())).collect();
        assert_eq!(shape, [(2, Some("A")), (3, Some("B")), (1, None)]);
        let kept: usize = rounds.iter().map(|r| r.messages.len() + usize::from(r.answer.is_some())).sum();
        assert_eq!(kept, all.len());
        assert!(split(vec![message("system", "x")]).is_empty());
        let greeted = split(vec![message("assistant", "hello"), message("user", "a"), message("assistant", "A")]);
        assert_eq!((greeted.len(), greeted[0].messages.len()), (1, 2), "a greeting belongs to the first turn");
    }
}
