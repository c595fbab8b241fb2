//! Why an attempt did not measure: classes with a hint, and whether trying again can help.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What went wrong, decided from exit status and log (engines) or from the step that failed (ours).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FailureClass {
    /// The engine refused its arguments.
    EngineArguments,
    /// Out of memory while loading weights or building the cache.
    OomLoad,
    /// Out of memory under load.
    OomRun,
    /// Multi-GPU initialisation died (NCCL, SIGQUIT of a rank).
    MultiGpuInit,
    /// Model files missing, incomplete or unreadable.
    ModelMissing,
    /// The hub refused or could not be reached.
    HubAccess,
    /// The port was taken by someone else.
    PortConflict,
    /// The engine ended with an error that no rule knows.
    EngineCrash,
    /// The engine is not installed or cannot be executed.
    EngineMissing,
    /// Not ready within its budget.
    TimeoutReady,
    /// A measurement did not end within its budget.
    TimeoutMeasure,
    /// Ready, but it serves another model than asked.
    WrongModel,
    /// The task's data set or scenario cannot be used here.
    Workload,
    /// Ready, but no request could be completed.
    NoAnswers,
    /// The workload's requests are longer than the engine's context.
    ContextTooShort,
    /// The quality guard vetoed the configuration.
    QualityGuard,
    /// The load generator could not prove its numbers.
    InvalidMeasurement,
    /// No free GPU, port or memory.
    NoCapacity,
    /// The process that ran it died or lost its lease.
    Interrupted,
    /// The network path to the engine broke.
    Connection,
    /// Our own fault.
    Internal,
}

/// What an outcome may conclude from a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blame {
    /// The configuration cannot work: knowledge for the search, never retried.
    Configuration,
    /// It may work another time: retried with back-off.
    Transient,
    /// It will not work until a person changes something: not retried, ends the task when nothing else works.
    Environment,
}

impl FailureClass {
    /// Whose fault it is, which decides retry and outcome.
    pub fn blame(self) -> Blame {
        match self {
            Self::EngineArguments
            | Self::OomLoad
            | Self::OomRun
            | Self::QualityGuard
            | Self::NoAnswers
            | Self::ContextTooShort
            | Self::EngineCrash
            | Self::TimeoutReady
            | Self::TimeoutMeasure => Blame::Configuration,
            Self::MultiGpuInit
            | Self::PortConflict
            | Self::InvalidMeasurement
            | Self::NoCapacity
            | Self::Interrupted
            | Self::Connection
            | Self::Internal => Blame::Transient,
            Self::ModelMissing | Self::HubAccess | Self::EngineMissing | Self::WrongModel | Self::Workload => {
                Blame::Environment
            }
        }
    }

    /// What a person can do about it, whatever the engine.
    pub fn hint(self) -> &'static str {
        match self {
            Self::EngineArguments => "check the flag's name and value against the installed engine version",
            Self::OomLoad => "lower the memory fraction or context length, quantise, or use more GPUs",
            Self::OomRun => "lower the number of running requests or the prefill chunk; lower levels stay usable",
            Self::MultiGpuInit => "check free GPUs, NCCL settings, shared memory size and GPU topology",
            Self::Workload => "check the task's workload; autotuner dataset inspect shows what a data set holds",
            Self::ModelMissing => "check the model path; an incomplete download names the missing files in the log",
            Self::HubAccess => "set a token, accept the licence, or work offline from a complete local folder",
            Self::PortConflict => "another process holds the port; the next attempt takes another one",
            Self::EngineCrash => "read the last log lines; if it is the engine's bug, leave this value out",
            Self::EngineMissing => "install the engine, or name its program in engine.command",
            Self::TimeoutReady => "raise timeouts.ready_s if the log was still moving, else read the last log lines",
            Self::TimeoutMeasure => "raise timeouts.measure_s or lower the load",
            Self::WrongModel => "something else answers on that address; check the model's served name",
            Self::NoAnswers => "the server is up but completes nothing; see the errors by class and the engine log",
            Self::ContextTooShort => "allow a longer context, or shorten prompts, answers or conversations",
            Self::QualityGuard => "this configuration changes answers too much for the guard's limit",
            Self::InvalidMeasurement => "the load generator was the bottleneck; give it more CPU or lower the load",
            Self::NoCapacity => "wait for the resource or free it; nothing was deployed",
            Self::Interrupted => "resume the task; the attempt is repeated",
            Self::Connection => "check proxies (loopback must not be proxied) and the engine's log",
            Self::Internal => "this is a bug in the tuner; please report it with the log",
        }
    }
}

/// A failed attempt, explained.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Failure {
    /// Its class.
    pub class: FailureClass,
    /// What happened, with facts, one line.
    pub message: String,
    /// Last lines of the engine's log, oldest first, secrets removed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub log_tail: Vec<String>,
}

impl Failure {
    /// A failure without log lines.
    pub fn new(class: FailureClass, message: impl Into<String>) -> Self {
        Self { class, message: message.into(), log_tail: Vec::new() }
    }

    /// The same failure with the engine's last lines.
    pub fn with_log(mut self, lines: Vec<String>) -> Self {
        self.log_tail = lines;
        self
    }
}
