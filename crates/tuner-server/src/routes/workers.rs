//! Workers.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tuner_policy::Action;
use tuner_store::{Asked, WorkerId, WorkerRow};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::answer::Problem;
use crate::extract::{self, Body, Path, Permitted};
use crate::guard::guarded;
use crate::state::App;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default()
        .routes(guarded(Action::WorkerRead, routes!(list)))
        .routes(guarded(Action::WorkerRead, routes!(show)))
        .routes(guarded(Action::WorkerAsk, routes!(ask)))
        .routes(guarded(Action::WorkerRemove, routes!(remove)))
}

/// A process that does jobs.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WorkerItem {
    /// Its id.
    id: String,
    /// What people call it: the name of its machine.
    name: Option<String>,
    /// Its host.
    host: String,
    /// Its process there.
    pid: u32,
    /// Version of its program.
    version: String,
    /// Jobs that it runs at once.
    slots: u32,
    /// Slots in use.
    busy_slots: u32,
    /// Ids of the jobs that it runs.
    jobs: Vec<String>,
    /// GPUs that nothing of ours uses.
    free_gpus: u32,
    /// What its host has: GPUs, backends, engines, labels.
    #[schema(value_type = Object)]
    capabilities: serde_json::Value,
    /// `run`, `drain`, `restart` or `stop`.
    asked: String,
    /// It was heard of in the last 30 s.
    alive: bool,
    /// Its last sign of life.
    heartbeat_at: DateTime<Utc>,
    /// Since when it is known.
    registered_at: DateTime<Utc>,
}

impl From<WorkerRow> for WorkerItem {
    fn from(row: WorkerRow) -> Self {
        Self {
            id: row.id.to_string(),
            name: row.name,
            host: row.owner.host,
            pid: row.owner.pid,
            version: row.version,
            slots: row.slots,
            busy_slots: row.load.busy_slots,
            jobs: row.load.jobs.iter().map(ToString::to_string).collect(),
            free_gpus: row.load.free_gpus,
            capabilities: serde_json::to_value(row.capabilities).unwrap_or_default(),
            asked: row.asked.word().to_owned(),
            alive: row.alive,
            heartbeat_at: row.heartbeat_at,
            registered_at: row.registered_at,
        }
    }
}

/// The workers.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WorkerList {
    /// The oldest first, dead ones included.
    items: Vec<WorkerItem>,
    /// Always null: there is one part.
    next_cursor: Option<String>,
}

/// List workers.
#[utoipa::path(get, path = "/api/workers", tag = "workers", responses((status = 200, body = WorkerList)))]
async fn list(State(app): State<App>, Permitted(permit): Permitted) -> Result<Json<WorkerList>, Problem> {
    let workers = app.service().list_workers(&permit).await?;
    Ok(Json(WorkerList { items: workers.into_iter().map(Into::into).collect(), next_cursor: None }))
}

/// Show a worker.
#[utoipa::path(get, path = "/api/workers/{worker}", tag = "workers",
    params(("worker" = String, Path, description = "Its id.")), responses((status = 200, body = WorkerItem)))]
async fn show(
    State(app): State<App>,
    Permitted(permit): Permitted,
    Path(worker): Path<String>,
) -> Result<Json<WorkerItem>, Problem> {
    Ok(Json(app.service().show_worker(&permit, id(&worker)?).await?.into()))
}

/// What a worker is to do.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Wish {
    /// Claim jobs and run them.
    Run,
    /// Finish what it runs, then end.
    Drain,
    /// Give back what it runs and end; its supervisor starts it anew.
    Restart,
    /// Give back what it runs and end.
    Stop,
}

/// A wish.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AskBody {
    /// What it is to do.
    asked: Wish,
}

/// Ask a worker for something. It obeys within five seconds, whoever started it.
#[utoipa::path(post, path = "/api/workers/{worker}/ask", tag = "workers",
    params(("worker" = String, Path, description = "Its id.")), request_body = AskBody,
    responses((status = 200, body = WorkerItem)))]
async fn ask(
    State(app): State<App>,
    Permitted(permit): Permitted,
    Path(worker): Path<String>,
    Body(body): Body<AskBody>,
) -> Result<Json<WorkerItem>, Problem> {
    let asked = match body.asked {
        Wish::Run => Asked::Run,
        Wish::Drain => Asked::Drain,
        Wish::Restart => Asked::Restart,
        Wish::Stop => Asked::Stop,
    };
    Ok(Json(app.service().ask_worker(&permit, id(&worker)?, asked).await?.into()))
}

/// Forget a worker that died. One that lives ends when it learns of it.
#[utoipa::path(delete, path = "/api/workers/{worker}", tag = "workers",
    params(("worker" = String, Path, description = "Its id.")), responses((status = 204, description = "It is forgotten.")))]
async fn remove(
    State(app): State<App>,
    Permitted(permit): Permitted,
    Path(worker): Path<String>,
) -> Result<StatusCode, Problem> {
    app.service().remove_worker(&permit, id(&worker)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn id(text: &str) -> Result<WorkerId, Problem> {
    text.parse().map_err(|_| extract::unknown("worker", text))
}
