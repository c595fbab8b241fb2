//! `autotuner workers …`: who works, and what they are asked.

use tuner_app::machines::{self, Deploying, Setup};
use tuner_app::tune;
use tuner_store::{Asked, Store, WorkerRow};
use uuid::Uuid;

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
        /// Its name, its id or the beginning of that.
        worker: String,
    },
    /// Have a worker give back what it runs and end; its supervisor starts it anew.
    Restart {
        /// Its name, its id or the beginning of that.
        worker: String,
    },
    /// Have a worker give back what it runs and end.
    Stop {
        /// Its name, its id or the beginning of that.
        worker: String,
    },
    /// Have a drained worker claim jobs again.
    Run {
        /// Its name, its id or the beginning of that.
        worker: String,
    },
    /// Forget a worker that died.
    Remove {
        /// Its name, its id or the beginning of that.
        worker: String,
    },
    /// Start a worker on another machine over ssh, which copies this program there where that is needed. Needs a database
    /// that both machines reach. One that lives there already stays as it is.
    Deploy(Box<Deploy>),
    /// Bring the worker of a machine back that was deployed there before.
    Restore {
        /// What it is called.
        name: String,
        /// Copy this program again; a worker that runs gives back what it does, and another one takes its place.
        #[arg(long)]
        force: bool,
    },
    /// Give a worker another name, also one that was started by hand: it is then known by its host.
    Rename {
        /// Its name, its id or the beginning of that.
        worker: String,
        /// What it is called from now on.
        name: String,
    },
    /// List the machines that workers were deployed to, and those that only have a name.
    Machines,
    /// Forget a machine. A worker that lives there goes on, without a name.
    Forget {
        /// What it is called.
        name: String,
    },
}

/// A worker to deploy.
#[derive(Debug, clap::Args)]
pub(crate) struct Deploy {
    /// What it is called.
    name: String,
    /// The machine: USER@HOST, USER@HOST:PORT, or "ssh -p 2222 USER@HOST" in quotes.
    target: String,
    /// The port that its ssh server listens on.
    #[arg(long, value_name = "PORT")]
    port: Option<u16>,
    /// File of the private key; ssh's own choice without it.
    #[arg(long, value_name = "FILE")]
    identity: Option<String>,
    /// Jobs that it runs at once.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=256))]
    slots: u32,
    /// Do not copy this program there: the same version is installed.
    #[arg(long)]
    no_install: bool,
    /// Its data directory there [default: its user's own].
    #[arg(long, value_name = "DIR")]
    remote_dir: Option<String>,
    /// Where the database is reached from there, if that is elsewhere than from here.
    #[arg(long, value_name = "HOST[:PORT]")]
    database_host: Option<String>,
}

impl Deploy {
    fn setup(self) -> anyhow::Result<Setup> {
        let mut setup = Setup::reached_by(&self.target)?;
        setup.ssh.port = self.port.or(setup.ssh.port);
        setup.ssh.identity_file = self.identity.or(setup.ssh.identity_file);
        let Self { slots, no_install, remote_dir, database_host, .. } = self;
        Ok(Setup { slots, auto_install: !no_install, data_dir: remote_dir, database_host, ..setup })
    }
}

pub(crate) async fn run(command: Workers, settings: &Settings) -> anyhow::Result<Exit> {
    let store = tune::open_store(&settings.home()).await?;
    let (wanted, asked) = match command {
        Workers::List => return list(&store, settings).await,
        Workers::Machines => return list_machines(&store, settings).await,
        Workers::Deploy(deploy) => {
            let (name, setup) = (deploy.name.clone(), deploy.setup()?);
            return deployed(&store, settings, async |with| machines::deploy(with, Uuid::now_v7(), &name, setup).await)
                .await;
        }
        Workers::Restore { name, force } => {
            return deployed(&store, settings, async |with| machines::restore(with, &name, force).await).await;
        }
        Workers::Rename { worker, name } => {
            machines::rename(&store, Uuid::now_v7(), &worker, &name).await?;
            ui::say(&format!("{worker} is called {name}"));
            return Ok(Exit::Success);
        }
        Workers::Forget { name } => {
            machines::forget(&store, &name).await?;
            ui::say(&format!("machine {name} is forgotten"));
            return Ok(Exit::Success);
        }
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

/// Does what starts a worker elsewhere, and says how it went.
async fn deployed(
    store: &Store,
    settings: &Settings,
    work: impl AsyncFnOnce(Deploying<'_>) -> Result<machines::Deployed, tuner_app::AppError>,
) -> anyhow::Result<Exit> {
    let (home, around) = (settings.home(), settings.surroundings());
    let say = |text: String| ui::say(&text);
    let done = work(Deploying { store, home: &home, around: &around, say: &say }).await?;
    if settings.json {
        ui::json(&done)?;
        return Ok(Exit::Success);
    }
    ui::answer(&done.note());
    if let Some(log) = &done.log {
        ui::say(&format!("its messages are there in {}", log.display()));
    }
    Ok(Exit::Success)
}

async fn list_machines(store: &Store, settings: &Settings) -> anyhow::Result<Exit> {
    let found = machines::list(store).await?;
    if settings.json {
        ui::json(&found)?;
        return Ok(Exit::Success);
    }
    if found.is_empty() {
        ui::say("no machine is known; deploy a worker with: autotuner workers deploy NAME USER@HOST");
        return Ok(Exit::Success);
    }
    let mut table = Table::new(["name", "reached at", "host", "state", "worker", "deployed"]);
    for machine in found {
        table.row([
            machine.name,
            machine.target.unwrap_or_else(|| "only a name".to_owned()),
            machine.host.unwrap_or_default(),
            machine.status.to_owned(),
            machine.worker.map(|worker| worker.owner.to_string()).unwrap_or_default(),
            machine.deployed_at.map(|at| at.format("%Y-%m-%d %H:%M UTC").to_string()).unwrap_or_default(),
        ]);
    }
    ui::answer(&table.to_string());
    Ok(Exit::Success)
}

async fn find(store: &Store, wanted: &str) -> anyhow::Result<WorkerRow> {
    let mut found = store.list_workers().await?;
    if found.iter().any(|worker| worker.name.as_deref() == Some(wanted)) {
        return Ok(machines::find(store, wanted).await?);
    }
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
    let mut table = Table::new(["worker", "name", "process", "version", "state", "busy", "GPUs", "engines"]);
    for worker in &workers {
        let state = match (worker.alive, worker.asked) {
            (false, _) => format!("silent for {:.0} s", worker.silent_s),
            (true, Asked::Run) => "runs".to_owned(),
            (true, asked) => format!("asked to {asked}"),
        };
        let engines: Vec<&str> = worker.capabilities.engines.keys().map(String::as_str).collect();
        table.row([
            worker.id.to_string(),
            worker.name.clone().unwrap_or_default(),
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
