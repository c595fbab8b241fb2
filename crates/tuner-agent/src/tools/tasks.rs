//! Looking at tasks.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use tuner_app::service::tasks::Document;
use tuner_core::task::to_yaml;
use tuner_policy::Action;
use tuner_store::{FullTask, TaskQuery, TaskStatus};

use super::{Cx, Group, Intent, Kind, Tool, ToolError, does, does_to, known, shown};

pub(super) fn tools() -> Vec<Tool> {
    vec![
        Tool::of::<ListTasks>(),
        Tool::of::<GetById>(),
        Tool::of::<GetByName>(),
        Tool::of::<Validate>(),
        Tool::of::<Estimate>(),
        Tool::of::<Schema>(),
        Tool::of::<Engines>(),
        Tool::of::<Parameters>(),
    ]
}

struct ListTasks;

/// List tasks, newest first, with how many of their experiments ended how.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ListTasksArgs {
    /// Tasks to leave out from the beginning. Default 0.
    #[serde(default)]
    skip: u32,
    /// Tasks at most, 1 to 100. Default 20.
    #[schemars(range(min = 1, max = 100))]
    limit: Option<u32>,
    /// Only of this status: pending, running, cancelling, completed, failed or cancelled.
    status_filter: Option<String>,
    /// Only tasks with this in their name.
    name_contains: Option<String>,
}

impl Kind for ListTasks {
    const NAME: &'static str = "list_tasks";
    const GROUP: Group = Group::Task;
    type Args = ListTasksArgs;

    fn intent(_: &ListTasksArgs) -> Intent {
        does("List tasks")
    }

    async fn run(cx: Cx, arguments: ListTasksArgs) -> Result<Value, ToolError> {
        let permit = cx.permit(Action::TaskRead)?;
        let statuses = match &arguments.status_filter {
            None => Vec::new(),
            Some(word) => vec![known("status", word, TaskStatus::ALL, TaskStatus::word)?],
        };
        let limit = arguments.limit.unwrap_or(20).clamp(1, 100);
        let wanted = TaskQuery { statuses, name_contains: arguments.name_contains, ..TaskQuery::default() };
        let most = arguments.skip.saturating_add(limit).min(500);
        let page = cx.service.list_tasks(&permit, &wanted, None, most).await?;
        let tasks: Vec<Value> = page.rows().into_iter().skip(arguments.skip as usize).collect();
        Ok(json!({ "tasks": tasks, "more": page.next.is_some() }))
    }
}

/// A task as the model is shown it.
pub(super) fn detail(task: &FullTask) -> Value {
    json!({
        "id": task.row.id,
        "name": task.row.name,
        "status": task.row.status,
        "created_at": task.row.created_at,
        "started_at": task.row.started_at,
        "ended_at": task.row.ended_at,
        "failure": task.row.failure,
        "verdict": task.row.verdict,
        "gpu_seconds": task.row.gpu_seconds,
        "experiments": shown(&task.counts),
        "document": to_yaml(&task.spec),
    })
}

struct GetById;

/// Show a task with its whole document, status, verdict and how many experiments ended how.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct GetByIdArgs {
    /// The task's id, its name, or the beginning of its id.
    task_id: String,
}

impl Kind for GetById {
    const NAME: &'static str = "get_task_by_id";
    const GROUP: Group = Group::Task;
    const UNTRUSTED: bool = true;
    type Args = GetByIdArgs;

    fn intent(arguments: &GetByIdArgs) -> Intent {
        does_to("Show a task", &arguments.task_id)
    }

    async fn run(cx: Cx, arguments: GetByIdArgs) -> Result<Value, ToolError> {
        let permit = cx.permit(Action::TaskRead)?;
        Ok(detail(&cx.service.show_task(&permit, &arguments.task_id).await?))
    }
}

struct GetByName;

/// Show a task by its whole name.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct GetByNameArgs {
    /// The whole name.
    task_name: String,
}

impl Kind for GetByName {
    const NAME: &'static str = "get_task_by_name";
    const GROUP: Group = Group::Task;
    const UNTRUSTED: bool = true;
    type Args = GetByNameArgs;

    fn intent(arguments: &GetByNameArgs) -> Intent {
        does_to("Show a task", &arguments.task_name)
    }

    async fn run(cx: Cx, arguments: GetByNameArgs) -> Result<Value, ToolError> {
        let permit = cx.permit(Action::TaskRead)?;
        Ok(detail(&cx.service.task_by_name(&permit, &arguments.task_name).await?))
    }
}

/// A task document, in full.
#[derive(Deserialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum DocumentArg {
    /// YAML or JSON text.
    Text(String),
    /// The document itself.
    Object(serde_json::Map<String, Value>),
}

impl DocumentArg {
    pub(super) fn document(&self) -> Document {
        let text = match self {
            Self::Text(text) => text.clone(),
            Self::Object(fields) => Value::Object(fields.clone()).to_string(),
        };
        Document { text, backend: None }
    }

    /// The name that it gives the task.
    pub(super) fn name(&self) -> Option<String> {
        match self {
            Self::Object(fields) => fields.get("name").and_then(Value::as_str).map(str::to_owned),
            Self::Text(text) => {
                let (_, rest) = text.split_once("name:")?;
                let name = rest.split([',', '\n', '}']).next()?.trim().trim_matches(['"', '\'']);
                (!name.is_empty()).then(|| name.to_owned())
            }
        }
    }
}

struct Validate;

/// Say everything that is wrong with a task document, or worth knowing, without storing it. Use it before create_task.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ValidateArgs {
    /// The document: an object, or YAML or JSON text. get_task_schema says what can be in it.
    document: DocumentArg,
}

