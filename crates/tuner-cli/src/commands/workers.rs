//! `autotuner workers …`: who works, and what they are asked.

use tuner_app::tune;
use tuner_store::{Asked, Store, WorkerRow};

use crate::exit::{Exit, Refusal};
use crate::settings::Settings;
use crate::ui;
use crate::ui::table::Table;

/// What can be done with workers. All but `list` are asked for in the database; a worker obeys within five seconds.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Workers {
    /// List the workers that are known, dead ones included.
    List,
    /// Have a worker finish what it runs and claim nothing more.
    Drain {
        /// Its id or the beginning of it.
        worker: String,
    },
    /// Have a worker give back what it runs and end; its supervisor starts it anew.
    Restart {
        /// Its id or the beginning of it.
        worker: String,
    },
    /// Have a worker give back what it runs and end.
    Stop {
        /// Its id or the beginning of it.
        worker: String,
    },
    /// Have a drained worker claim jobs again.
    Run {
        /// Its id or the beginning of it.
        worker: String,
    },
    /// Forget a worker that died.
    Remove {
        /// Its id or the beginning of it.
        worker: String,
    },
}

pub(crate) async fn run(command: Workers, settings: &Settings) -> anyhow::Result<Exit> {
    let store = tune::open_store(&settings.home()).await?;
    let (wanted, asked) = match command {
        Workers::List => return list(&store, settings).await,
        Workers::Remove { worker } => {
            let row = find(&store, &worker).await?;
            store.remove_worker(row.id).await?;
            ui::say(&format!("worker {} is forgotten", row.id));
            return Ok(Exit::Success);
        }
        Workers::Drain { worker } => (worker, Asked::Drain),
        Workers::Restart { worker } => (worker, Asked::Restart),
        Workers::Stop { worker } => (worker, Asked::Stop),
        Workers::Run { worker } => (worker, Asked::Run),
    };
    let row = find(&store, &wanted).await?;
    store.ask_worker(row.id, asked).await?;
    ui::say(&format!("worker {} ({}) is asked to {asked}", row.id, row.owner));
    if !row.alive {
        ui::say(&format!("note: it was last heard of {:.0} s ago", row.silent_s));
    }
    Ok(Exit::Success)
}

async fn find(store: &Store, wanted: &str) -> anyhow::Result<WorkerRow> {
    let mut found = store.list_workers().await?;
    found.retain(|worker| worker.id.to_string().starts_with(wanted));
    match (found.pop(), found.is_empty()) {
        (Some(one), true) => Ok(one),
        (Some(_), false) => {
            Err(Refusal::usage(format!("{wanted:?} begins the id of several workers"), "give more of it").into())
        }
        (None, _) => {
            Err(Refusal::usage(format!("no worker {wanted:?}"), "see them with: autotuner workers list").into())
        }
    }
}

async fn list(store: &Store, settings: &Settings) -> anyhow::Result<Exit> {
    let workers = store.list_workers().await?;
    if settings.json {
        ui::json(&workers)?;
        return Ok(Exit::Success);
    }
    if workers.is_empty() {
        ui::say("no worker is known; start one with: autotuner worker");
        return Ok(Exit::Success);
    }
    let mut table = Table::new(["worker", "process", "version", "state", "busy", "GPUs", "engines"]);
    for worker in &workers {
        let state = match (worker.alive, worker.asked) {
            (false, _) => format!("silent for {:.0} s", worker.silent_s),
            (true, Asked::Run) => "runs".to_owned(),
            (true, asked) => format!("asked to {asked}"),
        };
        let engines: Vec<&str> = worker.capabilities.engines.keys().map(String::as_str).collect();
        table.row([
            worker.id.to_string(),
            worker.owner.to_string(),
            worker.version.clone(),
            state,
            format!("{} of {}", worker.load.busy_slots, worker.slots),
            worker.capabilities.gpus.len().to_string(),
            engines.join(", "),
        ]);
    }
    ui::answer(&table.to_string());
    Ok(Exit::Success)
}
