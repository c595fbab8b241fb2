//! What the agent's tools may be permitted to do, by name.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The scopes: word, what a person reads before they grant it.
macro_rules! scopes {
    ($($(#[$doc:meta])* $name:ident = $word:literal, $text:literal;)*) => {
        /// A permission that a person can give the agent. Every scope guards at least one tool.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Scope { $($(#[$doc])* #[serde(rename = $word)] $name,)* }

        impl Scope {
            /// Every scope.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The word in requests, cards and tables.
            pub fn word(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// What it lets the agent do, for people.
            pub fn text(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

scopes! {
    /// Programs of an allow-list.
    BashCommands = "bash_commands", "run programs of the allow-list on this machine";
    /// Files below the data directory.
    FileRead = "file_read", "read files of the data directory";
    /// Files below the data directory's `notes` folder.
    FileWrite = "file_write", "write files into the notes folder of the data directory";
    /// Containers with our label.
    DockerControl = "docker_control", "look at and stop containers that this service started";
    /// Objects with our label, in our namespace.
    KubectlOperations = "kubectl_operations", "look at and delete Kubernetes objects that this service made";
    /// Typed edits of rows.
    DatabaseWrite = "database_write", "change single fields of tasks and presets";
    /// Workers and jobs of the run queue.
    ArqControl = "arq_control", "restart, drain, stop and name workers, and deploy them to other machines; cancel and retry jobs of the run queue (ARQ)";
    /// Documents of tasks.
    TaskWrite = "task_write", "create, copy, edit and archive tasks";
    /// Running them.
    TaskRun = "task_run", "start, resume and cancel tasks, which uses GPUs";
    /// Removing them.
    TaskDelete = "task_delete", "delete tasks with all their results";
    /// Presets.
    PresetWrite = "preset_write", "create, change and delete presets";
    /// GitHub.
    IssueWrite = "issue_write", "open issues and comment on them in the configured GitHub repository";
    /// Weights.
    ModelDownload = "model_download", "download models and data sets to this machine";
    /// Several calls at once.
    Plan = "plan", "carry out the listed calls, each once, without asking again";
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for Scope {
    type Err = String;
    fn from_str(word: &str) -> Result<Self, String> {
        let found = Self::ALL.iter().copied().find(|scope| scope.word() == word);
        let known: Vec<&str> = Self::ALL.iter().map(|scope| scope.word()).collect();
        found.ok_or_else(|| format!("{word:?} is no scope; there are {}", known.join(", ")))
    }
}
