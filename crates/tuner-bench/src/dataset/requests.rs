//! Prompts and request bodies: what a row asks, in OpenAI's words.
//!
//! *Invariant*: roles, the order of messages and sampling parameters are kept as they are in the file.

use serde_json::{Map, Value, json};

use super::csv::Table;
use super::{DatasetRow, Refused};

/// Request fields that a row may carry beside its prompt; any others (ids, labels) stay behind.
const SAMPLING: [&str; 19] = [
    "max_tokens",
    "max_completion_tokens",
    "min_tokens",
    "temperature",
    "top_p",
    "top_k",
    "min_p",
    "n",
    "seed",
    "stop",
    "frequency_penalty",
    "presence_penalty",
    "repetition_penalty",
    "logit_bias",
    "response_format",
    "tools",
    "tool_choice",
    "ignore_eos",
    "chat_template_kwargs",
];

/// A row of JSON: `prompt`, `messages` or `request_body` (`body` in OpenAI's batch files).
pub(super) fn request(mut fields: Map<String, Value>) -> Result<DatasetRow, Refused> {
    if let (Some(body), false) = (fields.remove("body"), fields.contains_key("request_body")) {
        fields.insert("request_body".to_owned(), body);
    }
    let at_s = match fields.remove("at_s").or_else(|| fields.remove("arrived_at")) {
        None => None,
        Some(value) => Some(
            value
                .as_f64()
                .filter(|at| at.is_finite() && *at >= 0.0)
                .ok_or_else(|| Refused::Wrong("the arrival must be a number of seconds, at least 0".to_owned()))?,
        ),
    };
    let given: Vec<&str> =
        ["prompt", "messages", "request_body"].into_iter().filter(|k| fields.contains_key(*k)).collect();
    if given.len() != 1 {
        let found = if given.is_empty() { "none of them".to_owned() } else { given.join(" and ") };
        let what = format!("expected exactly one of prompt, messages and request_body, found {found}");
        return Err(Refused::Wrong(what));
    }
    let mut request = match fields.remove("request_body") {
        Some(Value::Object(body)) => body,
        Some(_) => return Err(Refused::Wrong("request_body must be a JSON object".to_owned())),
        None => {
            let named = ["prompt", "messages"].into_iter().chain(SAMPLING);
            let mut body: Map<String, Value> =
                named.filter_map(|name| Some((name.to_owned(), fields.remove(name)?))).collect();
            if let (Some(tokens), false) = (fields.remove("output_tokens"), body.contains_key("max_tokens")) {
                body.insert("max_tokens".to_owned(), tokens);
            }
            body
        }
    };
    let answer = given_answer(&mut request)?;
    Ok(DatasetRow { output_tokens: ordered(&request), request: Some(request), answer, at_s, ..DatasetRow::default() })
}

/// The output length that a request asks for, by the name it has in any of the protocols.
fn ordered(request: &Map<String, Value>) -> Option<u32> {
    let names = ["max_tokens", "max_completion_tokens", "max_output_tokens", "n_predict", "max_new_tokens"];
    let nested = request.get("sampling_params");
    let field = |name| request.get(name).or_else(|| nested?.get(name)).and_then(Value::as_u64);
    names.into_iter().find_map(field).map(|n| n.clamp(1, u64::from(u32::MAX)) as u32)
}

/// Checks messages, and takes a closing message of the assistant off: that is the answer that was given.
fn given_answer(request: &mut Map<String, Value>) -> Result<Option<String>, Refused> {
    let Some(messages) = request.get_mut("messages") else { return Ok(None) };
    let sound = messages
        .as_array_mut()
        .filter(|m| !m.is_empty() && m.iter().all(|m| m.get("role").is_some_and(Value::is_string)));
    let Some(messages) = sound else {
        return Err(Refused::Wrong("messages must be a list of objects that each have a role".to_owned()));
    };
    if messages.last().is_some_and(|m| m["role"] == "assistant") && messages.len() > 1 {
        let answer = messages.pop().and_then(|m| m["content"].as_str().map(str::to_owned));
        return Ok(answer.filter(|text| !text.is_empty()));
    }
    Ok(None)
}

/// A record of a table with a column `prompt` or `request_body`.
pub(super) fn record(table: &Table, record: &[String]) -> Result<DatasetRow, Refused> {
    let mut fields = Map::new();
    for (name, cell) in table.header.iter().zip(record) {
        if cell.is_empty() && name != "prompt" {
            continue;
        }
        let value = match name.as_str() {
            "prompt" => Value::String(cell.clone()),
            // Every other column is JSON where it can be (numbers, lists), else text.
            _ => serde_json::from_str(cell).unwrap_or_else(|_| Value::String(cell.clone())),
        };
        fields.insert(name.clone(), value);
    }
    if fields.contains_key("request_body") && fields.get("prompt").and_then(Value::as_str) == Some("") {
        fields.remove("prompt");
    }
    request(fields)
}

