//! Why a worker was not deployed.

use tuner_deploy::ssh::{BadTarget, SshError};

/// A worker was not deployed, not restored or not named.
#[derive(Debug, thiserror::Error)]
pub enum MachineError {
    /// The store is a file of this machine.
    #[error("the database is a file of this machine, which a worker elsewhere cannot reach")]
    NotShared,
    /// The store is reached by a name that means another machine over there.
    #[error("the database is reached at {host}, which is another machine when it is said on {target}")]
    NearDatabase {
        /// What the database's URL says.
        host: String,
        /// The machine.
        target: String,
    },
    /// The way to the machine cannot be used.
    #[error("the way to the machine cannot be used: {0}")]
    Target(#[from] BadTarget),
    /// Nothing was ever deployed to it.
    #[error("{name:?} is only a name: no worker was deployed there from here")]
    OnlyAName {
        /// Its name.
        name: String,
    },
    /// Another machine has this name.
    #[error("{name:?} is already deployed to {target}")]
    Elsewhere {
        /// The name.
        name: String,
        /// Where it is.
        target: String,
    },
    /// Somebody else deploys there now.
    #[error("{name:?} is being deployed by {holder}")]
    Busy {
        /// The machine.
        name: String,
        /// Who.
        holder: String,
    },
    /// The machine was not reached, or a command failed there.
    #[error(transparent)]
    Ssh(#[from] SshError),
    /// It says something that we cannot read.
    #[error("{target} does not answer like a Unix machine: {said}")]
    Odd {
        /// The machine.
        target: String,
        /// What it said.
        said: String,
    },
    /// Our program is not there, and was not to be copied.
    #[error("{target} has {}, and version {wanted} is needed", found.as_deref().unwrap_or("no autotuner"))]
    NotInstalled {
        /// The machine.
        target: String,
        /// What it has.
        found: Option<String>,
        /// Ours.
        wanted: &'static str,
    },
    /// Our program does not run on such a machine.
    #[error("this program is for {ours}, and {target} is {theirs}")]
    Platform {
        /// The machine.
        target: String,
        /// System and processor of this program.
        ours: String,
        /// Those of the machine.
        theirs: String,
    },
    /// The copy is not what was sent.
    #[error("the copy of the program on {target} is damaged: {said}")]
    Copy {
        /// The machine.
        target: String,
        /// What was found.
        said: String,
    },
    /// Our own program cannot be read.
    #[error("this program cannot be read, so it cannot be copied")]
    Program(#[source] std::io::Error),
    /// The worker ended at once.
    #[error("the worker on {target} ended{}: {said}", code.map(|code| format!(" with exit code {code}")).unwrap_or_default())]
    Ended {
        /// The machine.
        target: String,
        /// Its exit code.
        code: Option<i32>,
        /// Its last lines.
        said: String,
    },
    /// The worker runs, and the database has not heard of it.
    #[error("the worker on {target} (pid {pid}) runs, but was not heard of within {seconds} s; it said: {said}")]
    Silent {
        /// The machine.
        target: String,
        /// Its process.
        pid: u32,
        /// How long one waited.
        seconds: u64,
        /// Its last lines.
        said: String,
    },
    /// Somebody else took over what this process was doing.
    #[error("another process took the deployment over")]
    TakenOver,
    /// The worker's place on this machine cannot be used.
    #[error("the worker's place {} cannot be used", path.display())]
    Place {
        /// File or folder.
        path: std::path::PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A worker of that machine does not end.
    #[error("the worker with pid {pid} does not end")]
    DoesNotEnd {
        /// Its process.
        pid: u32,
    },
}

/// Whose fault it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// What was asked for cannot be.
    Request,
    /// It does not go together with how things are.
    State,
    /// The other machine.
    There,
    /// This machine.
    Here,
}

impl MachineError {
    /// Whose fault it is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Target(_) => Kind::Request,
            Self::NotShared
            | Self::NearDatabase { .. }
            | Self::OnlyAName { .. }
            | Self::Elsewhere { .. }
            | Self::Busy { .. }
            | Self::TakenOver => Kind::State,
            Self::Program(_) | Self::Place { .. } | Self::Ssh(SshError::Missing | SshError::Run(_)) => Kind::Here,
            _ => Kind::There,
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> String {
        let text = match self {
            Self::NotShared => {
                "keep everything in PostgreSQL, which every machine reaches: autotuner backup FILE, set AUTOTUNER_DATABASE to \
                 postgres://USER:PASSWORD@HOST/DATABASE, autotuner restore FILE"
            }
            Self::NearDatabase { .. } => {
                "say where the other machine reaches it: database_host (--database-host HOST:PORT), or put that into the URL"
            }
            Self::Target(error) => return error.hint(),
            Self::OnlyAName { name } => return format!("deploy one: autotuner workers deploy {name} USER@HOST"),
            Self::Elsewhere { name, .. } => {
                return format!("restore it, choose another name, or forget it: autotuner workers forget {name}");
            }
            Self::Busy { .. } | Self::TakenOver => "wait for its end, then look: autotuner workers list",
            Self::Ssh(error) => error.hint(),
            Self::Odd { .. } => "log in there: a plain command must give nothing but its own output",
            Self::NotInstalled { .. } => {
                "install this version there as ~/.local/bin/autotuner, or have it copied: auto_install"
            }
            Self::Platform { .. } => {
                "put a build of this version for that machine there, as ~/.local/bin/autotuner, and deploy again"
            }
            Self::Copy { .. } => "look whether its disk is full, and try again",
            Self::Program(_) => "start the service again: its program was replaced or removed",
            Self::Ended { .. } | Self::Silent { .. } => {
                "look whether that machine reaches the database, and as which host; then restore the worker"
            }
            Self::Place { .. } => "check who may write there; another folder is chosen with data_dir (--remote-dir)",
            Self::DoesNotEnd { .. } => "look at that process; it may wait for a device",
        };
        text.to_owned()
    }
}
