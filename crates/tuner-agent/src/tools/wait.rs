//! Waiting for tasks.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use tuner_policy::Action;
use tuner_store::Event;

use super::{Cx, Group, Intent, Kind, Tool, ToolError, does_to};

/// The longest wait.
const LONGEST: u64 = 3600;

pub(super) fn tools() -> Vec<Tool> {
    vec![Tool::of::<Wait>()]
}

struct Wait;

/// Wait until a task has ended, or its next experiment has, and say how it stands then. Wakes at once when it happens.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct WaitArgs {
    /// Id, name or beginning of an id.
    task_id: String,
    /// Seconds at most, 1 to 3600. Default 900.
    timeout_s: Option<u64>,
    /// Come back when the next experiment has ended, not only at the end of the task.
    #[serde(default)]
    next_experiment: bool,
}

impl Kind for Wait {
    const NAME: &'static str = "wait_for_task";
    const GROUP: Group = Group::Task;
    const LIMIT: Duration = Duration::from_secs(LONGEST + 60);
    type Args = WaitArgs;

    fn intent(arguments: &WaitArgs) -> Intent {
        does_to("Wait for a task", &arguments.task_id)
    }

    async fn run(cx: Cx, arguments: WaitArgs) -> Result<Value, ToolError> {
        let permit = cx.permit(Action::TaskRead)?;
        let row = cx.store().task(&arguments.task_id).await?;
        let id = row.id.to_string();
        let from = cx.store().last_event_seq().await?;
        let limit = Duration::from_secs(arguments.timeout_s.unwrap_or(900).clamp(1, LONGEST));
        let waited = tokio::time::timeout(
            limit,
            cx.stop.run_until_cancelled(happens(&cx, &id, from, arguments.next_experiment)),
        );
        let why = match waited.await {
            Err(_) => "time is up",
            Ok(None) => return Err(ToolError::Stopped),
            Ok(Some(happened)) => happened?,
        };
        let full = cx.service.show_task(&permit, &id).await?;
        Ok(json!({
            "because": why,
            "status": full.row.status,
            "experiments": super::shown(&full.counts),
            "failure": full.row.failure,
            "verdict": full.row.verdict,
        }))
    }
}

/// Waits until something happened that is waited for.
async fn happens(cx: &Cx, id: &str, from: i64, next: bool) -> Result<&'static str, ToolError> {
    let row = cx.store().task(id).await?;
    if row.status.is_end() {
        return Ok("the task had ended already");
    }
    let mut follower = cx.store().follow(from, Some(row.id));
    let mut ended = 0;
    loop {
        for event in follower.next(100).await? {
            match event.event {
                Event::TaskEnded { .. } => return Ok("the task has ended"),
                Event::TaskDeleted { .. } => return Ok("the task was deleted"),
                Event::ExperimentEnded { .. } if next => return Ok("an experiment has ended"),
                Event::ExperimentEnded { .. } => {
                    ended += 1;
                    cx.progress(json!({ "text": format!("{ended} experiments have ended since") }));
                }
                _ => {}
            }
        }
    }
}
