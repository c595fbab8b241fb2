//! `autotuner status`

use serde::Serialize;
use tuner_app::tune;
use tuner_store::{DeploymentRow, Holder, Resource, TaskFilter, TaskRow, TaskStatus};

use crate::exit::Exit;
use crate::settings::Settings;
use crate::ui;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

#[derive(Debug, Serialize)]
struct Answer {
    version: &'static str,
    data_dir: String,
    tasks: Vec<OpenTask>,
    deployments: Vec<DeploymentRow>,
}

#[derive(Debug, Serialize)]
struct OpenTask {
    #[serde(flatten)]
    row: TaskRow,
    holder: Option<Holder>,
    alive: bool,
}

pub(crate) async fn run(_: Args, settings: &Settings) -> anyhow::Result<Exit> {
    let home = settings.home();
    let store = tune::open_store(&home).await?;
    let statuses = vec![TaskStatus::Pending, TaskStatus::Running, TaskStatus::Cancelling];
    let mut tasks = Vec::new();
    for row in store.list_tasks(&TaskFilter { statuses }, None, 200).await?.tasks {
        let holder = store.holder(&Resource::task(row.id)).await?;
        let alive = holder.as_ref().is_some_and(|h| !tuner_runner::is_dead(&h.owner));
        tasks.push(OpenTask { row, holder, alive });
    }
    let answer = Answer {
        version: env!("CARGO_PKG_VERSION"),
        data_dir: home.root().display().to_string(),
        tasks,
        deployments: store.live_deployments().await?,
    };
    if settings.json {
        ui::json(&answer)?;
        return Ok(Exit::Success);
    }
    ui::answer(&format!("autotuner {}, data in {}", answer.version, answer.data_dir));
    if answer.tasks.is_empty() {
        ui::answer("no unfinished task");
    }
    for task in &answer.tasks {
        let who = match &task.holder {
            Some(holder) if task.alive => format!("worked on by {holder}"),
            Some(_) => format!("its worker died; go on with: autotuner tune --resume {}", task.row.name),
            None => format!("nobody works on it; go on with: autotuner tune --resume {}", task.row.name),
        };
        ui::answer(&format!("{} ({}): {who}", task.row.name, task.row.status));
    }
    for d in &answer.deployments {
        let pid = d.pid.map(|p| format!(" pid {p}")).unwrap_or_default();
        let port = d.port.map(|p| format!(" port {p}")).unwrap_or_default();
        ui::answer(&format!("deployment {} ({}){pid}{port}", d.id, d.state));
    }
    Ok(Exit::Success)
}
