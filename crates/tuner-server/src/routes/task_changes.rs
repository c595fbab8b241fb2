//! Tasks: change what is stored.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use tuner_core::Configuration;
use tuner_policy::Action;
use tuner_store::OutcomeCounts;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::document::{Sent, TaskDocument};
use super::jobs::JobItem;
use super::task_items::{TaskDetail, TaskItem};
use super::tasks::stored;
use crate::answer::Problem;
use crate::extract::{Body, OptionalBody, Path, Permitted};
use crate::guard::guarded;
use crate::state::App;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default()
        .routes(guarded(Action::TaskEdit, routes!(edit)))
        .routes(guarded(Action::TaskDelete, routes!(delete)))
        .routes(guarded(Action::TaskClone, routes!(copy)))
        .routes(guarded(Action::TaskArchive, routes!(archive)))
        .routes(guarded(Action::TaskArchive, routes!(unarchive)))
        .routes(guarded(Action::TaskPropose, routes!(propose)))
        .routes(guarded(Action::TaskStart, routes!(start)))
        .routes(guarded(Action::TaskStart, routes!(resume)))
        .routes(guarded(Action::TaskCancel, routes!(cancel)))
}

/// Make a new revision of a task that rests. It is another task under the same name; the one before keeps its id, its
/// experiments and its logs.
#[utoipa::path(put, path = "/api/tasks/{task}", tag = "tasks",
    params(("task" = String, Path, description = "Id, name or beginning of an id.")),
    request_body(content((TaskDocument = "application/json"), (String = "application/yaml"))),
    responses((status = 201, body = TaskItem, headers(("location" = String, description = "Where it is now.")))))]
async fn edit(
    State(app): State<App>,
    Permitted(permit): Permitted,
    Path(task): Path<String>,
    Sent(document): Sent,
) -> Result<Response, Problem> {
    let row = app.service().edit_task(&permit, &task, &document).await?;
    Ok(stored(TaskItem::new(row, &OutcomeCounts::new())))
}

/// Delete a task with its experiments, events, logs and earlier revisions. One that is worked on is refused.
#[utoipa::path(delete, path = "/api/tasks/{task}", tag = "tasks",
    params(("task" = String, Path, description = "Id, name or beginning of an id.")),
    responses((status = 204, description = "It is gone.")))]
async fn delete(
    State(app): State<App>,
    Permitted(permit): Permitted,
    Path(task): Path<String>,
) -> Result<StatusCode, Problem> {
    app.service().delete_task(&permit, &task).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What a copy is called.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CloneBody {
    /// Its name; default: the next free `NAME-2`.
    #[serde(default)]
    name: Option<String>,
}

/// Store a copy of a task, pending, without its experiments.
#[utoipa::path(post, path = "/api/tasks/{task}/clone", tag = "tasks",
    params(("task" = String, Path, description = "Id, name or beginning of an id.")),
    request_body = Option<CloneBody>,
    responses((status = 201, body = TaskItem, headers(("location" = String, description = "Where it is now.")))))]
async fn copy(
    State(app): State<App>,
    Permitted(permit): Permitted,
    Path(task): Path<String>,
    OptionalBody(body): OptionalBody<CloneBody>,
) -> Result<Response, Problem> {
    let name = body.unwrap_or_default().name;
    let row = app.service().clone_task(&permit, &task, name.as_deref()).await?;
    Ok(stored(TaskItem::new(row, &OutcomeCounts::new())))
}

/// Put a task away. Lists leave it out; nothing of it changes.
#[utoipa::path(post, path = "/api/tasks/{task}/archive", tag = "tasks",
    params(("task" = String, Path, description = "Id, name or beginning of an id.")),
    responses((status = 200, body = TaskDetail)))]
async fn archive(
    State(app): State<App>,
    Permitted(permit): Permitted,
    Path(task): Path<String>,
) -> Result<Json<TaskDetail>, Problem> {
    Ok(Json(app.service().archive_task(&permit, &task, true).await?.into()))
}

/// Put a task back.
#[utoipa::path(post, path = "/api/tasks/{task}/unarchive", tag = "tasks",
    params(("task" = String, Path, description = "Id, name or beginning of an id.")),
    responses((status = 200, body = TaskDetail)))]
async fn unarchive(
    State(app): State<App>,
    Permitted(permit): Permitted,
    Path(task): Path<String>,
) -> Result<Json<TaskDetail>, Problem> {
    Ok(Json(app.service().archive_task(&permit, &task, false).await?.into()))
}

/// Configurations to try next.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProposeBody {
    /// 1 to 20 points of the task's search space: each an object from parameter to value.
    #[schema(value_type = Vec<Object>)]
    configurations: Vec<Configuration>,
}

/// What is to be tried next.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Proposed {
    /// Those that are new: what was tried or proposed before is left out.
    #[schema(value_type = Vec<Object>)]
    new: Vec<Configuration>,
}

/// Have configurations tried before what the search would try, in a task that waits or runs, within its budget.
#[utoipa::path(post, path = "/api/tasks/{task}/proposals", tag = "tasks",
    params(("task" = String, Path, description = "Id, name or beginning of an id.")),
    request_body = ProposeBody, responses((status = 200, body = Proposed)))]
async fn propose(
    State(app): State<App>,
    Permitted(permit): Permitted,
    Path(task): Path<String>,
    Body(body): Body<ProposeBody>,
) -> Result<Json<Proposed>, Problem> {
    let new = app.service().propose(&permit, &task, &body.configurations).await?;
    Ok(Json(Proposed { new }))
}

/// The job that runs a task.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Queued {
    /// The job.
    job: JobItem,
    /// Why no worker that lives can do it; null if one can.
    waits: Option<String>,
}

/// Queue a task for a worker. One that is queued or runs already stays so.
#[utoipa::path(post, path = "/api/tasks/{task}/start", tag = "tasks",
    params(("task" = String, Path, description = "Id, name or beginning of an id.")),
    responses((status = 202, body = Queued)))]
async fn start(
    State(app): State<App>,
    Permitted(permit): Permitted,
    Path(task): Path<String>,
) -> Result<(StatusCode, Json<Queued>), Problem> {
    let started = app.service().start_task(&permit, &task).await?;
    Ok((StatusCode::ACCEPTED, Json(Queued { job: started.job.into(), waits: started.waits })))
}

/// Go on with a task that was interrupted, cancelled or failed: the same as to start it.
#[utoipa::path(post, path = "/api/tasks/{task}/resume", tag = "tasks",
    params(("task" = String, Path, description = "Id, name or beginning of an id.")),
    responses((status = 202, body = Queued)))]
async fn resume(app: State<App>, permit: Permitted, task: Path<String>) -> Result<(StatusCode, Json<Queued>), Problem> {
    start(app, permit, task).await
}

/// How a task stands after the wish to stop it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Cancelled {
    /// `cancelling` while its worker stops; else how it ended.
    status: String,
}

/// Ask to stop a task for good. One that has ended stays as it is.
#[utoipa::path(post, path = "/api/tasks/{task}/cancel", tag = "tasks",
    params(("task" = String, Path, description = "Id, name or beginning of an id.")),
    responses((status = 200, body = Cancelled)))]
async fn cancel(
    State(app): State<App>,
    Permitted(permit): Permitted,
    Path(task): Path<String>,
) -> Result<Json<Cancelled>, Problem> {
    let status = app.service().cancel_task(&permit, &task).await?;
    Ok(Json(Cancelled { status: status.word().to_owned() }))
}
