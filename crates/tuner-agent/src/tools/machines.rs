//! Workers on other machines: deployed over ssh, brought back, named.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use tuner_app::machines::{Deployed, Setup};
use tuner_policy::chat::{Cost, Risk};
use tuner_policy::{Action, Scope};

use super::workers::worker;
use super::{Cx, Forecast, Group, Intent, Kind, Tool, ToolError, does, shown};

pub(super) fn tools() -> Vec<Tool> {
    vec![Tool::of::<Deploy>(), Tool::of::<Restore>(), Tool::of::<Rename>()]
}

/// The machine may need minutes to take the program.
const LIMIT: Duration = Duration::from_secs(1200);

fn done(deployed: &Deployed) -> Value {
    json!({
        "status": if deployed.started { "started" } else { "lives_already" },
        "note": deployed.note(),
        "program_copied": deployed.installed,
        "worker": worker(&deployed.worker),
        "log": deployed.log,
    })
}

struct Deploy;

/// Start a worker on another machine over ssh: the program is copied there where that is needed, and the worker registers
/// in the shared database (PostgreSQL). A worker of that name that lives stays as it is.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct DeployArgs {
    /// What it is called: letters, digits, `-`, `_`, `.`; at most 63.
    name: String,
    /// The machine: `user@host`, or `ssh -p 2222 user@host`. Of ssh's options only -p, -l, -i, -4, -6, -C and a few of -o
    /// are taken; the others belong into the service's ssh configuration, below a Host that is named here.
    ssh_command: String,
    /// Jobs that it runs at once, 1 to 256. Default 1.
    slots: Option<u32>,
    /// Copy the program there if it is absent or another one. Default true.
    auto_install: Option<bool>,
    /// Whole path of its data directory there; absent: its user's own.
    data_dir: Option<String>,
    /// Where the database is reached from there, HOST or HOST:PORT, if that is elsewhere than from the service.
    database_host: Option<String>,
}

impl DeployArgs {
    fn setup(&self) -> Result<Setup, ToolError> {
        let setup = Setup::reached_by(&self.ssh_command)?;
        Ok(Setup {
            slots: self.slots.unwrap_or(setup.slots),
            auto_install: self.auto_install.unwrap_or(setup.auto_install),
            data_dir: self.data_dir.clone(),
            database_host: self.database_host.clone(),
            ..setup
        })
    }
}

impl Kind for Deploy {
    const NAME: &'static str = "deploy_worker";
    const GROUP: Group = Group::System;
    const SCOPE: Option<Scope> = Some(Scope::ArqControl);
    const RISK: Risk = Risk::Changes;
    const UNTRUSTED: bool = true;
    const LIMIT: Duration = LIMIT;
    type Args = DeployArgs;

    fn intent(arguments: &DeployArgs) -> Intent {
        does(format!("Deploy worker {} by {}", arguments.name, arguments.ssh_command))
    }

    async fn dry_run(cx: Cx, arguments: DeployArgs) -> Result<Forecast, ToolError> {
        let permit = cx.permit(Action::WorkerRead)?;
        let foreseen = cx.service.foresee_deployment(&permit, &arguments.name, &arguments.setup()?).await?;
        Ok(Forecast { effects: Some(shown(&foreseen)), cost: Cost::default() })
    }

    async fn run(cx: Cx, arguments: DeployArgs) -> Result<Value, ToolError> {
        let (setup, name) = (arguments.setup()?, arguments.name);
        let (service, told, called) = (cx.service.clone(), cx.clone(), name.clone());
        let act = |permit| async move {
            let say = |text: String| told.progress(json!({ "text": text }));
            service.deploy_worker(&permit, &called, setup, &say).await
        };
        Ok(done(&cx.change(Action::WorkerDeploy, &format!("deploy worker {name}"), act).await?))
    }
}

struct Restore;

/// Bring the worker of a machine back that deploy_worker put there before, for example after it died. list_worker_slots
/// shows the machines.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RestoreArgs {
    /// What it is called.
    name: String,
    /// Copy the program again; a worker that runs gives back what it does, and another one takes its place. Default false.
    #[serde(default, alias = "force_sync")]
    force: bool,
}

impl Kind for Restore {
    const NAME: &'static str = "restore_worker";
    const GROUP: Group = Group::System;
    const SCOPE: Option<Scope> = Some(Scope::ArqControl);
    const RISK: Risk = Risk::Changes;
    const UNTRUSTED: bool = true;
    const REPEATABLE: bool = false;
    const LIMIT: Duration = LIMIT;
    type Args = RestoreArgs;

    fn intent(arguments: &RestoreArgs) -> Intent {
        let how = if arguments.force { " from a fresh copy of the program" } else { "" };
        does(format!("Bring worker {} back{how}", arguments.name))
    }

    async fn dry_run(cx: Cx, arguments: RestoreArgs) -> Result<Forecast, ToolError> {
        let permit = cx.permit(Action::WorkerRead)?;
        let foreseen = cx.service.foresee_restoration(&permit, &arguments.name, arguments.force).await?;
        Ok(Forecast { effects: Some(shown(&foreseen)), cost: Cost::default() })
    }

    async fn run(cx: Cx, arguments: RestoreArgs) -> Result<Value, ToolError> {
        let RestoreArgs { name, force } = arguments;
        let (service, told, called) = (cx.service.clone(), cx.clone(), name.clone());
        let act = |permit| async move {
            let say = |text: String| told.progress(json!({ "text": text }));
            service.restore_worker(&permit, &called, force, &say).await
        };
        Ok(done(&cx.change(Action::WorkerDeploy, &format!("restore worker {name}"), act).await?))
    }
}

struct Rename;

/// Give a worker another name, which lists show and tools take. One that was not deployed from here is known by its host.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RenameArgs {
    /// Its id, the beginning of that, or its name.
    worker_id: String,
    /// What it is called from now on: letters, digits, `-`, `_`, `.`; at most 63.
    #[serde(alias = "alias", alias = "new_name")]
    name: String,
}

impl Kind for Rename {
    const NAME: &'static str = "rename_distributed_worker";
    const GROUP: Group = Group::System;
    const SCOPE: Option<Scope> = Some(Scope::ArqControl);
    const RISK: Risk = Risk::Changes;
    type Args = RenameArgs;

    fn intent(arguments: &RenameArgs) -> Intent {
        does(format!("Call worker {} {}", arguments.worker_id, arguments.name))
    }

    async fn run(cx: Cx, arguments: RenameArgs) -> Result<Value, ToolError> {
        let RenameArgs { worker_id, name } = arguments;
        let (service, target) = (cx.service.clone(), format!("rename worker {worker_id} to {name}"));
        let act = |permit| async move { service.rename_worker(&permit, &worker_id, &name).await };
        Ok(shown(&cx.change(Action::WorkerName, &target, act).await?))
    }
}
