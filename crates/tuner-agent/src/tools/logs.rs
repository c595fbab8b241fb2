//! Reading logs. What stands in them was written by engines and whoever talks to them: it is data, never instructions.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use tuner_app::AppError;
use tuner_app::service::logs::Start;
use tuner_policy::Action;

use super::{Cx, Group, Intent, Kind, Tool, ToolError, does_to};

/// Lines that are given at most.
const LINES: usize = 500;
/// Of them, from the beginning.
const HEAD: usize = 100;
/// Bytes of a log that are looked through.
const MOST: u64 = 8 << 20;

pub(super) fn tools() -> Vec<Tool> {
    vec![Tool::of::<ExperimentLogs>(), Tool::of::<TaskLogs>(), Tool::of::<Search>()]
}

/// The lines of an experiment's engine log.
async fn lines(cx: &Cx, task: &str, number: u32) -> Result<Vec<String>, ToolError> {
    let permit = cx.permit(Action::LogRead)?;
    let row = cx.store().task(task).await?;
    let known = cx.store().load(row.id).await?;
    if !known.experiments.iter().any(|e| e.number == number) {
        let numbers: Vec<u32> = known.experiments.iter().map(|e| e.number).collect();
        return Err(ToolError::Other {
            code: "not_found",
            message: format!("task {:?} has no experiment {number}", row.name),
            hint: Some(format!("its experiments are {numbers:?}")),
        });
    }
    let log = cx.service.find_log(&permit, task, number, None).await?;
    let part = log.part(Start::End, MOST).await?;
    Ok(part.text.lines().map(str::to_owned).collect())
}

/// At most [`LINES`]: the first hundred, a marker, the last ones.
fn shown(lines: &[String], tail: Option<usize>) -> Vec<String> {
    if let Some(tail) = tail {
        return lines[lines.len().saturating_sub(tail.min(LINES))..].to_vec();
    }
    if lines.len() <= LINES {
        return lines.to_vec();
    }
    let left_out = lines.len() - LINES;
    let mut out = lines[..HEAD].to_vec();
    out.push(format!("[... {left_out} lines left out ...]"));
    out.extend_from_slice(&lines[lines.len() - (LINES - HEAD)..]);
    out
}

struct ExperimentLogs;

/// The engine's log of one experiment. Of more than 500 lines the first 100 and the last 400 are given.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ExperimentLogsArgs {
    /// Id, name or beginning of an id of the task.
    task_id: String,
    /// The experiment's number within its task, from 1.
    experiment_id: u32,
    /// Only so many of the last lines, at most 500.
    tail_lines: Option<usize>,
}

impl Kind for ExperimentLogs {
    const NAME: &'static str = "get_experiment_logs";
    const GROUP: Group = Group::Task;
    const UNTRUSTED: bool = true;
    type Args = ExperimentLogsArgs;

    fn intent(arguments: &ExperimentLogsArgs) -> Intent {
        does_to(format!("Read the log of experiment {}", arguments.experiment_id), &arguments.task_id)
    }

    async fn run(cx: Cx, arguments: ExperimentLogsArgs) -> Result<Value, ToolError> {
        let all = lines(&cx, &arguments.task_id, arguments.experiment_id).await?;
        Ok(json!({ "total_lines": all.len(), "lines": shown(&all, arguments.tail_lines) }))
    }
}

struct TaskLogs;

/// What happened to a task, as events in order: experiments, attempts, phases, notes, its end.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct TaskLogsArgs {
    /// Id, name or beginning of an id.
    task_id: String,
    /// The last so many events, 1 to 500. Default 100.
    tail_lines: Option<u32>,
}

impl Kind for TaskLogs {
    const NAME: &'static str = "get_task_logs";
    const GROUP: Group = Group::Task;
    const UNTRUSTED: bool = true;
    type Args = TaskLogsArgs;

    fn intent(arguments: &TaskLogsArgs) -> Intent {
        does_to("Read what happened to a task", &arguments.task_id)
    }

    async fn run(cx: Cx, arguments: TaskLogsArgs) -> Result<Value, ToolError> {
        cx.permit(Action::EventRead)?;
        let row = cx.store().task(&arguments.task_id).await?;
        let limit = arguments.tail_lines.unwrap_or(100).clamp(1, 500);
        let events = cx.store().recent_events(Some(row.id), limit).await?;
        let lines: Vec<Value> = events
            .iter()
            .map(|event| {
                let mut line = super::shown(event);
                // Whole evidence is long, and stands in the experiment.
                if let Some(fields) = line.as_object_mut() {
                    fields.remove("evidence");
                    fields.remove("task");
                }
                line
            })
            .collect();
        Ok(json!({ "events": lines }))
    }
}

struct Search;

/// Find lines in the engine log of an experiment, with lines around them.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SearchArgs {
    /// Id, name or beginning of an id of the task.
    task_id: String,
    /// The experiment's number within its task, from 1.
    experiment_id: u32,
    /// What to look for, in upper or lower case; words separated by | are alternatives. Default: error|exception|killed|out
    /// of memory.
    query: Option<String>,
    /// Lines before and after each hit, 0 to 50. Default 10.
    context_lines: Option<usize>,
}

impl Kind for Search {
    const NAME: &'static str = "search_experiment_logs";
    const GROUP: Group = Group::Task;
    const UNTRUSTED: bool = true;
    type Args = SearchArgs;

    fn intent(arguments: &SearchArgs) -> Intent {
        does_to(format!("Search the log of experiment {}", arguments.experiment_id), &arguments.task_id)
    }

    async fn run(cx: Cx, arguments: SearchArgs) -> Result<Value, ToolError> {
        let all = lines(&cx, &arguments.task_id, arguments.experiment_id).await?;
        let query = arguments.query.unwrap_or_else(|| "error|exception|killed|out of memory".to_owned()).to_lowercase();
        let words: Vec<&str> = query.split('|').map(str::trim).filter(|word| !word.is_empty()).collect();
        if words.is_empty() {
            return Err(ToolError::App(AppError::Invalid { field: "query", message: "it is empty".to_owned() }));
        }
        let around = arguments.context_lines.unwrap_or(10).min(50);
        let hits: Vec<usize> = all
            .iter()
            .enumerate()
            .filter(|(_, line)| {
                let line = line.to_lowercase();
                words.iter().any(|word| line.contains(word))
            })
            .map(|(at, _)| at)
            .collect();
        let mut parts: Vec<(usize, usize)> = Vec::new();
        for hit in hits.iter().take(20) {
            let (from, to) = (hit.saturating_sub(around), (hit + around + 1).min(all.len()));
            match parts.last_mut() {
                Some((_, end)) if from <= *end => *end = to,
                _ => parts.push((from, to)),
            }
        }
        let found: Vec<Value> =
            parts.into_iter().map(|(from, to)| json!({ "first_line": from + 1, "lines": all[from..to] })).collect();
        Ok(json!({ "total_lines": all.len(), "hits": hits.len(), "found": found }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// R13.2.
    #[test]
    fn of_a_long_log_the_first_hundred_and_the_last_four_hundred_lines_are_given() {
        let lines: Vec<String> = (1..=1200).map(|n| n.to_string()).collect();
        let out = shown(&lines, None);
        assert_eq!(out.len(), 501);
        assert_eq!(
            (out[99].as_str(), out[100].as_str(), out[101].as_str()),
            ("100", "[... 700 lines left out ...]", "801")
        );
        assert_eq!(out[500], "1200");
        assert_eq!(shown(&lines, Some(3)), ["1198", "1199", "1200"]);
        assert_eq!(shown(&lines[..7], Some(600)).len(), 7);
    }
}
