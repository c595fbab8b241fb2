//! Samplers and analysis: pure functions from history to the next configuration and to what was learned.
//!
//! *Invariant*: no state, no clock, no files, no thread randomness. A suggestion is a function of its
//! [`Ask`](tuner_core::sampler::Ask), a finding is a function of the finished experiments, so a task that is resumed
//! goes on exactly as if it had never stopped.

pub mod analysis;
pub mod explore;
pub mod samplers;

pub use samplers::{check, sampler};
