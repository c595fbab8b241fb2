//! Inside of measurements: each request, and what the engine and its GPUs showed.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use tuner_app::service::requests::{Series, Which};
use tuner_policy::Action;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::answer::Problem;
use crate::extract::{Params, Path, Permitted};
use crate::guard::guarded;
use crate::state::App;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default()
        .routes(guarded(Action::LogRead, routes!(requests)))
        .routes(guarded(Action::ExperimentRead, routes!(series)))
}

/// Which measurements.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct OfMeasurements {
    /// Of this attempt, from 1.
    attempt: Option<u32>,
    /// Of the level at this position in the task's list, from 0.
    level: Option<u32>,
    /// Of this repeat, from 0.
    repeat: Option<u32>,
}

impl From<OfMeasurements> for Which {
    fn from(query: OfMeasurements) -> Self {
        Self { attempt: query.attempt, level: query.level, repeat: query.repeat }
    }
}

/// What happened to each request, one JSON document a line: attempt, level, repeat and label, then planned, sent and received
/// times in seconds of the level's clock, tokens, error. Kept only where the task asks for it: `load.save_log_mib`.
#[utoipa::path(get, path = "/api/tasks/{task}/experiments/{number}/requests", tag = "experiments",
    params(("task" = String, Path, description = "Id, name or beginning of an id."), ("number" = u32, Path, description = "Its number."), OfMeasurements),
    responses((status = 200, content_type = "application/x-ndjson", body = String)))]
async fn requests(
    State(app): State<App>,
    Permitted(permit): Permitted,
    Path((task, number)): Path<(String, u32)>,
    Params(query): Params<OfMeasurements>,
) -> Result<Response, Problem> {
    let logs = app.service().request_logs(&permit, &task, number, query.into()).await?;
    let taken = logs.stream();
    let chunks = futures::stream::unfold(taken, |mut taken| async move { Some((taken.recv().await?, taken)) });
    Ok(([(header::CONTENT_TYPE, "application/x-ndjson")], Body::from_stream(chunks)).into_response())
}

/// What was seen during the levels.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SeriesList {
    /// Of each measurement, in the order of time: smallest, mean and largest of the points, and the points, thinned.
    #[schema(value_type = Vec<Object>)]
    items: Vec<Series>,
    /// Always null: there is one part.
    next_cursor: Option<String>,
}

/// Show what the engine and its GPUs showed of themselves during the levels of an experiment.
#[utoipa::path(get, path = "/api/tasks/{task}/experiments/{number}/series", tag = "experiments",
    params(("task" = String, Path, description = "Id, name or beginning of an id."), ("number" = u32, Path, description = "Its number."), OfMeasurements),
    responses((status = 200, body = SeriesList)))]
async fn series(
    State(app): State<App>,
    Permitted(permit): Permitted,
    Path((task, number)): Path<(String, u32)>,
    Params(query): Params<OfMeasurements>,
) -> Result<Json<SeriesList>, Problem> {
    let items = app.service().series(&permit, &task, number, query.into()).await?;
    Ok(Json(SeriesList { items, next_cursor: None }))
}
