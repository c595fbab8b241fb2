//! Making, running and removing tasks.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use tuner_app::service::tasks::Document;
use tuner_policy::chat::{Cost, Risk};
use tuner_policy::{Action, Scope};

use super::tasks::DocumentArg;
use super::{Cx, Forecast, Group, Intent, Kind, Tool, ToolError, does, does_to, shown};

pub(super) fn tools() -> Vec<Tool> {
    vec![
        Tool::of::<Create>(),
        Tool::of::<Edit>(),
        Tool::of::<Copy>(),
        Tool::of::<Describe>(),
        Tool::of::<Archive>(),
        Tool::of::<Start>(),
        Tool::of::<Cancel>(),
        Tool::of::<Restart>(),
        Tool::of::<Clear>(),
        Tool::of::<Delete>(),
    ]
}

/// What a task's document would cost, for cards and grants.
async fn cost_of(cx: &Cx, document: &Document) -> Result<Forecast, ToolError> {
    let estimate = cx.service.estimate_task(&cx.permit(Action::TaskCheck)?, document).await?;
    let gpu_seconds = estimate.gpu_seconds.map_or(0.0, |span| span.typical.unwrap_or(span.most));
    let cost = Cost { experiments: estimate.search_experiments + estimate.verification_experiments, gpu_seconds };
    Ok(Forecast { effects: Some(json!({ "estimate": estimate })), cost })
}

async fn cost_of_task(cx: &Cx, task: &str) -> Result<Forecast, ToolError> {
    let document = cx.service.document_of(&cx.permit(Action::TaskRead)?, task).await?;
    cost_of(cx, &document).await
}

/// What stands behind a task: what would be lost.
async fn contents(cx: &Cx, task: &str) -> Result<Forecast, ToolError> {
    let full = cx.service.show_task(&cx.permit(Action::TaskRead)?, task).await?;
    let effects = json!({ "task": full.row.name, "status": full.row.status, "experiments": shown(&full.counts) });
    Ok(Forecast { effects: Some(effects), cost: Cost::default() })
}

struct Create;

/// Store a new task. It does not run until start_task. The document is the whole task: model, engine, search space,
/// workload, load, objectives, SLOs, budget, backend; see get_task_schema. Check it with validate_task first.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CreateArgs {
    /// The document: an object, or YAML or JSON text.
    document: DocumentArg,
}

impl Kind for Create {
    const NAME: &'static str = "create_task";
    const GROUP: Group = Group::Task;
    const SCOPE: Option<Scope> = Some(Scope::TaskWrite);
    const RISK: Risk = Risk::Changes;
    type Args = CreateArgs;

    fn intent(arguments: &CreateArgs) -> Intent {
        does(format!("Create task {:?}", arguments.document.name().unwrap_or_default()))
    }

    async fn dry_run(cx: Cx, arguments: CreateArgs) -> Result<Forecast, ToolError> {
        let document = arguments.document.document();
        let checked = cx.service.check_task(&cx.permit(Action::TaskCheck)?, &document).await?;
        let mut forecast = match checked.file {
            Some(_) => cost_of(&cx, &document).await?,
            None => Forecast::default(),
        };
        let more = json!({ "valid": checked.file.is_some(), "findings": checked.findings, "remarks": checked.remarks });
        forecast.effects = Some(json!({ "check": more, "cost": forecast.effects }));
        // It costs nothing until it is started.
        forecast.cost = Cost::default();
        Ok(forecast)
    }

    async fn run(cx: Cx, arguments: CreateArgs) -> Result<Value, ToolError> {
        let document = arguments.document.document();
        let target = arguments.document.name().unwrap_or_default();
        // Under the call's id: made twice it is made once.
        let service = cx.service.clone();
        let row = cx
            .change(Action::TaskCreate, &format!("task {target}"), |permit| async move {
                service.create_task(&permit, &document).await
            })
            .await?;
        Ok(json!({ "id": row.id, "name": row.name, "status": row.status, "next": "start_task runs it" }))
    }
}

