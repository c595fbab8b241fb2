//! What the store refuses or cannot do, with facts.

use std::path::PathBuf;

use sea_orm::DbErr;
use tuner_core::with_causes;

use crate::lease::Holder;
use crate::row::TaskId;
use crate::trouble::Trouble;

/// Why a call to the store failed. Nothing of the call was committed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file cannot be opened as a database.
    #[error("cannot open the database {}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system or the database said.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The database server cannot be reached, or lets nobody in.
    #[error("cannot connect to the database {place}")]
    Connect {
        /// Database and address, without a password.
        place: String,
        /// What the system or the server said.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A URL that names no database this version knows.
    #[error("no database is reached by a URL that begins with {scheme:?}")]
    UnknownUrl {
        /// The part before the first colon; the rest may hold a password.
        scheme: String,
    },
    /// The database holds migrations that this version does not know.
    #[error(
        "the database {place} was written by a newer version: it holds {}, this version knows up to {known}",
        unknown.join(", ")
    )]
    NewerSchema {
        /// The file, or `in memory`.
        place: String,
        /// Migrations that are not known.
        unknown: Vec<String>,
        /// Newest known migration.
        known: String,
    },
    /// A newer version of the program has used the store: an older one would misunderstand it.
    #[error("the store is used by a newer version of this program (protocol {store}, this one speaks {ours})")]
    StaleVersion {
        /// The protocol that this program speaks.
        ours: i64,
        /// The newest that has used the store.
        store: i64,
    },
    /// The copy that is made before existing tables change could not be made; nothing was changed.
    #[error("cannot copy the database to {} before changing its tables", path.display())]
    Backup {
        /// The copy.
        path: PathBuf,
        /// What the system or the database said.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// What a store holds cannot be written down.
    #[error("what the store holds cannot be written down")]
    Dump(#[source] std::io::Error),
    /// What was written down cannot be read. Nothing was changed.
    #[error("line {line} of what was written down cannot be read")]
    Dumped {
        /// From 1.
        line: u64,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The database failed: disk full, locked for longer than the time limit, damaged.
    #[error("the database failed")]
    Database(#[from] DbErr),
    /// A stored value cannot be understood.
    #[error("stored {what} cannot be read")]
    Corrupt {
        /// Which value.
        what: String,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A value would be read back as another one, or not at all: a number in it is not finite.
    #[error("{what} cannot be stored: it would not be read back as it is")]
    Unstorable {
        /// Which value.
        what: String,
        /// Why, if it could not be read at all.
        #[source]
        source: Option<serde_json::Error>,
    },
    /// No task has this id, name or prefix.
    #[error("no task {wanted:?}")]
    NoSuchTask {
        /// What was asked for.
        wanted: String,
    },
    /// Several tasks begin like this.
    #[error("{wanted:?} begins the id of several tasks: {}", candidates.join(", "))]
    AmbiguousTask {
        /// What was asked for.
        wanted: String,
        /// Some of the tasks: id and name.
        candidates: Vec<String>,
    },
    /// Another task has this name.
    #[error("the name {name:?} belongs to task {id}")]
    NameTaken {
        /// The name.
        name: String,
        /// Who has it.
        id: TaskId,
    },
    /// Another thing of its kind has this name.
    #[error("the name {name:?} belongs to another {what}")]
    Taken {
        /// The kind.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// There is no such row.
    #[error("there is no {what}")]
    NotFound {
        /// Which row.
        what: String,
    },
    /// The same row exists with other content.
    #[error("{what} is already stored with other content")]
    Conflict {
        /// Which row.
        what: String,
    },
    /// The row's state does not allow this.
    #[error("cannot {wanted}: {what} is {state}")]
    WrongState {
        /// Which row.
        what: String,
        /// Its state.
        state: String,
        /// What was wanted.
        wanted: &'static str,
    },
    /// Another worker took the lease over, or it was released or broken: this worker must stop at once.
    #[error("the lease on {resource} (fence {fence}) is lost{}", by(newer.as_deref()))]
    LeaseLost {
        /// What was leased.
        resource: String,
        /// The stale fence.
        fence: i64,
        /// Who holds it now.
        newer: Option<Box<Holder>>,
    },
    /// Somebody works on it.
    #[error("{what} is in use by {holder}")]
    InUse {
        /// What.
        what: String,
        /// By whom.
        holder: String,
    },
    /// What the agent's calls and grants do not allow.
    #[error(transparent)]
    Refused(#[from] tuner_policy::chat::Refused),
    /// Every candidate port is held by a live deployment.
    #[error("all {tried} candidate ports on {host} are held by live deployments")]
    NoFreePort {
        /// Where.
        host: String,
        /// How many were tried.
        tried: usize,
    },
    /// Other deployments hold too many of the host's GPUs.
    #[error("{wanted} GPUs are wanted on {host}, and too few are free; held: {}", holders.join(", "))]
    NoFreeGpus {
        /// Where.
        host: String,
        /// How many were wanted.
        wanted: usize,
        /// Each GPU that is held, with its deployment.
        holders: Vec<String>,
    },
}

fn by(holder: Option<&Holder>) -> String {
    holder.map_or_else(String::new, |h| format!(" to {h}"))
}

impl StoreError {
    /// What is wrong with the database, if it is that.
    pub fn trouble(&self) -> Option<Trouble> {
        match self {
            Self::Database(error) => Some(Trouble::of(error)),
            _ => None,
        }
    }

    /// Whether the same call may succeed later: the server is away, starting or stopping, the file is locked, the disk is
    /// full. A damaged file is no such thing.
    pub fn is_passing(&self) -> bool {
        self.trouble().is_some_and(Trouble::passes)
    }

    /// The error with its causes and what to do about it, in one line for a log.
    pub fn in_words(&self) -> String {
        let text = with_causes(self);
        self.hint().map_or(text.clone(), |hint| format!("{text} ({hint})"))
    }

    /// What a person can do about it, where there is something.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Open { .. } => {
                Some("check that the directory exists and is writable, and that the file is a database")
            }
            Self::Connect { .. } => Some("check the address, the password, and that the server runs"),
            Self::UnknownUrl { .. } => Some("give sqlite:PATH or postgres://USER:PASSWORD@HOST/DATABASE"),
            Self::NewerSchema { .. } => Some("use the newer version, or another data directory"),
            Self::StaleVersion { .. } => Some("install the newer version on this machine and start the worker again"),
            Self::Backup { .. } => Some("free some disk space; the database was not touched"),
            Self::Dump(_) => Some("check that the place is writable, and has room"),
            Self::NameTaken { .. } => Some("choose another name, resume that task, or delete it"),
            Self::Taken { .. } => Some("choose another name, or change or delete the other"),
            Self::InUse { .. } => Some("wait until it ends, or cancel it first"),
            Self::NoSuchTask { .. } => Some("see all tasks with: autotuner tasks list"),
            Self::AmbiguousTask { .. } => Some("give more characters, or the name"),
            Self::Database(error) => Trouble::of(error).hint(),
            Self::Corrupt { .. } => Trouble::Damaged.hint(),
            Self::LeaseLost { .. } => Some("another worker goes on with the task"),
            _ => None,
        }
    }

    pub(crate) fn not_found(what: impl Into<String>) -> Self {
        Self::NotFound { what: what.into() }
    }
}
