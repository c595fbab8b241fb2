//! The simulated engine: an OpenAI-compatible server whose batching, KV cache and speed are a pure model.
//!
//! *Invariant*: everything outside `server` is a function of its arguments; server and virtual time run the same
//! scheduler, so that what a task learns without sockets holds with them. Formulas: `docs/simulated-engine.md`.

pub mod args;
mod compatible;
pub mod cost;
pub mod engine;
pub mod error;
pub mod flags;
pub mod fleet;
pub mod hardware;
pub mod kv;
pub mod level;
pub mod memory;
pub mod models;
pub mod noise;
pub mod scheduler;
pub mod server;
pub mod tokenizer;

pub use args::ServerArgs;
pub use engine::SimEngine;
pub use error::SimError;
pub use level::{
    Drive, Follow, LevelRun, Talk, run_conversations, run_conversations_followed, run_level, run_level_followed,
};
pub use server::{Clock, Server, run_command, run_server, serve};
