//! The worker: claims a task, asks the planner, executes its steps, recovers, reaps.
//!
//! *Invariant*: only this crate touches engines, and it decides nothing: `tuner_core::plan` does.

mod activity;
mod attempt;
mod claim;
mod clock;
mod error;
mod lab;
mod liveness;
mod load;
mod patience;
mod pulse;
mod worker;

pub use activity::Activity;
pub use claim::reopen;
pub use clock::Clock;
pub use error::RunError;
pub use lab::{Job, Lab, RealLab, RealLabSettings, Session, VirtualLab};
pub use liveness::{is_dead, this_process};
pub use worker::{RunEnd, Worker};
