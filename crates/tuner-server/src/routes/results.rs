//! What a task found, and what one would start.

use std::str::FromStr;

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tuner_app::doctor::Check;
use tuner_app::report::{self, Format};
use tuner_app::service::preview::Preview;
use tuner_policy::Action;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::document::{Sent, TaskDocument};
use super::system::CheckBody;
use crate::answer::{self, Problem};
use crate::extract::{self, Params, Path, Permitted};
use crate::guard::guarded;
use crate::state::App;

/// Configurations of a preview where nobody says how many.
const PREVIEWED: usize = 20;
/// The most.
const MOST_PREVIEWED: usize = 200;
/// A report is one file with its own styles and pictures, and nothing that runs.
const REPORT_POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'; sandbox";

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default()
        .routes(guarded(Action::TaskRead, routes!(report_of)))
        .routes(guarded(Action::TaskRead, routes!(insight)))
        .routes(guarded(Action::ExperimentRead, routes!(launch)))
        .routes(guarded(Action::ExperimentRead, routes!(compare)))
        .routes(guarded(Action::SystemRead, routes!(check_task)))
        .routes(guarded(Action::SystemRead, routes!(check_machine)))
        .routes(guarded(Action::TaskCheck, routes!(preview)))
        .routes(guarded(Action::ApiRead, routes!(task_schema)))
}

/// In which form.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReportForm {
    /// `json`, `markdown` or `html`. Default `json`.
    format: Option<String>,
}

/// Report on a task: the verdict, what changed, the command, every experiment with its levels.
#[utoipa::path(get, path = "/api/tasks/{task}/report", tag = "tasks",
    params(("task" = String, Path, description = "Id, name or beginning of an id."), ReportForm),
    responses((status = 200, content((Object = "application/json"), (String = "text/markdown"), (String = "text/html")))))]
async fn report_of(
    State(app): State<App>,
    Permitted(permit): Permitted,
    Path(task): Path<String>,
    Params(query): Params<ReportForm>,
) -> Result<Response, Problem> {
    let word = query.format.as_deref().unwrap_or("json");
    let kind = match word {
        "json" => "application/json",
        "markdown" => "text/markdown; charset=utf-8",
        "html" => "text/html; charset=utf-8",
        _ => return Err(extract::invalid(format!("format: {word:?} is not one of json, markdown, html"))),
    };
    let format = Format::from_str(word).map_err(|error| extract::invalid(error.to_string()))?;
    let found = app.service().results(&permit, &task).await?;
    let text = report::render(&found, format).map_err(|error| tuner_app::AppError::Render(error.into()))?;
    Ok(([(header::CONTENT_TYPE, kind), (header::CONTENT_SECURITY_POLICY, REPORT_POLICY)], text).into_response())
}

/// How to start a configuration.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LaunchBody {
    /// A line for a shell on this machine; null where the task measures what others started.
    command: Option<String>,
    /// The image that the files name; `IMAGE` where the engine's project publishes none by a plain name.
    image: Option<String>,
    /// A Compose file.
    compose: Option<String>,
    /// A Deployment and a Service of Kubernetes.
    kubernetes: Option<String>,
}

/// Say how the configuration of an experiment is started: a command, a Compose file, a Kubernetes manifest.
#[utoipa::path(get, path = "/api/tasks/{task}/experiments/{number}/launch", tag = "experiments",
    params(("task" = String, Path, description = "Id, name or beginning of an id."),
        ("number" = u32, Path, description = "Its number.")),
    responses((status = 200, body = LaunchBody)))]
async fn launch(
    State(app): State<App>,
    Permitted(permit): Permitted,
    Path((task, number)): Path<(String, u32)>,
) -> Result<Json<LaunchBody>, Problem> {
    let how = app.service().launch(&permit, &task, number).await?;
    let (image, compose, kubernetes) = match how.files {
        Some(files) => (Some(files.image), Some(files.compose), Some(files.kubernetes)),
        None => (None, None, None),
    };
    Ok(Json(LaunchBody { command: how.command, image, compose, kubernetes }))
}

/// Say what the experiments of a task taught: importance of the parameters, effects of their values, Pareto front, failures.
#[utoipa::path(get, path = "/api/tasks/{task}/insight", tag = "tasks",
    params(("task" = String, Path, description = "Id, name or beginning of an id.")),
    responses((status = 200, body = Object)))]
async fn insight(
    State(app): State<App>,
    Permitted(permit): Permitted,
    Path(task): Path<String>,
) -> Result<Response, Problem> {
    Ok(json(&app.service().insight(&permit, &task).await?))
}

/// Which experiments.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct CompareWhich {
    /// Two to six numbers, separated by commas.
    experiments: String,
}

