//! Anthropic messages: events are told apart by their `type`; the last is `message_stop`.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::Value;

use crate::client::event::{PromptDetails, Reading, Unparsed, Usage, append, error_text, text};

#[derive(Deserialize)]
struct Event<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(borrow, default)]
    delta: Option<Delta<'a>>,
    #[serde(borrow, default)]
    content_block: Option<Block<'a>>,
    #[serde(borrow, default)]
    message: Option<Message<'a>>,
    #[serde(default)]
    usage: Option<Counts>,
    #[serde(default)]
    error: Option<Value>,
}

#[derive(Deserialize)]
struct Delta<'a> {
    #[serde(borrow, default, deserialize_with = "text")]
    text: Option<Cow<'a, str>>,
    #[serde(borrow, default, deserialize_with = "text")]
    thinking: Option<Cow<'a, str>>,
    #[serde(borrow, default, deserialize_with = "text")]
    partial_json: Option<Cow<'a, str>>,
    #[serde(borrow, default, deserialize_with = "text")]
    stop_reason: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Block<'a> {
    #[serde(borrow, rename = "type", default)]
    kind: Cow<'a, str>,
    #[serde(borrow, default, deserialize_with = "text")]
    text: Option<Cow<'a, str>>,
    #[serde(borrow, default, deserialize_with = "text")]
    thinking: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow, rename = "type", default)]
    kind: Cow<'a, str>,
    #[serde(borrow, default)]
    content: Option<Vec<Block<'a>>>,
    #[serde(borrow, default, deserialize_with = "text")]
    stop_reason: Option<Cow<'a, str>>,
    #[serde(default)]
    usage: Option<Counts>,
    #[serde(default)]
    error: Option<Value>,
}

#[derive(Clone, Copy, Deserialize)]
struct Counts {
    #[serde(default)]
    input_tokens: Option<u32>,
    #[serde(default)]
    output_tokens: Option<u32>,
    #[serde(default)]
    cache_read_input_tokens: Option<u32>,
    #[serde(default)]
    cache_creation_input_tokens: Option<u32>,
}

impl Counts {
    /// Cached tokens are not among `input_tokens` there. The count of outputs at the start is a first guess.
    fn usage(self, with_output: bool) -> Usage {
        let cached = self.cache_read_input_tokens;
        let beside = cached.unwrap_or(0).saturating_add(self.cache_creation_input_tokens.unwrap_or(0));
        Usage {
            prompt_tokens: self.input_tokens.map(|n| n.saturating_add(beside)),
            completion_tokens: self.output_tokens.filter(|_| with_output),
            prompt_tokens_details: cached.map(|n| PromptDetails { cached_tokens: Some(n) }),
        }
    }
}

/// Reads one event.
pub(super) fn read_event(data: &[u8]) -> Result<Reading<'_>, Unparsed> {
    let event: Event<'_> = serde_json::from_slice(data).map_err(|_| Unparsed)?;
    let mut reading = Reading::default();
    match &*event.kind {
        "message_start" => {
            reading.role = true;
            reading.usage = event.message.and_then(|m| m.usage).map(|counts| counts.usage(false));
        }
        "content_block_start" => {
            if let Some(block) = event.content_block {
                reading.other_output = block.kind.ends_with("tool_use");
                reading.answer = block.text.unwrap_or_default();
                reading.reasoning = block.thinking.unwrap_or_default();
            }
        }
        "content_block_delta" => {
            if let Some(delta) = event.delta {
                reading.answer = delta.text.unwrap_or_default();
                reading.reasoning = delta.thinking.unwrap_or_default();
                reading.other_output = delta.partial_json.is_some_and(|json| !json.is_empty());
            }
        }
        "message_delta" => {
            reading.usage = event.usage.map(|counts| counts.usage(true));
            reading.finish = event.delta.and_then(|d| d.stop_reason);
            reading.finished = u32::from(reading.finish.is_some());
        }
        "message_stop" => reading.last = true,
        "content_block_stop" | "ping" => {}
        "error" => reading.error = Some(event.error.as_ref().map_or_else(|| "error".to_owned(), error_text)),
        _ => return Err(Unparsed),
    }
    Ok(reading)
}

