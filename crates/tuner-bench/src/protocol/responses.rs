//! OpenAI responses: events are told apart by their `type`; the last is one of `response.completed`,
//! `response.incomplete` and `response.failed`.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::Value;

use crate::client::event::{PromptDetails, Reading, Unparsed, Usage, append, error_text, text};

#[derive(Deserialize)]
struct Event<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(borrow, default, deserialize_with = "text")]
    delta: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    response: Option<Response<'a>>,
    #[serde(default)]
    error: Option<Value>,
    #[serde(default)]
    message: Option<Value>,
}

#[derive(Deserialize)]
struct Response<'a> {
    #[serde(borrow, default, deserialize_with = "text")]
    status: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    output: Option<Vec<Item<'a>>>,
    #[serde(default)]
    usage: Option<Counts>,
    #[serde(default)]
    error: Option<Value>,
    #[serde(default)]
    incomplete_details: Option<Value>,
}

#[derive(Deserialize)]
struct Counts {
    #[serde(default)]
    input_tokens: Option<u32>,
    #[serde(default)]
    output_tokens: Option<u32>,
    #[serde(default)]
    input_tokens_details: Option<PromptDetails>,
}

#[derive(Deserialize)]
struct Item<'a> {
    #[serde(borrow, rename = "type", default)]
    kind: Cow<'a, str>,
    #[serde(borrow, default)]
    content: Option<Vec<Part<'a>>>,
    #[serde(borrow, default)]
    summary: Option<Vec<Part<'a>>>,
}

#[derive(Deserialize)]
struct Part<'a> {
    #[serde(borrow, default, deserialize_with = "text")]
    text: Option<Cow<'a, str>>,
    #[serde(borrow, default, deserialize_with = "text")]
    refusal: Option<Cow<'a, str>>,
}

impl Response<'_> {
    fn usage(&self) -> Option<Usage> {
        self.usage.as_ref().map(|counts| Usage {
            prompt_tokens: counts.input_tokens,
            completion_tokens: counts.output_tokens,
            prompt_tokens_details: counts.input_tokens_details,
        })
    }

    fn failure(&self) -> Option<String> {
        self.error.as_ref().filter(|e| !e.is_null()).map(error_text)
    }

    /// Why it ended, in the words of the other protocols.
    fn finish(&self) -> Option<Cow<'static, str>> {
        match self.status.as_deref()? {
            "completed" => Some("stop".into()),
            "incomplete" => {
                let reason =
                    self.incomplete_details.as_ref().and_then(|d| d["reason"].as_str()).unwrap_or("incomplete");
                Some(if reason == "max_output_tokens" { "length".into() } else { reason.to_owned().into() })
            }
            _ => None,
        }
    }
}

/// Reads one event.
pub(super) fn read_event(data: &[u8]) -> Result<Reading<'_>, Unparsed> {
    let event: Event<'_> = serde_json::from_slice(data).map_err(|_| Unparsed)?;
    let mut reading = Reading { running: true, ..Reading::default() };
    let delta = event.delta.unwrap_or_default();
    match &*event.kind {
        "response.output_text.delta" => reading.answer = delta,
        "response.reasoning_text.delta" | "response.reasoning_summary_text.delta" | "response.reasoning.delta" => {
            reading.reasoning = delta;
        }
        "response.refusal.delta"
        | "response.function_call_arguments.delta"
        | "response.mcp_call_arguments.delta"
        | "response.custom_tool_call_input.delta"
        | "response.code_interpreter_call_code.delta"
        | "response.audio.delta" => reading.other_output = !delta.is_empty(),
        "response.completed" | "response.incomplete" | "response.failed" => {
            let response = event.response.as_ref();
            reading.running = false;
            reading.last = true;
            reading.usage = response.and_then(Response::usage);
            reading.finish = response.and_then(Response::finish);
            if event.kind == "response.failed" {
                let said = response.and_then(Response::failure);
                reading.error = Some(said.unwrap_or_else(|| "response.failed".to_owned()));
            } else {
                reading.finish.get_or_insert(Cow::Borrowed("stop"));
                reading.finished = 1;
            }
        }
        "error" => {
            let said = event.error.as_ref().filter(|e| !e.is_null()).or(event.message.as_ref());
            reading.error = Some(said.map_or_else(|| "error".to_owned(), error_text));
        }
        // Announcements of items and parts, and their repetition as a whole at the end, bring no new output.
        kind if kind.starts_with("response.") => {}
        _ => return Err(Unparsed),
    }
    Ok(reading)
}

