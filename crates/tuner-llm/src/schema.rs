//! Tools for models whose server takes none: described in the system text, called in one JSON object.
//!
//! *Invariant*: the object is read strictly. What does not fit is shown to the model once, with the reason; the second
//! misfit is an error. No text is given out before it fits.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::answer::Told;
use crate::openai::body::arguments;
use crate::{ChatMessage, ChatModel, ChatRequest, Delta, Finish, LlmError, Reply, ToolCall, ToolSpec, Usage};

/// What the model answers.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Turn {
    #[serde(default)]
    say: String,
    #[serde(default)]
    calls: Vec<Call>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Call {
    name: String,
    #[serde(default)]
    arguments: Value,
}

/// Asks in this form; the reply looks as if the server had taken the tools.
pub(crate) async fn ask(model: &ChatModel, request: &ChatRequest, told: &mut Told<'_>) -> Result<Reply, LlmError> {
    let mut asked = in_this_form(request);
    let form = form(&request.tools);
    let mut usage: Option<Usage> = None;
    told.hold_text = true;
    let mut repaired = false;
    loop {
        let reply = model.question(&asked, Some(&form), told).await.map_err(|failed| failed.error)?;
        if let Some(more) = reply.usage {
            *usage.get_or_insert_default() += more;
        }
        let why = match read(&reply.text) {
            Ok(turn) => return Ok(into_reply(turn, Reply { usage, ..reply }, told)),
            Err(_) if reply.finish == Finish::Length => "the limit of tokens cut it".to_owned(),
            Err(why) => why,
        };
        if std::mem::replace(&mut repaired, true) || reply.finish == Finish::Length {
            told.hold_text = false;
            return Err(LlmError::OffSchema { why });
        }
        tracing::debug!(why, "the model is asked to keep to the form");
        asked.messages.push(ChatMessage::Assistant { text: reply.text, calls: Vec::new() });
        let text = format!(
            "That answer cannot be read: {why}. Answer the same again as one JSON object with the fields \"say\" and \
             \"calls\", and nothing around it."
        );
        asked.messages.push(ChatMessage::User { text });
    }
}

/// Calls of one answer; a small model would go on for ever.
const MOST: usize = 8;

/// The schema of the answer: a small model can only write calls that fit.
fn form(tools: &[ToolSpec]) -> Value {
    let call = |tool: &ToolSpec| {
        json!({
            "type": "object",
            "properties": {"name": {"type": "string", "enum": [tool.name]}, "arguments": plain(&tool.parameters)},
            "required": ["name", "arguments"],
            "additionalProperties": false,
        })
    };
    let any: Vec<Value> = tools.iter().map(call).collect();
    json!({
        "type": "object",
        "properties": {
            "say": {"type": "string"},
            "calls": {"type": "array", "maxItems": MOST, "items": {"anyOf": any}},
        },
        "required": ["say", "calls"],
        "additionalProperties": false,
    })
}

/// What every server turns into a grammar; servers differ in the rest of JSON schema, and refuse what they do not know.
fn plain(schema: &Value) -> Value {
    const KEPT: [&str; 3] = ["type", "required", "enum"];
    let Some(fields) = schema.as_object() else { return json!({}) };
    if ["$ref", "anyOf", "oneOf", "allOf"].iter().any(|word| fields.contains_key(*word)) {
        return json!({});
    }
    let mut out = serde_json::Map::new();
    for (word, value) in fields {
        match (word.as_str(), value) {
            (word, _) if KEPT.contains(&word) => drop(out.insert(word.to_owned(), value.clone())),
            ("properties", Value::Object(all)) => {
                let all = all.iter().map(|(name, schema)| (name.clone(), plain(schema))).collect();
                out.insert(word.clone(), Value::Object(all));
            }
            ("items", Value::Object(_)) => drop(out.insert(word.clone(), plain(value))),
            ("additionalProperties", Value::Bool(_)) => drop(out.insert(word.clone(), value.clone())),
            _ => {}
        }
    }
    Value::Object(out)
}

fn in_this_form(request: &ChatRequest) -> ChatRequest {
    let mut system = request.system.clone();
    if !system.is_empty() {
        system.push_str("\n\n");
    }
    system.push_str(
        "Answer with one JSON object and nothing around it: {\"say\": TEXT, \"calls\": [{\"name\": TOOL, \
         \"arguments\": {…}}]}. \"say\" is what the person reads. \"calls\" are the tools to run now; their results \
         come in the next message. Leave \"calls\" empty when no tool is needed. The tools, with the JSON schema of \
         their arguments:\n",
    );
    for tool in &request.tools {
        system.push_str(&format!("\n{}: {}\n{}\n", tool.name, tool.description, tool.parameters));
    }
    let messages = request.messages.iter().map(|message| match message {
        ChatMessage::User { text } => ChatMessage::User { text: text.clone() },
        ChatMessage::Assistant { text, calls } => {
            let calls: Vec<Value> =
                calls.iter().map(|call| json!({"name": call.name, "arguments": arguments(&call.arguments)})).collect();
            ChatMessage::Assistant { text: json!({"say": text, "calls": calls}).to_string(), calls: Vec::new() }
        }
        ChatMessage::Tool { name, content, .. } => ChatMessage::User { text: format!("Result of {name}:\n{content}") },
    });
    ChatRequest { system, messages: messages.collect(), tools: Vec::new() }
}

