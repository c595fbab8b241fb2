//! Looking at workers: who is there, what they do, what they have.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use tuner_policy::Action;
use tuner_store::WorkerRow;

use super::{Cx, Group, Intent, Kind, Tool, ToolError, does, shown};

pub(super) fn tools() -> Vec<Tool> {
    vec![
        Tool::of::<WorkerStatus>(),
        Tool::of::<ListWorkers>(),
        Tool::of::<ShowWorker>(),
        Tool::of::<Slots>(),
        Tool::of::<Gpus>(),
    ]
}

pub(super) fn worker(row: &WorkerRow) -> Value {
    let (cpu, memory) = usage(row);
    json!({
        "id": row.id,
        "name": row.name,
        "running": row.alive,
        "pid": row.owner.pid,
        "host": row.owner.host,
        "version": row.version,
        "uptime_s": (row.heartbeat_at - row.registered_at).num_seconds().max(0),
        "last_heard_s_ago": row.silent_s,
        "cpu_s": cpu,
        "memory_mib": memory,
        "slots": row.slots,
        "busy_slots": row.load.busy_slots,
        "doing": row.load.jobs,
        "asked": row.asked,
        "gpus": shown(&row.capabilities.gpus),
    })
}

/// Processor seconds and memory of a worker of this host.
fn usage(row: &WorkerRow) -> (Option<f64>, Option<u64>) {
    if !tuner_runner::is_neighbour(&row.owner) || !row.alive {
        return (None, None);
    }
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", row.owner.pid)).unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|text| text.parse::<f64>().ok());
    // Fields 14 and 15 of the line, in hundredths of a second, as Linux counts for people everywhere.
    let cpu = ticks(11).zip(ticks(12)).map(|(user, system)| (user + system) / 100.0);
    let memory = fields.get(21).and_then(|text| text.parse::<u64>().ok()).map(|pages| (pages * 4096) >> 20);
    (cpu, memory)
}

struct WorkerStatus;

/// Whether the workers run: process id, host, version, uptime, CPU, memory, and what each is doing.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct WorkerStatusArgs {}

impl Kind for WorkerStatus {
    const NAME: &'static str = "get_arq_worker_status";
    const GROUP: Group = Group::System;
    type Args = WorkerStatusArgs;

    fn intent(_: &WorkerStatusArgs) -> Intent {
        does("Look at the workers")
    }

    async fn run(cx: Cx, _: WorkerStatusArgs) -> Result<Value, ToolError> {
        let rows = cx.service.list_workers(&cx.permit(Action::WorkerRead)?).await?;
        let alive = rows.iter().filter(|row| row.alive).count();
        Ok(json!({ "running": alive > 0, "alive": alive, "workers": rows.iter().map(worker).collect::<Vec<_>>() }))
    }
}

struct ListWorkers;

/// List the workers of all machines with what their hosts have (GPUs, engines, backends) and how busy they are.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ListWorkersArgs {}

impl Kind for ListWorkers {
    const NAME: &'static str = "list_distributed_workers";
    const GROUP: Group = Group::System;
    type Args = ListWorkersArgs;

    fn intent(_: &ListWorkersArgs) -> Intent {
        does("List the workers")
    }

    async fn run(cx: Cx, _: ListWorkersArgs) -> Result<Value, ToolError> {
        Ok(shown(&cx.service.list_workers(&cx.permit(Action::WorkerRead)?).await?))
    }
}

struct ShowWorker;

/// Show one worker: where it runs, what its host has, what it is doing, and what it was asked to do.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ShowWorkerArgs {
    /// Its id, the beginning of that, or its name.
    worker_id: String,
}

impl Kind for ShowWorker {
    const NAME: &'static str = "get_distributed_worker_status";
    const GROUP: Group = Group::System;
    type Args = ShowWorkerArgs;

    fn intent(arguments: &ShowWorkerArgs) -> Intent {
        does(format!("Look at worker {}", arguments.worker_id))
    }

    async fn run(cx: Cx, arguments: ShowWorkerArgs) -> Result<Value, ToolError> {
        Ok(shown(&the_worker(&cx, Some(&arguments.worker_id)).await?))
    }
}

struct Slots;

