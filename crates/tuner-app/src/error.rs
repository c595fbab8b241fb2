//! Why a use case was refused or failed, and what a person can do.

use std::io::ErrorKind;
use std::path::PathBuf;

use tuner_core::engine::EngineName;
use tuner_core::task::Diagnostic;
use tuner_policy::{Refusal, Role};
use tuner_runner::RunError;
use tuner_store::StoreError;

/// A use case did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// A file cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A file cannot be written.
    #[error("cannot write {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A task file has errors.
    #[error("{rendered}")]
    TaskFile {
        /// Every error of the file, with its place.
        rendered: String,
        /// The same for programs.
        found: Vec<Diagnostic>,
    },
    /// A preset has errors.
    #[error("{rendered}")]
    Preset {
        /// Every error, with its place.
        rendered: String,
        /// The same for programs.
        found: Vec<Diagnostic>,
    },
    /// A preset comes with its engine and stays as it is.
    #[error("the preset {name} comes with its engine and cannot be changed or deleted")]
    BuiltIn {
        /// Its name.
        name: String,
    },
    /// The space and the sampler do not go together.
    #[error("{file}: the search space cannot be searched: {message}")]
    Search {
        /// The task file.
        file: String,
        /// Why.
        message: String,
    },
    /// A stored task does not make a search space any more.
    #[error("the stored task {name} cannot be read by this version: {message}")]
    Unreadable {
        /// Its name.
        name: String,
        /// What is wrong.
        message: String,
    },
    /// Only some engines have a simulation.
    #[error("{engine} cannot be simulated")]
    NotSimulated {
        /// Which.
        engine: EngineName,
    },
    /// The simulator has no such GPU.
    #[error("there is no simulated GPU {wanted}")]
    NoSuchGpu {
        /// Asked for.
        wanted: String,
    },
    /// There is no unfinished task.
    #[error("there is no unfinished task")]
    NothingToResume,
    /// The machine or the task is not ready.
    #[error("nothing was started: {}\n{rendered}", checks_failed(*failed))]
    Preflight {
        /// How many.
        failed: usize,
        /// Each with its hint.
        rendered: String,
    },
    /// There is no such experiment.
    #[error("task {task} has no experiment {number}; it has {known}")]
    NoSuchExperiment {
        /// The task's name.
        task: String,
        /// Asked for.
        number: u32,
        /// Those that exist.
        known: String,
    },
    /// Hugging Face or GitHub refused or failed.
    #[error(transparent)]
    Hub(#[from] tuner_hub::HubError),
    /// The task is being worked on.
    #[error("task {name} is being worked on")]
    InUse {
        /// Its name.
        name: String,
    },
    /// The asker's role does not suffice.
    #[error("{action} needs the role {needed}; {who} has not got it")]
    NeedsRole {
        /// The action's word.
        action: &'static str,
        /// The least role.
        needed: Role,
        /// Who asked.
        who: String,
    },
    /// Nobody in the asker's place may do that.
    #[error("{action} is refused: {why}")]
    Refused {
        /// The action's word.
        action: &'static str,
        /// Why.
        why: Refusal,
    },
    /// The asker was permitted something else.
    #[error("a permit for {permitted} was used for {wanted}")]
    WrongPermit {
        /// The permit's action.
        permitted: &'static str,
        /// The use case's action.
        wanted: &'static str,
    },
    /// A field of a request cannot be used.
    #[error("{field}: {message}")]
    Invalid {
        /// Which.
        field: &'static str,
        /// What is wrong.
        message: String,
    },
    /// Nothing was kept of the requests of an experiment.
    #[error("nothing was kept of the requests of experiment {number} of task {task}")]
    NoRequestLog {
        /// The task's name.
        task: String,
        /// The experiment.
        number: u32,
    },
    /// There is no such thing.
    #[error("there is no {what}")]
    Absent {
        /// What was asked for.
        what: String,
    },
    /// More was sent, or would have to be kept, than is taken.
    #[error("{what} is larger than {most} bytes, the most that is taken")]
    TooLarge {
        /// What.
        what: String,
        /// The limit.
        most: u64,
    },
    /// A data set cannot be taken out of what it is packed in.
    #[error(transparent)]
    Unpack(#[from] tuner_bench::dataset::UnpackError),
    /// A data set cannot be used.
    #[error("the data set cannot be read")]
    Dataset(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Another server works on the same data directory.
    #[error("another server runs on {}: {holder}", place.display())]
    SecondServer {
        /// The data directory.
        place: PathBuf,
        /// Who: pid, host, since, address.
        holder: String,
    },
    /// The address is taken.
    #[error("cannot listen on {address}: {}", taken_by(holder.as_deref()))]
    AddressTaken {
        /// The address.
        address: String,
        /// Who listens there, where that can be known.
        holder: Option<String>,
    },
    /// The address cannot be listened on.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: String,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// An address of the network without anybody who could come in.
    #[error("{address} can be reached from other machines, and there is no token yet")]
    NoTokens {
        /// The address.
        address: String,
    },
    /// The system gives no random bits.
    #[error("the system gives no random bits: {0}")]
    NoRandomness(String),
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Work on a task stopped.
    #[error(transparent)]
    Run(#[from] RunError),
    /// A backend failed.
    #[error(transparent)]
    Deploy(#[from] tuner_deploy::DeployError),
    /// An installation failed.
    #[error(transparent)]
    Install(#[from] tuner_deploy::install::InstallError),
    /// Workers of this version do no such job.
    #[error("a job of kind {kind} cannot be queued by itself")]
    NoSuchJob {
        /// Asked for.
        kind: &'static str,
    },
    /// A server does not end.
    #[error("the server with pid {pid} on {host} was not stopped: {why}")]
    NotStopped {
        /// Its process.
        pid: u32,
        /// Its machine.
        host: String,
        /// Why not.
        why: String,
    },
    /// A backup was not written, or not put back.
    #[error(transparent)]
    Backup(#[from] crate::backup::BackupError),
    /// A worker was not deployed to another machine, not restored or not named.
    #[error(transparent)]
    Machine(#[from] crate::machines::MachineError),
    /// A data set cannot be fetched.
    #[error(transparent)]
    Fetch(#[from] tuner_bench::dataset::FetchError),
    /// A report cannot be rendered.
    #[error("the report cannot be rendered")]
    Render(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl AppError {
    /// Whether the store is away, and the same may succeed when it is back.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Store(error) | Self::Run(RunError::Store(error)) => error.is_passing(),
            _ => false,
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Read { source, .. } => Some(match source.kind() {
                ErrorKind::IsADirectory => "give a file in it".to_owned(),
                ErrorKind::PermissionDenied => "check who may read it: ls -l".to_owned(),
                ErrorKind::InvalidData => "it must be text in UTF-8".to_owned(),
                _ => "check the path; it is relative to the folder you are in".to_owned(),
            }),
            Self::Write { source, .. } => match source.kind() {
                ErrorKind::ReadOnlyFilesystem => {
                    Some("make it writable, or choose another directory with --data-dir".to_owned())
                }
                ErrorKind::PermissionDenied => {
                    Some("check who owns the directory, or choose another with --data-dir".to_owned())
                }
                ErrorKind::StorageFull => {
                    Some("free some disk space, or choose another directory with --data-dir".to_owned())
                }
                _ => None,
            },
            Self::Search { .. } => Some("change search_space.parameters, its conditions or its constraints".to_owned()),
            Self::NoSuchGpu { .. } => {
                let known = tuner_sim::hardware::GPUS.each_ref().map(|gpu| gpu.name);
                Some(format!("there are {}", known.join(", ")))
            }
            Self::Hub(error) => Some(error.hint()),
            Self::NoSuchExperiment { task, .. } => Some(format!("see them with: autotuner experiments list {task}")),
            Self::Preflight { .. } => Some("repair them, or start all the same with --force".to_owned()),
            Self::BuiltIn { name } => Some(format!("copy it under another name: autotuner presets export {name}")),
            Self::NotSimulated { .. } => {
                Some("the simulator speaks the flags of simulated, vllm and sglang".to_owned())
            }
            Self::NothingToResume => {
                Some("see all tasks with: autotuner tasks list; begin one with: autotuner tune FILE".to_owned())
            }
            Self::NeedsRole { needed, .. } => {
                Some(format!("ask for a token with that role: autotuner token create --role {needed}"))
            }
            Self::Refused { why: Refusal::NoToken, .. } => {
                Some("send Authorization: Bearer TOKEN; make one with: autotuner token create".to_owned())
            }
            Self::Refused { why: Refusal::ForeignFile, .. } => {
                Some("put the file into the folder datasets of the data directory".to_owned())
            }
            Self::SecondServer { .. } => Some("use that one, stop it, or give another --data-dir".to_owned()),
            Self::AddressTaken { .. } => Some("stop what listens there, or choose another port: --listen".to_owned()),
            Self::Listen { .. } => {
                Some("give an address of this machine and a free port: --listen ADDR:PORT".to_owned())
            }
            Self::NoTokens { .. } => Some("make one first: autotuner token create --role operator".to_owned()),
            Self::InUse { name } => Some(format!("stop it first: autotuner tasks cancel {name}")),
            Self::NoSuchJob { .. } => {
                Some("queue install_engine, fetch_dataset or render_report; a task is queued by starting it".to_owned())
            }
            Self::Store(error) => error.hint().map(str::to_owned),
            Self::Run(RunError::Store(error)) => error.hint().map(str::to_owned),
            Self::Run(RunError::Busy { .. }) => Some("watch it with: autotuner status".to_owned()),
            Self::Deploy(tuner_deploy::DeployError::Egress(error)) => Some(error.hint().to_owned()),
            Self::TooLarge { .. } => Some("send a part of it".to_owned()),
            Self::Backup(error) => Some(error.hint().to_owned()),
            Self::NoRequestLog { .. } => Some(
                "a task whose load.save_log_mib says how much room they may take keeps them, on real engines"
                    .to_owned(),
            ),
            Self::Unpack(tuner_bench::dataset::UnpackError::Which { .. }) => {
                Some("name the file of the archive: member".to_owned())
            }
            Self::Install(error) => Some(error.hint()),
            Self::Machine(error) => Some(error.hint()),
            _ => None,
        }
    }
}

fn taken_by(holder: Option<&str>) -> String {
    holder.map_or_else(|| "another process listens there".to_owned(), |holder| format!("{holder} listens there"))
}

fn checks_failed(n: usize) -> String {
    if n == 1 { "a pre-flight check failed".to_owned() } else { format!("{n} pre-flight checks failed") }
}
