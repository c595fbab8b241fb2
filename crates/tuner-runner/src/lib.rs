//! The worker: claims a task, asks the planner, executes its steps, recovers, reaps.
//!
//! *Invariant*: only this crate touches engines, and it decides nothing: `tuner_core::plan` does.

mod activity;
mod attempt;
mod claim;
mod clock;
mod coordinator;
mod crew;
mod error;
mod help;
mod lab;
mod left;
mod liveness;
mod load;
mod patience;
mod pulse;
pub mod request_log;
mod worker;

pub use activity::Activity;
pub use claim::{free, reopen, take};
pub use clock::Clock;
pub use error::RunError;
pub use help::HelpEnd;
pub use lab::{Job, Lab, RealLab, RealLabSettings, Session, VirtualLab};
pub use left::Caretaker;
pub use liveness::{is_dead, is_neighbour, this_process};
pub use patience::patiently;
pub use pulse::Pulse;
pub use worker::{RunEnd, Worker};