/// How many jobs each worker can run at once, how many it runs, and how many places are free in all; and the machines that
/// workers were deployed to, with how each is reached and whether its worker lives.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SlotsArgs {}

impl Kind for Slots {
    const NAME: &'static str = "list_worker_slots";
    const GROUP: Group = Group::System;
    type Args = SlotsArgs;

    fn intent(_: &SlotsArgs) -> Intent {
        does("Look at the workers' free places")
    }

    async fn run(cx: Cx, _: SlotsArgs) -> Result<Value, ToolError> {
        let all = cx.service.list_workers(&cx.permit(Action::WorkerRead)?).await?;
        let mut free = 0;
        let slots: Vec<Value> = all
            .iter()
            .filter(|row| row.alive)
            .map(|row| {
                let (slots, busy) = (row.slots, row.load.busy_slots);
                free += slots.saturating_sub(busy);
                json!({ "worker_id": row.id, "name": row.name, "host": row.owner.host, "slots": slots, "busy": busy })
            })
            .collect();
        let machines = cx.service.list_machines(&cx.permit(Action::WorkerRead)?).await?;
        let machines: Vec<Value> = machines
            .iter()
            .map(|machine| {
                json!({
                    "name": machine.name,
                    "status": machine.status,
                    "target": machine.target,
                    "host": machine.host,
                    "worker_id": machine.worker.as_ref().map(|row| row.id),
                    "deployed_at": machine.deployed_at,
                })
            })
            .collect();
        Ok(json!({ "free": free, "workers": slots, "machines": machines }))
    }
}

/// The worker that is meant: the one that is named, or the only one that lives.
pub(super) async fn the_worker(cx: &Cx, wanted: Option<&str>) -> Result<WorkerRow, ToolError> {
    let rows = cx.service.list_workers(&cx.permit(Action::WorkerRead)?).await?;
    let refuse = |message: String, rows: &[WorkerRow]| {
        let name = |row: &WorkerRow| row.name.as_ref().map(|name| format!("{name}, ")).unwrap_or_default();
        let known: Vec<String> = rows.iter().map(|row| format!("{} ({}{})", row.id, name(row), row.owner)).collect();
        ToolError::Other { code: "no_such_worker", message, hint: Some(format!("workers: {}", known.join(", "))) }
    };
    match wanted {
        Some(id) => {
            if rows.iter().any(|row| row.name.as_deref() == Some(id)) {
                return Ok(cx.service.find_worker(&cx.permit(Action::WorkerRead)?, id).await?);
            }
            let found: Vec<&WorkerRow> = rows.iter().filter(|row| row.id.to_string().starts_with(id)).collect();
            match found[..] {
                [row] if !id.is_empty() => Ok(row.clone()),
                _ => Err(refuse(format!("{id:?} names no worker, or several"), &rows)),
            }
        }
        None => {
            let alive: Vec<&WorkerRow> = rows.iter().filter(|row| row.alive).collect();
            match alive[..] {
                [row] => Ok(row.clone()),
                [] => Err(refuse("no worker lives".to_owned(), &rows)),
                _ => Err(refuse("several workers live; name one".to_owned(), &rows)),
            }
        }
    }
}

struct Gpus;

/// The GPUs of all machines that have a worker, and how many of them are free.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct GpusArgs {}

impl Kind for Gpus {
    const NAME: &'static str = "get_cluster_gpu_summary";
    const GROUP: Group = Group::System;
    type Args = GpusArgs;

    fn intent(_: &GpusArgs) -> Intent {
        does("Look at the GPUs")
    }

    async fn run(cx: Cx, _: GpusArgs) -> Result<Value, ToolError> {
        let rows = cx.service.list_workers(&cx.permit(Action::WorkerRead)?).await?;
        let hosts: Vec<Value> = rows
            .iter()
            .filter(|row| row.alive)
            .map(|row| {
                json!({
                    "host": row.owner.host,
                    "gpus": shown(&row.capabilities.gpus),
                    "free_gpus": row.load.free_gpus,
                })
            })
            .collect();
        let here = cx.service.gpus(&cx.permit(Action::SystemRead)?).await?;
        Ok(json!({ "workers": hosts, "this_machine": shown(&here) }))
    }
}
