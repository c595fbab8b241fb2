//! GitHub issues and Hugging Face.
//!
//! *Invariant*: the client (and with it every proxy) is handed in, and so is every setting; nothing here reads the
//! environment.

mod error;
pub mod github;
pub mod hf;
mod web;

pub use error::{Fault, HubError};
pub use tuner_wire::Secret;