struct Edit;

/// Replace the document of a task that rests. Its results so far stay with the old revision.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct EditArgs {
    /// Id, name or beginning of an id.
    task_id: String,
    /// The whole new document: an object, or YAML or JSON text.
    document: DocumentArg,
}

impl Kind for Edit {
    const NAME: &'static str = "edit_task";
    const GROUP: Group = Group::Task;
    const SCOPE: Option<Scope> = Some(Scope::TaskWrite);
    const RISK: Risk = Risk::Changes;
    const REPEATABLE: bool = false;
    type Args = EditArgs;

    fn intent(arguments: &EditArgs) -> Intent {
        does_to("Replace a task's document", &arguments.task_id)
    }

    async fn dry_run(cx: Cx, arguments: EditArgs) -> Result<Forecast, ToolError> {
        let old = cx.service.document_of(&cx.permit(Action::TaskRead)?, &arguments.task_id).await?;
        let checked = cx.service.check_task(&cx.permit(Action::TaskCheck)?, &arguments.document.document()).await?;
        let new = checked.file.as_ref().map(|file| tuner_core::task::to_yaml(&file.spec));
        let effects = json!({ "before": old.text, "after": new, "findings": checked.findings });
        Ok(Forecast { effects: Some(effects), cost: Cost::default() })
    }

    async fn run(cx: Cx, arguments: EditArgs) -> Result<Value, ToolError> {
        let (service, document) = (cx.service.clone(), arguments.document.document());
        let task = arguments.task_id;
        let row = cx
            .change(Action::TaskEdit, &format!("task {task}"), |permit| {
                let task = task.clone();
                async move { service.edit_task(&permit, &task, &document).await }
            })
            .await?;
        Ok(json!({ "id": row.id, "name": row.name, "status": row.status }))
    }
}

struct Copy;

/// Store a copy of a task under another name.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CopyArgs {
    /// Id, name or beginning of an id.
    task_id: String,
    /// The copy's name; absent: the next free NAME-2.
    name: Option<String>,
}

impl Kind for Copy {
    const NAME: &'static str = "clone_task";
    const GROUP: Group = Group::Task;
    const SCOPE: Option<Scope> = Some(Scope::TaskWrite);
    const RISK: Risk = Risk::Changes;
    type Args = CopyArgs;

    fn intent(arguments: &CopyArgs) -> Intent {
        does_to("Copy a task", &arguments.task_id)
    }

    async fn run(cx: Cx, arguments: CopyArgs) -> Result<Value, ToolError> {
        let service = cx.service.clone();
        let CopyArgs { task_id, name } = arguments;
        let row = cx
            .change(Action::TaskClone, &format!("task {task_id}"), |permit| {
                let task = task_id.clone();
                async move { service.clone_task(&permit, &task, name.as_deref()).await }
            })
            .await?;
        Ok(json!({ "id": row.id, "name": row.name, "status": row.status }))
    }
}

struct Describe;

/// Change what a task is said to be for. It must rest; its results stay.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct DescribeArgs {
    /// Id, name or beginning of an id.
    task_id: String,
    /// The new description.
    description: String,
}

impl Kind for Describe {
    const NAME: &'static str = "update_task_description";
    const GROUP: Group = Group::Task;
    const SCOPE: Option<Scope> = Some(Scope::TaskWrite);
    const RISK: Risk = Risk::Changes;
    type Args = DescribeArgs;

    fn intent(arguments: &DescribeArgs) -> Intent {
        does_to(format!("Describe a task as {:?}", arguments.description), &arguments.task_id)
    }

    async fn run(cx: Cx, arguments: DescribeArgs) -> Result<Value, ToolError> {
        let DescribeArgs { task_id, description } = arguments;
        let fields = json!({ "description": description });
        super::database::edit_document(&cx, &task_id, &fields).await
    }
}

