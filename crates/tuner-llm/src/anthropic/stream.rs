//! The answer, as a stream of events or as one object.
//!
//! *Invariant*: `input_tokens` of a reply count everything that was read; Anthropic counts what its cache gave and
//! what it wrote into its cache apart.

use serde_json::Value;

use crate::answer::{Answer, Inside, Told};
use crate::calls::Piece;
use crate::{Finish, Usage};

/// Reads one event's data.
pub(crate) fn event(data: &[u8], answer: &mut Answer, told: &mut Told<'_>) -> Result<(), Inside> {
    let data = data.trim_ascii();
    if data.is_empty() {
        return Ok(());
    }
    let value: Value = serde_json::from_slice(data)
        .map_err(|error| Inside { kind: "unreadable".into(), message: format!("an event is no JSON: {error}") })?;
    match value["type"].as_str().unwrap_or_default() {
        "message_start" => {
            answer.model(value["message"]["model"].as_str());
            usage(&value["message"]["usage"], answer);
        }
        "content_block_start" => block(value["index"].as_u64(), &value["content_block"], false, answer, told),
        "content_block_delta" => {
            let delta = &value["delta"];
            let part = |field: &str| delta[field].as_str().unwrap_or_default().to_owned();
            match delta["type"].as_str().unwrap_or_default() {
                "text_delta" => answer.text(&part("text"), told),
                "thinking_delta" => answer.reasoning(&part("thinking"), told),
                "input_json_delta" => {
                    let place = value["index"].as_u64();
                    answer.calls(vec![Piece { place, arguments: part("partial_json"), ..Piece::default() }], told);
                }
                _ => {}
            }
        }
        "message_delta" => {
            finish(value["delta"]["stop_reason"].as_str(), answer);
            usage(&value["usage"], answer);
        }
        "message_stop" => answer.over = true,
        "error" => return Err(inside(&value["error"])),
        // Pings, ends of blocks, and what a later version adds.
        _ => {}
    }
    Ok(())
}

/// Reads the whole answer.
pub(crate) fn object(value: &Value, answer: &mut Answer, told: &mut Told<'_>) -> Result<(), Inside> {
    if value["type"] == "error" || value["error"].is_object() {
        return Err(inside(&value["error"]));
    }
    answer.model(value["model"].as_str());
    usage(&value["usage"], answer);
    for (index, content) in value["content"].as_array().into_iter().flatten().enumerate() {
        block(Some(index as u64), content, true, answer, told);
    }
    finish(value["stop_reason"].as_str(), answer);
    Ok(())
}

/// A block, or its beginning: then its `input` is an empty object whose text follows.
fn block(place: Option<u64>, block: &Value, whole: bool, answer: &mut Answer, told: &mut Told<'_>) {
    match block["type"].as_str().unwrap_or_default() {
        "text" => answer.text(block["text"].as_str().unwrap_or_default(), told),
        "thinking" => answer.reasoning(block["thinking"].as_str().unwrap_or_default(), told),
        "tool_use" => {
            let input = &block["input"];
            let filled = whole || input.as_object().is_some_and(|fields| !fields.is_empty());
            let arguments = if filled && !input.is_null() { input.to_string() } else { String::new() };
            let word = |field: &str| block[field].as_str().map(str::to_owned);
            answer.calls(vec![Piece { place, id: word("id"), name: word("name"), arguments }], told);
        }
        _ => {}
    }
}

fn finish(reason: Option<&str>, answer: &mut Answer) {
    let Some(reason) = reason else { return };
    answer.finish = Some(match reason {
        "end_turn" | "stop_sequence" => Finish::Stop,
        "tool_use" => Finish::ToolCalls,
        "max_tokens" | "model_context_window_exceeded" => Finish::Length,
        "refusal" => Finish::ContentFilter,
        other => Finish::Other(other.chars().take(100).collect()),
    });
}

/// Counts are running totals: a later event replaces what it names.
fn usage(usage: &Value, answer: &mut Answer) {
    let count = |field: &str| usage[field].as_u64();
    let written = count("output_tokens");
    let read = count("input_tokens");
    if written.is_none() && read.is_none() {
        return;
    }
    let total = answer.usage.get_or_insert_with(Usage::default);
    if let Some(read) = read.filter(|read| *read > 0 || total.input_tokens == 0) {
        let cached = count("cache_read_input_tokens").unwrap_or(0);
        total.input_tokens = read + cached + count("cache_creation_input_tokens").unwrap_or(0);
        total.cached_tokens = cached;
    }
    if let Some(written) = written {
        total.output_tokens = written;
    }
}

fn inside(error: &Value) -> Inside {
    Inside {
        kind: error["type"].as_str().unwrap_or_default().to_owned(),
        message: error["message"].as_str().map_or_else(|| error.to_string(), str::to_owned),
    }
}
