//! Rows, by views that show what the person may see, and typed edits of single fields. There is no SQL here.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tuner_app::presets::PresetFilter;
use tuner_app::service::tasks::Document;
use tuner_policy::chat::{Cost, Risk};
use tuner_policy::{Action, Scope};
use tuner_store::{ExperimentQuery, JobFilter, TaskQuery};

use super::{Cx, Forecast, Group, Intent, Kind, Tool, ToolError, does, shown};

pub(super) fn tools() -> Vec<Tool> {
    vec![Tool::of::<Query>(), Tool::of::<Get>(), Tool::of::<Update>()]
}

/// What can be looked into.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum View {
    /// Tasks.
    Tasks,
    /// Experiments of a task: filter by task_id.
    Experiments,
    /// Presets.
    Presets,
    /// Jobs of the run queue.
    Jobs,
    /// Workers.
    Workers,
    /// Data sets.
    Datasets,
}

impl View {
    fn word(self) -> &'static str {
        match self {
            Self::Tasks => "tasks",
            Self::Experiments => "experiments",
            Self::Presets => "presets",
            Self::Jobs => "jobs",
            Self::Workers => "workers",
            Self::Datasets => "datasets",
        }
    }

    /// Its rows, newest first, as documents.
    async fn rows(self, cx: &Cx, task: Option<&str>) -> Result<Vec<Value>, ToolError> {
        let items = |value: Value| value.as_array().cloned().unwrap_or_default();
        Ok(match self {
            Self::Tasks => {
                let permit = cx.permit(Action::TaskRead)?;
                cx.service.list_tasks(&permit, &TaskQuery::default(), None, 500).await?.rows()
            }
            Self::Experiments => {
                let permit = cx.permit(Action::ExperimentRead)?;
                let task = task.ok_or_else(|| ToolError::Invalid("experiments: filter by task_id".to_owned()))?;
                let id = cx.store().task(task).await?.id.to_string();
                let query = ExperimentQuery::default();
                cx.service.list_experiments(&permit, &id, &query, &[], None, 500).await?.rows()
            }
            Self::Presets => {
                let permit = cx.permit(Action::PresetRead)?;
                items(shown(&cx.service.list_presets(&permit, &PresetFilter::default()).await?))
            }
            Self::Jobs => {
                let permit = cx.permit(Action::JobRead)?;
                items(shown(&cx.service.list_jobs(&permit, &JobFilter::default(), None, 500).await?.jobs))
            }
            Self::Workers => items(shown(&cx.service.list_workers(&cx.permit(Action::WorkerRead)?).await?)),
            Self::Datasets => items(shown(&cx.service.list_datasets(&cx.permit(Action::DatasetRead)?).await?)),
        })
    }
}

struct Query;

/// Look into a view of the database: tasks, experiments (filter by task_id), presets, jobs, workers or datasets.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct QueryArgs {
    /// The view.
    table_name: View,
    /// Fields and the values that they must have, such as {"status": "failed"}.
    #[serde(default)]
    filters: Map<String, Value>,
    /// Rows at most, 1 to 100. Default 10.
    limit: Option<usize>,
}

impl Kind for Query {
    const NAME: &'static str = "query_records";
    const GROUP: Group = Group::Database;
    const UNTRUSTED: bool = true;
    type Args = QueryArgs;

    fn intent(arguments: &QueryArgs) -> Intent {
        does(format!("Look into {}", arguments.table_name.word()))
    }

    async fn run(cx: Cx, arguments: QueryArgs) -> Result<Value, ToolError> {
        let mut filters = arguments.filters;
        let task = match arguments.table_name {
            View::Experiments => filters.remove("task_id").and_then(|v| v.as_str().map(str::to_owned)),
            _ => None,
        };
        let rows = arguments.table_name.rows(&cx, task.as_deref()).await?;
        if let (Some(row), Some(unknown)) =
            (rows.first(), filters.keys().find(|name| rows.iter().all(|row| row.get(name.as_str()).is_none())))
        {
            let known: Vec<&String> = row.as_object().into_iter().flatten().map(|(name, _)| name).collect();
            return Err(ToolError::Invalid(format!("there is no field {unknown:?}; there are {known:?}")));
        }
        let fits = |row: &&Value| filters.iter().all(|(name, wanted)| row.get(name) == Some(wanted));
        let found: Vec<&Value> = rows.iter().filter(fits).collect();
        let limit = arguments.limit.unwrap_or(10).clamp(1, 100);
        Ok(json!({ "total": found.len(), "rows": found.iter().take(limit).collect::<Vec<_>>() }))
    }
}

