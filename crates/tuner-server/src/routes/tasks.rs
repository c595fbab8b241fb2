//! Tasks: look, check, estimate, store.

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use tuner_app::service::estimate::{Estimate, Span};
use tuner_policy::Action;
use tuner_store::{Archived, OutcomeCounts, TaskQuery, TaskStatus};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::document::{Sent, TaskDocument};
use super::task_items::{RevisionList, TaskDetail, TaskItem, TaskList, Validation};
use crate::answer::{self, Problem};
use crate::extract::{self, Params, Path, Permitted};
use crate::guard::guarded;
use crate::state::App;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default()
        .routes(guarded(Action::TaskRead, routes!(list)))
        .routes(guarded(Action::TaskCreate, routes!(create)))
        .routes(guarded(Action::TaskCheck, routes!(validate)))
        .routes(guarded(Action::TaskCheck, routes!(estimate)))
        .routes(guarded(Action::TaskRead, routes!(by_name)))
        .routes(guarded(Action::TaskRead, routes!(get)))
        .routes(guarded(Action::TaskRead, routes!(revisions)))
}

/// Which tasks.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListTasks {
    /// Of these statuses, separated by commas.
    status: Option<String>,
    /// Of these engines, separated by commas.
    engine: Option<String>,
    /// With this in the name.
    name: Option<String>,
    /// Tasks that are put away: `no`, `only` or `all`. Default `no`.
    archived: Option<String>,
    /// With the revisions that edits replaced. Default `false`.
    replaced: Option<bool>,
    /// As an earlier part gave it.
    cursor: Option<String>,
    /// Items on a part, 1 to 500. Default 50.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

/// List tasks, newest first.
#[utoipa::path(get, path = "/api/tasks", tag = "tasks", params(ListTasks), responses((status = 200, body = TaskList)))]
async fn list(
    State(app): State<App>,
    Permitted(permit): Permitted,
    Params(query): Params<ListTasks>,
) -> Result<Response, Problem> {
    let statuses = extract::values("status", query.status.as_deref(), TaskStatus::ALL, TaskStatus::word)?;
    let archived = match query.archived.as_deref() {
        None | Some("no") => Archived::Without,
        Some("only") => Archived::Only,
        Some("all") => Archived::With,
        Some(other) => return Err(extract::invalid(format!("archived: {other:?} is not one of no, only, all"))),
    };
    let engines = query.engine.iter().flat_map(|words| words.split(',')).map(|word| word.trim().to_owned());
    let wanted = TaskQuery {
        statuses,
        engines: engines.collect(),
        name_contains: query.name,
        archived,
        replaced: query.replaced.unwrap_or_default(),
    };
    let (cursor, limit) = (extract::cursor(query.cursor.as_deref())?, extract::page_size(query.limit)?);
    Ok(answer::page(app.service().list_tasks(&permit, &wanted, cursor, limit).await?))
}

/// Store a task. Its name must be free.
#[utoipa::path(post, path = "/api/tasks", tag = "tasks",
    request_body(content((TaskDocument = "application/json"), (String = "application/yaml"))),
    responses((status = 201, body = TaskItem, headers(("location" = String, description = "Where it is now.")))))]
async fn create(
    State(app): State<App>,
    Permitted(permit): Permitted,
    Sent(document): Sent,
) -> Result<Response, Problem> {
    let row = app.service().create_task(&permit, &document).await?;
    Ok(stored(TaskItem::new(row, &OutcomeCounts::new())))
}

/// An answer that says where the new task is.
pub(super) fn stored(item: TaskItem) -> Response {
    let place = format!("/api/tasks/{}", item.id);
    (StatusCode::CREATED, [(header::LOCATION, place)], Json(item)).into_response()
}

/// Say everything that is wrong with a document, or worth knowing.
#[utoipa::path(post, path = "/api/tasks/validate", tag = "tasks",
    request_body(content((TaskDocument = "application/json"), (String = "application/yaml"))),
    responses((status = 200, body = Validation)))]