/// Put experiments of a task side by side: the parameters in which they differ, and their figures.
#[utoipa::path(get, path = "/api/tasks/{task}/compare", tag = "tasks",
    params(("task" = String, Path, description = "Id, name or beginning of an id."), CompareWhich),
    responses((status = 200, body = Object)))]
async fn compare(
    State(app): State<App>,
    Permitted(permit): Permitted,
    Path(task): Path<String>,
    Params(query): Params<CompareWhich>,
) -> Result<Response, Problem> {
    let wrong = |word: &str| extract::invalid(format!("experiments: {word:?} is no number of an experiment"));
    let numbers: Result<Vec<u32>, Problem> =
        query.experiments.split(',').map(|word| word.trim().parse().map_err(|_| wrong(word))).collect();
    Ok(json(&app.service().side_by_side(&permit, &task, &numbers?).await?))
}

/// What was looked at before a task runs.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CheckList {
    /// Each check with what was seen and what to do.
    items: Vec<CheckBody>,
    /// Always null: there is one part.
    next_cursor: Option<String>,
}

impl From<Vec<Check>> for CheckList {
    fn from(checks: Vec<Check>) -> Self {
        Self { items: checks.into_iter().map(CheckBody::from).collect(), next_cursor: None }
    }
}

/// Check a stored task against this machine: engine, model, memory, ports, data.
#[utoipa::path(get, path = "/api/tasks/{task}/check", tag = "tasks",
    params(("task" = String, Path, description = "Id, name or beginning of an id.")),
    responses((status = 200, body = CheckList)))]
async fn check_task(
    State(app): State<App>,
    Permitted(permit): Permitted,
    Path(task): Path<String>,
) -> Result<Json<CheckList>, Problem> {
    Ok(Json(app.service().check_stored_task(&permit, &task).await?.into()))
}

/// Check this machine: engines, GPUs, disk, clock, network.
#[utoipa::path(get, path = "/api/system/check", tag = "system", responses((status = 200, body = CheckList)))]
async fn check_machine(State(app): State<App>, Permitted(permit): Permitted) -> Result<Json<CheckList>, Problem> {
    Ok(Json(app.service().check_machine(&permit).await?.into()))
}

/// How much of a preview.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct PreviewWhich {
    /// Configurations beside the baseline, 1 to 200. Default 20.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<usize>,
}

/// A configuration before it runs.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PreviewItem {
    /// It is the baseline.
    baseline: bool,
    /// What it sets.
    #[schema(value_type = Object)]
    configuration: Value,
    /// The same in one line.
    text: String,
    /// The command that starts it; null where nothing is launched.
    command: Option<String>,
    /// Why it cannot run, where that is known beforehand.
    impossible: Option<String>,
}

/// What a document would start.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PreviewBody {
    /// Valid combinations; null where they cannot be listed.
    combinations: Option<usize>,
    /// Of them, how many cannot run, as far as is known beforehand; null where they cannot be listed.
    cannot_run: Option<usize>,
    /// The baseline, then the first others.
    configurations: Vec<PreviewItem>,
}

impl From<Preview> for PreviewBody {
    fn from(preview: Preview) -> Self {
        let item = |it: tuner_app::service::preview::Previewed| PreviewItem {
            baseline: it.baseline,
            configuration: serde_json::to_value(it.configuration).unwrap_or_default(),
            text: it.text,
            command: it.command,
            impossible: it.impossible,
        };
        Self {
            combinations: preview.combinations,
            cannot_run: preview.cannot_run,
            configurations: preview.configurations.into_iter().map(item).collect(),
        }
    }
}

/// Show what a document would start: configurations with their command lines, and which cannot run.
#[utoipa::path(post, path = "/api/tasks/preview", tag = "tasks", params(PreviewWhich),
    request_body(content((TaskDocument = "application/json"), (String = "application/yaml"))),
    responses((status = 200, body = PreviewBody)))]
async fn preview(
    State(app): State<App>,
    Permitted(permit): Permitted,
    Params(query): Params<PreviewWhich>,
    Sent(document): Sent,
) -> Result<Json<PreviewBody>, Problem> {
    let most = query.limit.unwrap_or(PREVIEWED);
    if !(1..=MOST_PREVIEWED).contains(&most) {
        return Err(extract::invalid(format!("limit: {most} is not between 1 and {MOST_PREVIEWED}")));
    }
    Ok(Json(app.service().preview_task(&permit, &document, most).await?.into()))
}

/// Give the JSON Schema of task documents.
#[utoipa::path(get, path = "/api/schema/task", tag = "tasks", responses((status = 200, body = Object)))]
async fn task_schema(Permitted(_permit): Permitted) -> Json<&'static Value> {
    Json(tuner_core::task::schema())
}

fn json(value: &impl Serialize) -> Response {
    answer::json(serde_json::to_string(value).unwrap_or_default())
}
