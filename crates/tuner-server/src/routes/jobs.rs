//! The run queue.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tuner_policy::Action;
use tuner_store::{JobFilter, JobId, JobKind, JobRow, JobStatus, Needs, NewJob};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::answer::Problem;
use crate::extract::{self, Body, Params, Path, Permitted};
use crate::guard::guarded;
use crate::state::App;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default()
        .routes(guarded(Action::JobRead, routes!(list)))
        .routes(guarded(Action::JobCreate, routes!(create)))
        .routes(guarded(Action::JobRead, routes!(show)))
        .routes(guarded(Action::JobCancel, routes!(cancel)))
        .routes(guarded(Action::JobRetry, routes!(retry)))
}

/// Which jobs.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListJobs {
    /// Only of these statuses, between commas: queued, running, succeeded, dead, cancelled.
    status: Option<String>,
    /// Only of these kinds, between commas: run_task, help_task, fetch_dataset, download_model, install_engine,
    /// refresh_issue_cache, render_report.
    kind: Option<String>,
    /// As an earlier part gave it.
    cursor: Option<String>,
    /// Items on a part, 1 to 500. Default 50.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

/// A job of the run queue.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct JobItem {
    /// Its id.
    id: String,
    /// What is to be done.
    kind: String,
    /// Id of the task it is for.
    task: Option<String>,
    /// `queued`, `running`, `succeeded`, `dead` (given up after its last attempt) or `cancelled`.
    status: String,
    /// Larger ones are claimed first.
    priority: i32,
    /// Not claimed before.
    run_after_at: DateTime<Utc>,
    /// How often it was claimed, less what was given back.
    attempts: u32,
    /// How often at most.
    max_attempts: u32,
    /// What its worker must have.
    #[schema(value_type = Object)]
    needs: Value,
    /// Who claimed it last, in words.
    worker: Option<String>,
    /// The worker's last sign of life.
    heartbeat_at: Option<DateTime<Utc>>,
    /// How far it is, as the kind says it.
    #[schema(value_type = Option<Object>)]
    progress: Option<Value>,
    /// Somebody asked to stop it.
    cancel_requested: bool,
    /// What it gave.
    #[schema(value_type = Option<Object>)]
    result: Option<Value>,
    /// Why the last attempt failed.
    last_error: Option<String>,
    /// When it was queued.
    created_at: DateTime<Utc>,
    /// When it was last claimed.
    claimed_at: Option<DateTime<Utc>>,
    /// When it ended.
    ended_at: Option<DateTime<Utc>>,
}

impl From<JobRow> for JobItem {
    fn from(row: JobRow) -> Self {
        Self {
            id: row.id.to_string(),
            kind: row.kind.word().to_owned(),
            task: row.task.map(|task| task.to_string()),
            status: row.status.word().to_owned(),
            priority: row.priority,
            run_after_at: row.run_after,
            attempts: row.attempts,
            max_attempts: row.max_attempts,
            needs: serde_json::to_value(row.needs).unwrap_or_default(),
            worker: row.worker.map(|worker| worker.to_string()),
            heartbeat_at: row.heartbeat_at,
            progress: row.progress,
            cancel_requested: row.cancel_requested,
            result: row.result,
            last_error: row.last_error,
            created_at: row.created_at,
            claimed_at: row.claimed_at,
            ended_at: row.ended_at,
        }
    }
}

/// Part of the run queue.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct JobList {
    /// The newest first.
    items: Vec<JobItem>,
    /// Send it as `cursor` for the next part; null at the end.
    next_cursor: Option<String>,
}

