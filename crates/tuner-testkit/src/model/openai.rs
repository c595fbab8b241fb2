//! An answer in OpenAI's protocol.

use serde_json::{Value, json};

use super::say::{Call, Say, Shape};

/// The events, each with its blank line; the last is `[DONE]`.
pub(super) fn events(say: &Say, model: &str) -> Vec<String> {
    let mut events = Vec::new();
    let mut choice = |delta: Value, finish: Value| {
        let choices = json!([{"index": 0, "delta": delta, "finish_reason": finish}]);
        let chunk = json!({"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": model,
            "choices": choices});
        events.push(format!("data: {chunk}\n\n"));
    };
    choice(json!({"role": "assistant", "content": ""}), Value::Null);
    for piece in &say.reasoning {
        choice(json!({"reasoning_content": piece}), Value::Null);
    }
    for piece in &say.text {
        choice(json!({"content": piece}), Value::Null);
    }
    for calls in call_events(&say.calls, say.shape) {
        choice(json!({"tool_calls": calls}), Value::Null);
    }
    choice(json!({}), json!(say.finish()));
    if let Some((read, written)) = say.usage {
        let usage = usage(read, written);
        events.push(format!("data: {}\n\n", json!({"model": model, "choices": [], "usage": usage})));
    }
    events.push("data: [DONE]\n\n".to_owned());
    events
}

/// The answer as one object.
pub(super) fn object(say: &Say, model: &str) -> Value {
    let calls: Vec<Value> =
        say.calls.iter().map(|call| entry(None, id(call), Some(&call.name), &call.arguments)).collect();
    let mut message = json!({"role": "assistant", "content": say.text.concat()});
    if !say.reasoning.is_empty() {
        message["reasoning_content"] = json!(say.reasoning.concat());
    }
    if !calls.is_empty() {
        message["tool_calls"] = json!(calls);
    }
    let choices = json!([{"index": 0, "message": message, "finish_reason": say.finish()}]);
    let mut answer = json!({"id": "chatcmpl-1", "object": "chat.completion", "model": model, "choices": choices});
    if let Some((read, written)) = say.usage {
        answer["usage"] = usage(read, written);
    }
    answer
}

fn usage(read: u64, written: u64) -> Value {
    json!({"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written,
        "prompt_tokens_details": {"cached_tokens": 2}, "completion_tokens_details": {"reasoning_tokens": 1}})
}

fn call_events(calls: &[Call], shape: Shape) -> Vec<Vec<Value>> {
    let whole = |index: Option<usize>, call: &Call| entry(index, id(call), Some(&call.name), &call.arguments);
    match shape {
        _ if calls.is_empty() => Vec::new(),
        Shape::Whole => vec![calls.iter().enumerate().map(|(index, call)| whole(Some(index), call)).collect()],
        Shape::Unnumbered => calls.iter().map(|call| vec![whole(None, call)]).collect(),
        Shape::AllZero => calls.iter().map(|call| vec![whole(Some(0), call)]).collect(),
        Shape::Pieces(size) => {
            let heads =
                calls.iter().enumerate().map(|(index, call)| vec![entry(Some(index), id(call), Some(&call.name), "")]);
            heads.chain(turns(calls, size, |index, _, piece| entry(Some(index), None, None, piece))).collect()
        }
        Shape::Repeating(size) => {
            turns(calls, size, |index, call, piece| entry(Some(index), id(call), Some(&call.name), piece)).collect()
        }
        Shape::NoIds(size) => {
            let heads =
                calls.iter().enumerate().map(|(index, call)| vec![entry(Some(index), None, Some(&call.name), "")]);
            heads.chain(turns(calls, size, |index, _, piece| entry(Some(index), None, None, piece))).collect()
        }
    }
}

/// The arguments in pieces, the calls taking turns.
fn turns<'a>(
    calls: &'a [Call],
    size: usize,
    written: impl Fn(usize, &Call, &str) -> Value + 'a,
) -> impl Iterator<Item = Vec<Value>> + 'a {
    let pieces: Vec<Vec<String>> = calls
        .iter()
        .map(|call| {
            let letters: Vec<char> = call.arguments.chars().collect();
            letters.chunks(size.max(1)).map(|piece| piece.iter().collect()).collect()
        })
        .collect();
    let rounds = pieces.iter().map(Vec::len).max().unwrap_or(0);
    (0..rounds).flat_map(move |round| {
        let round: Vec<Vec<Value>> = pieces
            .iter()
            .enumerate()
            .filter_map(|(index, pieces)| Some(vec![written(index, &calls[index], pieces.get(round)?)]))
            .collect();
        round
    })
}

fn id(call: &Call) -> Option<&str> {
    call.id.as_deref()
}

fn entry(index: Option<usize>, id: Option<&str>, name: Option<&str>, arguments: &str) -> Value {
    let mut entry = json!({"type": "function", "function": {"arguments": arguments}});
    if let Some(index) = index {
        entry["index"] = json!(index);
    }
    if let Some(id) = id {
        entry["id"] = json!(id);
    }
    if let Some(name) = name {
        entry["function"]["name"] = json!(name);
    }
    entry
}
