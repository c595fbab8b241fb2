//! Chat model clients behind a few types of our own.
//!
//! *Invariant*: no provider's type, field or word leaves this crate; what is told piece by piece equals the reply.

mod answer;
mod anthropic;
mod calls;
mod chat;
mod check;
mod error;
mod model;
mod openai;
mod provider;
mod refusal;
mod schema;
mod thoughts;
mod transport;

pub use chat::{ChatMessage, ChatRequest, Delta, Finish, Reply, ToolCall, ToolSpec, Usage};
pub use check::{Check, CheckStep, Finding, Verdict};
pub use error::{Fault, LlmError};
pub use model::ChatModel;
pub use provider::{Limits, Provider, ProviderKind, ToolSupport};
pub use tuner_wire::{Backoff, Secret};
