//! `autotuner tasks …`

use std::path::PathBuf;

use tuner_app::tasks::Known;
use tuner_app::{forecast, queue, standing, tasks, tune};
use tuner_core::task;
use tuner_store::{Archived, TaskQuery, TaskStatus};

use crate::exit::Exit;
use crate::settings::Settings;
use crate::ui;
use crate::ui::table::Table;

/// Also for `autotuner status`.
pub(crate) const INTERRUPTED: &str = "A task that was begun and that nobody works on is interrupted: a word in the text, \
a field in JSON beside the stored status.\nIt goes on with: autotuner tune --resume TASK, or autotuner tasks start TASK for a worker.";

/// What can be done with tasks.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Tasks {
    /// List the stored tasks, newest first.
    #[command(after_help = INTERRUPTED)]
    List {
        /// With those that were put away.
        #[arg(long)]
        archived: bool,
        /// With the revisions that edits replaced, called NAME.rN.
        #[arg(long)]
        replaced: bool,
    },
    /// Show a task with every default filled in: a stored one by name, or a file.
    Show {
        /// Name, id, beginning of an id, or a task file.
        task: String,
    },
    /// Check a task file and say everything that is wrong with it.
    Check {
        /// The file.
        file: PathBuf,
    },
    /// Translate a task file of the predecessor, with a note for each field that changes.
    Import {
        /// The predecessor's file (JSON or YAML).
        file: PathBuf,
        /// Write the task here instead of standard output.
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
        /// Where it shall run, instead of the file's deployment_mode.
        #[arg(long, value_enum)]
        backend: Option<ImportBackend>,
    },
    /// Queue a task for a worker: a file, or a stored task that is pending, interrupted, cancelled or failed.
    Start {
        /// A task file, or a name, id or beginning of an id.
        task: String,
    },
    /// Ask whoever works on a task to stop it for good.
    Cancel {
        /// Name, id or beginning of an id.
        task: String,
    },
    /// Delete a task with its experiments, events and logs.
    Delete {
        /// Name, id or beginning of an id.
        task: String,
        /// Do not ask.
        #[arg(long, short)]
        yes: bool,
    },
}

/// Backends an imported task can run on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum ImportBackend {
    /// Processes of this machine.
    Local,
    /// The simulated engine in virtual time.
    Virtual,
}

pub(crate) async fn run(command: Tasks, settings: &Settings) -> anyhow::Result<Exit> {
    let home = settings.home();
    match command {
        Tasks::List { archived, replaced } => {
            let archived = if archived { Archived::With } else { Archived::Without };
            list(&TaskQuery { archived, replaced, ..TaskQuery::default() }, settings).await
        }
        Tasks::Show { task } => show(&task, settings).await,
        Tasks::Check { file } => {
            let file = tasks::read_file(&file, &Known::at(&home).await?)?;
            remark(&file, settings);
            ui::answer(&tasks::summary(&file));
            Ok(Exit::Success)
        }
        Tasks::Import { file, output, backend } => {
            let backend = backend.map(|b| match b {
                ImportBackend::Local => task::BackendSpec::Local,
                ImportBackend::Virtual => task::BackendSpec::Virtual,
            });
            let imported = tasks::import(&file, backend)?;
            imported.notes.iter().for_each(|note| ui::say(note));
            match output {
                Some(place) => {
                    tuner_app::results::write(&place, &imported.yaml)?;
                    ui::say(&format!("written to {}; run it with: autotuner tune {0}", place.display()));
                }
                None => ui::answer(&imported.yaml),
            }
            Ok(Exit::Success)
        }
        Tasks::Start { task } => start(&task, settings).await,
        Tasks::Cancel { task } => {
            let store = tune::open_store(&home).await?;
            let row = store.task(&task).await?;
            if row.status.is_end() {
                ui::say(&format!("task {} has already ended ({}); there is nothing to cancel", row.name, row.status));
                return Ok(Exit::Success);
            }
            let status = tune::cancel(&home, &store, &row, &settings.surroundings()).await?;
            let way = match status {
                TaskStatus::Cancelled => format!("; take it up again with: autotuner tune --resume {}", row.name),
                _ => String::new(),
            };
            ui::say(&format!("task {} is {status}{way}", row.name));
            Ok(Exit::Success)
        }
        Tasks::Delete { task, yes } => {
            let store = tune::open_store(&home).await?;
            let row = store.task(&task).await?;
            if !yes && !ui::confirm(&format!("delete task {} with all its results?", row.name)) {
                ui::say("nothing was deleted; to delete without a question, say --yes");
                return Ok(Exit::Usage);
            }
            tasks::delete(&store, &home, &row).await?;
            ui::say(&format!("deleted {}", row.name));
            Ok(Exit::Success)
        }
    }
}

