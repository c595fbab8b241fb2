//! The chat that can act.
//!
//! *Invariant*: the store is the truth about every conversation. What lives here in memory (pieces of an answer that is
//! not whole, tokens that stop things) can be lost at any moment; loading the rows and asking again goes on. Tools call
//! `tuner_app` only, with the rights of the person who asked.

mod act;
mod context;
mod desk;
mod driver;
mod error;
mod live;
mod next;
mod point;
mod prompt;
mod redact;
mod settings;
pub mod setup;
mod think;
pub mod tools;

pub use desk::{Approval, Desk, GrantWish, View};
pub use driver::Agent;
pub use error::AgentError;
pub use live::{Live, LiveEvent, Unfinished};
pub use point::{Point, Probe};
pub use settings::{AgentSettings, Bounds, Prices};
