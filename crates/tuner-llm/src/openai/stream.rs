//! The answer, as a stream of events or as one object.
//!
//! *Invariant*: the one object is read by the same code as the events, so both give the same reply.

use serde_json::Value;

use crate::answer::{Answer, Inside, Told};
use crate::calls::Piece;
use crate::{Finish, Usage};

/// Reads one event's data.
pub(crate) fn event(name: &[u8], data: &[u8], answer: &mut Answer, told: &mut Told<'_>) -> Result<(), Inside> {
    let data = data.trim_ascii();
    if data.is_empty() {
        return Ok(());
    }
    if data == b"[DONE]" {
        answer.over = true;
        return Ok(());
    }
    match serde_json::from_slice::<Value>(data) {
        Ok(value) => object(&value, name == b"error", answer, told),
        Err(error) => Err(Inside { kind: "unreadable".into(), message: format!("an event is no JSON: {error}") }),
    }
}

/// Reads one object: an event, or the whole answer.
pub(crate) fn object(value: &Value, is_error: bool, answer: &mut Answer, told: &mut Told<'_>) -> Result<(), Inside> {
    if let Some(inside) = error_in(value, is_error) {
        return Err(inside);
    }
    answer.model(value["model"].as_str());
    if let Some(usage) = usage(&value["usage"]) {
        answer.usage = Some(usage);
    }
    let Some(choice) = value["choices"].get(0) else { return Ok(()) };
    let delta = if choice["delta"].is_object() { &choice["delta"] } else { &choice["message"] };
    for field in ["reasoning_content", "reasoning"] {
        if let Some(thought) = delta[field].as_str() {
            answer.reasoning(thought, told);
            // Some servers send the same thought under both names.
            break;
        }
    }
    content(&delta["content"], answer, told);
    if let Some(refusal) = delta["refusal"].as_str() {
        answer.text(refusal, told);
    }
    let mut pieces: Vec<Piece> = delta["tool_calls"].as_array().into_iter().flatten().map(piece).collect();
    if delta["function_call"].is_object() {
        pieces.push(Piece { place: Some(0), ..function(&delta["function_call"]) });
    }
    answer.calls(pieces, told);
    if let Some(reason) = choice["finish_reason"].as_str().filter(|reason| !reason.is_empty()) {
        answer.finish = Some(match reason {
            "stop" | "eos" => Finish::Stop,
            "tool_calls" | "function_call" => Finish::ToolCalls,
            "length" => Finish::Length,
            "content_filter" => Finish::ContentFilter,
            other => Finish::Other(other.chars().take(100).collect()),
        });
    }
    Ok(())
}

/// Text, or (at some providers) a list of typed parts.
fn content(content: &Value, answer: &mut Answer, told: &mut Told<'_>) {
    if let Some(text) = content.as_str() {
        answer.text(text, told);
    }
    for part in content.as_array().into_iter().flatten() {
        if let Some(text) = part["text"].as_str() {
            answer.text(text, told);
        }
        for thought in part["thinking"].as_array().into_iter().flatten() {
            answer.reasoning(thought["text"].as_str().unwrap_or_default(), told);
        }
    }
}

fn piece(entry: &Value) -> Piece {
    Piece {
        place: entry["index"].as_u64(),
        id: entry["id"].as_str().map(str::to_owned),
        ..function(&entry["function"])
    }
}

fn function(function: &Value) -> Piece {
    let arguments = match &function["arguments"] {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        whole => whole.to_string(),
    };
    Piece { name: function["name"].as_str().map(str::to_owned), arguments, ..Piece::default() }
}

fn usage(usage: &Value) -> Option<Usage> {
    let count = |pointer: &str| usage.pointer(pointer).and_then(Value::as_u64);
    Some(Usage {
        input_tokens: count("/prompt_tokens")?,
        cached_tokens: count("/prompt_tokens_details/cached_tokens").unwrap_or(0),
        output_tokens: count("/completion_tokens").unwrap_or(0),
        reasoning_tokens: count("/completion_tokens_details/reasoning_tokens").unwrap_or(0),
    })
}

/// An error object: `{"error": {...}}`, `{"error": "..."}`, or `{"object": "error", "message": ...}`.
fn error_in(value: &Value, is_error: bool) -> Option<Inside> {
    let error = match &value["error"] {
        Value::Null if is_error || value["object"] == "error" => value,
        Value::Null => return None,
        error => error,
    };
    let words = ["type", "code"].map(|field| match &error[field] {
        Value::Null => String::new(),
        Value::String(word) => word.clone(),
        other => other.to_string(),
    });
    let message = error["message"].as_str().or(error.as_str()).map_or_else(|| error.to_string(), str::to_owned);
    Some(Inside { kind: words.join(" ").trim().to_owned(), message })
}
