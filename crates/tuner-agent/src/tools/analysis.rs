//! What experiments taught.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use tuner_policy::Action;

use super::{Cx, Group, Intent, Kind, Tool, ToolError, does_to, shown};

pub(super) fn tools() -> Vec<Tool> {
    vec![
        Tool::of::<Explain>(),
        Tool::of::<Compare>(),
        Tool::of::<Slos>(),
        Tool::of::<DoctorTask>(),
        Tool::of::<Chart>(),
    ]
}

struct Explain;

/// Which parameters matter (share of the variation they explain), what each value did on average, which experiments no
/// other one beats (Pareto front), and why experiments were not measured.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ExplainArgs {
    /// Id, name or beginning of an id.
    task_id: String,
}

impl Kind for Explain {
    const NAME: &'static str = "explain_task";
    const GROUP: Group = Group::Task;
    const UNTRUSTED: bool = true;
    type Args = ExplainArgs;

    fn intent(arguments: &ExplainArgs) -> Intent {
        does_to("Explain what a task's parameters did", &arguments.task_id)
    }

    async fn run(cx: Cx, arguments: ExplainArgs) -> Result<Value, ToolError> {
        let mut insight = cx.service.insight(&cx.permit(Action::TaskRead)?, &arguments.task_id).await?;
        // Points of lines that the page draws: too many for a model, which learns nothing from them.
        insight.expected = None;
        Ok(shown(&insight))
    }
}

struct Compare;

/// Put two to six experiments of a task side by side: the parameters in which they differ, and all their figures.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CompareArgs {
    /// Id, name or beginning of an id of the task.
    task_id: String,
    /// Numbers of the experiments.
    experiments: Vec<u32>,
}

impl Kind for Compare {
    const NAME: &'static str = "compare_configurations";
    const GROUP: Group = Group::Task;
    type Args = CompareArgs;

    fn intent(arguments: &CompareArgs) -> Intent {
        does_to(format!("Compare experiments {:?}", arguments.experiments), &arguments.task_id)
    }

    async fn run(cx: Cx, arguments: CompareArgs) -> Result<Value, ToolError> {
        let permit = cx.permit(Action::ExperimentRead)?;
        Ok(shown(&cx.service.side_by_side(&permit, &arguments.task_id, &arguments.experiments).await?))
    }
}

struct Slos;

/// Which service levels (SLOs) the experiments of a task missed, how often, and which came closest to meeting all.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SlosArgs {
    /// Id, name or beginning of an id.
    task_id: String,
}

impl Kind for Slos {
    const NAME: &'static str = "analyze_slo_violations";
    const GROUP: Group = Group::Task;
    type Args = SlosArgs;

    fn intent(arguments: &SlosArgs) -> Intent {
        does_to("Look at missed SLOs", &arguments.task_id)
    }

    async fn run(cx: Cx, arguments: SlosArgs) -> Result<Value, ToolError> {
        let report = cx.service.results(&cx.permit(Action::TaskRead)?, &arguments.task_id).await?;
        let measured: Vec<_> = report.experiments.iter().filter(|e| e.objective.is_some()).collect();
        let missing: Vec<Value> = measured
            .iter()
            .filter(|e| !e.missed.is_empty())
            .map(|e| {
                json!({
                    "experiment": e.number,
                    "configuration": e.configuration_text,
                    "missed": e.missed,
                    "class": e.class,
                    "level": e.deciding_level,
                })
            })
            .collect();
        let meeting: Vec<u32> = measured.iter().filter(|e| e.missed.is_empty()).map(|e| e.number).collect();
        Ok(json!({
            "slos": report.slos,
            "measured": measured.len(),
            "meet_all": meeting,
            "miss": missing,
            "note": if report.slos.is_empty() { "the task has no SLOs" } else { "" },
        }))
    }
}

struct DoctorTask;

/// Run the pre-flight checks of a task against this machine: engine, model, disk, GPUs, memory, data sets.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct DoctorTaskArgs {
    /// Id, name or beginning of an id.
    task_id: String,
}

impl Kind for DoctorTask {
    const NAME: &'static str = "check_task_preflight";
    const GROUP: Group = Group::Task;
    type Args = DoctorTaskArgs;

    fn intent(arguments: &DoctorTaskArgs) -> Intent {
        does_to("Check whether a task can run here", &arguments.task_id)
    }

    async fn run(cx: Cx, arguments: DoctorTaskArgs) -> Result<Value, ToolError> {
        let checks = cx.service.check_stored_task(&cx.permit(Action::SystemRead)?, &arguments.task_id).await?;
        Ok(json!({ "checks": checks }))
    }
}

struct Chart;

/// Show the user a plot of a task, which the page draws with its own components. Give what to plot; no code.
#[derive(Deserialize, JsonSchema, serde::Serialize)]
#[serde(deny_unknown_fields)]
struct ChartArgs {
    /// Id, name or beginning of an id of the task.
    task_id: String,
    /// What to draw.
    kind: ChartKind,
    /// Figure on the x axis, such as ttft_p99 or a parameter's name, where the kind takes one.
    x: Option<String>,
    /// Figure on the y axis, such as output_throughput, where the kind takes one.
    y: Option<String>,
    /// Only these experiments.
    experiments: Option<Vec<u32>>,
}

/// The plots of the page.
#[derive(Deserialize, JsonSchema, serde::Serialize)]
#[serde(rename_all = "snake_case")]
enum ChartKind {
    /// Objective over experiment numbers with the best so far.
    History,
    /// Two figures against each other with the front.
    Pareto,
    /// Throughput against latency, one line a configuration.
    ThroughputLatency,
    /// Every parameter an axis.
    ParallelCoordinates,
    /// Shares of the parameters.
    Importance,
    /// One parameter against the objective.
    Slice,
    /// Phases over time.
    Timeline,
    /// What failed, and where.
    Feasibility,
}

impl Kind for Chart {
    const NAME: &'static str = "show_chart";
    const GROUP: Group = Group::Chat;
    type Args = ChartArgs;

    fn intent(arguments: &ChartArgs) -> Intent {
        does_to("Show a plot", &arguments.task_id)
    }

    async fn run(cx: Cx, arguments: ChartArgs) -> Result<Value, ToolError> {
        let task = cx.service.show_task(&cx.permit(Action::TaskRead)?, &arguments.task_id).await?;
        let mut view = shown(&arguments);
        view["task_id"] = task.row.id.to_string().into();
        Ok(json!({ "view": view, "shown": "the user sees the plot beside this message" }))
    }
}
