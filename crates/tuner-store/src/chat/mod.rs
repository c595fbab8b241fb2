//! Conversations with the agent: sessions, runs, messages, calls of tools and the leave that people give for them.
//!
//! *Invariant*: runs, calls and grants change by [`tuner_policy::chat::Book::apply`] alone, inside one transaction with
//! the events that carry the rows as they are afterwards.

mod book;
pub(crate) mod entity;
mod event;
mod messages;
mod row;
mod sessions;
mod subscriptions;

pub use book::{CallEnd, NewAnswer, NewCall};
pub use event::ChatChange;
pub use messages::NewMessage;
pub use row::{
    CallResult, CallRow, ChatMessageRow, ChatRole, ChatRun, ChatSession, ChatUsage, Feedback, GrantRow, MessageBody,
    MessageState,
};
pub use sessions::{Conversation, NewSession, SessionItem, SessionPage};
pub use subscriptions::{TaskNews, TaskSubscription};
