//! What the store refuses or cannot do, with facts.

use std::path::PathBuf;

use sea_orm::{DbErr, RuntimeErr};

use crate::lease::Holder;
use crate::row::TaskId;

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
    /// A backup could not be written, or not be put back; the database was not touched.
    #[error("cannot copy the database to {}", to.display())]
    Copy {
        /// Where to.
        to: PathBuf,
        /// What the system or the database said.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A database server does this better than its client could.
    #[error("a database server has its own {what}")]
    ServersOwn {
        /// What.
        what: &'static str,
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

/// PostgreSQL: trouble with the connection (08), a server that comes or goes (57P), a transaction that stood still or
/// met another one. SQLite: busy and locked, also while it recovers or reads an old snapshot.
fn passes(code: &str) -> bool {
    const CODES: [&str; 8] = ["25P03", "40001", "40P01", "5", "6", "261", "262", "517"];
    code.starts_with("08") || code.starts_with("57P") || CODES.contains(&code)
}

impl StoreError {
    /// Whether the same call may succeed later without anybody's doing: the server is away, starting or stopping, or the
    /// file is locked. A full disk or a damaged file is no such thing.
    pub fn is_passing(&self) -> bool {
        let Self::Database(error) = self else { return false };
        let source = match error {
            DbErr::Conn(source) | DbErr::Exec(source) | DbErr::Query(source) => source,
            DbErr::ConnectionAcquire(_) => return true,
            _ => return false,
        };
        let RuntimeErr::SqlxError(source) = source else { return false };
        use sea_orm::sqlx::Error;
        match source.as_ref() {
            Error::Database(error) => error.code().is_some_and(|code| passes(&code)),
            Error::Io(_) | Error::Tls(_) | Error::Protocol(_) | Error::PoolTimedOut | Error::WorkerCrashed => true,
            _ => false,
        }
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
            Self::Copy { .. } => Some("check that the place is free, writable, and has room"),
            Self::ServersOwn { .. } => Some("use pg_dump and pg_restore"),
            Self::NameTaken { .. } => Some("choose another name, resume that task, or delete it"),
            Self::InUse { .. } => Some("wait until it ends, or cancel it first"),
            Self::NoSuchTask { .. } => Some("see all tasks with: autotuner tasks list"),
            Self::AmbiguousTask { .. } => Some("give more characters, or the name"),
            Self::LeaseLost { .. } => Some("another worker goes on with the task"),
            _ => None,
        }
    }

    pub(crate) fn not_found(what: impl Into<String>) -> Self {
        Self::NotFound { what: what.into() }
    }
}
