//! Files and programs of this machine, each behind its scope.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use tuner_policy::chat::Risk;
use tuner_policy::{Action, Scope};

use super::{Cx, Group, Intent, Kind, Tool, ToolError, does, shown};

pub(super) fn tools() -> Vec<Tool> {
    vec![
        Tool::of::<List>(),
        Tool::of::<Read>(),
        Tool::of::<Write>(),
        Tool::of::<Run>(),
        Tool::of::<Docker>(),
        Tool::of::<Kubernetes>(),
    ]
}

struct List;

/// List a folder of the data directory: logs, datasets, engines, notes.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ListArgs {
    /// The folder, below the data directory; empty: the data directory itself.
    #[serde(default)]
    folder: String,
}

impl Kind for List {
    const NAME: &'static str = "list_files";
    const GROUP: Group = Group::System;
    const SCOPE: Option<Scope> = Some(Scope::FileRead);
    const RISK: Risk = Risk::Changes;
    type Args = ListArgs;

    fn intent(arguments: &ListArgs) -> Intent {
        does(format!("List the folder {:?} of the data directory", arguments.folder))
    }

    async fn run(cx: Cx, arguments: ListArgs) -> Result<Value, ToolError> {
        let (service, folder) = (cx.service.clone(), arguments.folder);
        let act = |permit| {
            let folder = folder.clone();
            async move { service.list_files(&permit, &folder).await }
        };
        Ok(shown(&cx.change(Action::MachineUse, &format!("list {folder}"), act).await?))
    }
}

struct Read;

/// Read a file of the data directory, 256 KiB at a time.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ReadArgs {
    /// The file, below the data directory.
    path: String,
    /// Where to begin, in bytes. Default 0.
    #[serde(default)]
    offset: u64,
}

impl Kind for Read {
    const NAME: &'static str = "read_file";
    const GROUP: Group = Group::System;
    const SCOPE: Option<Scope> = Some(Scope::FileRead);
    const RISK: Risk = Risk::Changes;
    const UNTRUSTED: bool = true;
    type Args = ReadArgs;

    fn intent(arguments: &ReadArgs) -> Intent {
        does(format!("Read the file {:?} of the data directory", arguments.path))
    }

    async fn run(cx: Cx, arguments: ReadArgs) -> Result<Value, ToolError> {
        let (service, path, offset) = (cx.service.clone(), arguments.path, arguments.offset);
        let act = |permit| {
            let path = path.clone();
            async move { service.read_file(&permit, &path, offset).await }
        };
        let (text, bytes) = cx.change(Action::MachineUse, &format!("read {path}"), act).await?;
        Ok(json!({ "path": path, "bytes": bytes, "offset": offset, "text": text }))
    }
}

struct Write;

/// Write a file of the notes folder in the data directory, whole.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct WriteArgs {
    /// The file, below the notes folder.
    path: String,
    /// All that it shall hold.
    text: String,
}

impl Kind for Write {
    const NAME: &'static str = "write_file";
    const GROUP: Group = Group::System;
    const SCOPE: Option<Scope> = Some(Scope::FileWrite);
    const RISK: Risk = Risk::Changes;
    type Args = WriteArgs;

    fn intent(arguments: &WriteArgs) -> Intent {
        does(format!("Write {} bytes to notes/{}", arguments.text.len(), arguments.path))
    }

    async fn run(cx: Cx, arguments: WriteArgs) -> Result<Value, ToolError> {
        let (service, path, text) = (cx.service.clone(), arguments.path, arguments.text);
        let act = |permit| {
            let path = path.clone();
            async move { service.write_note(&permit, &path, &text).await }
        };
        Ok(shown(&cx.change(Action::MachineUse, &format!("write notes/{path}"), act).await?))
    }
}

struct Run;

/// Run a program of the allow-list (by default nvidia-smi, df, free, uptime, uname) with arguments that are handed over
/// as they are: there is no shell, so no pipes, wildcards or variables. It may run for a minute.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RunArgs {
    /// The program's name.
    program: String,
    /// Its arguments.
    #[serde(default)]
    arguments: Vec<String>,
}

