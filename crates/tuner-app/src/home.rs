//! Where things are kept.

use std::path::{Path, PathBuf};

/// The data directory and the places in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Home {
    root: PathBuf,
}

impl Home {
    /// The data directory at `root`; made absolute so that engines started elsewhere find it.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        let root = root.into();
        Self { root: std::path::absolute(&root).unwrap_or(root) }
    }

    /// The directory itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Tasks, experiments, events.
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

    /// Reports written by default.
    pub fn reports(&self) -> PathBuf {
        self.root.join("reports")
    }
}
