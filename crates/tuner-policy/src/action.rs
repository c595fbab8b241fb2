//! Everything that a door offers, each with what it needs.

use serde::{Deserialize, Serialize};

use crate::Role;

/// Whether an action leaves something different.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It only looks.
    Reads,
    /// It changes something, and is written into the audit log.
    Changes,
}

/// The actions: word, least role, effect.
macro_rules! actions {
    ($($(#[$doc:meta])* $name:ident = $word:literal, $role:ident, $effect:ident;)*) => {
        /// What somebody wants to do.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum Action { $($(#[$doc])* #[serde(rename = $word)] $name,)* }

        impl Action {
            /// Every action.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The word in the audit log and in the API document.
            pub fn word(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// The least role that may do it.
            pub fn role(self) -> Role {
                match self { $(Self::$name => Role::$role,)* }
            }

            /// Whether it changes something.
            pub fn effect(self) -> Effect {
                match self { $(Self::$name => Effect::$effect,)* }
            }
        }
    };
}

actions! {
    /// List, find and show tasks.
    TaskRead = "task.read", Viewer, Reads;
    /// Check a document, or say what it would cost, without storing it.
    TaskCheck = "task.check", Viewer, Reads;
    /// Store a task.
    TaskCreate = "task.create", Operator, Changes;
    /// Store a copy of a task.
    TaskClone = "task.clone", Operator, Changes;
    /// Make a new revision of a task.
    TaskEdit = "task.edit", Operator, Changes;
    /// Put a task away, or back.
    TaskArchive = "task.archive", Operator, Changes;
    /// Have configurations tried next in a task that waits or runs.
    TaskPropose = "task.propose", Operator, Changes;
    /// Queue a task for a worker.
    TaskStart = "task.start", Operator, Changes;
    /// Stop a task for good.
    TaskCancel = "task.cancel", Operator, Changes;
    /// Remove a task with everything of it.
    TaskDelete = "task.delete", Operator, Changes;
    /// List and show the jobs of the run queue.
    JobRead = "job.read", Viewer, Reads;
    /// Queue a job that is no task: an installation, a data set, a report.
    JobCreate = "job.create", Operator, Changes;
    /// Stop a job.
    JobCancel = "job.cancel", Operator, Changes;
    /// Have a dead or cancelled job tried again.
    JobRetry = "job.retry", Operator, Changes;
    /// List and show workers.
    WorkerRead = "worker.read", Viewer, Reads;
    /// Ask a worker to run, drain, restart or stop.
    WorkerAsk = "worker.ask", Operator, Changes;
    /// Forget a worker.
    WorkerRemove = "worker.remove", Operator, Changes;
    /// Give a worker another name, or forget the machine that it was deployed to.
    WorkerName = "worker.name", Operator, Changes;
    /// Start a worker on another machine over ssh, or bring it back.
    WorkerDeploy = "worker.deploy", Admin, Changes;
    /// List and show experiments and their measurements.
    ExperimentRead = "experiment.read", Viewer, Reads;
    /// Read engine logs.
    LogRead = "log.read", Viewer, Reads;
    /// Follow events.
    EventRead = "event.read", Viewer, Reads;
    /// List, show, merge and export presets.
    PresetRead = "preset.read", Viewer, Reads;
    /// Store presets.
    PresetCreate = "preset.create", Operator, Changes;
    /// Change a preset.
    PresetEdit = "preset.edit", Operator, Changes;
    /// Remove a preset.
    PresetDelete = "preset.delete", Operator, Changes;
    /// List engines and their parameters.
    EngineRead = "engine.read", Viewer, Reads;
    /// Look into a data set.
    DatasetRead = "dataset.read", Operator, Reads;
    /// Send a data set, or have one fetched.
    DatasetCreate = "dataset.create", Operator, Changes;
    /// Remove a data set and its file.
    DatasetDelete = "dataset.delete", Operator, Changes;
    /// Ask whether the service lives and is ready.
    HealthRead = "health.read", Viewer, Reads;
    /// See the machine: host, GPUs, processes, metrics.
    SystemRead = "system.read", Viewer, Reads;
    /// List the tokens, without their secrets.
    TokenRead = "token.read", Admin, Reads;
    /// Make a token.
    TokenCreate = "token.create", Admin, Changes;
    /// Take a token back.
    TokenRevoke = "token.revoke", Admin, Changes;
    /// See the settings, without secrets.
    SettingsRead = "settings.read", Viewer, Reads;
    /// See how the agent's model is reached, without its key.
    AgentRead = "agent.read", Admin, Reads;
    /// Set which model the agent asks, and its key.
    AgentWrite = "agent.write", Admin, Changes;
    /// Read the document of this API.
    ApiRead = "api.read", Viewer, Reads;
    /// List and show one's own conversations with the agent, and follow them.
    ChatRead = "chat.read", Viewer, Reads;
    /// Talk with the agent: begin, name and delete conversations, say something, stop.
    ChatWrite = "chat.write", Operator, Changes;
    /// Decide about the agent's calls: let them happen, refuse them, give and take back standing leave.
    ChatApprove = "chat.approve", Operator, Changes;
    /// Run a program of the allow-list, or read and write files of the data directory, by the agent.
    MachineUse = "machine.use", Operator, Changes;
    /// Read who did what.
    AuditRead = "audit.read", Admin, Reads;
}