async fn start(wanted: &str, settings: &Settings) -> anyhow::Result<Exit> {
    let store = tune::open_store(&settings.home()).await?;
    let path = PathBuf::from(wanted);
    let row = if path.is_file() {
        let file = tasks::read_file(&path, &Known::of(&store).await?)?;
        remark(&file, settings);
        tasks::create(&store, &file).await?
    } else {
        store.task(wanted).await?
    };
    let job = queue::start(&store, &row).await?;
    if settings.json {
        ui::json(&job)?;
        return Ok(Exit::Success);
    }
    ui::say(&format!("task {} is {}, job {}", row.name, job.status, job.id));
    if let Some(why) = queue::nobody_can(&store, &job.needs).await? {
        ui::say(&format!("note: it waits: {why}"));
    }
    Ok(Exit::Success)
}

async fn list(wanted: &TaskQuery, settings: &Settings) -> anyhow::Result<Exit> {
    let store = tune::open_store(&settings.home()).await?;
    let tasks = standing::list(&store, wanted).await?;
    if settings.json {
        ui::json(&tasks)?;
        return Ok(Exit::Success);
    }
    if tasks.is_empty() {
        ui::say("no tasks yet; begin with: autotuner tune FILE");
        return Ok(Exit::Success);
    }
    let mut table = Table::new(["task", "engine", "status", "verdict", "created", "id"]);
    for task in &tasks {
        let row = &task.row;
        let verdict = row.verdict.as_ref().and_then(|v| v.get("decision")?.as_str().map(|s| s.replace('_', " ")));
        table.row([
            row.name.clone(),
            row.engine.clone(),
            task.word(),
            verdict.or(row.failure.clone()).unwrap_or_default(),
            row.created_at.format("%Y-%m-%d %H:%M UTC").to_string(),
            row.id.to_string(),
        ]);
    }
    ui::answer(&table.to_string());
    if let Some(task) = tasks.iter().find(|task| task.interrupted) {
        ui::say(&format!("go on with an interrupted one: autotuner tune --resume {}", task.row.name));
    }
    Ok(Exit::Success)
}

/// Says what is worth knowing of a file, and which of its configurations this machine is too small for.
fn remark(file: &tasks::TaskFile, settings: &Settings) {
    let foretold = forecast::notes(&settings.home(), file, &settings.surroundings());
    file.remarks().iter().chain(&foretold).for_each(|remark| ui::say(remark));
}

async fn show(wanted: &str, settings: &Settings) -> anyhow::Result<Exit> {
    let path = PathBuf::from(wanted);
    let spec = if path.is_file() {
        let file = tasks::read_file(&path, &Known::at(&settings.home()).await?)?;
        remark(&file, settings);
        file.spec
    } else {
        let store = tune::open_store(&settings.home()).await?;
        let row = store.task(wanted).await?;
        store.load(row.id).await?.spec
    };
    if settings.json {
        ui::json(&spec)?;
    } else {
        ui::answer(&task::to_yaml(&spec));
    }
    Ok(Exit::Success)
}
