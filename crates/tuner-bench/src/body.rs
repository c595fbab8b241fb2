//! Request bodies, serialised before they are sent.

use bytes::Bytes;
use serde_json::{Map, Value, json};
use tuner_core::record::PlannedRequest;
use tuner_core::task::Api;

use crate::client::Features;
use crate::plan::LevelPlan;
use crate::prompting::{Content, PromptSource, content};
use crate::tokens::{TokenError, TokenSource};

/// Endpoint path.
pub(crate) fn path(api: Api) -> &'static str {
    match api {
        Api::Chat => "/v1/chat/completions",
        Api::Completions => "/v1/completions",
    }
}

/// A request, ready to be sent.
#[derive(Clone, Debug)]
pub(crate) struct Built {
    /// Where it goes.
    pub(crate) api: Api,
    pub(crate) bytes: Bytes,
    /// The output length that the engine is told to reach exactly.
    pub(crate) exact_output: Option<u32>,
}

/// The body of one request of a plan.
pub(crate) fn build(
    plan: &LevelPlan,
    request: &PlannedRequest,
    prompts: &PromptSource,
    tokens: Option<&TokenSource>,
    model: &str,
    features: Features,
) -> Result<Built, TokenError> {
    let workload = &plan.workload;
    let part = plan.part(request.index);
    // Completions put the model's own special tokens before a text; a chat's template is the engine's affair.
    let special = part.api == Api::Completions;
    let ids = part.api == Api::Completions && features.token_ids;
    let content = content(plan, request, prompts, tokens, ids, special)?;
    let synthetic = !matches!(content, Content::Fields(_));
    let mut body = match content {
        // Checked when the data set was read.
        Content::Fields(fields) => form(part.api, fields).unwrap_or_default(),
        Content::TokenIds(ids) => Map::from_iter([("prompt".to_owned(), json!(ids))]),
        Content::Text(text) if part.api == Api::Chat => {
            Map::from_iter([("messages".to_owned(), json!([{ "role": "user", "content": text }]))])
        }
        Content::Text(text) => Map::from_iter([("prompt".to_owned(), Value::String(text))]),
    };
    let mut missing = |name: &str, value: Value| {
        body.entry(name).or_insert(value);
    };
    missing("temperature", json!(part.temperature));
    if workload.ignore_eos && features.ignore_eos {
        missing("ignore_eos", Value::Bool(true));
    }
    for (name, value) in &part.extra_body {
        body.insert(name.clone(), value.clone());
    }
    if !body.contains_key("max_completion_tokens") || synthetic || request.warmup {
        body.remove("max_completion_tokens");
        body.insert("max_tokens".to_owned(), json!(request.output_tokens));
    }
    body.insert("model".to_owned(), json!(request.model.as_deref().unwrap_or(model)));
    body.insert("stream".to_owned(), Value::Bool(true));
    if features.include_usage {
        let mut options = json!({ "include_usage": true });
        if features.continuous_usage {
            options["continuous_usage_stats"] = Value::Bool(true);
        }
        body.insert("stream_options".to_owned(), options);
    }
    let exact = body.get("ignore_eos") == Some(&Value::Bool(true));
    Ok(Built {
        api: part.api,
        exact_output: exact.then_some(request.output_tokens),
        bytes: Bytes::from(Value::Object(body).to_string()),
    })
}

/// The fields of a data set's row in the endpoint's form.
///
/// # Errors
/// The endpoint cannot take them.
pub(crate) fn form(api: Api, mut fields: Map<String, Value>) -> Result<Map<String, Value>, String> {
    match (api, fields.contains_key("messages"), fields.remove("prompt")) {
        (Api::Chat, false, Some(Value::String(text))) => {
            fields.insert("messages".to_owned(), json!([{ "role": "user", "content": text }]));
        }
        (Api::Chat, true, None) => {}
        (Api::Completions, false, Some(prompt @ (Value::String(_) | Value::Array(_)))) => {
            fields.insert("prompt".to_owned(), prompt);
        }
        (Api::Completions, true, _) => {
            return Err("messages need the chat endpoint: set workload.api to chat".to_owned());
        }
        (Api::Chat, _, _) => return Err("expected messages, or a prompt that is a text".to_owned()),
        (Api::Completions, _, _) => return Err("expected a prompt that is a text or a list of token ids".to_owned()),
    }
    Ok(fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prompt_takes_the_form_of_its_endpoint_or_is_refused() {
        let form = |api, fields: Value| match fields {
            Value::Object(fields) => form(api, fields).map(Value::Object),
            _ => unreachable!(),
        };
        let messages = json!({"messages": [{"role": "user", "content": "a"}], "top_p": 0.5});
        assert_eq!(form(Api::Chat, json!({"prompt": "a", "top_p": 0.5})), Ok(messages.clone()));
        assert_eq!(form(Api::Chat, messages.clone()), Ok(messages.clone()));
        assert_eq!(form(Api::Completions, json!({"prompt": [1, 2]})), Ok(json!({"prompt": [1, 2]})));
        assert!(form(Api::Completions, messages).unwrap_err().contains("set workload.api to chat"));
        assert!(
            form(Api::Chat, json!({"prompt": 5})).is_err() && form(Api::Completions, json!({"prompt": 5})).is_err()
        );
    }
}