struct Archive;

/// Put a task away, so that lists leave it out, or back. Nothing is lost.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ArchiveArgs {
    /// Id, name or beginning of an id.
    task_id: String,
    /// False puts it back. Default true.
    archived: Option<bool>,
}

impl Kind for Archive {
    const NAME: &'static str = "archive_task";
    const GROUP: Group = Group::Task;
    const SCOPE: Option<Scope> = Some(Scope::TaskWrite);
    const RISK: Risk = Risk::Changes;
    type Args = ArchiveArgs;

    fn intent(arguments: &ArchiveArgs) -> Intent {
        let word = if arguments.archived.unwrap_or(true) { "Put a task away" } else { "Put a task back" };
        does_to(word, &arguments.task_id)
    }

    async fn run(cx: Cx, arguments: ArchiveArgs) -> Result<Value, ToolError> {
        let (service, away) = (cx.service.clone(), arguments.archived.unwrap_or(true));
        let task = arguments.task_id;
        cx.change(Action::TaskArchive, &format!("task {task}"), |permit| {
            let task = task.clone();
            async move { service.archive_task(&permit, &task, away).await.map(drop) }
        })
        .await?;
        Ok(json!({ "archived": away }))
    }
}

struct Start;

/// Queue a task for a worker, or go on with one that was cancelled or interrupted. wait_for_task waits for its end.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct StartArgs {
    /// Id, name or beginning of an id.
    task_id: String,
}

impl Kind for Start {
    const NAME: &'static str = "start_task";
    const GROUP: Group = Group::Task;
    const SCOPE: Option<Scope> = Some(Scope::TaskRun);
    const RISK: Risk = Risk::Spends;
    type Args = StartArgs;

    fn intent(arguments: &StartArgs) -> Intent {
        does_to("Run a task", &arguments.task_id)
    }

    async fn dry_run(cx: Cx, arguments: StartArgs) -> Result<Forecast, ToolError> {
        cost_of_task(&cx, &arguments.task_id).await
    }

    async fn run(cx: Cx, arguments: StartArgs) -> Result<Value, ToolError> {
        start(&cx, &arguments.task_id).await
    }
}

async fn start(cx: &Cx, task: &str) -> Result<Value, ToolError> {
    let service = cx.service.clone();
    let started = cx
        .change(Action::TaskStart, &format!("task {task}"), |permit| {
            let task = task.to_owned();
            async move { service.start_task(&permit, &task).await }
        })
        .await?;
    Ok(json!({ "job": started.job.id, "status": started.job.status, "waits_because": started.waits }))
}

struct Cancel;

/// Stop a task for good. What was measured stays; start_task goes on with it.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CancelArgs {
    /// Id, name or beginning of an id.
    task_id: String,
}

impl Kind for Cancel {
    const NAME: &'static str = "cancel_task";
    const GROUP: Group = Group::Task;
    const SCOPE: Option<Scope> = Some(Scope::TaskRun);
    const RISK: Risk = Risk::Changes;
    type Args = CancelArgs;

    fn intent(arguments: &CancelArgs) -> Intent {
        does_to("Cancel a task", &arguments.task_id)
    }

    async fn dry_run(cx: Cx, arguments: CancelArgs) -> Result<Forecast, ToolError> {
        contents(&cx, &arguments.task_id).await
    }

    async fn run(cx: Cx, arguments: CancelArgs) -> Result<Value, ToolError> {
        let service = cx.service.clone();
        let task = arguments.task_id;
        let status = cx
            .change(Action::TaskCancel, &format!("task {task}"), |permit| {
                let task = task.clone();
                async move { service.cancel_task(&permit, &task).await }
            })
            .await?;
        Ok(json!({ "status": status }))
    }
}

struct Restart;

/// Run a task again from the beginning: a fresh copy is made and started, and the old results stay with the old task.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RestartArgs {
    /// Id, name or beginning of an id.
    task_id: String,
}

