//! Who comes in and what they did: tokens, the audit log, answers that are given again.
//!
//! *Invariant*: these rows tell nothing of a task, so they change without an event; a token's secret is never in them.

mod answers;
mod audit;
pub(crate) mod entity;
mod tokens;

pub use answers::{Begun, Reply};
pub use audit::{AuditPage, AuditRow, NewAudit};
pub use tokens::{NewToken, TokenRow};