/// List jobs, newest first.
#[utoipa::path(get, path = "/api/jobs", tag = "jobs", params(ListJobs), responses((status = 200, body = JobList)))]
async fn list(
    State(app): State<App>,
    Permitted(permit): Permitted,
    Params(query): Params<ListJobs>,
) -> Result<Json<JobList>, Problem> {
    let filter = JobFilter {
        statuses: extract::values("status", query.status.as_deref(), JobStatus::ALL, JobStatus::word)?,
        kinds: extract::values("kind", query.kind.as_deref(), JobKind::ALL, JobKind::word)?,
        task: None,
    };
    let (after, limit) = (extract::cursor(query.cursor.as_deref())?, extract::page_size(query.limit)?);
    let page = app.service().list_jobs(&permit, &filter, after, limit).await?;
    let items = page.jobs.into_iter().map(Into::into).collect();
    Ok(Json(JobList { items, next_cursor: page.next.map(|id| id.to_string()) }))
}

/// A job to queue.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct JobBody {
    /// What is to be done.
    kind: Kind,
    /// Id, name or beginning of an id of the task that a report is for.
    #[serde(default)]
    task: Option<String>,
    /// The particulars: `{"target": "llama.cpp"}` of an installation, `{"source": URL}` of a data set.
    #[serde(default)]
    #[schema(value_type = Object)]
    payload: Map<String, Value>,
    /// Larger ones are claimed first.
    #[serde(default)]
    priority: i32,
    /// Not before this time.
    #[serde(default)]
    run_after_at: Option<DateTime<Utc>>,
    /// The one host on which it may run.
    #[serde(default)]
    host: Option<String>,
}

/// Jobs that are queued by themselves.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// Install an engine into the data directory of whoever claims it.
    InstallEngine,
    /// Fetch a data set there.
    FetchDataset,
    /// Render the report of a task there.
    RenderReport,
}

/// Queue a job: an installation, a data set, a report.
#[utoipa::path(post, path = "/api/jobs", tag = "jobs", request_body = JobBody,
    responses((status = 202, body = JobItem)))]
async fn create(
    State(app): State<App>,
    Permitted(permit): Permitted,
    Body(body): Body<JobBody>,
) -> Result<(StatusCode, Json<JobItem>), Problem> {
    let kind = match body.kind {
        Kind::InstallEngine => JobKind::InstallEngine,
        Kind::FetchDataset => JobKind::FetchDataset,
        Kind::RenderReport => JobKind::RenderReport,
    };
    let new = NewJob {
        priority: body.priority,
        run_after: body.run_after_at,
        needs: Needs { host: body.host, ..Needs::default() },
        ..NewJob::new(kind, Value::Object(body.payload))
    };
    let job = app.service().create_job(&permit, new, body.task.as_deref()).await?;
    Ok((StatusCode::ACCEPTED, Json(job.into())))
}

/// Show a job.
#[utoipa::path(get, path = "/api/jobs/{job}", tag = "jobs",
    params(("job" = String, Path, description = "Its id.")), responses((status = 200, body = JobItem)))]
async fn show(
    State(app): State<App>,
    Permitted(permit): Permitted,
    Path(job): Path<String>,
) -> Result<Json<JobItem>, Problem> {
    Ok(Json(app.service().show_job(&permit, id(&job)?).await?.into()))
}

/// Stop a job: at once if it waits, by its worker if it runs. A task that it ran can be started again.
#[utoipa::path(post, path = "/api/jobs/{job}/cancel", tag = "jobs",
    params(("job" = String, Path, description = "Its id.")), responses((status = 200, body = JobItem)))]
async fn cancel(
    State(app): State<App>,
    Permitted(permit): Permitted,
    Path(job): Path<String>,
) -> Result<Json<JobItem>, Problem> {
    Ok(Json(app.service().cancel_job(&permit, id(&job)?).await?.into()))
}

/// Have a dead or cancelled job tried again, with all its attempts before it.
#[utoipa::path(post, path = "/api/jobs/{job}/retry", tag = "jobs",
    params(("job" = String, Path, description = "Its id.")), responses((status = 200, body = JobItem)))]
async fn retry(
    State(app): State<App>,
    Permitted(permit): Permitted,
    Path(job): Path<String>,
) -> Result<Json<JobItem>, Problem> {
    Ok(Json(app.service().retry_job(&permit, id(&job)?).await?.into()))
}

fn id(text: &str) -> Result<JobId, Problem> {
    text.parse().map_err(|_| extract::unknown("job", text))
}
