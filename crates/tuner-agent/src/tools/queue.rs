//! The run queue (ARQ) and its workers.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use tuner_policy::chat::{Cost, Risk};
use tuner_policy::{Action, Scope};
use tuner_store::{Asked, JobFilter, JobStatus, WorkerRow};

use super::workers::{the_worker, worker};
use super::{Cx, Forecast, Group, Intent, Kind, Tool, ToolError, does, known, shown};

/// How long a worker has to come back.
const COMES_BACK: Duration = Duration::from_secs(90);
/// How often one looks whether it has.
const LOOK: Duration = Duration::from_millis(200);

pub(super) fn tools() -> Vec<Tool> {
    vec![
        Tool::of::<ListJobs>(),
        Tool::of::<Restart>(),
        Tool::of::<Drain>(),
        Tool::of::<CancelJob>(),
        Tool::of::<RetryJob>(),
    ]
}

struct ListJobs;

/// List jobs of the run queue with age, attempt, owner and state: those that wait, are scheduled or run, unless a status
/// is given.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ListJobsArgs {
    /// Only of this status: queued, running, succeeded, dead or cancelled.
    status: Option<String>,
    /// Jobs at most, 1 to 100. Default 30.
    limit: Option<u32>,
}

impl Kind for ListJobs {
    const NAME: &'static str = "list_arq_jobs";
    const GROUP: Group = Group::System;
    type Args = ListJobsArgs;

    fn intent(_: &ListJobsArgs) -> Intent {
        does("List the run queue's jobs")
    }

    async fn run(cx: Cx, arguments: ListJobsArgs) -> Result<Value, ToolError> {
        let statuses = match arguments.status {
            None => vec![JobStatus::Queued, JobStatus::Running],
            Some(word) => vec![known("status", &word, JobStatus::ALL, JobStatus::word)?],
        };
        let permit = cx.permit(Action::JobRead)?;
        let filter = JobFilter { statuses, ..JobFilter::default() };
        let page = cx.service.list_jobs(&permit, &filter, None, arguments.limit.unwrap_or(30).clamp(1, 100)).await?;
        let now = cx.store().lease_time().await?;
        let jobs: Vec<Value> = page
            .jobs
            .iter()
            .map(|job| {
                let state = match job.status {
                    JobStatus::Queued if job.run_after > now => "scheduled",
                    other => other.word(),
                };
                json!({
                    "id": job.id,
                    "kind": job.kind,
                    "state": state,
                    "task": job.task,
                    "age_s": (now - job.created_at).num_seconds().max(0),
                    "attempt": job.attempts,
                    "max_attempts": job.max_attempts,
                    "owner": job.worker.as_ref().map(ToString::to_string),
                    "run_after": job.run_after,
                    "progress": job.progress,
                    "error": job.last_error,
                })
            })
            .collect();
        Ok(json!({ "jobs": jobs, "more": page.next.is_some() }))
    }
}

/// What a restart of a worker interrupts.
async fn interrupted(cx: &Cx, row: &WorkerRow) -> Result<Value, ToolError> {
    let permit = cx.permit(Action::JobRead)?;
    let mut jobs = Vec::new();
    for id in &row.load.jobs {
        if let Ok(job) = cx.service.show_job(&permit, *id).await {
            let task = match job.task {
                Some(task) => cx.store().task(&task.to_string()).await.ok().map(|task| task.name),
                None => None,
            };
            jobs.push(json!({ "job": job.id, "kind": job.kind, "task": task, "progress": job.progress }));
        }
    }
    Ok(json!({
        "worker": row.id,
        "pid": row.owner.pid,
        "host": row.owner.host,
        "interrupts": jobs,
        "then": "what it runs is given back to the queue and goes on; nothing is lost",
    }))
}

struct Restart;

/// Restart a worker: it gives back what it runs, ends, and a new process takes its place. Works whoever started it. Tells
/// the new process id.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RestartArgs {
    /// The worker's id, the beginning of that, or its name; absent: the only one that lives.
    worker_id: Option<String>,
}

impl Kind for Restart {
    const NAME: &'static str = "restart_arq_worker";
    const GROUP: Group = Group::System;
    const SCOPE: Option<Scope> = Some(Scope::ArqControl);
    const RISK: Risk = Risk::Changes;
    const REPEATABLE: bool = false;
    const LIMIT: Duration = Duration::from_secs(120);
    type Args = RestartArgs;

    fn intent(arguments: &RestartArgs) -> Intent {
        does(match &arguments.worker_id {
            Some(id) => format!("Restart worker {id}"),
            None => "Restart the worker".to_owned(),
        })
    }

    async fn dry_run(cx: Cx, arguments: RestartArgs) -> Result<Forecast, ToolError> {
        let row = the_worker(&cx, arguments.worker_id.as_deref()).await?;
        Ok(Forecast { effects: Some(interrupted(&cx, &row).await?), cost: Cost::default() })
    }

