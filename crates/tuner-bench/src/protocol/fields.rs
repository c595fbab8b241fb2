//! Names of request fields: from OpenAI's, which files of prompts use, to each protocol's own.

use serde_json::{Map, Value, json};
use tuner_core::task::Api;

/// Sampling fields of OpenAI's protocols that SGLang's own keeps in `sampling_params`.
const SGLANG_SAMPLING: [&str; 12] = [
    "temperature",
    "top_p",
    "top_k",
    "min_p",
    "min_tokens",
    "n",
    "stop",
    "frequency_penalty",
    "presence_penalty",
    "repetition_penalty",
    "ignore_eos",
    "seed",
];

/// Whether `ignore_eos` is a field of the protocol. A field that an engine overlooks would make every answer one of
/// the wrong length.
pub(super) fn knows_ignore_eos(api: Api) -> bool {
    matches!(api, Api::Chat | Api::Completions | Api::SglangGenerate | Api::LlamacppCompletion)
}

/// The object that holds sampling parameters.
pub(super) fn sampling(api: Api, body: &mut Map<String, Value>) -> &mut Map<String, Value> {
    if api != Api::SglangGenerate {
        return body;
    }
    let inner = body.entry("sampling_params").or_insert(Value::Null);
    if !inner.is_object() {
        *inner = Value::Object(Map::new());
    }
    match inner {
        Value::Object(inner) => inner,
        _ => unreachable!("it was made an object above"),
    }
}

/// Sets the output length, whatever name it had.
pub(super) fn set_length(api: Api, body: &mut Map<String, Value>, tokens: u32) {
    let kept = matches!(api, Api::Chat) && body.contains_key("max_completion_tokens");
    let name = match api {
        Api::Chat if kept => "max_completion_tokens",
        Api::Responses => "max_output_tokens",
        Api::SglangGenerate => "max_new_tokens",
        Api::LlamacppCompletion => "n_predict",
        _ => "max_tokens",
    };
    for other in ["max_tokens", "max_completion_tokens"].into_iter().filter(|other| *other != name) {
        body.remove(other);
    }
    sampling(api, body).insert(name.to_owned(), json!(tokens));
}

/// Whether the request asks for exactly its length, and how many answers it asks for.
pub(super) fn ordered(api: Api, body: &mut Map<String, Value>) -> (bool, u32) {
    let sampling = sampling(api, body);
    let exact = sampling.get("ignore_eos") == Some(&Value::Bool(true));
    let answers = sampling.get("n").and_then(Value::as_u64).unwrap_or(1);
    (exact, answers.clamp(1, u64::from(u32::MAX)) as u32)
}

/// Turns fields with OpenAI's names (`messages`, `prompt`, sampling parameters) into the protocol's form.
pub(super) fn into_form(api: Api, mut fields: Map<String, Value>) -> Map<String, Value> {
    match api {
        Api::Chat | Api::Completions | Api::LlamacppCompletion | Api::Rerank => {}
        Api::Responses => {
            if let Some(mut messages) = fields.remove("messages") {
                each_part(&mut messages, responses_part);
                fields.insert("input".to_owned(), messages);
            }
        }
        Api::Anthropic => anthropic(&mut fields),
        Api::Embeddings => {
            if let Some(prompt) = fields.remove("prompt") {
                fields.insert("input".to_owned(), prompt);
            }
        }
        Api::SglangGenerate => {
            if let Some(prompt) = fields.remove("prompt") {
                let name = if prompt.is_array() { "input_ids" } else { "text" };
                fields.insert(name.to_owned(), prompt);
            }
            let moved: Vec<(String, Value)> =
                SGLANG_SAMPLING.iter().filter_map(|name| fields.remove_entry(*name)).collect();
            if !moved.is_empty() {
                sampling(api, &mut fields).extend(moved);
            }
        }
    }
    fields
}

/// System messages are a field of their own there, and pictures are written otherwise.
fn anthropic(fields: &mut Map<String, Value>) {
    let Some(Value::Array(messages)) = fields.get_mut("messages") else { return };
    let is_system = |m: &Value| matches!(m["role"].as_str(), Some("system" | "developer"));
    let system: Vec<&str> = messages.iter().filter(|m| is_system(m)).filter_map(|m| m["content"].as_str()).collect();
    let system = system.join("\n");
    messages.retain(|m| !is_system(m));
    if let Some(messages) = fields.get_mut("messages") {
        each_part(messages, anthropic_part);
    }
    if !system.is_empty() {
        fields.entry("system").or_insert(Value::String(system));
    }
}

fn each_part(messages: &mut Value, change: fn(&mut Value)) {
    for message in messages.as_array_mut().into_iter().flatten() {
        message["content"].as_array_mut().into_iter().flatten().for_each(change);
    }
}

fn anthropic_part(part: &mut Value) {
    let Some(url) = part["image_url"]["url"].as_str().filter(|_| part["type"] == "image_url") else { return };
    let source = match url.strip_prefix("data:").and_then(|rest| rest.split_once(";base64,")) {
        Some((media, data)) => json!({ "type": "base64", "media_type": media, "data": data }),
        None => json!({ "type": "url", "url": url }),
    };
    *part = json!({ "type": "image", "source": source });
}

