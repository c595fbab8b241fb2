//! What is tried next: the search's own ideas, and somebody's wishes.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tuner_app::service::propose::MOST;
use tuner_core::Configuration;
use tuner_policy::chat::{Cost, Risk};
use tuner_policy::{Action, Scope};

use super::{Cx, Forecast, Group, Intent, Kind, Tool, ToolError, does_to};

pub(super) fn tools() -> Vec<Tool> {
    vec![Tool::of::<Propose>(), Tool::of::<Enqueue>()]
}

struct Propose;

/// What the search of a task would try next, learnt from its experiments so far: up to 8 configurations, the most promising
/// first. Nothing is started; enqueue_experiments has configurations of one's own choice tried next.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ProposeArgs {
    /// Id, name or beginning of an id.
    task_id: String,
    /// How many, 1 to 8. Default 3.
    #[schemars(range(min = 1, max = 8))]
    count: Option<u32>,
}

impl Kind for Propose {
    const NAME: &'static str = "propose_experiments";
    const GROUP: Group = Group::Task;
    type Args = ProposeArgs;

    fn intent(arguments: &ProposeArgs) -> Intent {
        does_to("Say what would be tried next", &arguments.task_id)
    }

    async fn run(cx: Cx, arguments: ProposeArgs) -> Result<Value, ToolError> {
        let count = arguments.count.unwrap_or(3).clamp(1, 8) as usize;
        let permit = cx.permit(Action::TaskRead)?;
        let next = cx.service.next_configurations(&permit, &arguments.task_id, count).await?;
        Ok(json!({ "exhausted": next.len() < count, "configurations": next }))
    }
}

struct Enqueue;

/// Have configurations tried next in a task that waits or runs, before what its search would try. They are points of its
/// search space and count in its budget; what was tried before is left out. Each is an object from parameter to value.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct EnqueueArgs {
    /// Id, name or beginning of an id.
    task_id: String,
    /// 1 to 20 configurations, each with every parameter that the task varies.
    #[schemars(length(min = 1, max = 20))]
    configurations: Vec<Map<String, Value>>,
}

impl EnqueueArgs {
    fn configurations(&self) -> Result<Vec<Configuration>, ToolError> {
        let read = |one: &Map<String, Value>| serde_json::from_value(Value::Object(one.clone()));
        let read: Result<_, _> = self.configurations.iter().map(read).collect();
        read.map_err(|error| ToolError::Invalid(format!("configurations: {error}")))
    }
}

impl Kind for Enqueue {
    const NAME: &'static str = "enqueue_experiments";
    const GROUP: Group = Group::Task;
    const SCOPE: Option<Scope> = Some(Scope::TaskRun);
    const RISK: Risk = Risk::Spends;
    type Args = EnqueueArgs;

    fn intent(arguments: &EnqueueArgs) -> Intent {
        does_to(format!("Try {} configurations next", arguments.configurations.len()), &arguments.task_id)
    }

    async fn dry_run(cx: Cx, arguments: EnqueueArgs) -> Result<Forecast, ToolError> {
        let configurations = arguments.configurations()?;
        let task = cx.service.show_task(&cx.permit(Action::TaskRead)?, &arguments.task_id).await?;
        let lines: Vec<String> = configurations.iter().map(Configuration::to_string).collect();
        let effects = json!({ "task": task.row.name, "status": task.row.status, "tried_next": lines });
        // They are of the task's own budget: nothing is spent beyond it.
        let experiments = u32::try_from(configurations.len().min(MOST)).unwrap_or(u32::MAX);
        Ok(Forecast { effects: Some(effects), cost: Cost { experiments, gpu_seconds: 0.0 } })
    }

    async fn run(cx: Cx, arguments: EnqueueArgs) -> Result<Value, ToolError> {
        let (service, configurations) = (cx.service.clone(), arguments.configurations()?);
        let task = arguments.task_id;
        let new = cx
            .change(Action::TaskPropose, &format!("task {task}"), |permit| {
                let task = task.clone();
                async move { service.propose(&permit, &task, &configurations).await }
            })
            .await?;
        let next = "they are tried as soon as a worker of the task is free; wait_for_task waits for its end";
        Ok(json!({ "enqueued": new, "next": next }))
    }
}