impl Kind for Run {
    const NAME: &'static str = "run_command";
    const GROUP: Group = Group::System;
    const SCOPE: Option<Scope> = Some(Scope::BashCommands);
    const RISK: Risk = Risk::Shared;
    const UNTRUSTED: bool = true;
    const REPEATABLE: bool = false;
    const LIMIT: Duration = Duration::from_secs(70);
    type Args = RunArgs;

    fn intent(arguments: &RunArgs) -> Intent {
        does(format!("Run {} {}", arguments.program, arguments.arguments.join(" ")))
    }

    async fn run(cx: Cx, arguments: RunArgs) -> Result<Value, ToolError> {
        let (service, settings) = (cx.service.clone(), cx.settings.clone());
        let RunArgs { program, arguments } = arguments;
        let act = |permit| {
            let program = program.clone();
            async move { service.run_program(&permit, &settings.programs, &program, &arguments).await }
        };
        Ok(shown(&cx.change(Action::MachineUse, &format!("run {program}"), act).await?))
    }
}

struct Docker;

/// Look at the containers that this service started (list), read the log of one (logs), or stop one (stop).
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct DockerArgs {
    /// list, logs or stop.
    action: String,
    /// Id or name of a container of the list.
    container: Option<String>,
}

impl Kind for Docker {
    const NAME: &'static str = "docker_containers";
    const GROUP: Group = Group::System;
    const SCOPE: Option<Scope> = Some(Scope::DockerControl);
    const RISK: Risk = Risk::Shared;
    const UNTRUSTED: bool = true;
    const LIMIT: Duration = Duration::from_secs(130);
    type Args = DockerArgs;

    fn intent(arguments: &DockerArgs) -> Intent {
        let which = arguments.container.as_deref().unwrap_or("containers of this service");
        does(format!("Docker: {} {which}", arguments.action))
    }

    async fn run(cx: Cx, arguments: DockerArgs) -> Result<Value, ToolError> {
        let (service, DockerArgs { action, container }) = (cx.service.clone(), arguments);
        let act = |permit| {
            let action = action.clone();
            async move { service.containers(&permit, &action, container.as_deref()).await }
        };
        Ok(shown(&cx.change(Action::MachineUse, &format!("docker {action}"), act).await?))
    }
}

struct Kubernetes;

/// Look at the Kubernetes objects that this service made (list), read the log of a pod (logs), or delete one (delete).
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct KubernetesArgs {
    /// list, logs or delete.
    action: String,
    /// pods, deployments, services, jobs or inferenceservices. Default pods.
    kind: Option<String>,
    /// The object's name.
    name: Option<String>,
}

impl Kind for Kubernetes {
    const NAME: &'static str = "kubernetes_objects";
    const GROUP: Group = Group::System;
    const SCOPE: Option<Scope> = Some(Scope::KubectlOperations);
    const RISK: Risk = Risk::Shared;
    const UNTRUSTED: bool = true;
    const LIMIT: Duration = Duration::from_secs(130);
    type Args = KubernetesArgs;

    fn intent(arguments: &KubernetesArgs) -> Intent {
        let kind = arguments.kind.as_deref().unwrap_or("pods");
        does(format!("Kubernetes: {} {kind} {}", arguments.action, arguments.name.as_deref().unwrap_or_default()))
    }

    async fn run(cx: Cx, arguments: KubernetesArgs) -> Result<Value, ToolError> {
        let (service, KubernetesArgs { action, kind, name }) = (cx.service.clone(), arguments);
        let kind = kind.unwrap_or_else(|| "pods".to_owned());
        let act = |permit| {
            let action = action.clone();
            async move { service.kubernetes(&permit, &action, &kind, name.as_deref()).await }
        };
        Ok(shown(&cx.change(Action::MachineUse, &format!("kubernetes {action}"), act).await?))
    }
}
