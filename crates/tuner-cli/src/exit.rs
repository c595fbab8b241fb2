//! Exit codes: the contract with scripts.

use std::process::ExitCode;

use tuner_app::AppError;
use tuner_app::backup::BackupError;
use tuner_app::cross_check::CrossCheckError;
use tuner_app::machines::MachineError;
use tuner_bench::BenchError;
use tuner_bench::peers::PeerError;
use tuner_runner::RunError;
use tuner_store::StoreError;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// It did what was asked.
    Success,
    /// Our own fault, or the machine's.
    Internal,
    /// The command line or a file is wrong.
    Usage,
    /// The task ended without a usable configuration.
    TaskFailed,
    /// Nothing has that name or number.
    NotFound,
    /// Another process holds the task, the address or the data directory.
    Busy,
    /// Something must be installed or repaired first.
    NotReady,
    /// Stopped by Ctrl-C; the task can be resumed.
    Interrupted,
}

/// What `--help` says about them.
pub(crate) const HELP: &str = "\
Exit codes:
    0  done
    1  internal error
    2  wrong usage or file
    3  the task found no usable configuration, or a measurement is invalid
    4  no such task, experiment or flag
    5  another process holds the task, the address or the data directory
    6  something must be installed or repaired first
  130  stopped by Ctrl-C; go on with: autotuner tune --resume";

/// A refusal of the command itself, before any use case is asked.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Refusal {
    /// How the command ends.
    pub(crate) exit: Exit,
    /// What is wrong.
    pub(crate) message: String,
    /// What to do.
    pub(crate) hint: String,
}

impl Refusal {
    /// The command line is wrong.
    pub(crate) fn usage(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { exit: Exit::Usage, message: message.into(), hint: hint.into() }
    }
}

impl Exit {
    /// The number.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Internal => 1,
            Self::Usage => 2,
            Self::TaskFailed => 3,
            Self::NotFound => 4,
            Self::Busy => 5,
            Self::NotReady => 6,
            Self::Interrupted => 130,
        }
    }
}

impl Exit {
    /// The code of an error: the only place where errors become numbers.
    pub(crate) fn of(error: &anyhow::Error) -> Self {
        if let Some(refusal) = error.chain().find_map(|cause| cause.downcast_ref::<Refusal>()) {
            return refusal.exit;
        }
        if let Some(bench) = error.chain().find_map(|cause| cause.downcast_ref::<BenchError>()) {
            return Self::of_bench(bench);
        }
        if let Some(check) = error.chain().find_map(|cause| cause.downcast_ref::<CrossCheckError>()) {
            return Self::of_cross_check(check);
        }
        let app = error.chain().find_map(|cause| cause.downcast_ref::<AppError>());
        match app {
            Some(
                AppError::TaskFile { .. }
                | AppError::Preset { .. }
                | AppError::BuiltIn { .. }
                | AppError::Invalid { .. }
                | AppError::TooLarge { .. }
                | AppError::Unpack(_)
                | AppError::Dataset(_)
                | AppError::Read { .. }
                | AppError::Search { .. }
                | AppError::NoSuchGpu { .. }
                | AppError::Listen { .. }
                | AppError::NotSimulated { .. },
            ) => Self::Usage,
            Some(
                AppError::NoSuchExperiment { .. }
                | AppError::NothingToResume
                | AppError::Absent { .. }
                | AppError::NoRequestLog { .. },
            ) => Self::NotFound,
            Some(AppError::Machine(error)) => Self::of_machine(error),
            Some(AppError::Backup(error)) => Self::of_backup(error),
            Some(AppError::Preflight { .. } | AppError::NoTokens { .. }) => Self::NotReady,
            Some(
                AppError::InUse { .. }
                | AppError::SecondServer { .. }
                | AppError::AddressTaken { .. }
                | AppError::Run(RunError::Busy { .. } | RunError::ClaimRace | RunError::LeaseLost),
            ) => Self::Busy,
            Some(AppError::Store(store)) => Self::of_store(store),
            _ => error.chain().find_map(|cause| cause.downcast_ref()).map_or(Self::Internal, Self::of_store),
        }
    }
}

impl Exit {
    fn of_store(error: &StoreError) -> Self {
        match error {
            StoreError::NoSuchTask { .. } | StoreError::AmbiguousTask { .. } | StoreError::NotFound { .. } => {
                Self::NotFound
            }
            StoreError::InUse { .. } | StoreError::LeaseLost { .. } => Self::Busy,
            StoreError::Open { .. }
            | StoreError::NewerSchema { .. }
            | StoreError::Connect { .. }
            | StoreError::StaleVersion { .. } => Self::NotReady,
            StoreError::UnknownUrl { .. } | StoreError::Taken { .. } | StoreError::Dumped { .. } => Self::Usage,
            error if error.is_passing() => Self::NotReady,
            _ => Self::Internal,
        }
    }

    fn of_machine(error: &MachineError) -> Self {
        match error {
            MachineError::Target(_) | MachineError::Elsewhere { .. } | MachineError::OnlyAName { .. } => Self::Usage,
            MachineError::Busy { .. } | MachineError::TakenOver => Self::Busy,
            _ => Self::NotReady,
        }
    }

    fn of_backup(error: &BackupError) -> Self {
        match error {
            BackupError::Exists { .. } | BackupError::Damaged { .. } | BackupError::NotEmpty => Self::Usage,
            BackupError::Newer { .. } => Self::NotReady,
            BackupError::AtWork { .. } => Self::Busy,
            BackupError::File { .. } => Self::Internal,
        }
    }

    fn of_cross_check(error: &CrossCheckError) -> Self {
        match error {
            CrossCheckError::NotInstalled { .. } | CrossCheckError::Folder { .. } | CrossCheckError::NoTokenizer => {
                Self::NotReady
            }
            CrossCheckError::NoProgram { .. } | CrossCheckError::NotEmpty { .. } | CrossCheckError::NotPlain { .. } => {
                Self::Usage
            }
            CrossCheckError::NoDoor(_) => Self::Internal,
            CrossCheckError::NeverTogether { .. } => Self::NotReady,
            CrossCheckError::Peer(PeerError::Unfit { .. }) => Self::Usage,
            CrossCheckError::Peer(_) => Self::NotReady,
            CrossCheckError::Bench(error) => Self::of_bench(error),
        }
    }

    fn of_bench(error: &BenchError) -> Self {
        match error {
            BenchError::Target(_)
            | BenchError::Plan(_)
            | BenchError::Dataset(_)
            | BenchError::Fetch(_)
            | BenchError::Content(_) => Self::Usage,
            BenchError::Endpoint { .. } | BenchError::Tokens(_) => Self::NotReady,
            BenchError::Thread(_) => Self::Internal,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
