//! What goes wrong with a hub: whose fault, whether trying again helps, what to do.
//!
//! *Invariant*: no variant holds a token; what a server said is cleaned and cut before it comes here.

use std::path::PathBuf;

use chrono::{DateTime, Utc};

/// Why there is no answer, or no file.
#[derive(Debug, thiserror::Error)]
pub enum HubError {
    /// A setting is missing or wrong.
    #[error("{what}")]
    Settings {
        /// What is wrong.
        what: String,
        /// What to set.
        hint: String,
    },
    /// An argument cannot be meant.
    #[error("{what}")]
    Argument {
        /// What is wrong with it.
        what: String,
    },
    /// No connection, or it broke.
    #[error("{host} cannot be reached: {why}")]
    Unreachable {
        /// Host and port.
        host: String,
        /// The client's words.
        why: String,
    },
    /// Too many requests.
    #[error("{host} limits requests{}: {said}", at(.until))]
    Limited {
        /// Host and port.
        host: String,
        /// When they are taken again, if the server says so.
        until: Option<DateTime<Utc>>,
        /// The server's words.
        said: String,
    },
    /// The token is missing, wrong, or has not the right.
    #[error("{host} refuses the token with {status}: {said}")]
    Unauthorised {
        /// Host and port.
        host: String,
        /// 401 or 403.
        status: u16,
        /// The server's words.
        said: String,
        /// The setting that holds the token.
        setting: &'static str,
    },
    /// The model's files need a licence to be accepted.
    #[error("{repo} is open only to those who accepted its conditions")]
    Gated {
        /// The repository.
        repo: String,
    },
    /// It is not there.
    #[error("{what} does not exist, or the token may not see it")]
    NotFound {
        /// What was asked for.
        what: String,
    },
    /// The server does not take the request.
    #[error("{host} refuses the request with {status}: {said}")]
    Refused {
        /// Host and port.
        host: String,
        /// Its status.
        status: u16,
        /// The server's words.
        said: String,
    },
    /// Something answers, but not as documented.
    #[error("{host} does not answer as documented: {why}")]
    Unreadable {
        /// Host and port.
        host: String,
        /// What came instead.
        why: String,
    },
    /// An issue says the same already.
    #[error("issue #{number} says the same: {title:?}")]
    Duplicate {
        /// Its number.
        number: u64,
        /// Its title.
        title: String,
        /// Where it is.
        url: String,
    },
    /// The server names a file that would lie outside its folder.
    #[error("the file name {name:?} of {repo} leads out of its folder; nothing was written")]
    Escapes {
        /// The repository.
        repo: String,
        /// The name, as the server sent it.
        name: String,
    },
    /// What came is not what was published.
    #[error("{file} is damaged: its SHA-256 is {found}, published is {published}")]
    Checksum {
        /// The file, by its name in the repository.
        file: String,
        /// What the repository says.
        published: String,
        /// What came.
        found: String,
    },
    /// Another process writes this file now.
    #[error("another download writes {file} now")]
    Busy {
        /// The file.
        file: PathBuf,
    },
    /// A file of this machine cannot be read or written.
    #[error("{path} cannot be used")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

fn at(until: &Option<DateTime<Utc>>) -> String {
    until.map_or_else(String::new, |until| format!(" until {}", until.format("%H:%M:%S UTC")))
}

/// Who can change something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The person who set it up.
    Settings,
    /// Whoever asked.
    Request,
    /// The way to the server.
    Network,
    /// The server.
    Server,
    /// This machine.
    Machine,
}

impl HubError {
    /// Whose fault it is.
    pub fn fault(&self) -> Fault {
        match self {
            Self::Settings { .. } | Self::Unauthorised { .. } | Self::Gated { .. } => Fault::Settings,
            Self::Argument { .. } | Self::NotFound { .. } | Self::Refused { .. } | Self::Duplicate { .. } => {
                Fault::Request
            }
            Self::Unreachable { .. } => Fault::Network,
            Self::Limited { .. } | Self::Unreadable { .. } | Self::Escapes { .. } | Self::Checksum { .. } => {
                Fault::Server
            }
            Self::Busy { .. } | Self::File { .. } => Fault::Machine,
        }
    }

    /// Whether the same request may work later, with nothing changed.
    pub fn again_helps(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::Limited { .. } | Self::Checksum { .. } | Self::Busy { .. })
    }

    /// A word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Settings { .. } => "hub_settings",
            Self::Argument { .. } => "invalid_argument",
            Self::Unreachable { .. } => "hub_unreachable",
            Self::Limited { .. } => "hub_limited",
            Self::Unauthorised { .. } => "hub_unauthorised",
            Self::Gated { .. } => "hub_gated",
            Self::NotFound { .. } => "hub_not_found",
            Self::Refused { .. } => "hub_refused",
            Self::Unreadable { .. } => "hub_unreadable",
            Self::Duplicate { .. } => "duplicate_issue",
            Self::Escapes { .. } => "hub_path_escapes",
            Self::Checksum { .. } => "hub_checksum",
            Self::Busy { .. } => "download_busy",
            Self::File { .. } => "file_unusable",
        }
    }

    /// What to do.
    pub fn hint(&self) -> String {
        match self {
            Self::Settings { hint, .. } => hint.clone(),
            Self::Argument { .. } => "correct the argument".into(),
            Self::Unreachable { .. } => "check the network and the proxy settings of this machine".into(),
            Self::Limited { until: Some(until), .. } => {
                format!("ask again after {}", until.format("%Y-%m-%dT%H:%M:%SZ"))
            }
            Self::Limited { .. } => "ask again in a minute; a token raises the limit".into(),
            Self::Unauthorised { setting, .. } => format!("set {setting} to a token with the right to do this"),
            Self::Gated { repo } => {
                format!("accept the conditions on the page of {repo}, then set HF_TOKEN to a token of that account")
            }
            Self::NotFound { .. } => "check the name; a private one needs a token that may see it".into(),
            Self::Refused { .. } => "read what the server said".into(),
            Self::Unreadable { .. } => "check the address: a proxy or a sign-in page may answer in its place".into(),
            Self::Duplicate { number, .. } => format!("comment on issue #{number} instead"),
            Self::Escapes { .. } => "do not use this repository; its file names attack whoever downloads it".into(),
            Self::Checksum { .. } => "download it again; if it stays so, the server holds a damaged file".into(),
            Self::Busy { .. } => "wait until the other download has ended".into(),
            Self::File { .. } => "check that the folder exists, may be written, and has room".into(),
        }
    }
}
