//! Who may do what to what: pure functions and their golden matrices.
//!
//! *Invariant*: a decision is a function of actor, action and resource, and for the agent's calls of the book of its
//! conversation. Nothing that a model or a page says about itself is an argument.

mod action;
mod actor;
pub mod chat;
mod decide;
mod scope;

pub use action::{Action, Effect};
pub use actor::{Actor, Role};
pub use decide::{Decision, Refusal, Resource, decide};
pub use scope::Scope;