fn read(text: &str) -> Result<Turn, String> {
    let mut text = text.trim();
    if let Some(fenced) = text.strip_prefix("```") {
        text = fenced.strip_prefix("json").unwrap_or(fenced).trim();
        text = text.strip_suffix("```").unwrap_or(text).trim();
    }
    let mut turn: Turn = serde_json::from_str(text).map_err(|error| error.to_string())?;
    for call in &mut turn.calls {
        if call.name.is_empty() {
            return Err("a call has no name".into());
        }
        if let Some(inner) = call.arguments.as_str() {
            call.arguments = serde_json::from_str(inner).map_err(|e| format!("arguments of {}: {e}", call.name))?;
        }
        if call.arguments.is_null() {
            call.arguments = json!({});
        }
        if !call.arguments.is_object() {
            return Err(format!("the arguments of {} are no object", call.name));
        }
    }
    if turn.say.trim().is_empty() && turn.calls.is_empty() {
        return Err("it says nothing and calls nothing".into());
    }
    Ok(turn)
}

fn into_reply(turn: Turn, reply: Reply, told: &mut Told<'_>) -> Reply {
    told.hold_text = false;
    if !turn.say.is_empty() {
        told.give(Delta::Text(turn.say.clone()));
    }
    let mut calls = Vec::new();
    for (index, call) in turn.calls.into_iter().enumerate() {
        let id = format!("call_{}", uuid::Uuid::now_v7().simple());
        let call = ToolCall { id, name: call.name, arguments: call.arguments.to_string() };
        told.give(Delta::CallBegun { index, id: call.id.clone(), name: call.name.clone() });
        told.give(Delta::CallArguments { index, piece: call.arguments.clone() });
        calls.push(call);
    }
    let finish = if calls.is_empty() { Finish::Stop } else { Finish::ToolCalls };
    Reply { text: turn.say, calls, finish, ..reply }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_holds_each_tools_arguments_as_far_as_every_server_knows_it() {
        let parameters = json!({
            "type": "object",
            "description": "of people",
            "properties": {
                "limit": {"type": ["integer", "null"], "format": "uint32", "minimum": 0},
                "kind": {"$ref": "#/$defs/Kind"},
                "names": {"type": "array", "items": {"type": "string", "description": "one"}},
            },
            "required": ["limit"],
            "additionalProperties": false,
            "$defs": {"Kind": {"enum": ["a", "b"]}},
        });
        let form = form(&[ToolSpec { name: "add".into(), description: String::new(), parameters }]);
        let call = &form["properties"]["calls"]["items"]["anyOf"][0];
        assert_eq!(call["properties"]["name"]["enum"], json!(["add"]));
        assert_eq!(
            call["properties"]["arguments"],
            json!({
                "type": "object",
                "properties": {
                    "limit": {"type": ["integer", "null"]},
                    "kind": {},
                    "names": {"type": "array", "items": {"type": "string"}},
                },
                "required": ["limit"],
                "additionalProperties": false,
            })
        );
    }

    #[test]
    fn the_object_is_read_strictly() {
        let turn = read("```json\n{\"say\":\"\",\"calls\":[{\"name\":\"a\",\"arguments\":\"{\\\"x\\\":1}\"}]}\n```");
        assert_eq!(turn.unwrap().calls[0].arguments, json!({"x": 1}));
        for (text, why) in [
            ("Sure! {\"say\":\"x\"}", "expected value"),
            ("{\"say\":\"x\",\"tool\":\"y\"}", "unknown field `tool`"),
            ("{\"say\":\"x\"} {}", "trailing characters"),
            ("{\"say\":\"x\",\"calls\":[{\"name\":\"a\",\"arguments\":[1]}]}", "no object"),
            ("{\"say\":\" \",\"calls\":[]}", "calls nothing"),
            ("{\"say\":\"x", "EOF"),
        ] {
            assert!(read(text).unwrap_err().contains(why), "{text}: {:?}", read(text));
        }
    }

    #[test]
    fn a_conversation_with_calls_and_results_becomes_plain_text() {
        let request = ChatRequest {
            system: "Be brief.".into(),
            messages: vec![
                ChatMessage::Assistant {
                    text: "Let me see.".into(),
                    calls: vec![ToolCall { id: "1".into(), name: "a".into(), arguments: "{\"x\":1}".into() }],
                },
                ChatMessage::Tool { call_id: "1".into(), name: "a".into(), content: "seven".into() },
            ],
            tools: vec![ToolSpec { name: "a".into(), description: "Looks.".into(), parameters: json!({}) }],
        };
        let asked = in_this_form(&request);
        assert!(asked.system.starts_with("Be brief.\n\nAnswer with") && asked.system.ends_with("\na: Looks.\n{}\n"));
        assert_eq!(
            asked.messages,
            [
                ChatMessage::Assistant {
                    text: r#"{"say":"Let me see.","calls":[{"name":"a","arguments":{"x":1}}]}"#.into(),
                    calls: vec![]
                },
                ChatMessage::User { text: "Result of a:\nseven".into() },
            ]
        );
        assert!(asked.tools.is_empty());
    }
}