struct Get;

/// Show one row of a view by its id or name.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct GetArgs {
    /// The view; experiments have get_experiment_details.
    table_name: View,
    /// Id or name.
    record_id: String,
}

impl Kind for Get {
    const NAME: &'static str = "get_record_by_id";
    const GROUP: Group = Group::Database;
    const UNTRUSTED: bool = true;
    type Args = GetArgs;

    fn intent(arguments: &GetArgs) -> Intent {
        does(format!("Show {} of {}", arguments.record_id, arguments.table_name.word()))
    }

    async fn run(cx: Cx, arguments: GetArgs) -> Result<Value, ToolError> {
        if matches!(arguments.table_name, View::Tasks) {
            let permit = cx.permit(Action::TaskRead)?;
            return Ok(super::tasks::detail(&cx.service.show_task(&permit, &arguments.record_id).await?));
        }
        let rows = arguments.table_name.rows(&cx, None).await?;
        let is = |row: &&Value| ["id", "name"].iter().any(|field| row[*field].as_str() == Some(&arguments.record_id));
        rows.iter().find(is).cloned().ok_or_else(|| ToolError::Other {
            code: "not_found",
            message: format!("there is no {:?} in {}", arguments.record_id, arguments.table_name.word()),
            hint: Some("query_records lists what there is".to_owned()),
        })
    }
}

struct Update;

/// Change one field of a task that rests (name, description, budget, slos, objectives, load, workload, timeouts, retries,
/// seed, …: every field of its document), as a new revision that is checked like any other document.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct UpdateArgs {
    /// Always tasks: presets have update_preset.
    table_name: View,
    /// Id, name or beginning of an id.
    record_id: String,
    /// A field of the top level of the task's document.
    field_name: String,
    /// Its new value.
    field_value: Value,
}

impl Kind for Update {
    const NAME: &'static str = "update_database_field";
    const GROUP: Group = Group::Database;
    const SCOPE: Option<Scope> = Some(Scope::DatabaseWrite);
    const RISK: Risk = Risk::Changes;
    const REPEATABLE: bool = false;
    type Args = UpdateArgs;

    fn intent(arguments: &UpdateArgs) -> Intent {
        Intent {
            summary: format!("Set {} of a task to {}", arguments.field_name, arguments.field_value),
            task: Some(arguments.record_id.clone()),
        }
    }

    async fn dry_run(cx: Cx, arguments: UpdateArgs) -> Result<Forecast, ToolError> {
        let full = cx.service.show_task(&cx.permit(Action::TaskRead)?, &arguments.record_id).await?;
        let before = shown(&full.spec).get(&arguments.field_name).cloned().unwrap_or_default();
        let effects = json!({ "field": arguments.field_name, "before": before, "after": arguments.field_value });
        Ok(Forecast { effects: Some(effects), cost: Cost::default() })
    }

    async fn run(cx: Cx, arguments: UpdateArgs) -> Result<Value, ToolError> {
        if !matches!(arguments.table_name, View::Tasks) {
            let message = format!("fields of {} cannot be changed", arguments.table_name.word());
            let hint = Some("presets: update_preset; workers and jobs: their own tools".to_owned());
            return Err(ToolError::Other { code: "not_editable", message, hint });
        }
        edit_document(&cx, &arguments.record_id, &json!({ arguments.field_name: arguments.field_value })).await
    }
}

/// Makes a new revision of a task with some fields changed.
pub(super) async fn edit_document(cx: &Cx, task: &str, fields: &Value) -> Result<Value, ToolError> {
    let full = cx.service.show_task(&cx.permit(Action::TaskRead)?, task).await?;
    let mut document = shown(&full.spec);
    for (name, value) in fields.as_object().into_iter().flatten() {
        document[name] = value.clone();
    }
    let (service, document) = (cx.service.clone(), Document { text: document.to_string(), backend: None });
    let row = cx
        .change(Action::TaskEdit, &format!("task {task}"), |permit| {
            let task = task.to_owned();
            async move { service.edit_task(&permit, &task, &document).await }
        })
        .await?;
    Ok(json!({ "id": row.id, "name": row.name, "status": row.status, "changed": fields }))
}
