//! From a plan to the bodies that are sent.

use bytes::Bytes;
use serde_json::Value;
use tuner_core::record::PlannedRequest;
use tuner_core::task::Api;

use super::content::{Ask, Content, ContentError, body};
use super::fields;
use crate::client::Features;
use crate::plan::{LevelPlan, Part};
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
    let content = content(plan, request, prompts, tokens, features)?;
    let (text, exact_output) = written(plan, request, content, model, features)?;
    Ok(Built { api: part(plan, request).api, exact_output, bytes: Bytes::from(text) })
}

/// The kind of request that it is; turns are of their conversation's kind.
pub(super) fn part<'a>(plan: &'a LevelPlan, request: &PlannedRequest) -> &'a Part {
    plan.part(request.conversation.unwrap_or(request.index))
}

/// The body of a request with this content as it is sent, and the output length that it orders exactly, over all answers.
pub(super) fn written(
    plan: &LevelPlan,
    request: &PlannedRequest,
    content: Content,
    model: &str,
    features: Features,
) -> Result<(String, Option<u32>), BuildError> {
    let part = part(plan, request);
    let ask = Ask {
        content,
        model: request.model.as_deref().unwrap_or(model),
        output_tokens: request.output_tokens,
        temperature: part.temperature,
        ignore_eos: plan.workload.ignore_eos,
        stream: true,
        extra: &part.extra_body,
        features,
    };
    let mut body = body(part.api, ask)?;
    let (exact, answers) = fields::ordered(part.api, &mut body);
    let exact_output = exact.then(|| request.output_tokens.saturating_mul(answers));
    Ok((Value::Object(body).to_string(), exact_output))
}
