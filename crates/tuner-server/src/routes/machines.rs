//! Workers on other machines: deployed over ssh, brought back, named.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use tuner_app::machines::{Deployed, MachineState, Setup, Target};
use tuner_policy::Action;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::workers::WorkerItem;
use crate::answer::Problem;
use crate::extract::{Body, OptionalBody, Path, Permitted};
use crate::guard::guarded;
use crate::state::App;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default()
        .routes(guarded(Action::WorkerDeploy, routes!(deploy)))
        .routes(guarded(Action::WorkerDeploy, routes!(restore)))
        .routes(guarded(Action::WorkerName, routes!(rename)))
        .routes(guarded(Action::WorkerRead, routes!(list)))
        .routes(guarded(Action::WorkerName, routes!(forget)))
}

/// How another machine is reached by the system's ssh. Host keys are checked, and nobody is asked anything.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SshTarget {
    /// Its name or address, or a `Host` of the service's ssh configuration.
    host: String,
    /// Who logs in there.
    #[serde(default)]
    user: Option<String>,
    /// The port of its ssh server.
    #[serde(default)]
    port: Option<u16>,
    /// Whole path of the private key's file on the service's machine.
    #[serde(default)]
    identity_file: Option<String>,
    /// Further options of ssh: AddressFamily, Compression, ConnectTimeout, HostKeyAlias, IdentitiesOnly,
    /// ServerAliveCountMax, ServerAliveInterval, UserKnownHostsFile.
    #[serde(default)]
    options: BTreeMap<String, String>,
}

/// A worker to deploy.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DeployBody {
    /// What it is called: letters, digits, `-`, `_`, `.`; at most 63.
    name: String,
    /// How its machine is reached; or `ssh_command` says it.
    #[serde(default)]
    ssh: Option<SshTarget>,
    /// The same as one would type it: `user@host`, or `ssh -p 2222 user@host`.
    #[serde(default)]
    ssh_command: Option<String>,
    /// Jobs that it runs at once. Default 1.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 256)]
    slots: Option<u32>,
    /// Copy the program there if it is absent or another one. Default true.
    #[serde(default)]
    auto_install: Option<bool>,
    /// Whole path of its data directory there. Default: its user's own.
    #[serde(default)]
    data_dir: Option<String>,
    /// Where the database is reached from there, `HOST` or `HOST:PORT`, if that is elsewhere than for the service.
    #[serde(default)]
    database_host: Option<String>,
}

impl DeployBody {
    fn setup(self) -> Result<Setup, Problem> {
        let setup = match (self.ssh, self.ssh_command) {
            (Some(ssh), None) => {
                let SshTarget { host, user, port, identity_file, options } = ssh;
                Setup::new(Target { host, user, port, identity_file, options })
            }
            (None, Some(command)) => Setup::reached_by(&command)?,
            _ => {
                let message = "give ssh or ssh_command, one of them";
                return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_field", message));
            }
        };
        Ok(Setup {
            slots: self.slots.unwrap_or(setup.slots),
            auto_install: self.auto_install.unwrap_or(setup.auto_install),
            data_dir: self.data_dir,
            database_host: self.database_host,
            ..setup
        })
    }
}

/// A worker on another machine.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DeployedWorker {
    /// What it is called.
    name: String,
    /// Where its machine is reached.
    target: String,
    /// It was started now; false: it lived already, and nothing was started.
    started: bool,
    /// The program was copied.
    installed: bool,
    /// Its messages, a file of its machine; null if the machine was not asked.
    log: Option<String>,
    /// What was done, in a line.
    note: String,
    /// The worker.
    worker: WorkerItem,
}

impl From<Deployed> for DeployedWorker {
    fn from(done: Deployed) -> Self {
        Self {
            note: done.note(),
            name: done.name,
            target: done.target,
            started: done.started,
            installed: done.installed,
            log: done.log.map(|path| path.display().to_string()),
            worker: done.worker.into(),
        }
    }
}

/// Start a worker on another machine over ssh. One of this name that lives stays as it is. Needs a database that both
/// machines reach. Answers when the worker has registered, or says what went wrong there.
#[utoipa::path(post, path = "/api/workers/deploy", tag = "workers", request_body = DeployBody,
    responses((status = 200, body = DeployedWorker)))]
