//! The protocols that are spoken: path, body, and what an answer's events mean.
//!
//! *Invariant*: the set is closed ([`Api`]), and everything that differs between protocols is decided here. Senders
//! and the collector know bytes, events and the taxonomy of [`crate::client::event`], nothing else.

mod anthropic;
mod build;
mod content;
mod fields;
mod llamacpp;
mod openai;
mod pooling;
mod responses;
mod script;
mod sglang;

use tuner_core::task::Api;

use crate::client::event::{Reading, Unparsed};

pub(crate) use build::build;
pub use build::{BuildError, Built};
pub use content::{Ask, Content, ContentError, body};
pub use fields::adopt;
pub use script::{History, Script};
pub(crate) use script::{Materials, script};

/// Endpoint path.
pub fn path(api: Api) -> &'static str {
    match api {
        Api::Chat => "/v1/chat/completions",
        Api::Completions => "/v1/completions",
        Api::Responses => "/v1/responses",
        Api::Anthropic => "/v1/messages",
        Api::Embeddings => "/v1/embeddings",
        Api::Rerank => "/v1/rerank",
        Api::SglangGenerate => "/generate",
        Api::LlamacppCompletion => "/completion",
    }
}

/// Whether answers are made of generated tokens, one event after another. The others are computed in one go.
pub fn generates(api: Api) -> bool {
    !matches!(api, Api::Embeddings | Api::Rerank)
}

/// Whether a prompt may be a list of token ids, where the engine takes them.
pub fn takes_token_ids(api: Api) -> bool {
    matches!(api, Api::Completions | Api::SglangGenerate | Api::LlamacppCompletion | Api::Embeddings)
}

/// Whether the engine puts the model's chat template around the prompt.
pub fn has_template(api: Api) -> bool {
    matches!(api, Api::Chat | Api::Responses | Api::Anthropic)
}

/// Headers that a protocol asks for.
pub(crate) fn headers(api: Api) -> &'static [(&'static str, &'static str)] {
    match api {
        Api::Anthropic => &[("anthropic-version", "2023-06-01")],
        _ => &[],
    }
}

/// Reads the data of one stream event.
///
/// # Errors
/// It is not JSON, or of none of the protocol's shapes.
pub fn read_event(api: Api, data: &[u8]) -> Result<Reading<'_>, Unparsed> {
    match api {
        Api::Chat | Api::Completions => openai::read(data),
        Api::Responses => responses::read_event(data),
        Api::Anthropic => anthropic::read_event(data),
        Api::SglangGenerate => sglang::read(data),
        Api::LlamacppCompletion => llamacpp::read(data),
        Api::Embeddings | Api::Rerank => Err(Unparsed),
    }
}

/// Reads a whole answer that did not stream.
///
/// # Errors
/// It is not JSON, or of none of the protocol's shapes.
pub fn read_whole(api: Api, body: &[u8]) -> Result<Reading<'_>, Unparsed> {
    match api {
        Api::Chat | Api::Completions => openai::read(body),
        Api::Responses => responses::read_whole(body),
        Api::Anthropic => anthropic::read_whole(body),
        Api::SglangGenerate => sglang::read(body),
        Api::LlamacppCompletion => llamacpp::read(body),
        Api::Embeddings => pooling::read_vectors(body),
        Api::Rerank => pooling::read_ranking(body),
    }
}
