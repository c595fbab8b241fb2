//! What the two machines tell each other: the order for a worker, which goes over standard input, and what becomes of it.
//!
//! *Invariant*: the order holds the database's password, so it is never an argument, a variable, or part of a message.

use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A worker to be started, as its machine is told. One line of JSON.
#[derive(Clone, Serialize, Deserialize)]
pub struct Order {
    /// Which machine it is deployed to; the worker says so.
    pub machine: Uuid,
    /// The database, as it is reached there.
    pub database: String,
    /// Its data directory; none: the one it would have anyway.
    #[serde(default)]
    pub data_dir: Option<PathBuf>,
    /// How many jobs it runs at once.
    pub slots: u32,
    /// End one that runs, and start another.
    #[serde(default)]
    pub replace: bool,
}

impl fmt::Debug for Order {
    /// Without the database.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Order").field("machine", &self.machine).field("slots", &self.slots).finish_non_exhaustive()
    }
}

/// What becomes of it. One line of JSON each.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "said", rename_all = "snake_case")]
pub enum Said {
    /// One runs there already.
    Lives {
        /// Its process.
        pid: u32,
        /// Its messages.
        log: PathBuf,
    },
    /// It was started.
    Started {
        /// Its process.
        pid: u32,
        /// Its messages.
        log: PathBuf,
    },
    /// It ended while one watched.
    Ended {
        /// Its exit code.
        code: Option<i32>,
        /// The last lines of its messages.
        lines: Vec<String>,
    },
    /// It goes on, and one watches no more.
    Goes {
        /// The last lines of its messages.
        lines: Vec<String>,
    },
}
