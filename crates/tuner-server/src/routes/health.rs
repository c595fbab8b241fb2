//! Whether the service lives and is ready, its figures and its document.

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::Value;
use tuner_app::doctor::Status;
use tuner_app::service::system;
use tuner_policy::Action;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::answer::Problem;
use crate::extract::Permitted;
use crate::guard::guarded;
use crate::meter::Now;
use crate::state::App;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default()
        .routes(guarded(Action::HealthRead, routes!(alive)))
        .routes(guarded(Action::HealthRead, routes!(ready)))
        .routes(guarded(Action::SystemRead, routes!(metrics)))
        .routes(guarded(Action::ApiRead, routes!(document)))
}

/// That the service lives.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Alive {
    /// `ok`.
    status: &'static str,
    /// Its version.
    version: &'static str,
}

/// Say that the process answers. Nothing else is looked at.
#[utoipa::path(get, path = "/health", tag = "health", responses((status = 200, body = Alive)))]
async fn alive() -> Json<Alive> {
    Json(Alive { status: "ok", version: env!("CARGO_PKG_VERSION") })
}

/// Say whether the service can do its work; 503 if not.
#[utoipa::path(get, path = "/ready", tag = "health",
    responses((status = 200, body = super::system::HealthBody), (status = 503, body = super::system::HealthBody)))]
async fn ready(State(app): State<App>, Permitted(permit): Permitted) -> Result<Response, Problem> {
    let health = app.service().health(&permit).await?;
    let status = if health.status == Status::Failed { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
    Ok((status, Json(super::system::HealthBody::from(health))).into_response())
}

/// Give the figures of this service in Prometheus' text format.
#[utoipa::path(get, path = "/metrics", tag = "health",
    responses((status = 200, content_type = "text/plain", body = String)))]
async fn metrics(State(app): State<App>, Permitted(permit): Permitted) -> Result<Response, Problem> {
    let counts = app.service().counts(&permit).await?;
    let queue = app.service().queue(&permit).await?;
    let gpus = app.service().gpus(&permit).await?;
    let (process, streams) = (system::process(), app.hub().subscribers());
    let now = Now { counts: &counts, queue: &queue, process: &process, gpus: &gpus, streams };
    let page = app.meter().page(&now);
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], page).into_response())
}

/// Give this document.
#[utoipa::path(get, path = "/api/openapi.json", tag = "health", responses((status = 200, body = Object)))]
async fn document() -> Json<Value> {
    Json(crate::openapi::document())
}