impl Kind for Restart {
    const NAME: &'static str = "restart_task";
    const GROUP: Group = Group::Task;
    const SCOPE: Option<Scope> = Some(Scope::TaskRun);
    const RISK: Risk = Risk::Spends;
    type Args = RestartArgs;

    fn intent(arguments: &RestartArgs) -> Intent {
        does_to("Run a copy of a task from the beginning", &arguments.task_id)
    }

    async fn dry_run(cx: Cx, arguments: RestartArgs) -> Result<Forecast, ToolError> {
        cost_of_task(&cx, &arguments.task_id).await
    }

    async fn run(cx: Cx, arguments: RestartArgs) -> Result<Value, ToolError> {
        let service = cx.service.clone();
        let task = arguments.task_id;
        let row = cx
            .change(Action::TaskClone, &format!("task {task}"), |permit| {
                let task = task.clone();
                async move { service.clone_task(&permit, &task, None).await }
            })
            .await?;
        let started = start(&cx, &row.id.to_string()).await?;
        Ok(json!({ "id": row.id, "name": row.name, "started": started }))
    }
}

struct Clear;

/// Forget the results of a task and keep its document: the task is deleted and stored again under the same name.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ClearArgs {
    /// Id, name or beginning of an id.
    task_id: String,
}

impl Kind for Clear {
    const NAME: &'static str = "clear_task_data";
    const GROUP: Group = Group::Task;
    const SCOPE: Option<Scope> = Some(Scope::TaskDelete);
    const RISK: Risk = Risk::Shared;
    const REPEATABLE: bool = false;
    type Args = ClearArgs;

    fn intent(arguments: &ClearArgs) -> Intent {
        does_to("Forget all results of a task", &arguments.task_id)
    }

    async fn dry_run(cx: Cx, arguments: ClearArgs) -> Result<Forecast, ToolError> {
        contents(&cx, &arguments.task_id).await
    }

    async fn run(cx: Cx, arguments: ClearArgs) -> Result<Value, ToolError> {
        let document = cx.service.document_of(&cx.permit(Action::TaskRead)?, &arguments.task_id).await?;
        delete(&cx, &arguments.task_id).await?;
        let service = cx.service.clone();
        let row = cx
            .change(Action::TaskCreate, &format!("task {}", arguments.task_id), |permit| async move {
                service.create_task(&permit, &document).await
            })
            .await?;
        Ok(json!({ "id": row.id, "name": row.name, "status": row.status }))
    }
}

struct Delete;

/// Delete a task with all its experiments, logs and results, earlier revisions included. This cannot be taken back.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct DeleteArgs {
    /// Id, name or beginning of an id.
    task_id: String,
}

impl Kind for Delete {
    const NAME: &'static str = "delete_task";
    const GROUP: Group = Group::Task;
    const SCOPE: Option<Scope> = Some(Scope::TaskDelete);
    const RISK: Risk = Risk::Shared;
    const REPEATABLE: bool = false;
    type Args = DeleteArgs;

    fn intent(arguments: &DeleteArgs) -> Intent {
        does_to("Delete a task with all its results", &arguments.task_id)
    }

    async fn dry_run(cx: Cx, arguments: DeleteArgs) -> Result<Forecast, ToolError> {
        contents(&cx, &arguments.task_id).await
    }

    async fn run(cx: Cx, arguments: DeleteArgs) -> Result<Value, ToolError> {
        delete(&cx, &arguments.task_id).await?;
        Ok(json!({ "deleted": arguments.task_id }))
    }
}

async fn delete(cx: &Cx, task: &str) -> Result<(), ToolError> {
    let service = cx.service.clone();
    cx.change(Action::TaskDelete, &format!("task {task}"), |permit| {
        let task = task.to_owned();
        async move { service.delete_task(&permit, &task).await }
    })
    .await
}
