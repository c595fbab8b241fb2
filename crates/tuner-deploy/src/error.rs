//! What can go wrong between wanting an engine to run and it running, or to be gone and it being gone.

use std::io;
use std::path::{Path, PathBuf};

use tuner_core::FailureClass;

/// A backend could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum DeployError {
    /// The id cannot label files and processes.
    #[error("`{id}` is no deployment id: 1 to 100 letters, digits, `.`, `_`, `-`, the first a letter or digit")]
    BadId {
        /// What was given.
        id: String,
    },
    /// No such program, or its interpreter is missing.
    #[error("program `{program}` is not installed")]
    ProgramMissing {
        /// Name or path as it was asked for.
        program: String,
    },
    /// The program is there, but the system refuses to run it.
    #[error("program `{program}` cannot be executed")]
    NotExecutable {
        /// Name or path as it was asked for.
        program: String,
        /// What the system said.
        source: io::Error,
    },
    /// Arguments and environment are longer than the system allows.
    #[error("the arguments of `{program}` are too long for this system")]
    ArgumentsTooLong {
        /// Name or path as it was asked for.
        program: String,
    },
    /// No memory or process slot for another process.
    #[error("no room on this host to start `{program}`")]
    NoRoom {
        /// Name or path as it was asked for.
        program: String,
        /// What the system said.
        source: io::Error,
    },
    /// The working directory is missing.
    #[error("working directory {} does not exist", path.display())]
    NoWorkingDirectory {
        /// The directory.
        path: PathBuf,
    },
    /// A file of ours could not be read or written.
    #[error("cannot {action} {}", path.display())]
    File {
        /// What was tried: `create`, `write`, `read`, `lock`.
        action: &'static str,
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Processes stay although they were killed: the kernel holds them (a hung driver or file system).
    #[error("processes {pids:?} of {id} survive being killed")]
    Unstoppable {
        /// The deployment.
        id: String,
        /// What is left of it.
        pids: Vec<u32>,
    },
    /// A URL of an endpoint cannot be used.
    #[error("`{url}` is not the http address of an endpoint")]
    BadUrl {
        /// What was given.
        url: String,
    },
    /// The HTTP client could not be made (a proxy address that is none).
    #[error("cannot make an HTTP client")]
    Client {
        /// What the client said.
        source: reqwest::Error,
    },
    /// A service does not fetch from there.
    #[error(transparent)]
    Egress(#[from] crate::egress::EgressError),
    /// A background step ended without an answer.
    #[error("a background step was lost")]
    Lost,
}

impl DeployError {
    /// What it means for the attempt.
    pub fn class(&self) -> FailureClass {
        match self {
            Self::ProgramMissing { .. } | Self::NotExecutable { .. } => FailureClass::EngineMissing,
            Self::ArgumentsTooLong { .. } => FailureClass::EngineArguments,
            Self::NoRoom { .. } | Self::Unstoppable { .. } => FailureClass::NoCapacity,
            Self::NoWorkingDirectory { .. } => FailureClass::EngineMissing,
            Self::BadUrl { .. } | Self::Client { .. } | Self::Egress(_) => FailureClass::Connection,
            Self::BadId { .. } | Self::File { .. } | Self::Lost => FailureClass::Internal,
        }
    }

    pub(crate) fn file(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { action, path, source }
    }

    pub(crate) fn spawn(program: &str, source: io::Error) -> Self {
        let program = program.to_owned();
        match source.kind() {
            io::ErrorKind::NotFound => Self::ProgramMissing { program },
            io::ErrorKind::ArgumentListTooLong => Self::ArgumentsTooLong { program },
            io::ErrorKind::OutOfMemory | io::ErrorKind::WouldBlock => Self::NoRoom { program, source },
            _ => Self::NotExecutable { program, source },
        }
    }
}