async fn deploy(
    State(app): State<App>,
    Permitted(permit): Permitted,
    Body(body): Body<DeployBody>,
) -> Result<Json<DeployedWorker>, Problem> {
    let name = body.name.clone();
    Ok(Json(app.service().deploy_worker(&permit, &name, body.setup()?, &logged).await?.into()))
}

/// How a worker is brought back.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RestoreBody {
    /// Copy the program again; a worker that runs gives back what it does, and another one takes its place.
    #[serde(default)]
    force: bool,
}

/// Bring the worker of a machine back that was deployed there before.
#[utoipa::path(post, path = "/api/workers/{worker}/restore", tag = "workers",
    params(("worker" = String, Path, description = "Its name.")), request_body = Option<RestoreBody>,
    responses((status = 200, body = DeployedWorker)))]
async fn restore(
    State(app): State<App>,
    Permitted(permit): Permitted,
    Path(worker): Path<String>,
    OptionalBody(body): OptionalBody<RestoreBody>,
) -> Result<Json<DeployedWorker>, Problem> {
    let force = body.unwrap_or_default().force;
    Ok(Json(app.service().restore_worker(&permit, &worker, force, &logged).await?.into()))
}

fn logged(text: String) {
    tracing::info!("{text}");
}

/// A name.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NameBody {
    /// What it is called from now on: letters, digits, `-`, `_`, `.`; at most 63.
    name: String,
}

/// Give a worker another name. One that was not deployed from here is known by its host from then on.
#[utoipa::path(put, path = "/api/workers/{worker}/name", tag = "workers",
    params(("worker" = String, Path, description = "Its id, the beginning of that, or its name.")),
    request_body = NameBody, responses((status = 200, body = MachineItem)))]
async fn rename(
    State(app): State<App>,
    Permitted(permit): Permitted,
    Path(worker): Path<String>,
    Body(body): Body<NameBody>,
) -> Result<Json<MachineItem>, Problem> {
    Ok(Json(app.service().rename_worker(&permit, &worker, &body.name).await?.into()))
}

/// A machine that workers are deployed to, or that only has a name.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MachineItem {
    /// What it and its worker are called.
    name: String,
    /// Where it is reached; null: nothing was deployed to it.
    target: Option<String>,
    /// Its host, as its worker registered it last.
    host: Option<String>,
    /// How its worker is started: ssh, slots, auto_install, data_dir, database_host.
    #[schema(value_type = Option<Object>)]
    setup: Option<serde_json::Value>,
    /// When a worker was last deployed to it.
    deployed_at: Option<DateTime<Utc>>,
    /// `online`, `offline`, or `unknown` if no worker ever came of it.
    status: String,
    /// Id of its worker, if one lives.
    worker: Option<String>,
}

impl From<MachineState> for MachineItem {
    fn from(state: MachineState) -> Self {
        Self {
            name: state.name,
            target: state.target,
            host: state.host,
            setup: state.setup.and_then(|setup| serde_json::to_value(setup).ok()),
            deployed_at: state.deployed_at,
            status: state.status.to_owned(),
            worker: state.worker.map(|worker| worker.id.to_string()),
        }
    }
}

/// The machines.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MachineList {
    /// By name.
    items: Vec<MachineItem>,
    /// Always null: there is one part.
    next_cursor: Option<String>,
}

/// List the machines that workers were deployed to, and those that only have a name.
#[utoipa::path(get, path = "/api/machines", tag = "machines", responses((status = 200, body = MachineList)))]
async fn list(State(app): State<App>, Permitted(permit): Permitted) -> Result<Json<MachineList>, Problem> {
    let machines = app.service().list_machines(&permit).await?;
    Ok(Json(MachineList { items: machines.into_iter().map(Into::into).collect(), next_cursor: None }))
}

/// Forget a machine. A worker that lives there goes on, without a name.
#[utoipa::path(delete, path = "/api/machines/{name}", tag = "machines",
    params(("name" = String, Path, description = "Its name.")), responses((status = 204, description = "It is forgotten.")))]
async fn forget(
    State(app): State<App>,
    Permitted(permit): Permitted,
    Path(name): Path<String>,
) -> Result<StatusCode, Problem> {
    app.service().forget_machine(&permit, &name).await?;
    Ok(StatusCode::NO_CONTENT)
}
