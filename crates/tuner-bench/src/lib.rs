//! The load generator: arrivals, prompts, the measuring client, records and the report.
//!
//! *Invariant*: what is planned, and what records mean, are pure functions (`plan`, `report`); the client only fills
//! in records. Every level carries the proof that the client was not the bottleneck, or is INVALID.

pub mod arrival;
mod bench;
pub mod client;
pub mod compare;
pub mod compat;
pub mod dataset;
mod error;
mod live;
pub mod log;
pub mod peers;
mod picture;
pub mod plan;
mod prepared;
pub mod probe;
mod prompting;
pub mod protocol;
mod remarks;
pub mod report;
mod run;
pub mod scenario;
mod seed;
pub mod server;
mod stats;
pub mod steady;
pub mod stopping;
pub mod sweep;
pub mod tokens;
pub mod validity;

pub use bench::{BenchReport, BenchRequest, Station, bench_pair, bench_url, open};
pub use client::{Features, Target};
pub use error::BenchError;
pub use live::{Live, LiveTimes, Phase};
pub use plan::LevelPlan;
pub use prepared::PreparedWorkload;
pub use prompting::PromptSource;
pub use report::{ClassSlos, ReportInput, Window, measurement};
pub use run::{LevelRun, run_level, run_level_when};
pub use seed::Seeds;
pub use tokens::TokenSource;
