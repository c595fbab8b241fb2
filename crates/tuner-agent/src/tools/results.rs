//! Looking at experiments and results.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use tuner_policy::Action;
use tuner_store::{ExperimentQuery, ExperimentSort};

use super::{Cx, Group, Intent, Kind, Tool, ToolError, does_to, known, shown};

pub(super) fn tools() -> Vec<Tool> {
    vec![Tool::of::<ListExperiments>(), Tool::of::<Details>(), Tool::of::<Results>()]
}

struct ListExperiments;

/// List the experiments of a task: number, configuration, outcome, objective.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ListExperimentsArgs {
    /// Id, name or beginning of an id.
    task_id: String,
    /// Experiments to leave out from the beginning. Default 0.
    #[serde(default)]
    skip: u32,
    /// Experiments at most, 1 to 200. Default 50.
    #[schemars(range(min = 1, max = 200))]
    limit: Option<u32>,
    /// Only with this outcome: success, infeasible, pruned, failed, cancelled, or open for those that have not ended.
    status_filter: Option<String>,
    /// Order: number (default) or objective, best first.
    sort: Option<String>,
}

impl Kind for ListExperiments {
    const NAME: &'static str = "list_task_experiments";
    const GROUP: Group = Group::Task;
    const UNTRUSTED: bool = true;
    type Args = ListExperimentsArgs;

    fn intent(arguments: &ListExperimentsArgs) -> Intent {
        does_to("List experiments", &arguments.task_id)
    }

    async fn run(cx: Cx, arguments: ListExperimentsArgs) -> Result<Value, ToolError> {
        const OUTCOMES: [&str; 6] = ["success", "infeasible", "pruned", "failed", "cancelled", "open"];
        let permit = cx.permit(Action::ExperimentRead)?;
        let outcomes = match &arguments.status_filter {
            None => Vec::new(),
            Some(word) => vec![known("outcome", word, &OUTCOMES, |word| word)?.to_owned()],
        };
        let by_objective = match arguments.sort.as_deref() {
            None | Some("number") => false,
            Some("objective") => true,
            Some(other) => return Err(ToolError::Invalid(format!("sort: {other:?} is not number or objective"))),
        };
        let task = cx.store().task(&arguments.task_id).await?;
        let limit = arguments.limit.unwrap_or(50).clamp(1, 200);
        let fields = ["number", "role", "configuration", "outcome", "objective", "elapsed_s"].map(str::to_owned);
        let sort = if by_objective { ExperimentSort::Objective } else { ExperimentSort::default() };
        let query = ExperimentQuery { outcomes, sort, ..ExperimentQuery::default() };
        let most = arguments.skip.saturating_add(limit).min(500);
        let id = task.id.to_string();
        let page = cx.service.list_experiments(&permit, &id, &query, &fields, None, most).await?;
        let experiments: Vec<Value> = page.rows().into_iter().skip(arguments.skip as usize).collect();
        Ok(json!({ "task": task.name, "experiments": experiments, "more": page.next.is_some() }))
    }
}

struct Details;

/// Everything of one experiment: configuration, attempts, phases, measurements per level, SLOs missed, diagnosis of a
/// failure with its hint and last log lines, effective command, arguments read back.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct DetailsArgs {
    /// Id, name or beginning of an id of the task.
    task_id: String,
    /// The experiment's number within its task, from 1.
    experiment_id: u32,
}

impl Kind for Details {
    const NAME: &'static str = "get_experiment_details";
    const GROUP: Group = Group::Task;
    const UNTRUSTED: bool = true;
    type Args = DetailsArgs;

    fn intent(arguments: &DetailsArgs) -> Intent {
        does_to(format!("Show experiment {}", arguments.experiment_id), &arguments.task_id)
    }

    async fn run(cx: Cx, arguments: DetailsArgs) -> Result<Value, ToolError> {
        let report = cx.service.results(&cx.permit(Action::TaskRead)?, &arguments.task_id).await?;
        let number = arguments.experiment_id;
        let found = report.experiments.iter().find(|e| e.number == number);
        let known: Vec<u32> = report.experiments.iter().map(|e| e.number).collect();
        let absent = || ToolError::Invalid(format!("there is no experiment {number}; there are {known:?}"));
        let experiment = found.ok_or_else(absent)?;
        Ok(
            json!({ "task": report.task, "unit": report.unit, "objectives": report.objectives, "experiment": experiment }),
        )
    }
}

struct Results;

/// The result of a task: verdict with its interval, recommended configuration and command, what changed against the
/// baseline, counts by outcome; the best experiments, or all of them.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ResultsArgs {
    /// Id, name or beginning of an id.
    task_id: String,
    /// All experiments with their figures instead of the best five.
    #[serde(default)]
    include_all_experiments: bool,
}

impl Kind for Results {
    const NAME: &'static str = "get_task_results";
    const GROUP: Group = Group::Task;
    const UNTRUSTED: bool = true;
    type Args = ResultsArgs;

    fn intent(arguments: &ResultsArgs) -> Intent {
        does_to("Show a task's results", &arguments.task_id)
    }

    async fn run(cx: Cx, arguments: ResultsArgs) -> Result<Value, ToolError> {
        let report = cx.service.results(&cx.permit(Action::TaskRead)?, &arguments.task_id).await?;
        let mut experiments: Vec<_> = report.experiments.iter().filter(|e| e.objective.is_some()).collect();
        experiments.sort_by(|a, b| {
            let (a, b) = (a.objective.unwrap_or_default(), b.objective.unwrap_or_default());
            if report.smaller_is_better { a.total_cmp(&b) } else { b.total_cmp(&a) }
        });
        let brief = |e: &&tuner_app::report::ExperimentReport| {
            json!({
                "number": e.number,
                "role": e.role,
                "configuration": e.configuration_text,
                "outcome": e.outcome,
                "objective": e.objective,
                "improvement": e.improvement,
                "missed_slos": e.missed,
                "deciding_level": e.deciding_level,
            })
        };
        let listed: Vec<Value> = if arguments.include_all_experiments {
            report.experiments.iter().map(|e| brief(&e)).collect()
        } else {
            experiments.iter().take(5).map(brief).collect()
        };
        Ok(json!({
            "task": report.task,
            "finished": report.finished,
            "verdict": shown(&report.verdict),
            "objectives": report.objectives,
            "unit": report.unit,
            "slos": report.slos,
            "baseline": report.baseline,
            "best": report.best,
            "recommended": report.recommended,
            "changes": shown(&report.changes),
            "command": report.command,
            "outcomes": report.outcomes,
            "experiments": listed,
        }))
    }
}
