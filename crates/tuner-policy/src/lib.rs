//! Who may do what to what: one pure function and its golden matrix.
//!
//! *Invariant*: a decision is a function of actor, action and resource. Nothing that a model or a page says about itself
//! is an argument.

mod action;
mod actor;
mod decide;

pub use action::{Action, Effect};
pub use actor::{Actor, Role};
pub use decide::{Decision, Refusal, Resource, decide};
