//! The machine and this service.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use tuner_app::doctor::{Check, Status};
use tuner_app::service::system::Health;
use tuner_policy::{Action, Actor, Role};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::answer::Problem;
use crate::extract::Permitted;
use crate::guard::guarded;
use crate::state::App;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default()
        .routes(guarded(Action::HealthRead, routes!(health)))
        .routes(guarded(Action::SystemRead, routes!(info)))
        .routes(guarded(Action::SettingsRead, routes!(settings)))
        .routes(guarded(Action::SystemRead, routes!(gpus)))
        .routes(guarded(Action::SystemRead, routes!(host)))
}

/// One check.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CheckBody {
    /// What was looked at.
    name: &'static str,
    /// `good`, `warning` or `failed`.
    status: &'static str,
    /// What was seen.
    detail: String,
    /// What to do.
    hint: Option<String>,
}

/// How the service is.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct HealthBody {
    /// The worst of the checks: `good`, `warning` or `failed`.
    status: &'static str,
    /// Each.
    checks: Vec<CheckBody>,
}

fn word(status: Status) -> &'static str {
    match status {
        Status::Good => "good",
        Status::Warning => "warning",
        Status::Failed => "failed",
    }
}

impl From<Check> for CheckBody {
    fn from(check: Check) -> Self {
        Self { name: check.name, status: word(check.status), detail: check.detail, hint: check.hint }
    }
}

impl From<Health> for HealthBody {
    fn from(health: Health) -> Self {
        let checks = health.checks.into_iter().map(CheckBody::from).collect();
        Self { status: word(health.status), checks }
    }
}

/// Write and read the database, write into the data directory, look at the disk; 503 if something failed.
#[utoipa::path(get, path = "/api/system/health", tag = "system",
    responses((status = 200, body = HealthBody), (status = 503, body = HealthBody)))]
async fn health(State(app): State<App>, Permitted(permit): Permitted) -> Result<Response, Problem> {
    let health = app.service().health(&permit).await?;
    let status = if health.status == Status::Failed { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
    Ok((status, Json(HealthBody::from(health))).into_response())
}

/// What this service is.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct InfoBody {
    /// Its version.
    version: &'static str,
    /// Its process.
    pid: u32,
    /// Its machine.
    host: String,
    /// When it started.
    started_at: DateTime<Utc>,
    /// For how long it has run.
    uptime_s: f64,
    /// Where everything is kept.
    data_dir: String,
    /// Whoever is on the machine needs a token too.
    requires_token: bool,
    /// The role of whoever asks: `viewer`, `operator` or `admin`.
    role: &'static str,
    /// What the audit log calls whoever asks.
    asker: String,
}

/// Say what this service is.
#[utoipa::path(get, path = "/api/system/info", tag = "system", responses((status = 200, body = InfoBody)))]
async fn info(State(app): State<App>, Permitted(permit): Permitted) -> Result<Json<InfoBody>, Problem> {
    let facts = app.service().facts(&permit)?;
    Ok(Json(InfoBody {
        version: facts.version,
        pid: facts.pid,
        host: facts.host,
        started_at: facts.started_at,
        uptime_s: facts.uptime_s,
        data_dir: facts.data_dir,
        requires_token: app.options().require_token,
        role: match permit.asker().actor {
            Actor::Token { role } => role.word(),
            Actor::Local => Role::Admin.word(),
            Actor::Anonymous => "none",
        },
        asker: permit.asker().name.clone(),
    }))
}

/// Give the settings; of secrets only the names.
#[utoipa::path(get, path = "/api/system/settings", tag = "system", responses((status = 200, body = Object)))]
async fn settings(State(app): State<App>, Permitted(permit): Permitted) -> Result<Json<Value>, Problem> {
    let mut shown = serde_json::to_value(app.service().settings(&permit)?).unwrap_or_default();
    let limits = &app.options().limits;
    shown["limits"] = serde_json::json!({
        "requests_per_second": limits.requests_per_second,
        "burst": limits.burst,
        "body_bytes": limits.body_bytes,
        "request_s": limits.request.as_secs_f64(),
        "connections": limits.connections,
        "streams": limits.streams,
    });
    Ok(Json(shown))
}

/// Give the GPUs of this machine, or say plainly why there are none.
#[utoipa::path(get, path = "/api/system/gpus", tag = "system", responses((status = 200, body = Object)))]
async fn gpus(State(app): State<App>, Permitted(permit): Permitted) -> Result<Json<Value>, Problem> {
    Ok(Json(serde_json::to_value(app.service().gpus(&permit).await?).unwrap_or_default()))
}

/// The machine and this process.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct HostBody {
    /// System, processor, memory, disk, load.
    #[schema(value_type = Object)]
    host: Value,
    /// Memory, processor time, threads and files of this process.
    #[schema(value_type = Object)]
    process: Value,
}

/// Give the machine and this process.
#[utoipa::path(get, path = "/api/system/host", tag = "system", responses((status = 200, body = HostBody)))]
async fn host(State(app): State<App>, Permitted(permit): Permitted) -> Result<Json<HostBody>, Problem> {
    let (facts, process) = app.service().machine(&permit).await?;
    let body = |value| serde_json::to_value(value).unwrap_or_default();
    Ok(Json(HostBody { host: body(facts), process: serde_json::to_value(process).unwrap_or_default() }))
}