    async fn run(cx: Cx, arguments: RestartArgs) -> Result<Value, ToolError> {
        let before = the_worker(&cx, arguments.worker_id.as_deref()).await?;
        let known: Vec<(String, u32)> = pids(&cx).await?;
        ask(&cx, &before, Asked::Restart).await?;
        let begun = tokio::time::Instant::now();
        loop {
            if cx.stop.is_cancelled() {
                return Err(ToolError::Stopped);
            }
            let rows = cx.service.list_workers(&cx.permit(Action::WorkerRead)?).await?;
            let fresh = rows.iter().find(|row| {
                row.alive
                    && row.owner.host == before.owner.host
                    && !known.contains(&(row.owner.host.clone(), row.owner.pid))
            });
            if let Some(row) = fresh {
                return Ok(json!({
                    "status": "restarted",
                    "old_pid": before.owner.pid,
                    "new_pid": row.owner.pid,
                    "worker": worker(row),
                    "log": "the worker's messages are on the standard error of whoever started it; of one that was deployed, \
                            in the folder `workers` of its data directory",
                }));
            }
            if begun.elapsed() > COMES_BACK {
                let gone = !rows.iter().any(|row| row.id == before.id && row.alive);
                let message = if gone {
                    "the worker ended, and no new one has come: nobody supervises it"
                } else {
                    "the worker has not obeyed yet: it finishes what it is doing first, or it hangs"
                };
                let hint = "look at `autotuner status`; start one with `autotuner worker`, or with restore_worker where it was deployed".to_owned();
                return Err(ToolError::Other { code: "not_restarted", message: message.to_owned(), hint: Some(hint) });
            }
            cx.progress(json!({ "text": "waiting for the new process", "elapsed_s": begun.elapsed().as_secs() }));
            tokio::time::sleep(LOOK).await;
        }
    }
}

async fn pids(cx: &Cx) -> Result<Vec<(String, u32)>, ToolError> {
    let rows = cx.service.list_workers(&cx.permit(Action::WorkerRead)?).await?;
    Ok(rows.into_iter().map(|row| (row.owner.host, row.owner.pid)).collect())
}

async fn ask(cx: &Cx, row: &WorkerRow, asked: Asked) -> Result<WorkerRow, ToolError> {
    let (service, id) = (cx.service.clone(), row.id);
    cx.change(Action::WorkerAsk, &format!("worker {id}: {asked}"), |permit| async move {
        service.ask_worker(&permit, id, asked).await
    })
    .await
}

struct Drain;

/// Have a worker finish what it runs and take nothing more (drain), run again (run), or give back what it runs and end
/// for good (stop).
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct DrainArgs {
    /// The worker's id, the beginning of that, or its name; absent: the only one that lives.
    worker_id: Option<String>,
    /// run, drain or stop.
    wish: String,
}

impl Kind for Drain {
    const NAME: &'static str = "control_arq_worker";
    const GROUP: Group = Group::System;
    const SCOPE: Option<Scope> = Some(Scope::ArqControl);
    const RISK: Risk = Risk::Changes;
    type Args = DrainArgs;

    fn intent(arguments: &DrainArgs) -> Intent {
        does(format!("Ask a worker to {}", arguments.wish))
    }

    async fn dry_run(cx: Cx, arguments: DrainArgs) -> Result<Forecast, ToolError> {
        let row = the_worker(&cx, arguments.worker_id.as_deref()).await?;
        Ok(Forecast { effects: Some(interrupted(&cx, &row).await?), cost: Cost::default() })
    }

    async fn run(cx: Cx, arguments: DrainArgs) -> Result<Value, ToolError> {
        let asked = match arguments.wish.as_str() {
            "run" => Asked::Run,
            "drain" => Asked::Drain,
            "stop" => Asked::Stop,
            other => return Err(ToolError::Invalid(format!("wish: {other:?} is not run, drain or stop"))),
        };
        let row = the_worker(&cx, arguments.worker_id.as_deref()).await?;
        Ok(worker(&ask(&cx, &row, asked).await?))
    }
}

/// The id of a job.
fn job_id(text: &str) -> Result<tuner_store::JobId, ToolError> {
    text.trim().parse().map_err(|_| ToolError::Invalid(format!("{text:?} is no id of a job; list_arq_jobs shows them")))
}

struct CancelJob;

/// Stop a job of the run queue.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CancelJobArgs {
    /// Its id.
    job_id: String,
}

impl Kind for CancelJob {
    const NAME: &'static str = "cancel_arq_job";
    const GROUP: Group = Group::System;
    const SCOPE: Option<Scope> = Some(Scope::ArqControl);
    const RISK: Risk = Risk::Changes;
    type Args = CancelJobArgs;

    fn intent(arguments: &CancelJobArgs) -> Intent {
        does(format!("Stop job {}", arguments.job_id))
    }

    async fn run(cx: Cx, arguments: CancelJobArgs) -> Result<Value, ToolError> {
        let (service, id) = (cx.service.clone(), job_id(&arguments.job_id)?);
        let act = |permit| async move { service.cancel_job(&permit, id).await };
        Ok(shown(&cx.change(Action::JobCancel, &format!("job {id}"), act).await?))
    }
}

struct RetryJob;

/// Have a dead or cancelled job of the run queue tried again.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RetryJobArgs {
    /// Its id.
    job_id: String,
}

impl Kind for RetryJob {
    const NAME: &'static str = "retry_arq_job";
    const GROUP: Group = Group::System;
    const SCOPE: Option<Scope> = Some(Scope::ArqControl);
    const RISK: Risk = Risk::Spends;
    const REPEATABLE: bool = false;
    type Args = RetryJobArgs;

    fn intent(arguments: &RetryJobArgs) -> Intent {
        does(format!("Try job {} again", arguments.job_id))
    }

    async fn run(cx: Cx, arguments: RetryJobArgs) -> Result<Value, ToolError> {
        let (service, id) = (cx.service.clone(), job_id(&arguments.job_id)?);
        let act = |permit| async move { service.retry_job(&permit, id).await };
        Ok(shown(&cx.change(Action::JobRetry, &format!("job {id}"), act).await?))
    }
}
