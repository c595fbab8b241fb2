//! From a plan to the bodies that are sent.

use bytes::Bytes;
use serde_json::Value;
use tuner_core::record::PlannedRequest;

use super::content::{Ask, Content, ContentError, body};
use super::{fields, has_template, takes_token_ids};
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

/// A request, ready to be sent.
#[derive(Clone, Debug)]
pub struct Built {
    /// The body.
    pub bytes: Bytes,
    /// The output length that the engine is told to reach exactly, over all answers of the request.
    pub exact_output: Option<u32>,
}

/// Why a request could not be made.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The prompt cannot be made.
    #[error(transparent)]
    Tokens(#[from] TokenError),
    /// The protocol cannot carry it.
    #[error(transparent)]
    Content(#[from] ContentError),
}

/// The body of one request of a plan.
pub(crate) fn build(
    plan: &LevelPlan,
    request: &PlannedRequest,
    prompts: &PromptSource,
    tokens: Option<&TokenSource>,
    model: &str,
    features: Features,
) -> Result<Built, BuildError> {
    let workload = &plan.workload;
    let api = workload.api;
    let ask = Ask {
        content: content(plan, request, prompts, tokens, features)?,
        model,
        output_tokens: request.output_tokens,
        temperature: workload.temperature,
        ignore_eos: workload.ignore_eos,
        stream: true,
        extra: &workload.extra_body,
        features,
    };
    let mut body = body(api, ask)?;
    let (exact, answers) = fields::ordered(api, &mut body);
    Ok(Built {
        exact_output: exact.then(|| request.output_tokens.saturating_mul(answers)),
        bytes: Bytes::from(Value::Object(body).to_string()),
    })
}

fn content(
    plan: &LevelPlan,
    request: &PlannedRequest,
    prompts: &PromptSource,
    tokens: Option<&TokenSource>,
    features: Features,
) -> Result<Content, TokenError> {
    let api = plan.workload.api;
    let pool = match prompts {
        PromptSource::File(file) => {
            let position = plan.file_position(request.index).unwrap_or(0);
            return Ok(Content::Fields(file.prompts[position % file.prompts.len()].body.clone()));
        }
        PromptSource::Synthetic(pool) => pool,
    };
    let (seeds, level, repeat) = (plan.seeds, plan.level, plan.repeat);
    let ids = features.token_ids && takes_token_ids(api);
    // A bare text gets the model's own special tokens put before it; a chat's template is the engine's affair.
    let special = if has_template(api) || ids { 0 } else { pool.special_tokens };
    let length = request.input_tokens.saturating_sub(special).max(1);
    let local = match tokens {
        Some(TokenSource::Local(tokenizer)) => Some(tokenizer),
        _ => None,
    };
    let text = match local {
        Some(local) => pool.exact_text(local, seeds, level, repeat, request.index, length)?,
        None => pool.text(seeds, level, repeat, request.index, length),
    };
    match local.filter(|_| ids) {
        Some(local) => Ok(Content::TokenIds(local.encode(&text, false)?)),
        None => Ok(Content::Text(text)),
    }
}
