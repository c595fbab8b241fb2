//! Words, units, task file, search space, scoring, outcomes and the planner: the pure heart of the tuner.
//!
//! *Invariant*: nothing here knows a clock, a file, a socket, an environment variable or a source of
//! randomness. Whatever is decided here is a function of its arguments, so a task can be replayed from
//! its rows at any time.

pub mod causes;
pub mod engine;
pub mod failure;
mod hex;
pub mod measure;
pub mod outcome;
pub mod plan;
pub mod record;
pub mod sampler;
pub mod score;
pub mod server_side;
pub mod space;
mod steady;
pub mod stopped;
pub mod task;
pub mod value;

pub use causes::with_causes;
pub use failure::{Failure, FailureClass};
pub use hex::hex;
pub use measure::{Figure, Measurement, Metric, Percentile, Stat, Summary, Validity};
pub use outcome::Outcome;
pub use space::{Configuration, Domain, Parameter, SearchSpace};
pub use stopped::{Bar, StopRule, Stopped};
pub use task::TaskSpec;
pub use value::Value;
