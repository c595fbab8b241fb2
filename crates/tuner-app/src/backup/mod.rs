//! Backups: one file with everything of a store, and what the data directory keeps beside it, from and for every database.
//!
//! *Invariant*: a backup has its name only when it is whole, and is put back only after every byte of it was checked. What
//! was there before a restore is kept aside.

mod archive;
mod restore;
mod write;

pub use restore::{Restored, restore};
pub use write::back_up;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::home::Home;

/// What the manifest says the file is.
const FORMAT: &str = "autotuner-backup";
/// Grows when an older reader would misread a newer backup.
const VERSION: u32 = 1;
/// The last entry: only a whole backup has it.
const MANIFEST: &str = "manifest.json";
/// The store, line by line.
const DATABASE: &str = "database.jsonl";

/// What the data directory keeps beside its store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// Engine logs, and what was kept of requests.
    Logs,
    /// Data sets.
    Datasets,
    /// Reports.
    Reports,
}

impl Part {
    /// Every part.
    pub const ALL: [Self; 3] = [Self::Logs, Self::Datasets, Self::Reports];

    /// Its folder's name, in the archive and in the data directory.
    fn name(self) -> &'static str {
        match self {
            Self::Logs => "logs",
            Self::Datasets => "datasets",
            Self::Reports => "reports",
        }
    }

    fn folder(self, home: &Home) -> PathBuf {
        match self {
            Self::Logs => home.logs(),
            Self::Datasets => home.datasets(),
            Self::Reports => home.reports(),
        }
    }
}

/// What a backup says of itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// What it is.
    pub format: String,
    /// Version of this file's form.
    pub version: u32,
    /// Program that wrote it, with its version.
    pub program: String,
    /// The newest migration of the tables.
    pub schema: String,
    /// When it was written.
    pub created_at: DateTime<Utc>,
    /// Where.
    pub host: String,
    /// The data directory that it is of.
    pub data_dir: PathBuf,
    /// Rows of each table.
    pub rows: BTreeMap<String, u64>,
    /// What it holds beside the store.
    pub parts: Vec<Part>,
    /// Every other entry, in order.
    pub files: Vec<Entry>,
}

/// A file in a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its path in the backup.
    pub path: String,
    /// Its size.
    pub bytes: u64,
    /// Its SHA-256, in hexadecimal.
    pub sha256: String,
}

/// Why a backup was not written, or not put back.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The file exists.
    #[error("{} exists", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// A file cannot be read or written.
    #[error("cannot {what} {}", path.display())]
    File {
        /// `read` or `write`.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// It is no backup, or not whole, or was changed.
    #[error("{} is not a whole backup: {why}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was found.
        why: String,
    },
    /// A newer version wrote it.
    #[error("{} was written by a newer version ({program}, tables {schema})", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Who wrote it.
        program: String,
        /// Its tables.
        schema: String,
    },
    /// There is something already.
    #[error("the store is not empty")]
    NotEmpty,
    /// Workers are at work on the store.
    #[error("workers are at work on the store: {}", workers.join(", "))]
    AtWork {
        /// Who.
        workers: Vec<String>,
    },
}

impl BackupError {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Exists { .. } => "choose another name, or move that one away",
            Self::File { .. } => "check the path, its permissions, and that the disk has room",
            Self::Damaged { .. } => "use another backup; nothing was changed",
            Self::Newer { .. } => "use the newer version; nothing was changed",
            Self::NotEmpty => "put it in its place with --force: what is there now is kept aside first",
            Self::AtWork { .. } => "stop them first: autotuner stop, autotuner workers stop",
        }
    }
}

fn unreadable(path: &Path) -> impl Fn(std::io::Error) -> BackupError + use<> {
    let path = path.to_owned();
    move |source| BackupError::File { what: "read", path: path.clone(), source }
}

fn unwritable(path: &Path) -> impl Fn(std::io::Error) -> BackupError + use<> {
    let path = path.to_owned();
    move |source| BackupError::File { what: "write", path: path.clone(), source }
}

#[cfg(test)]
mod tests;
