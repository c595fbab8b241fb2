//! `autotuner status`

use serde::Serialize;
use tuner_app::instance::{self, Server};
use tuner_app::standing::{self, Standing};
use tuner_app::tune;
use tuner_store::{Archived, Asked, DeploymentRow, TaskQuery, TaskStatus, WorkerRow};

use crate::exit::Exit;
use crate::settings::Settings;
use crate::ui;

#[derive(Debug, clap::Args)]
#[command(after_help = super::tasks::INTERRUPTED)]
pub(crate) struct Args {}

#[derive(Debug, Serialize)]
struct Answer {
    version: &'static str,
    data_dir: String,
    server: Option<Server>,
    workers: Vec<WorkerRow>,
    tasks: Vec<Standing>,
    deployments: Vec<DeploymentRow>,
}

pub(crate) async fn run(_: Args, settings: &Settings) -> anyhow::Result<Exit> {
    let home = settings.home();
    let store = tune::open_store(&home).await?;
    let statuses = vec![TaskStatus::Pending, TaskStatus::Running, TaskStatus::Cancelling];
    let open = TaskQuery { statuses, archived: Archived::With, replaced: true, ..TaskQuery::default() };
    let answer = Answer {
        version: env!("CARGO_PKG_VERSION"),
        data_dir: home.root().display().to_string(),
        server: instance::running(&home)?,
        workers: store.list_workers().await?,
        tasks: standing::list(&store, &open).await?,
        deployments: store.live_deployments().await?,
    };
    if settings.json {
        ui::json(&answer)?;
        return Ok(Exit::Success);
    }
    ui::answer(&format!("autotuner {}, data in {}", answer.version, answer.data_dir));
    match &answer.server {
        Some(s) => ui::answer(&format!(
            "server: pid {} on {}, http://{}, version {}, since {}",
            s.pid,
            s.host,
            s.address,
            s.version,
            s.since.format("%Y-%m-%d %H:%M:%S UTC")
        )),
        None => ui::answer("no server"),
    }
    if answer.workers.is_empty() {
        ui::answer("no worker");
    }
    for worker in &answer.workers {
        ui::answer(&format!("worker {}: {}", worker.id, in_words(worker)));
    }
    if answer.tasks.is_empty() {
        ui::answer("no unfinished task");
    }
    for task in &answer.tasks {
        let name = &task.row.name;
        let who = match &task.holder {
            Some(holder) if task.alive => format!("worked on by {holder}"),
            _ if task.queued => "waits for a worker".to_owned(),
            Some(_) => "its worker died".to_owned(),
            None => "nobody works on it".to_owned(),
        };
        let way = match task.row.status {
            _ if task.alive || task.queued => String::new(),
            TaskStatus::Cancelling => format!("; end it with: autotuner tasks cancel {name}"),
            _ => format!("; go on with: autotuner tune --resume {name}"),
        };
        ui::answer(&format!("{name} ({}): {who}{way}", task.word()));
        for running in &task.running {
            ui::answer(&format!("  experiment {}: {}", running.number, running.holder));
        }
    }
    for d in &answer.deployments {
        let pid = d.pid.map(|p| format!(" pid {p}")).unwrap_or_default();
        let port = d.port.map(|p| format!(" port {p}")).unwrap_or_default();
        ui::answer(&format!("deployment {} ({}){pid}{port}", d.id, d.state));
    }
    Ok(Exit::Success)
}

fn in_words(worker: &WorkerRow) -> String {
    let state = match (worker.alive, worker.asked) {
        (false, _) => format!("silent for {:.0} s", worker.silent_s),
        (true, Asked::Run) => format!("{} of {} slots busy", worker.load.busy_slots, worker.slots),
        (true, asked) => format!("asked to {asked}"),
    };
    let name = worker.name.as_ref().map(|name| format!("{name}: ")).unwrap_or_default();
    format!("{name}{}, version {}, {state}", worker.owner, worker.version)
}
