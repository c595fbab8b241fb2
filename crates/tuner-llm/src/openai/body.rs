//! The request.
//!
//! *Invariant*: `arguments` of earlier calls are always JSON objects here: servers parse them for the model's template
//! and refuse the whole conversation otherwise.

use serde_json::{Map, Value, json};

use crate::{ChatMessage, ChatRequest, Provider, ProviderKind, ToolCall};

/// What this server has been found not to take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Without {
    pub(crate) stream: bool,
    pub(crate) stream_options: bool,
    pub(crate) temperature: bool,
    pub(crate) response_format: bool,
    /// The other name of the longest answer's field.
    pub(crate) usual_limit: bool,
}

/// Name of the field with the longest answer: OpenAI's newer models take only the newer one, other servers know the
/// older one.
pub(crate) fn limit_field(kind: ProviderKind, without: Without) -> &'static str {
    if (kind == ProviderKind::Openai) == without.usual_limit { "max_tokens" } else { "max_completion_tokens" }
}

/// The body of one request. `schema` is the form that the answer's text must have.
pub(crate) fn body(provider: &Provider, request: &ChatRequest, schema: Option<&Value>, without: Without) -> Value {
    let mut body = Map::new();
    body.insert("model".into(), json!(provider.model));
    body.insert("messages".into(), messages(request));
    if !without.stream {
        body.insert("stream".into(), json!(true));
        if !without.stream_options {
            body.insert("stream_options".into(), json!({"include_usage": true}));
        }
    }
    if !request.tools.is_empty() {
        let tools = request.tools.iter().map(|tool| {
            json!({"type": "function", "function":
                {"name": tool.name, "description": tool.description, "parameters": tool.parameters}})
        });
        body.insert("tools".into(), tools.collect());
    }
    if let Some(limit) = provider.max_output_tokens {
        body.insert(limit_field(provider.kind, without).into(), json!(limit));
    }
    if let Some(temperature) = provider.temperature.filter(|_| !without.temperature) {
        body.insert("temperature".into(), json!(temperature));
    }
    if let Some(schema) = schema.filter(|_| !without.response_format) {
        let form = json!({"type": "json_schema", "json_schema": {"name": "turn", "schema": schema}});
        body.insert("response_format".into(), form);
    }
    Value::Object(body)
}

fn messages(request: &ChatRequest) -> Value {
    let mut out: Vec<Value> = Vec::new();
    if !request.system.is_empty() {
        out.push(json!({"role": "system", "content": request.system}));
    }
    for message in &request.messages {
        match message {
            ChatMessage::User { text } => {
                // The templates of several models refuse two messages of one role in a row.
                let before = out.last_mut().filter(|before| before["role"] == "user");
                match before.and_then(|before| before["content"].as_str().map(str::to_owned).zip(Some(before))) {
                    Some((content, before)) => before["content"] = json!(format!("{content}\n\n{text}")),
                    None => out.push(json!({"role": "user", "content": text})),
                }
            }
            ChatMessage::Assistant { text, calls } if calls.is_empty() => {
                out.push(json!({"role": "assistant", "content": text}));
            }
            ChatMessage::Assistant { text, calls } => {
                let content = if text.is_empty() { Value::Null } else { json!(text) };
                let calls: Vec<Value> = calls.iter().map(call).collect();
                out.push(json!({"role": "assistant", "content": content, "tool_calls": calls}));
            }
            ChatMessage::Tool { call_id, content, .. } => {
                out.push(json!({"role": "tool", "tool_call_id": call_id, "content": content}));
            }
        }
    }
    Value::Array(out)
}

fn call(call: &ToolCall) -> Value {
    let arguments = arguments(&call.arguments).to_string();
    json!({"id": call.id, "type": "function", "function": {"name": named(&call.name), "arguments": arguments}})
}

/// A name that every server takes back.
pub(crate) fn named(name: &str) -> &str {
    if name.is_empty() { "unnamed" } else { name }
}

/// The arguments as an object; what the model wrote, if it wrote none.
pub(crate) fn arguments(text: &str) -> Value {
    if text.trim().is_empty() {
        return json!({});
    }
    match serde_json::from_str(text) {
        Ok(Value::Object(object)) => Value::Object(object),
        _ => json!({"malformed_arguments": text}),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ToolSpec;

    fn user(text: &str) -> ChatMessage {
        ChatMessage::User { text: text.into() }
    }

    #[test]
    fn a_conversation_with_calls_is_written_as_the_protocol_has_it() {
        let call =
            |id: &str, arguments: &str| ToolCall { id: id.into(), name: "add".into(), arguments: arguments.into() };
        let request = ChatRequest {
            system: "Be brief.".into(),
            messages: vec![
                user("one"),
                user("two"),
                ChatMessage::Assistant { text: String::new(), calls: vec![call("a", "{\"x\":1}"), call("b", "{\"x")] },
                ChatMessage::Tool { call_id: "a".into(), name: "add".into(), content: "1".into() },
                ChatMessage::Tool { call_id: "b".into(), name: "add".into(), content: "no JSON".into() },
                ChatMessage::Assistant { text: "Done.".into(), calls: vec![] },
            ],
            tools: vec![ToolSpec {
                name: "add".into(),
                description: "Adds.".into(),
                parameters: json!({"type": "object"}),
            }],
        };
        let provider =
            Provider { max_output_tokens: Some(9), temperature: Some(0.5), ..Provider::new(ProviderKind::Local, "m") };
        let body = body(&provider, &request, None, Without::default());
        assert_eq!(
            body,
            json!({
                "model": "m",
                "messages": [
                    {"role": "system", "content": "Be brief."},
                    {"role": "user", "content": "one\n\ntwo"},
                    {"role": "assistant", "content": null, "tool_calls": [
                        {"id": "a", "type": "function", "function": {"name": "add", "arguments": "{\"x\":1}"}},
                        {"id": "b", "type": "function",
                         "function": {"name": "add", "arguments": "{\"malformed_arguments\":\"{\\\"x\"}"}},
                    ]},
                    {"role": "tool", "tool_call_id": "a", "content": "1"},
                    {"role": "tool", "tool_call_id": "b", "content": "no JSON"},
                    {"role": "assistant", "content": "Done."},
                ],
                "stream": true,
                "stream_options": {"include_usage": true},
                "tools": [{"type": "function",
                           "function": {"name": "add", "description": "Adds.", "parameters": {"type": "object"}}}],
                "max_tokens": 9,
                "temperature": 0.5,
            })
        );
    }

    #[test]
    fn what_a_server_does_not_take_is_left_out() {
        let provider =
            Provider { max_output_tokens: Some(9), temperature: Some(0.5), ..Provider::new(ProviderKind::Openai, "m") };
        let request = ChatRequest { messages: vec![user("x")], ..ChatRequest::default() };
        let schema = json!({"type": "object"});
        let keys = |without| {
            let body = body(&provider, &request, Some(&schema), without);
            body.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ")
        };
        assert_eq!(
            keys(Without::default()),
            "model messages stream stream_options max_completion_tokens temperature response_format"
        );
        let without =
            Without { stream: true, stream_options: true, temperature: true, response_format: true, usual_limit: true };
        assert_eq!(keys(without), "model messages max_tokens");
    }
}
