//! Request bodies, serialised before they are sent.

use bytes::Bytes;
use serde_json::{Map, Value, json};
use tuner_core::record::PlannedRequest;
use tuner_core::task::Api;

use crate::client::Features;
use crate::plan::LevelPlan;
use crate::prompts::PromptFile;
use crate::tokens::{TokenError, TokenSource, WordPool};

/// Where a level's prompts come from, prepared once per engine.
#[derive(Clone, Debug)]
pub enum PromptSource {
    /// Made of words.
    Synthetic(WordPool),
    /// Read from a file.
    File(PromptFile),
}

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
    let mut body = Map::new();
    match prompts {
        PromptSource::File(file) => {
            let position = plan.file_position(request.index).unwrap_or(0);
            body.extend(file.prompts[position % file.prompts.len()].body.clone());
        }
        PromptSource::Synthetic(pool) => {
            let (seeds, level, repeat) = (plan.seeds, plan.level, plan.repeat);
            // Completions put the model's own special tokens before a text; a chat's template is the engine's affair.
            let special = if workload.api == Api::Completions { pool.special_tokens } else { 0 };
            let ids = workload.api == Api::Completions && features.token_ids;
            let length = if ids { request.input_tokens } else { request.input_tokens.saturating_sub(special).max(1) };
            let local = match tokens {
                Some(TokenSource::Local(tokenizer)) => Some(tokenizer),
                _ => None,
            };
            let text = match local {
                Some(local) => pool.exact_text(local, seeds, level, repeat, request.index, length)?,
                None => pool.text(seeds, level, repeat, request.index, length),
            };
            match (workload.api, local.filter(|_| ids)) {
                (Api::Chat, _) => {
                    body.insert("messages".to_owned(), json!([{ "role": "user", "content": text }]));
                }
                (Api::Completions, Some(local)) => {
                    body.insert("prompt".to_owned(), json!(local.encode(&text, false)?));
                }
                (Api::Completions, None) => {
                    body.insert("prompt".to_owned(), Value::String(text));
                }
            }
        }
    }
    let mut missing = |name: &str, value: Value| {
        body.entry(name).or_insert(value);
    };
    missing("temperature", json!(workload.temperature));
    if workload.ignore_eos && features.ignore_eos {
        missing("ignore_eos", Value::Bool(true));
    }
    for (name, value) in &workload.extra_body {
        body.insert(name.clone(), value.clone());
    }
    if !body.contains_key("max_completion_tokens") || matches!(prompts, PromptSource::Synthetic(_)) || request.warmup {
        body.remove("max_completion_tokens");
        body.insert("max_tokens".to_owned(), json!(request.output_tokens));
    }
    body.insert("model".to_owned(), json!(model));
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
        exact_output: exact.then_some(request.output_tokens),
        bytes: Bytes::from(Value::Object(body).to_string()),
    })
}
