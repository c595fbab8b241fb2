//! Request bodies of the two endpoints, read into one [`Job`], and errors in OpenAI's form.

use std::sync::Arc;

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;

use crate::engine::SimEngine;
use crate::noise::{bits, factor};
use crate::tokenizer::{tokenize, word};

/// Median length of an answer that may end where it likes, tokens.
const NATURAL_MEDIAN: f64 = 220.0;
/// Spread of its logarithm.
const NATURAL_SIGMA: f64 = 0.6;

/// An error as OpenAI's clients expect it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ApiError {
    pub(super) status: u16,
    pub(super) message: String,
}

impl ApiError {
    pub(super) fn bad(message: impl Into<String>) -> Self {
        Self { status: 400, message: message.into() }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let kind = match self.status {
            400 => "BadRequestError",
            404 => "NotFoundError",
            503 => "ServiceUnavailableError",
            _ => "InternalServerError",
        };
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let error = json!({"message": self.message, "type": kind, "param": null, "code": self.status});
        (status, Json(json!({ "error": error }))).into_response()
    }
}

/// Which endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Endpoint {
    Chat,
    Completions,
}

/// What is to be generated and how it is to be told.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Job {
    pub(super) endpoint: Endpoint,
    pub(super) prompt: Arc<[u32]>,
    pub(super) output_tokens: u32,
    /// The answer ends because it is as long as allowed, not because it is finished.
    pub(super) full_length: bool,
    pub(super) priority: i64,
    pub(super) stream: bool,
    pub(super) include_usage: bool,
    pub(super) continuous_usage: bool,
    /// Names the words of the answer.
    pub(super) key: u64,
}

impl Job {
    /// The prompt and the answer: a later prompt that holds both finds both in the cache.
    pub(super) fn text(&self) -> Arc<[u32]> {
        let answer = (0..u64::from(self.output_tokens)).flat_map(|at| {
            let word = word(self.key, at);
            tokenize(std::str::from_utf8(&word).unwrap_or_default())
        });
        self.prompt.iter().copied().chain(answer).collect()
    }
}

#[derive(Deserialize)]
struct Body {
    model: Option<String>,
    messages: Option<Vec<Message>>,
    prompt: Option<Prompt>,
    max_tokens: Option<i64>,
    max_completion_tokens: Option<i64>,
    #[serde(default)]
    min_tokens: u32,
    #[serde(default)]
    ignore_eos: bool,
    n: Option<u32>,
    #[serde(default)]
    stream: bool,
    stream_options: Option<StreamOptions>,
    #[serde(default)]
    priority: i64,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct StreamOptions {
    include_usage: bool,
    continuous_usage_stats: bool,
}

#[derive(Deserialize)]
struct Message {
    content: Option<Content>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Content {
    Text(String),
    Parts(Vec<Part>),
}

#[derive(Deserialize)]
struct Part {
    text: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Prompt {
    Text(String),
    Tokens(Vec<u32>),
    Texts(Vec<String>),
    Batches(Vec<Vec<u32>>),
}

impl Prompt {
    fn tokens(self) -> Result<Vec<u32>, ApiError> {
        let single = || ApiError::bad("the simulated engine takes one prompt per request");
        match self {
            Self::Text(text) => Ok(tokenize(&text)),
            Self::Tokens(tokens) => Ok(tokens),
            Self::Texts(texts) => match texts.as_slice() {
                [text] => Ok(tokenize(text)),
                _ => Err(single()),
            },
            Self::Batches(mut batches) => match (batches.pop(), batches.is_empty()) {
                (Some(tokens), true) => Ok(tokens),
                _ => Err(single()),
            },
        }
    }
}

/// Reads a body. The chat template adds nothing: a conversation is its messages' tokens one after the other.
pub(super) fn read(endpoint: Endpoint, body: &[u8], engine: &SimEngine) -> Result<Job, ApiError> {
    let body: Body = serde_json::from_slice(body).map_err(|e| ApiError::bad(format!("invalid request body: {e}")))?;
    if let Some(model) = body.model.as_deref().filter(|m| *m != engine.served_name()) {
        return Err(ApiError { status: 404, message: format!("The model `{model}` does not exist.") });
    }
    if body.n.is_some_and(|n| n != 1) {
        return Err(ApiError::bad("n must be 1"));
    }
    let prompt = match endpoint {
        Endpoint::Chat => conversation(body.messages.ok_or_else(|| ApiError::bad("messages: field required"))?),
        Endpoint::Completions => body.prompt.ok_or_else(|| ApiError::bad("prompt: field required"))?.tokens()?,
    };
    // An empty prompt is one token, the beginning of the text.
    let prompt = if prompt.is_empty() { vec![0] } else { prompt };
    let limit = engine.plan().max_model_len;
    let length = u32::try_from(prompt.len()).unwrap_or(u32::MAX);
    let allowed = match (body.max_completion_tokens.or(body.max_tokens), endpoint) {
        (Some(n), _) => u32::try_from(n)
            .ok()
            .filter(|n| *n > 0)
            .ok_or_else(|| ApiError::bad(format!("max_tokens must be at least 1, got {n}.")))?,
        (None, Endpoint::Completions) => 16,
        (None, Endpoint::Chat) => limit.saturating_sub(length).max(1),
    };
    if u64::from(length) + u64::from(allowed) > u64::from(limit) {
        return Err(ApiError::bad(format!(
            "This model's maximum context length is {limit} tokens. However, you requested {} tokens ({length} in the \
             messages, {allowed} in the completion). Please reduce the length of the messages or completion.",
            u64::from(length) + u64::from(allowed)
        )));
    }
    let key = prompt.iter().fold(0, |hash, token| bits(hash, 8, u64::from(*token)));
    let natural = (NATURAL_MEDIAN * factor(key, 9, 0, NATURAL_SIGMA)).ceil() as u32;
    let wanted = if body.ignore_eos { allowed } else { natural.max(body.min_tokens).max(1) };
    let options = body.stream_options.unwrap_or_default();
    Ok(Job {
        endpoint,
        prompt: prompt.into(),
        output_tokens: wanted.min(allowed),
        full_length: wanted >= allowed,
        priority: body.priority,
        stream: body.stream,
        include_usage: options.include_usage,
        continuous_usage: options.continuous_usage_stats,
        key,
    })
}

fn conversation(messages: Vec<Message>) -> Vec<u32> {
    let mut out = Vec::new();
    for message in messages {
        match message.content {
            Some(Content::Text(text)) => out.extend(tokenize(&text)),
            Some(Content::Parts(parts)) => {
                for text in parts.into_iter().filter_map(|part| part.text) {
                    out.extend(tokenize(&text));
                }
            }
            None => {}
        }
    }
    out
}