async fn validate(
    State(app): State<App>,
    Permitted(permit): Permitted,
    Sent(document): Sent,
) -> Result<Json<Validation>, Problem> {
    let checked = app.service().check_task(&permit, &document).await?;
    Ok(Json(Validation {
        valid: checked.file.is_some(),
        imported: checked.imported,
        findings: checked.findings,
        remarks: checked.remarks,
        summary: checked.file.as_ref().map(tuner_app::tasks::summary),
        task: checked.file.map(|file| file.spec),
    }))
}

/// Seconds, as far as they are known.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SpanBody {
    /// The measured windows alone.
    least: Option<f64>,
    /// What earlier attempts with this engine took.
    typical: Option<f64>,
    /// The time-outs.
    most: f64,
}

impl From<Span> for SpanBody {
    fn from(span: Span) -> Self {
        Self { least: span.least, typical: span.typical, most: span.most }
    }
}

/// What a task would cost.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EstimateBody {
    /// Points of the search space; null where it is continuous.
    configurations: Option<f64>,
    /// Experiments of the search, the baseline included.
    search_experiments: u32,
    /// Experiments of the final comparison.
    verification_experiments: u32,
    /// Levels in each of them, repeats included.
    levels_per_experiment: u32,
    /// GPUs of one deployment; null where the document does not say.
    gpus: Option<u32>,
    /// One experiment, seconds.
    experiment_s: SpanBody,
    /// The whole task, seconds.
    wall_time_s: SpanBody,
    /// The whole task, GPU-seconds; null where the number of GPUs is not known.
    gpu_seconds: Option<SpanBody>,
    /// Where the typical figures come from.
    basis: String,
}

impl From<Estimate> for EstimateBody {
    fn from(estimate: Estimate) -> Self {
        Self {
            configurations: estimate.configurations,
            search_experiments: estimate.search_experiments,
            verification_experiments: estimate.verification_experiments,
            levels_per_experiment: estimate.levels_per_experiment,
            gpus: estimate.gpus,
            experiment_s: estimate.experiment_s.into(),
            wall_time_s: estimate.wall_time_s.into(),
            gpu_seconds: estimate.gpu_seconds.map(SpanBody::from),
            basis: estimate.basis,
        }
    }
}

/// Say what a document would cost.
#[utoipa::path(post, path = "/api/tasks/estimate", tag = "tasks",
    request_body(content((TaskDocument = "application/json"), (String = "application/yaml"))),
    responses((status = 200, body = EstimateBody)))]
async fn estimate(
    State(app): State<App>,
    Permitted(permit): Permitted,
    Sent(document): Sent,
) -> Result<Json<EstimateBody>, Problem> {
    Ok(Json(app.service().estimate_task(&permit, &document).await?.into()))
}

/// Show a task by its whole name.
#[utoipa::path(get, path = "/api/tasks/by-name/{name}", tag = "tasks",
    params(("name" = String, Path, description = "The whole name.")), responses((status = 200, body = TaskDetail)))]
async fn by_name(
    State(app): State<App>,
    Permitted(permit): Permitted,
    Path(name): Path<String>,
) -> Result<Json<TaskDetail>, Problem> {
    Ok(Json(app.service().task_by_name(&permit, &name).await?.into()))
}

/// Show a task.
#[utoipa::path(get, path = "/api/tasks/{task}", tag = "tasks",
    params(("task" = String, Path, description = "Id, name or beginning of an id.")),
    responses((status = 200, body = TaskDetail)))]
async fn get(
    State(app): State<App>,
    Permitted(permit): Permitted,
    Path(task): Path<String>,
) -> Result<Json<TaskDetail>, Problem> {
    Ok(Json(app.service().show_task(&permit, &task).await?.into()))
}

/// List the revisions of a task, newest first.
#[utoipa::path(get, path = "/api/tasks/{task}/revisions", tag = "tasks",
    params(("task" = String, Path, description = "Id, name or beginning of an id.")),
    responses((status = 200, body = RevisionList)))]
async fn revisions(
    State(app): State<App>,
    Permitted(permit): Permitted,
    Path(task): Path<String>,
) -> Result<Json<RevisionList>, Problem> {
    let rows = app.service().task_revisions(&permit, &task).await?;
    Ok(Json(RevisionList { items: rows.into_iter().map(Into::into).collect(), next_cursor: None }))
}
