//! Where things are kept.

use std::path::{Path, PathBuf};

/// The data directory and the places in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Home {
    root: PathBuf,
    database_url: Option<String>,
}

impl Home {
    /// The data directory at `root`; made absolute so that engines started elsewhere find it.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        let root = root.into();
        Self { root: std::path::absolute(&root).unwrap_or(root), database_url: None }
    }

    /// The same with its rows in the database that a URL names, `postgres://USER:PASSWORD@HOST:PORT/DATABASE`: one that
    /// workers on other machines reach.
    #[must_use]
    pub fn with_database_url(self, url: Option<String>) -> Self {
        Self { database_url: url, ..self }
    }

    /// The database's URL, if it is not the file in the data directory.
    pub fn database_url(&self) -> Option<&str> {
        self.database_url.as_deref()
    }

    /// The directory itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The file with tasks, experiments and events, unless they have a URL of their own.
    pub fn database(&self) -> PathBuf {
        self.root.join("autotuner.sqlite")
    }

    /// Engine logs, one folder per task.
    pub fn logs(&self) -> PathBuf {
        self.root.join("logs")
    }

    /// Private Python environments and launchers.
    pub fn engines(&self) -> PathBuf {
        self.root.join("engines")
    }

    /// Data sets that were fetched.
    pub fn datasets(&self) -> PathBuf {
        self.root.join("datasets")
    }

    /// Reports written by default.
    pub fn reports(&self) -> PathBuf {
        self.root.join("reports")
    }
}
