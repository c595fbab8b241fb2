//! Scripts as they are written in YAML.
//!
//! ```yaml
//! model: scripted                 # its name
//! key: sk-123456                  # requests without it are refused
//! turns:                          # in this order
//!   - when: {user: restart, offers: restart_arq_worker, system: tuner, nth: 1}
//!     reasoning: I should look first.
//!     text: [One mom, ent.]       # or one text
//!     calls:
//!       - {tool: restart_arq_worker, args: {force: false}, id: call_7}
//!       - {tool: list_tasks, raw: '{"limit": '}    # arguments that are no JSON
//!     shape: pieces               # whole, unnumbered, all_zero, repeating, no_ids
//!     size: 3                     # characters in a piece
//!     cut: 7                      # bytes in a chunk; or the places of the cuts: [10, 11]
//!     first_after_ms: 20
//!     pause_ms: 1
//!     usage: false                # or {read: 7, written: 3}
//!     finish: length
//!     stream: false               # one object, though a stream was asked for
//!     end: {disconnect: 3}        # hang, close: after so many events; without_last: true; error: 3, with: {...}
//!   - {status: 429, retry_after: "0.1", body: {error: {message: slow down}}}
//!   - {hang: true}
//! rules:                          # in any order, once each, or any number of times
//!   - {when: {result: {tool: list_tasks, holds: "[]"}}, text: Nothing runs., repeat: true}
//! ```
//!
//! *Invariant*: an unknown field is an error: a typing error never makes a test pass.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use super::say::{Call, Cut, End, Say, Shape};
use super::script::{Answer, Script, Turn, When};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenScript {
    #[serde(default)]
    turns: Vec<WrittenTurn>,
    #[serde(default)]
    rules: Vec<WrittenTurn>,
    model: Option<String>,
    key: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct WrittenTurn {
    when: WrittenWhen,
    repeat: bool,
    status: Option<u16>,
    retry_after: Option<String>,
    body: Option<Value>,
    hang: bool,
    reasoning: Pieces,
    text: Pieces,
    calls: Vec<WrittenCall>,
    shape: Option<WrittenShape>,
    size: Option<usize>,
    cut: Option<WrittenCut>,
    first_after_ms: u64,
    pause_ms: u64,
    usage: Option<WrittenUsage>,
    finish: Option<String>,
    stream: Option<bool>,
    end: WrittenEnd,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct WrittenWhen {
    user: Option<String>,
    result: Option<WrittenResult>,
    offers: Option<String>,
    system: Option<String>,
    nth: Option<usize>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenResult {
    tool: String,
    #[serde(default)]
    holds: String,
}

#[derive(Default, Deserialize)]
#[serde(untagged)]
enum Pieces {
    #[default]
    None,
    One(String),
    Many(Vec<String>),
}

impl From<Pieces> for Vec<String> {
    fn from(pieces: Pieces) -> Self {
        match pieces {
            Pieces::None => Self::new(),
            Pieces::One(text) => vec![text],
            Pieces::Many(texts) => texts,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenCall {
    tool: String,
    id: Option<String>,
    args: Option<Value>,
    raw: Option<String>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum WrittenShape {
    Pieces,
    Whole,
    Unnumbered,
    AllZero,
    Repeating,
    NoIds,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum WrittenCut {
    Every(usize),
    At(Vec<usize>),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum WrittenUsage {
    Told(bool),
    Tokens { read: u64, written: u64 },
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct WrittenEnd {
    disconnect: Option<usize>,
    hang: Option<usize>,
    close: Option<usize>,
    without_last: bool,
    error: Option<usize>,
    with: Option<Value>,
}

/// Reads a script.
pub(super) fn read(text: &str) -> Result<Script, String> {
    let written: WrittenScript = serde_json::from_value(super::yaml::parse(text)?).map_err(|e| e.to_string())?;
    let mut script = Script::new();
    for turn in written.turns {
        script = script.turn(turn.into());
    }
    for rule in written.rules {
        script = script.rule(rule.into());
    }
    if let Some(model) = &written.model {
        script = script.model(model);
    }
    if let Some(key) = &written.key {
        script = script.key(key);
    }
    Ok(script)
}

impl From<WrittenTurn> for Turn {
    fn from(written: WrittenTurn) -> Self {
        let result = written.when.result.map(|result| (result.tool, result.holds));
        let when = When {
            user: written.when.user,
            result,
            offers: written.when.offers,
            system: written.when.system,
            nth: written.when.nth,
        };
        let answer = match written.status {
            _ if written.hang => Answer::Hang,
            Some(status) => Answer::Status {
                status,
                retry_after: written.retry_after,
                body: written.body.unwrap_or_else(|| json!({"error": {"message": format!("status {status}")}})),
            },
            None => {
                let size = written.size.unwrap_or(4);
                Answer::Say(Say {
                    reasoning: written.reasoning.into(),
                    text: written.text.into(),
                    calls: written.calls.into_iter().map(Call::from).collect(),
                    finish: written.finish,
                    usage: match written.usage {
                        None | Some(WrittenUsage::Told(true)) => Say::default().usage,
                        Some(WrittenUsage::Told(false)) => None,
                        Some(WrittenUsage::Tokens { read, written }) => Some((read, written)),
                    },
                    first_after: Duration::from_millis(written.first_after_ms),
                    pause: Duration::from_millis(written.pause_ms),
                    shape: match written.shape.unwrap_or(WrittenShape::Pieces) {
                        WrittenShape::Pieces => Shape::Pieces(size),
                        WrittenShape::Whole => Shape::Whole,
                        WrittenShape::Unnumbered => Shape::Unnumbered,
                        WrittenShape::AllZero => Shape::AllZero,
                        WrittenShape::Repeating => Shape::Repeating(size),
                        WrittenShape::NoIds => Shape::NoIds(size),
                    },
                    cut: match written.cut {
                        None => Cut::Events,
                        Some(WrittenCut::Every(size)) => Cut::Every(size),
                        Some(WrittenCut::At(at)) => Cut::At(at),
                    },
                    end: written.end.into(),
                    stream: written.stream.unwrap_or(true),
                })
            }
        };
        let turn = Self::from(answer).when(when);
        if written.repeat { turn.repeat() } else { turn }
    }
}

impl From<WrittenCall> for Call {
    fn from(written: WrittenCall) -> Self {
        let arguments = written.raw.unwrap_or_else(|| written.args.unwrap_or_else(|| json!({})).to_string());
        Self { id: written.id, name: written.tool, arguments }
    }
}

impl From<WrittenEnd> for End {
    fn from(written: WrittenEnd) -> Self {
        let reported = || json!({"type": "server_error", "message": "the model failed"});
        match written {
            WrittenEnd { disconnect: Some(after), .. } => Self::Disconnect(after),
            WrittenEnd { hang: Some(after), .. } => Self::Hang(after),
            WrittenEnd { close: Some(after), .. } => Self::Close(after),
            WrittenEnd { error: Some(after), with, .. } => Self::Error(after, with.unwrap_or_else(reported)),
            WrittenEnd { without_last: true, .. } => Self::WithoutLast,
            _ => Self::Whole,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The script of this file's head.
    fn head() -> String {
        let source = include_str!("written.rs");
        let body = source.split("//! ```").nth(1).unwrap();
        body.lines().skip(1).map(|line| line.trim_start_matches("//!").to_owned() + "\n").collect()
    }

    #[test]
    fn the_script_of_the_head_is_read() {
        let script = read(&head()).unwrap();
        assert_eq!((script.turns.len(), script.rules.len()), (3, 1));
        assert_eq!((script.model.as_str(), script.key.as_deref()), ("scripted", Some("sk-123456")));
        let Answer::Say(say) = &script.turns[0].answer else { panic!("{:?}", script.turns[0]) };
        assert_eq!(say.text, ["One mom", "ent."]);
        assert_eq!(say.calls[0], Call::new("restart_arq_worker", "{\"force\":false}").id("call_7"));
        assert_eq!(say.calls[1].arguments, "{\"limit\": ");
        assert_eq!((say.shape, &say.cut, &say.end), (Shape::Pieces(3), &Cut::Every(7), &End::Disconnect(3)));
        assert_eq!((say.usage, say.finish.as_deref(), say.stream), (None, Some("length"), false));
        assert_eq!(script.turns[0].when.nth, Some(1));
        assert!(matches!(&script.turns[1].answer, Answer::Status { status: 429, .. }));
        assert!(matches!(&script.turns[2].answer, Answer::Hang));
        assert!(script.rules[0].repeat);
        assert!(read("turns: [{txt: hello}]").unwrap_err().contains("txt"));
    }
}
