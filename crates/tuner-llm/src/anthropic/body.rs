//! The request.
//!
//! *Invariant*: user and assistant take turns and no block is empty, as the protocol wants it, whatever the
//! conversation looks like.

use serde_json::{Map, Value, json};

use crate::openai::body::{Without, arguments, named};
use crate::{ChatMessage, ChatRequest, Provider};

/// The protocol wants a limit; this one is beyond any answer in a conversation with tools.
const LONGEST_ANSWER: u32 = 8192;

/// The body of one request.
pub(crate) fn body(provider: &Provider, request: &ChatRequest, without: Without) -> Value {
    let mut body = Map::new();
    body.insert("model".into(), json!(provider.model));
    body.insert("max_tokens".into(), json!(provider.max_output_tokens.unwrap_or(LONGEST_ANSWER)));
    if !request.system.is_empty() {
        // Tools and system text are the same in every question of a conversation: read from the cache at a tenth of
        // the price.
        let block = json!({"type": "text", "text": request.system, "cache_control": {"type": "ephemeral"}});
        body.insert("system".into(), json!([block]));
    }
    body.insert("messages".into(), messages(request));
    if !request.tools.is_empty() {
        let tools = request
            .tools
            .iter()
            .map(|tool| json!({"name": tool.name, "description": tool.description, "input_schema": tool.parameters}));
        body.insert("tools".into(), tools.collect());
    }
    if !without.stream {
        body.insert("stream".into(), json!(true));
    }
    if let Some(temperature) = provider.temperature.filter(|_| !without.temperature) {
        body.insert("temperature".into(), json!(temperature));
    }
    Value::Object(body)
}

fn messages(request: &ChatRequest) -> Value {
    let mut turns: Vec<(&str, Vec<Value>)> = Vec::new();
    let mut add = |role: &'static str, blocks: Vec<Value>| match turns.last_mut() {
        Some((last, before)) if *last == role => before.extend(blocks),
        _ => {
            if turns.is_empty() && role == "assistant" {
                turns.push(("user", vec![text("(The beginning of the conversation is left out.)")]));
            }
            turns.push((role, blocks));
        }
    };
    for message in &request.messages {
        match message {
            ChatMessage::User { text: said } => add("user", vec![text(said)]),
            ChatMessage::Assistant { text: said, calls } => {
                let mut blocks = Vec::new();
                if !said.trim().is_empty() || calls.is_empty() {
                    blocks.push(text(said));
                }
                blocks.extend(calls.iter().map(|call| {
                    let input = arguments(&call.arguments);
                    json!({"type": "tool_use", "id": id(&call.id), "name": named(&call.name), "input": input})
                }));
                add("assistant", blocks);
            }
            ChatMessage::Tool { call_id, content, .. } => {
                add("user", vec![json!({"type": "tool_result", "tool_use_id": id(call_id), "content": content})]);
            }
        }
    }
    turns.into_iter().map(|(role, content)| json!({"role": role, "content": content})).collect()
}

fn text(said: &str) -> Value {
    let said = if said.trim().is_empty() { "(nothing)" } else { said };
    json!({"type": "text", "text": said})
}

/// The id in the letters that the protocol allows: a conversation may have begun with another provider.
fn id(id: &str) -> String {
    id.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' || c == '-' { c } else { '_' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ProviderKind, ToolCall};

    #[test]
    fn results_and_the_next_question_are_one_turn() {
        let calls = vec![
            ToolCall { id: "a.1".into(), name: "add".into(), arguments: "{\"x\":1}".into() },
            ToolCall { id: "b".into(), name: "add".into(), arguments: String::new() },
        ];
        let result = |id: &str| ChatMessage::Tool { call_id: id.into(), name: "add".into(), content: "1".into() };
        let request = ChatRequest {
            system: "Be brief.".into(),
            messages: vec![
                ChatMessage::Assistant { text: " ".into(), calls },
                result("a.1"),
                result("b"),
                ChatMessage::User { text: "and?".into() },
            ],
            tools: vec![],
        };
        let body = body(&Provider::new(ProviderKind::Anthropic, "m"), &request, Without::default());
        assert_eq!(
            body,
            json!({
                "model": "m",
                "max_tokens": 8192,
                "system": [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}],
                "messages": [
                    {"role": "user", "content": [
                        {"type": "text", "text": "(The beginning of the conversation is left out.)"}]},
                    {"role": "assistant", "content": [
                        {"type": "tool_use", "id": "a_1", "name": "add", "input": {"x": 1}},
                        {"type": "tool_use", "id": "b", "name": "add", "input": {}}]},
                    {"role": "user", "content": [
                        {"type": "tool_result", "tool_use_id": "a_1", "content": "1"},
                        {"type": "tool_result", "tool_use_id": "b", "content": "1"},
                        {"type": "text", "text": "and?"}]},
                ],
                "stream": true,
            })
        );
    }
}
