//! Why a peer has no figures, and the way out.

use std::path::PathBuf;
use std::time::Duration;

use crate::compat::Tool;

/// A peer did not give figures.
#[derive(Debug, thiserror::Error)]
pub enum PeerError {
    /// The tool has no words for the load.
    #[error("{tool} cannot be used for {what}")]
    Unfit {
        /// Which.
        tool: Tool,
        /// What it cannot do.
        what: String,
    },
    /// It cannot be started.
    #[error("{tool} cannot be started as {program}")]
    Start {
        /// Which.
        tool: Tool,
        /// What was tried.
        program: String,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// It ended with an error.
    #[error("{tool} failed ({status}); the last it said:\n{}", lines.join("\n"))]
    Failed {
        /// Which.
        tool: Tool,
        /// How it ended.
        status: std::process::ExitStatus,
        /// Its last lines.
        lines: Vec<String>,
        /// All that it said.
        output: PathBuf,
    },
    /// It did not end.
    #[error("{tool} was stopped after {} s; the last it said:\n{}", limit.as_secs(), lines.join("\n"))]
    TooLong {
        /// Which.
        tool: Tool,
        /// How long it was let run.
        limit: Duration,
        /// Its last lines.
        lines: Vec<String>,
        /// All that it said.
        output: PathBuf,
    },
    /// It ended well and left nothing that can be read.
    #[error("{tool} left no result that can be read below {}; the last it said:\n{}", folder.display(), lines.join("\n"))]
    NoResult {
        /// Which.
        tool: Tool,
        /// Where it should have been.
        folder: PathBuf,
        /// Its last lines.
        lines: Vec<String>,
        /// All that it said.
        output: PathBuf,
    },
    /// It completed no request.
    #[error("{tool} completed none of its requests; the last it said:\n{}", lines.join("\n"))]
    NothingCompleted {
        /// Which.
        tool: Tool,
        /// Its last lines.
        lines: Vec<String>,
        /// All that it said.
        output: PathBuf,
    },
    /// The folder for its results refuses.
    #[error("cannot write to {}", path.display())]
    Folder {
        /// Which.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
}

impl PeerError {
    /// What to do now.
    pub fn hint(&self) -> String {
        match self {
            Self::Unfit { .. } => "leave the tool out, or change the load".to_owned(),
            Self::Start { tool, .. } => {
                format!("give the program that starts it: --tool-path {tool}=PATH")
            }
            Self::Failed { output, .. } | Self::NoResult { output, .. } | Self::NothingCompleted { output, .. } => {
                format!("all that it said is in {}; another version may take other arguments", output.display())
            }
            Self::TooLong { output, .. } => {
                format!("ask for fewer --requests, or give --limit; all that it said is in {}", output.display())
            }
            Self::Folder { .. } => "choose another folder with --results".to_owned(),
        }
    }
}
