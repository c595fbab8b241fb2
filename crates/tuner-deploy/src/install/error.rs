//! Why an installation stopped, and the way out.

use std::io;
use std::path::{Path, PathBuf};

/// An installation stopped.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// No Python.
    #[error("`{python}` cannot be run")]
    NoPython {
        /// What was tried.
        python: String,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// Too old.
    #[error("`{python}` is Python {found}, at least 3.10 is needed")]
    PythonTooOld {
        /// What was tried.
        python: String,
        /// Its version.
        found: String,
    },
    /// Python cannot make private environments.
    #[error("Python {version} lacks `{module}`, which makes private environments")]
    NoVenv {
        /// Python's version, `3.11`.
        version: String,
        /// The missing module.
        module: String,
    },
    /// Another process installs the same thing.
    #[error("another process is installing into {}", folder.display())]
    Busy {
        /// The folder.
        folder: PathBuf,
    },
    /// The disk is too full.
    #[error("{} needs about {} MiB on disk, {} MiB are free", folder.display(), needed >> 20, free >> 20)]
    DiskSpace {
        /// The folder.
        folder: PathBuf,
        /// Bytes needed.
        needed: u64,
        /// Bytes free.
        free: u64,
    },
    /// pip could not install a package.
    #[error("pip could not install {package}:\n{}", lines.join("\n"))]
    Package {
        /// The package.
        package: String,
        /// pip's last lines.
        lines: Vec<String>,
    },
    /// A step's program failed.
    #[error("step `{label}` failed:\n{}", lines.join("\n"))]
    Step {
        /// The step.
        label: String,
        /// Its last lines.
        lines: Vec<String>,
    },
    /// A finished installation lacks a file.
    #[error("the installation in {} lacks files", folder.display())]
    Incomplete {
        /// The folder.
        folder: PathBuf,
    },
    /// The file system refused.
    #[error("cannot {what} {}", path.display())]
    Io {
        /// What was done.
        what: &'static str,
        /// To what.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
}

impl InstallError {
    pub(super) fn io(what: &'static str, path: &Path, source: io::Error) -> Self {
        Self::Io { what, path: path.to_owned(), source }
    }

    /// What to do now.
    pub fn hint(&self) -> String {
        match self {
            Self::NoPython { .. } => {
                "install Python 3.10 or newer (Debian, Ubuntu: apt install python3 python3-venv)".into()
            }
            Self::PythonTooOld { .. } => "put a newer `python3` first in PATH".into(),
            Self::NoVenv { version, .. } => {
                format!("install the package python{version}-venv (Debian, Ubuntu: apt install python{version}-venv)")
            }
            Self::Busy { .. } => "wait for it, or stop it and try again".into(),
            Self::DiskSpace { .. } => "free some space, or choose another data directory (AUTOTUNER_DATA_DIR)".into(),
            Self::Package { lines, .. } => pip_hint(lines).into(),
            Self::Step { .. } => {
                "the whole output is in install.log in the engine's folder; try again after a fix".into()
            }
            Self::Incomplete { folder } => format!("remove {} and install again", folder.display()),
            Self::Io { .. } => "check the permissions of the data directory".into(),
        }
    }
}

/// pip's own words, and what they mean here.
fn pip_hint(lines: &[String]) -> &'static str {
    let text = lines.join("\n").to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|w| text.contains(w));
    if has(&["no space left on device", "disk quota exceeded"]) {
        "the disk is full: free some space, or choose another data directory (AUTOTUNER_DATA_DIR)"
    } else if has(&["proxyerror", "407 proxy", "tunnel connection failed"]) {
        "the proxy refused: check HTTPS_PROXY and NO_PROXY"
    } else if has(&["certificate verify failed", "sslerror"]) {
        "the server's certificate is not trusted: set PIP_CERT to your organisation's certificates"
    } else if has(&[
        "name resolution",
        "max retries",
        "connection refused",
        "timed out",
        "newconnectionerror",
        "network is unreachable",
    ]) {
        "the package index cannot be reached: set HTTPS_PROXY, or PIP_INDEX_URL for an index of your own, and try again"
    } else if has(&["requires-python", "requires a different python", "not supported on this platform"]) {
        "this Python version or machine has no prebuilt package: try another Python (3.10 to 3.13)"
    } else if has(&["no matching distribution", "could not find a version"]) {
        "the index has no such package for this Python version and machine: try another Python (3.10 to 3.13) or index (PIP_INDEX_URL)"
    } else {
        "read pip's lines above; the whole output is in install.log in the engine's folder"
    }
}
