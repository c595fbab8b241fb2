//! An answer in Anthropic's protocol. Calls come as blocks, one after the other: the protocol knows no other shape.

use serde_json::{Value, json};

use super::say::{Call, Say, Shape};

/// The events, each with its blank line; the last is `message_stop`.
pub(super) fn events(say: &Say, model: &str) -> Vec<String> {
    let mut events = Vec::new();
    let mut add = |value: Value| {
        events.push(format!("event: {}\ndata: {value}\n\n", value["type"].as_str().unwrap_or_default()));
    };
    let (read, written) = say.usage.unwrap_or_default();
    let mut message = json!({"id": "msg_1", "type": "message", "role": "assistant", "model": model, "content": []});
    if say.usage.is_some() {
        message["usage"] =
            json!({"input_tokens": read.saturating_sub(2), "cache_read_input_tokens": 2, "output_tokens": 1});
    }
    add(json!({"type": "message_start", "message": message}));
    add(json!({"type": "ping"}));
    let mut index = 0;
    let mut block = |add: &mut dyn FnMut(Value), start: Value, deltas: Vec<Value>| {
        add(json!({"type": "content_block_start", "index": index, "content_block": start}));
        for delta in deltas {
            add(json!({"type": "content_block_delta", "index": index, "delta": delta}));
        }
        add(json!({"type": "content_block_stop", "index": index}));
        index += 1;
    };
    if !say.reasoning.is_empty() {
        let deltas = say.reasoning.iter().map(|piece| json!({"type": "thinking_delta", "thinking": piece})).collect();
        block(&mut add, json!({"type": "thinking", "thinking": ""}), deltas);
    }
    if !say.text.is_empty() {
        let deltas = say.text.iter().map(|piece| json!({"type": "text_delta", "text": piece})).collect();
        block(&mut add, json!({"type": "text", "text": ""}), deltas);
    }
    for call in &say.calls {
        let letters: Vec<char> = call.arguments.chars().collect();
        let pieces = letters.chunks(size(say.shape)).map(|piece| piece.iter().collect::<String>());
        let pieces = pieces.map(|piece| json!({"type": "input_json_delta", "partial_json": piece}));
        let empty = std::iter::once(json!({"type": "input_json_delta", "partial_json": ""}));
        block(&mut add, tool_use(call, json!({})), empty.chain(pieces).collect());
    }
    let mut end = json!({"type": "message_delta", "delta": {"stop_reason": reason(say), "stop_sequence": null}});
    if say.usage.is_some() {
        end["usage"] = json!({"output_tokens": written});
    }
    add(end);
    add(json!({"type": "message_stop"}));
    events
}

/// The answer as one object.
pub(super) fn object(say: &Say, model: &str) -> Value {
    let mut content = Vec::new();
    if !say.reasoning.is_empty() {
        content.push(json!({"type": "thinking", "thinking": say.reasoning.concat()}));
    }
    if !say.text.is_empty() {
        content.push(json!({"type": "text", "text": say.text.concat()}));
    }
    content
        .extend(say.calls.iter().map(|call| tool_use(call, serde_json::from_str(&call.arguments).unwrap_or_default())));
    let mut answer = json!({"id": "msg_1", "type": "message", "role": "assistant", "model": model,
        "content": content, "stop_reason": reason(say)});
    if let Some((read, written)) = say.usage {
        answer["usage"] =
            json!({"input_tokens": read.saturating_sub(2), "cache_read_input_tokens": 2, "output_tokens": written});
    }
    answer
}

fn tool_use(call: &Call, input: Value) -> Value {
    json!({"type": "tool_use", "id": call.id, "name": call.name, "input": input})
}

fn size(shape: Shape) -> usize {
    match shape {
        Shape::Pieces(size) | Shape::Repeating(size) | Shape::NoIds(size) => size.max(1),
        Shape::Whole | Shape::Unnumbered | Shape::AllZero => usize::MAX,
    }
}

fn reason(say: &Say) -> &str {
    match say.finish() {
        "stop" => "end_turn",
        "tool_calls" => "tool_use",
        "length" => "max_tokens",
        "content_filter" => "refusal",
        other => other,
    }
}