/// A conversation of ShareGPT: the system prompt, the first question, the answer to it, and what was said later.
pub(super) fn conversation(fields: &Map<String, Value>) -> Result<DatasetRow, Refused> {
    let turns = fields.get("conversations").or_else(|| fields.get("conversation"));
    let Some(turns) = turns.and_then(Value::as_array) else {
        return Err(Refused::Wrong("`conversations` must be a list of turns".to_owned()));
    };
    let text = |turn: &Value, names: [&str; 2]| {
        names.iter().find_map(|name| turn.get(*name)?.as_str().map(str::to_owned)).unwrap_or_default()
    };
    let said: Vec<(String, String)> =
        turns.iter().map(|turn| (text(turn, ["from", "role"]), text(turn, ["value", "content"]))).collect();
    let is_user = |from: &str| matches!(from, "human" | "user");
    let Some(at) = said.iter().position(|(from, text)| is_user(from) && !text.trim().is_empty()) else {
        return Err(Refused::Drop("without a question"));
    };
    let answer = said.get(at + 1).filter(|(from, text)| !is_user(from) && !text.trim().is_empty());
    let Some((_, answer)) = answer else { return Err(Refused::Drop("without an answer")) };
    let system = said[..at].iter().find(|(from, text)| from == "system" && !text.is_empty());
    let mut messages: Vec<Value> =
        system.map(|(_, text)| json!({ "role": "system", "content": text })).into_iter().collect();
    messages.push(json!({ "role": "user", "content": said[at].1 }));
    let request = Map::from_iter([("messages".to_owned(), Value::Array(messages))]);
    let later = said[at + 2..].iter().filter(|(_, text)| !text.trim().is_empty()).map(|(from, text)| {
        let role = match from.as_str() {
            from if is_user(from) => "user",
            "system" => "system",
            _ => "assistant",
        };
        json!({ "role": role, "content": text })
    });
    let later = later.collect();
    Ok(DatasetRow { request: Some(request), answer: Some(answer.clone()), later, ..DatasetRow::default() })
}

/// All text of a prompt in one.
pub fn plain_text(request: &Map<String, Value>) -> String {
    texts(request).join("\n")
}

/// Fields that templates put into the prompt beside the messages.
const MORE_IN_THE_PROMPT: [&str; 4] = ["tools", "functions", "response_format", "chat_template_kwargs"];

/// Who says something in a prompt, in order; `None` where more than texts goes into it (tools, pictures).
pub fn roles(request: &Map<String, Value>) -> Option<String> {
    if MORE_IN_THE_PROMPT.iter().any(|name| request.contains_key(*name)) {
        return None;
    }
    let is_text = |content: &Value| match content {
        Value::String(_) => true,
        Value::Array(parts) => parts.iter().all(|part| part.is_string() || part["text"].is_string()),
        _ => false,
    };
    let Some(messages) = request.get("messages").or_else(|| request.get("input")).and_then(Value::as_array) else {
        return Some("user".to_owned());
    };
    let mut roles: Vec<&str> = if request.contains_key("system") { vec!["system"] } else { Vec::new() };
    for message in messages {
        // Texts of a batch have no roles.
        let Some(role) = message["role"].as_str() else { return Some("user".to_owned()) };
        roles.push(Some(role).filter(|_| is_text(&message["content"]))?);
    }
    Some(roles.join(" "))
}

/// The texts of a prompt, each message's apart.
pub fn texts(request: &Map<String, Value>) -> Vec<String> {
    fn collect(value: &Value, into: &mut Vec<String>) {
        match value {
            Value::String(text) => into.push(text.clone()),
            Value::Array(items) => items.iter().for_each(|item| collect(item, into)),
            Value::Object(fields) => {
                ["content", "text"].iter().filter_map(|k| fields.get(*k)).for_each(|v| collect(v, into));
            }
            _ => {}
        }
    }
    let mut parts = Vec::new();
    let places = ["system", "messages", "prompt", "input", "text", "query", "documents"];
    places.iter().filter_map(|k| request.get(*k)).for_each(|v| collect(v, &mut parts));
    parts
}

/// The request with a line in front of its prompt, where the prompt is text; the first message carries it.
pub fn salted(mut request: Map<String, Value>, salt: &str) -> Map<String, Value> {
    fn put(value: &mut Value, salt: &str) -> bool {
        match value {
            Value::String(text) => {
                *text = format!("{salt}\n{text}");
                true
            }
            // Parts of a message, or texts of a batch.
            Value::Array(items) => match items.first_mut() {
                Some(Value::Object(part)) => part.get_mut("text").is_some_and(|text| put(text, salt)),
                Some(text @ Value::String(_)) => put(text, salt),
                _ => false,
            },
            _ => false,
        }
    }
    if let Some(content) = request.get_mut("messages").and_then(|m| m.get_mut(0)?.get_mut("content")) {
        put(content, salt);
    } else if let Some(place) = ["prompt", "input", "text"].into_iter().find(|name| request.contains_key(*name))
        && let Some(value) = request.get_mut(place)
    {
        put(value, salt);
    }
    request
}
