//! From a plan to the bodies that are sent.

use bytes::Bytes;
use serde_json::Value;
use tuner_core::record::PlannedRequest;
use tuner_core::task::Api;

use super::content::{Ask, ContentError, body};
use super::fields;
use crate::client::Features;
use crate::plan::LevelPlan;
use crate::prompting::{PromptSource, content};
use crate::tokens::{TokenError, TokenSource};

/// A request, ready to be sent.
#[derive(Clone, Debug)]
pub struct Built {
    /// Where it goes.
    pub api: Api,
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
    let part = plan.part(request.conversation.unwrap_or(request.index));
    let api = part.api;
    let ask = Ask {
        content: content(plan, request, prompts, tokens, features)?,
        model: request.model.as_deref().unwrap_or(model),
        output_tokens: request.output_tokens,
        temperature: part.temperature,
        ignore_eos: plan.workload.ignore_eos,
        stream: true,
        extra: &part.extra_body,
        features,
    };
    let mut body = body(api, ask)?;
    let (exact, answers) = fields::ordered(api, &mut body);
    Ok(Built {
        api,
        exact_output: exact.then(|| request.output_tokens.saturating_mul(answers)),
        bytes: Bytes::from(Value::Object(body).to_string()),
    })
}