fn responses_part(part: &mut Value) {
    match part["type"].as_str() {
        Some("text") => part["type"] = json!("input_text"),
        Some("image_url") => *part = json!({ "type": "input_image", "image_url": part["image_url"]["url"] }),
        _ => {}
    }
}

/// Turns the fields of a file's line (`prompt`, `messages`, or a request body, with sampling parameters) into the
/// protocol's form.
///
/// # Errors
/// Says what the protocol needs.
pub fn adopt(api: Api, mut fields: Map<String, Value>) -> Result<Map<String, Value>, String> {
    let has = |name: &str| fields.contains_key(name);
    let text_or_ids = |value: &Value| value.is_string() || value.is_array();
    match api {
        Api::Chat | Api::Responses | Api::Anthropic => {
            let native = api == Api::Responses && has("input");
            match (has("messages") || native, fields.remove("prompt")) {
                (false, Some(Value::String(text))) => {
                    let messages = json!([{ "role": "user", "content": text }]);
                    fields.insert("messages".to_owned(), messages);
                }
                (true, None) => {}
                _ => return Err("expected messages, or a prompt that is a text".to_owned()),
            }
        }
        Api::Completions | Api::SglangGenerate | Api::LlamacppCompletion | Api::Embeddings => {
            if has("messages") {
                return Err("messages need the chat endpoint: set workload.api to chat".to_owned());
            }
            let native = match api {
                Api::SglangGenerate => has("text") || has("input_ids"),
                Api::Embeddings => has("input"),
                _ => false,
            };
            if !native && !fields.get("prompt").is_some_and(text_or_ids) {
                return Err("expected a prompt that is a text or a list of token ids".to_owned());
            }
        }
        Api::Rerank => {
            let documents = fields.get("documents").and_then(Value::as_array).is_some_and(|d| !d.is_empty());
            if !fields.get("query").is_some_and(Value::is_string) || !documents {
                return Err("expected a request_body with a query and documents".to_owned());
            }
        }
    }
    if let Some(messages) = fields.get("messages") {
        let sound = messages
            .as_array()
            .is_some_and(|m| !m.is_empty() && m.iter().all(|m| m.get("role").is_some_and(Value::is_string)));
        if !sound {
            return Err("messages must be a list of objects that each have a role".to_owned());
        }
    }
    Ok(into_form(api, fields))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn adopted(api: Api, fields: Value) -> Result<Value, String> {
        let Value::Object(fields) = fields else { panic!("an object") };
        adopt(api, fields).map(Value::Object)
    }

    #[test]
    fn lines_of_a_file_become_the_protocols_own_requests() {
        let messages = json!([{ "role": "system", "content": "be brief" }, { "role": "user", "content": "hi" }]);
        let user = json!([{ "role": "user", "content": "hi" }]);
        let cases = [
            (Api::Anthropic, json!({ "messages": messages }), json!({ "messages": user, "system": "be brief" })),
            (Api::Responses, json!({ "messages": messages }), json!({ "input": messages })),
            (
                Api::SglangGenerate,
                json!({ "prompt": "a", "top_p": 0.5 }),
                json!({ "text": "a", "sampling_params": { "top_p": 0.5 } }),
            ),
            (Api::SglangGenerate, json!({ "prompt": [1, 2] }), json!({ "input_ids": [1, 2] })),
            (Api::Embeddings, json!({ "prompt": "a" }), json!({ "input": "a" })),
            (Api::Rerank, json!({ "query": "q", "documents": ["d"] }), json!({ "query": "q", "documents": ["d"] })),
        ];
        for (api, fields, expected) in cases {
            assert_eq!(adopted(api, fields), Ok(expected), "{api:?}");
        }
        for (api, fields) in [
            (Api::Rerank, json!({ "query": "q" })),
            (Api::Rerank, json!({ "prompt": "q" })),
            (Api::SglangGenerate, json!({ "messages": user })),
            (Api::Anthropic, json!({ "messages": [] })),
        ] {
            assert!(adopted(api, fields).is_err(), "{api:?}");
        }
    }

    #[test]
    fn the_length_has_one_name_per_protocol() {
        let set = |api, fields: Value| {
            let Value::Object(mut fields) = fields else { panic!("an object") };
            set_length(api, &mut fields, 9);
            Value::Object(fields)
        };
        assert_eq!(set(Api::Chat, json!({ "max_completion_tokens": 5 })), json!({ "max_completion_tokens": 9 }));
        assert_eq!(set(Api::Chat, json!({})), json!({ "max_tokens": 9 }));
        assert_eq!(set(Api::Responses, json!({ "max_tokens": 5 })), json!({ "max_output_tokens": 9 }));
        let nested = json!({ "sampling_params": { "max_new_tokens": 9 } });
        assert_eq!(set(Api::SglangGenerate, json!({ "max_tokens": 5 })), nested);
    }
}
