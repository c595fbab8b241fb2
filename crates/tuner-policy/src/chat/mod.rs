//! What becomes of the calls that a model proposes: one book per conversation, changed by commands, and nothing else.
//!
//! *Invariant*: [`Book::apply`] is the only way in which a run, a call or a grant changes. A call is started at most once
//! for each time it is ready, only while its run was not stopped, and only by leave of a person, a grant or a rule; a
//! grant is used no more often than it allows; every call ends exactly once.

mod apply;
mod book;
mod command;
mod gate;
mod rules;

pub use book::{
    Book, Call, CallState, Cost, Decided, Ending, Grant, Limits, Mode, Proposal, Risk, Run, RunState, Stop, Verdict,
    Via, matches,
};
pub use command::{Command, Edited, Happened, Refused};
pub use gate::{Gate, gate};
pub use rules::{Effect as RuleEffect, Example, Rule, Rules, RulesError};

#[cfg(test)]
mod tests;