/// Reads an answer that did not stream.
pub(super) fn read_whole(body: &[u8]) -> Result<Reading<'_>, Unparsed> {
    let message: Message<'_> = serde_json::from_slice(body).map_err(|_| Unparsed)?;
    let mut reading = Reading { running: true, ..Reading::default() };
    match &*message.kind {
        "message" => {}
        "error" => reading.error = Some(message.error.as_ref().map_or_else(|| "error".to_owned(), error_text)),
        _ => return Err(Unparsed),
    }
    reading.usage = message.usage.map(|counts| counts.usage(true));
    reading.finish = message.stop_reason;
    reading.finished = 1;
    for block in message.content.into_iter().flatten() {
        reading.other_output |= block.kind.ends_with("tool_use");
        append(&mut reading.answer, block.text.unwrap_or_default());
        append(&mut reading.reasoning, block.thinking.unwrap_or_default());
    }
    Ok(reading)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(data: &str) -> Reading<'_> {
        read_event(data.as_bytes()).unwrap_or_else(|_| panic!("{data} is not understood"))
    }

    #[test]
    fn deltas_are_output_whatever_they_are_made_of() {
        let delta = |inner: &str| format!(r#"{{"type":"content_block_delta","index":0,"delta":{{{inner}}}}}"#);
        assert_eq!(event(&delta(r#""type":"text_delta","text":"hi""#)).answer, "hi");
        assert_eq!(event(&delta(r#""type":"thinking_delta","thinking":"hm""#)).reasoning, "hm");
        assert!(event(&delta(r#""type":"input_json_delta","partial_json":"{""#)).other_output);
        assert!(!event(&delta(r#""type":"signature_delta","signature":"EqQ""#)).has_output());
        for quiet in [
            r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#,
            r#"{"type":"content_block_stop","index":0}"#,
            r#"{"type":"ping"}"#,
        ] {
            assert_eq!(event(quiet), Reading::default(), "{quiet}");
        }
        let tool =
            r#"{"type":"content_block_start","content_block":{"type":"tool_use","id":"t","name":"f","input":{}}}"#;
        assert!(event(tool).other_output, "the name of the tool is output");
    }

    #[test]
    fn counts_come_at_both_ends_and_cached_tokens_are_part_of_the_prompt() {
        let start = event(
            r#"{"type":"message_start","message":{"type":"message","role":"assistant","content":[],"usage":{"input_tokens":5,"cache_read_input_tokens":20,"output_tokens":1}}}"#,
        );
        let usage = start.usage.unwrap();
        assert_eq!((usage.prompt_tokens, usage.completion_tokens), (Some(25), None));
        assert_eq!(usage.prompt_tokens_details.unwrap().cached_tokens, Some(20));
        assert!(start.role);
        let end = event(r#"{"type":"message_delta","delta":{"stop_reason":"max_tokens"},"usage":{"output_tokens":9}}"#);
        assert_eq!((end.usage.unwrap().completion_tokens, end.finish.as_deref()), (Some(9), Some("max_tokens")));
        assert!(event(r#"{"type":"message_stop"}"#).last);
    }

    #[test]
    fn errors_and_whole_answers_are_read() {
        let error = event(r#"{"type":"error","error":{"type":"overloaded_error","message":"busy"}}"#);
        assert_eq!(error.error.as_deref(), Some("busy"));
        let body = br#"{"type":"message","role":"assistant","content":[{"type":"text","text":"yes"}],"stop_reason":"end_turn","usage":{"input_tokens":3,"output_tokens":2}}"#;
        let reading = read_whole(body).unwrap();
        assert_eq!((reading.answer.as_ref(), reading.usage.unwrap().completion_tokens), ("yes", Some(2)));
        assert!(read_event(br#"{"type":"strange"}"#).is_err() && read_whole(br#"{"content":[]}"#).is_err());
    }
}
