//! Hugging Face: models, the local cache, downloads.

mod api;
mod cache;
mod download;
mod fetch;
mod globs;
mod names;

pub use api::{Auth, Env, HfSettings, HuggingFace, ModelFacts, ModelInfo, TreeFile};
pub use cache::{CachedRepo, CachedRevision, Scan, scan};
pub use download::{Done, Progress, Want};
