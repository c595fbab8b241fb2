//! Experiments of a task and what was measured in them.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tuner_core::{Configuration, Measurement, Outcome};
use tuner_policy::Action;
use tuner_store::{EXPERIMENT_FIELDS, ExperimentQuery, ExperimentSort};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::answer::{self, Problem};
use crate::extract::{self, Params, Path, Permitted};
use crate::guard::guarded;
use crate::state::App;

/// How experiments end, and `open` for those that have not.
const OUTCOMES: [&str; 6] = ["open", "success", "infeasible", "pruned", "failed", "cancelled"];
/// Why they are run.
const ROLES: [&str; 3] = ["baseline", "search", "verify"];
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default()
        .routes(guarded(Action::ExperimentRead, routes!(list)))
        .routes(guarded(Action::ExperimentRead, routes!(get)))
        .routes(guarded(Action::ExperimentRead, routes!(measurements)))
}

/// Which experiments.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListExperiments {
    /// With these outcomes, separated by commas; `open` for those without.
    outcome: Option<String>,
    /// Of these roles, separated by commas.
    role: Option<String>,
    /// `number`, `objective`, `elapsed` or `outcome`. Default `number`.
    sort: Option<String>,
    /// `asc` or `desc`. Default `asc`.
    order: Option<String>,
    /// Only these fields, separated by commas.
    fields: Option<String>,
    /// As an earlier part gave it.
    cursor: Option<String>,
    /// Items on a part, 1 to 500. Default 50.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

/// An experiment in a list; all fields unless `fields` names some.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ExperimentItem {
    /// 1..N within the task.
    number: u32,
    /// Why it is run.
    #[schema(value_type = Object)]
    role: Value,
    /// What is tried.
    #[schema(value_type = Object)]
    configuration: Configuration,
    /// `open`, `success`, `infeasible`, `pruned`, `failed` or `cancelled`.
    outcome: String,
    /// The outcome with its reason or failure.
    #[schema(value_type = Option<Object>)]
    result: Option<Outcome>,
    /// The first objective.
    objective: Option<f64>,
    /// Its rank.
    #[schema(value_type = Option<Object>)]
    score: Option<Value>,
    /// When it was decided on.
    created_at: DateTime<Utc>,
    /// When it ended.
    ended_at: Option<DateTime<Utc>>,
    /// What it took.
    elapsed_s: Option<f64>,
}

/// Part of the list of experiments. Pages come ready from the store; this says what they hold.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ExperimentList {
    /// The experiments; each an `ExperimentItem`, or the named fields of one.
    #[schema(value_type = Vec<Object>)]
    items: Vec<ExperimentItem>,
    /// Send it as `cursor` for the next part; null at the end.
    next_cursor: Option<String>,
}

/// List the experiments of a task.
#[utoipa::path(get, path = "/api/tasks/{task}/experiments", tag = "experiments",
    params(("task" = String, Path, description = "Id, name or beginning of an id."), ListExperiments),
    responses((status = 200, body = ExperimentList)))]
async fn list(
    State(app): State<App>,
    Permitted(permit): Permitted,
    Path(task): Path<String>,
    Params(query): Params<ListExperiments>,
) -> Result<Response, Problem> {
    let wanted = ExperimentQuery {
        outcomes: extract::words("outcome", query.outcome.as_deref(), &OUTCOMES)?,
        roles: extract::words("role", query.role.as_deref(), &ROLES)?,
        sort: match query.sort.as_deref() {
            None | Some("number") => ExperimentSort::Number,
            Some("objective") => ExperimentSort::Objective,
            Some("elapsed") => ExperimentSort::Elapsed,
            Some("outcome") => ExperimentSort::Outcome,
            Some(other) => {
                let known = "number, objective, elapsed, outcome";
                return Err(extract::invalid(format!("sort: {other:?} is not one of {known}")));
            }
        },
        descending: match query.order.as_deref() {
            None | Some("asc") => false,
            Some("desc") => true,
            Some(other) => return Err(extract::invalid(format!("order: {other:?} is not one of asc, desc"))),
        },
    };
    let fields = extract::words("fields", query.fields.as_deref(), &EXPERIMENT_FIELDS)?;
    let (cursor, limit) = (extract::cursor(query.cursor.as_deref())?, extract::page_size(query.limit)?);
    Ok(answer::page(app.service().list_experiments(&permit, &task, &wanted, &fields, cursor, limit).await?))
}

/// An experiment with everything of it. It comes ready from the store; this says what it holds.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ExperimentDetail {
    /// Id of its task.
    task_id: String,
    /// Name of its task.
    task_name: String,
    /// Number, role, configuration, outcome, attempts with evidence and measurements.
    #[schema(value_type = Object)]
    experiment: Value,
    /// Its rank.
    #[schema(value_type = Option<Object>)]
    score: Option<Value>,
}

/// Show an experiment with its attempts.
#[utoipa::path(get, path = "/api/tasks/{task}/experiments/{number}", tag = "experiments",
    params(("task" = String, Path, description = "Id, name or beginning of an id."), ("number" = u32, Path, description = "Its number.")),
    responses((status = 200, body = ExperimentDetail)))]
async fn get(
    State(app): State<App>,
    Permitted(permit): Permitted,
    Path((task, number)): Path<(String, u32)>,
) -> Result<Response, Problem> {
    let shown = app.service().show_experiment(&permit, &task, number).await?;
    let (id, name) = (Value::from(shown.task_id), Value::from(shown.task_name));
    Ok(answer::json(format!(
        "{{\"task_id\":{id},\"task_name\":{name},\"experiment\":{},\"score\":{}}}",
        shown.experiment, shown.score
    )))
}

/// A measurement in its place.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MeasurementItem {
    /// Its attempt, from 1.
    attempt: u32,
    /// The level: `c8`, `2.5/s poisson`.
    label: String,
    /// Counts, figures, percentiles, validity.
    #[schema(value_type = Object)]
    measurement: Measurement,
}

/// What was measured in an experiment.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MeasurementList {
    /// In the order of time.
    items: Vec<MeasurementItem>,
    /// Always null: there is one part.
    next_cursor: Option<String>,
}

/// List what was measured in an experiment.
#[utoipa::path(get, path = "/api/tasks/{task}/experiments/{number}/measurements", tag = "experiments",
    params(("task" = String, Path, description = "Id, name or beginning of an id."), ("number" = u32, Path, description = "Its number.")),
    responses((status = 200, body = MeasurementList)))]
async fn measurements(
    State(app): State<App>,
    Permitted(permit): Permitted,
    Path((task, number)): Path<(String, u32)>,
) -> Result<Json<MeasurementList>, Problem> {
    let placed = app.service().measurements(&permit, &task, number).await?;
    let item = |p: tuner_app::service::experiments::Placed| MeasurementItem {
        attempt: p.attempt,
        label: p.label,
        measurement: p.measurement,
    };
    Ok(Json(MeasurementList { items: placed.into_iter().map(item).collect(), next_cursor: None }))
}
