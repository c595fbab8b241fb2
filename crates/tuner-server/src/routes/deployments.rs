//! Engines that run now, or may: ours only.

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use serde::Serialize;
use tuner_policy::Action;
use tuner_store::DeploymentRow;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::answer::Problem;
use crate::extract::Permitted;
use crate::guard::guarded;
use crate::state::App;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default().routes(guarded(Action::SystemRead, routes!(list)))
}

/// An engine that a worker launched and that is not known to be gone.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DeploymentItem {
    /// Its id.
    id: String,
    /// For which task.
    task: String,
    /// For which experiment.
    experiment: u32,
    /// For which attempt.
    attempt: u32,
    /// What launched it: `local`, `attached`.
    kind: String,
    /// The host of the worker that launched it.
    host: String,
    /// How far it is: `reserved` (announced, perhaps launched) or `running`.
    state: &'static str,
    /// Its port.
    port: Option<u16>,
    /// Its process.
    pid: Option<u32>,
    /// Where it answers.
    address: Option<String>,
    /// When it was announced.
    created_at: DateTime<Utc>,
}

impl From<DeploymentRow> for DeploymentItem {
    fn from(row: DeploymentRow) -> Self {
        Self {
            id: row.id,
            task: row.task.to_string(),
            experiment: row.experiment,
            attempt: row.attempt,
            kind: row.kind,
            host: row.host,
            state: row.state.word(),
            port: row.port,
            pid: row.pid,
            address: row.address,
            created_at: row.created_at,
        }
    }
}

/// Engines that run.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DeploymentList {
    /// The oldest first.
    items: Vec<DeploymentItem>,
    /// Always null: there is one part.
    next_cursor: Option<String>,
}

/// List the engines that workers launched and that are not known to be gone, on every host.
#[utoipa::path(get, path = "/api/deployments", tag = "deployments", responses((status = 200, body = DeploymentList)))]
async fn list(State(app): State<App>, Permitted(permit): Permitted) -> Result<Json<DeploymentList>, Problem> {
    let items = app.service().deployments(&permit).await?.into_iter().map(DeploymentItem::from).collect();
    Ok(Json(DeploymentList { items, next_cursor: None }))
}
