//! What happened in a conversation. Each event carries the whole row as it is from now on: a reader keeps the newest of
//! each id and has the truth.

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use uuid::Uuid;

use super::row::{CallRow, ChatMessageRow, ChatRun, ChatSession, GrantRow};

/// A change of a conversation. Variants are added, never renamed or removed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum ChatChange {
    /// It is new, or called otherwise, or treats calls otherwise.
    Session {
        /// It, without its summary.
        row: Box<ChatSession>,
    },
    /// It and all its rows are gone.
    Deleted,
    /// A message is new, or changed.
    Message {
        /// The message.
        row: Box<ChatMessageRow>,
    },
    /// A run is in another state, or used more.
    Run {
        /// The run.
        row: Box<ChatRun>,
    },
    /// A call is new, or in another state.
    Call {
        /// The call.
        row: Box<CallRow>,
    },
    /// A grant was given, used or taken back.
    Grant {
        /// The grant.
        row: Box<GrantRow>,
    },
    /// Rules that are only watched would have said this.
    Shadow {
        /// Of this call.
        call: Uuid,
        /// What.
        said: String,
    },
    /// The model is told less of what was said before.
    Compacted {
        /// Messages up to this place are summed up.
        up_to: u32,
        /// Results of these tools, and how many of each, are not in its context any more.
        dropped: Json,
    },
}