/// Reads an answer that did not stream.
pub(super) fn read_whole(body: &[u8]) -> Result<Reading<'_>, Unparsed> {
    let response: Response<'_> = serde_json::from_slice(body).map_err(|_| Unparsed)?;
    if response.output.is_none() && response.error.is_none() {
        return Err(Unparsed);
    }
    let mut reading =
        Reading { running: true, usage: response.usage(), error: response.failure(), ..Reading::default() };
    reading.finish = response.finish();
    reading.finished = 1;
    for item in response.output.into_iter().flatten() {
        reading.other_output |= item.kind.ends_with("_call");
        let reasoning = item.kind == "reasoning";
        for part in item.content.into_iter().flatten().chain(item.summary.into_iter().flatten()) {
            reading.other_output |= part.refusal.is_some_and(|t| !t.is_empty());
            let to = if reasoning { &mut reading.reasoning } else { &mut reading.answer };
            append(to, part.text.unwrap_or_default());
        }
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
    fn deltas_are_output_and_announcements_are_not() {
        assert_eq!(event(r#"{"type":"response.output_text.delta","delta":"hi","output_index":0}"#).answer, "hi");
        assert_eq!(event(r#"{"type":"response.reasoning_text.delta","delta":"hm"}"#).reasoning, "hm");
        assert!(event(r#"{"type":"response.function_call_arguments.delta","delta":"{"}"#).other_output);
        for quiet in [
            r#"{"type":"response.created","response":{"status":"in_progress","output":[],"usage":null}}"#,
            r#"{"type":"response.output_item.added","item":{"type":"message"},"output_index":0}"#,
            r#"{"type":"response.output_text.done","text":"hi"}"#,
            r#"{"type":"response.content_part.done","part":{"type":"output_text","text":"hi"}}"#,
        ] {
            let reading = event(quiet);
            assert!(!reading.has_output() && !reading.last && reading.usage.is_none(), "{quiet}");
        }
        assert!(read_event(br#"{"choices":[]}"#).is_err());
        assert!(read_event(br#"{"type":"other"}"#).is_err());
    }

    #[test]
    fn the_last_event_carries_usage_and_the_reason() {
        let usage = r#"{"input_tokens":5,"output_tokens":7,"input_tokens_details":{"cached_tokens":2}}"#;
        let data = format!(r#"{{"type":"response.completed","response":{{"status":"completed","usage":{usage}}}}}"#);
        let reading = event(&data);
        let counts = reading.usage.unwrap();
        assert_eq!((counts.prompt_tokens, counts.completion_tokens), (Some(5), Some(7)));
        assert_eq!(counts.prompt_tokens_details.unwrap().cached_tokens, Some(2));
        assert_eq!((reading.finish.as_deref(), reading.last, reading.running), (Some("stop"), true, false));
        let cut = event(
            r#"{"type":"response.incomplete","response":{"status":"incomplete","incomplete_details":{"reason":"max_output_tokens"}}}"#,
        );
        assert_eq!(cut.finish.as_deref(), Some("length"));
    }

    #[test]
    fn failures_say_what_the_engine_said() {
        let failed = r#"{"type":"response.failed","response":{"status":"failed","error":{"code":"x","message":"oh"}}}"#;
        assert_eq!(event(failed).error.as_deref(), Some("oh"));
        assert_eq!(event(r#"{"type":"error","message":"bad","code":"y"}"#).error.as_deref(), Some("bad"));
    }

    #[test]
    fn a_whole_answer_has_its_text_and_counts() {
        let body =
            br#"{"object":"response","status":"completed","error":null,"usage":{"input_tokens":1,"output_tokens":2},
            "output":[{"type":"reasoning","summary":[],"content":[{"type":"reasoning_text","text":"hm"}]},
            {"type":"message","content":[{"type":"output_text","text":"yes"}]}]}"#;
        let reading = read_whole(body).unwrap();
        assert_eq!((reading.reasoning.as_ref(), reading.answer.as_ref()), ("hm", "yes"));
        assert_eq!(reading.usage.unwrap().completion_tokens, Some(2));
        assert!(read_whole(br#"{"x":1}"#).is_err());
    }
}