impl Kind for Validate {
    const NAME: &'static str = "validate_task";
    const GROUP: Group = Group::Task;
    type Args = ValidateArgs;

    fn intent(_: &ValidateArgs) -> Intent {
        does("Check a task document")
    }

    async fn run(cx: Cx, arguments: ValidateArgs) -> Result<Value, ToolError> {
        let permit = cx.permit(Action::TaskCheck)?;
        let checked = cx.service.check_task(&permit, &arguments.document.document()).await?;
        Ok(json!({
            "valid": checked.file.is_some(),
            "findings": checked.findings,
            "remarks": checked.remarks,
            "summary": checked.file.as_ref().map(tuner_app::tasks::summary),
        }))
    }
}

struct Estimate;

/// Say how many experiments, how much time and how many GPU-seconds a task document would cost, without storing it.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct EstimateArgs {
    /// The document: an object, or YAML or JSON text.
    document: DocumentArg,
}

impl Kind for Estimate {
    const NAME: &'static str = "estimate_task";
    const GROUP: Group = Group::Task;
    type Args = EstimateArgs;

    fn intent(_: &EstimateArgs) -> Intent {
        does("Estimate a task's cost")
    }

    async fn run(cx: Cx, arguments: EstimateArgs) -> Result<Value, ToolError> {
        let permit = cx.permit(Action::TaskCheck)?;
        Ok(shown(&cx.service.estimate_task(&permit, &arguments.document.document()).await?))
    }
}

struct Schema;

/// The JSON schema of task documents: every field with its meaning, type and default. Give a section to get only that.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SchemaArgs {
    /// A field of the top level, such as workload, load, budget, slos or search_space; absent: names of all, with one
    /// line each.
    section: Option<String>,
}

impl Kind for Schema {
    const NAME: &'static str = "get_task_schema";
    const GROUP: Group = Group::Task;
    type Args = SchemaArgs;

    fn intent(_: &SchemaArgs) -> Intent {
        does("Read the task schema")
    }

    async fn run(_: Cx, arguments: SchemaArgs) -> Result<Value, ToolError> {
        let schema = shown(&tuner_core::task::schema());
        let fields = schema["properties"].as_object().cloned().unwrap_or_default();
        let Some(section) = arguments.section else {
            let lines: serde_json::Map<String, Value> =
                fields.iter().map(|(name, field)| (name.clone(), field["description"].clone())).collect();
            return Ok(json!({ "fields": lines, "required": schema["required"] }));
        };
        let Some(field) = fields.get(&section) else {
            let known: Vec<&String> = fields.keys().collect();
            return Err(ToolError::Invalid(format!("there is no field {section:?}; there are {known:?}")));
        };
        // What the field refers to, and what that refers to.
        let mut wanted = refs(field);
        let mut definitions = serde_json::Map::new();
        while let Some(name) = wanted.pop() {
            if !definitions.contains_key(&name) {
                let definition = schema["$defs"][&name].clone();
                wanted.extend(refs(&definition));
                definitions.insert(name, definition);
            }
        }
        Ok(json!({ "field": field, "definitions": definitions }))
    }
}

fn refs(value: &Value) -> Vec<String> {
    match value {
        Value::Object(fields) => {
            let here = fields.get("$ref").and_then(Value::as_str).and_then(|r| r.strip_prefix("#/$defs/"));
            here.map(str::to_owned).into_iter().chain(fields.values().flat_map(refs)).collect()
        }
        Value::Array(items) => items.iter().flat_map(refs).collect(),
        _ => Vec::new(),
    }
}

struct Engines;

/// List the engines that can be tuned, with what is installed on this machine.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct EnginesArgs {}

impl Kind for Engines {
    const NAME: &'static str = "list_engines";
    const GROUP: Group = Group::Task;
    type Args = EnginesArgs;

    fn intent(_: &EnginesArgs) -> Intent {
        does("List engines")
    }

    async fn run(cx: Cx, _: EnginesArgs) -> Result<Value, ToolError> {
        Ok(shown(&cx.service.list_engines(&cx.permit(Action::EngineRead)?)?))
    }
}

struct Parameters;

/// Find parameters (flags) of an engine with their types, ranges, defaults and meaning.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ParametersArgs {
    /// The engine: sglang, vllm, tensorrt-llm, llama.cpp or simulated.
    engine: String,
    /// Only those with this in their name or meaning.
    query: Option<String>,
    /// Parameters at most, 1 to 100. Default 30.
    limit: Option<usize>,
}

impl Kind for Parameters {
    const NAME: &'static str = "list_engine_parameters";
    const GROUP: Group = Group::Task;
    type Args = ParametersArgs;

    fn intent(_: &ParametersArgs) -> Intent {
        does("Look up engine parameters")
    }

    async fn run(cx: Cx, arguments: ParametersArgs) -> Result<Value, ToolError> {
        let permit = cx.permit(Action::EngineRead)?;
        let all = shown(&cx.service.parameters(&permit, &arguments.engine, &Default::default())?);
        let query = arguments.query.unwrap_or_default().to_lowercase();
        let fits = |flag: &Value| flag.to_string().to_lowercase().contains(&query);
        let found: Vec<Value> = all.as_array().into_iter().flatten().filter(|flag| fits(flag)).cloned().collect();
        let limit = arguments.limit.unwrap_or(30).clamp(1, 100);
        let (total, shown) = (found.len(), found.into_iter().take(limit).collect::<Vec<_>>());
        Ok(json!({ "total": total, "parameters": shown }))
    }
}
