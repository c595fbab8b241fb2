//! `autotuner tune FILE`

use std::path::PathBuf;

use anyhow::{Context, bail};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tuner_app::report::Format;
use tuner_app::tasks::Known;
use tuner_app::{AppError, Home, doctor, results, tasks, tune};
use tuner_core::plan::{AttemptState, FinalStatus, NoForecast, Places, TaskView, progress};
use tuner_runner::{Activity, RunEnd};
use tuner_store::{Store, TaskId, TaskRow, TaskStatus};

use crate::exit::Exit;
use crate::interrupts::Interrupts;
use crate::settings::Settings;
use crate::ui::screen::{Mode, Screen};
use crate::ui::{self};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The task file (YAML or JSON).
    #[arg(required_unless_present = "resume", conflicts_with = "resume")]
    file: Option<PathBuf>,
    /// Go on with a task: its name, id or beginning of its id; without a value, the newest unfinished one. A cancelled
    /// task is taken up again when it is named.
    #[arg(long, value_name = "TASK", num_args = 0..=1)]
    resume: Option<Option<String>>,
    /// Use this seed instead of the file's.
    #[arg(long)]
    seed: Option<u64>,
    /// Use this number of experiments instead of the file's.
    #[arg(long, value_name = "N")]
    experiments: Option<u32>,
    /// Start even if a pre-flight check fails.
    #[arg(long)]
    force: bool,
    /// Write the HTML report to this file; default: the reports folder of the data directory.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

impl Args {
    /// Tuning one file with nothing else said.
    pub(crate) fn of_file(file: PathBuf, seed: Option<u64>) -> Self {
        Self { file: Some(file), resume: None, seed, experiments: None, force: false, report: None }
    }
}

pub(crate) async fn run(args: Args, settings: &Settings) -> anyhow::Result<Exit> {
    let home = settings.home();
    let store = tune::open_store(&home).await?;
    let (row, is_new) = match (&args.file, &args.resume) {
        (Some(file), _) => {
            let mut file = tasks::read_file(file, &Known::of(&store).await?)?;
            file.spec.seed = args.seed.unwrap_or(file.spec.seed);
            file.spec.budget.experiments = args.experiments.unwrap_or(file.spec.budget.experiments);
            file.remarks().iter().for_each(|remark| ui::say(remark));
            check(&args, settings, &home, &file.spec)?;
            let row = tasks::create(&store, &file).await?;
            if row.name != file.spec.name {
                ui::say(&format!("note: there is a task {}; this one is called {}", file.spec.name, row.name));
            }
            (row, true)
        }
        (None, Some(Some(name))) => (store.task(name).await?, false),
        (None, _) => match tasks::newest_unfinished(&store).await? {
            Some(row) => (row, false),
            None => bail!(AppError::NothingToResume),
        },
    };
    match row.status {
        TaskStatus::Cancelled if !is_new => {
            tune::take_up(&store, &row).await?;
            ui::say(&format!("task {} was cancelled; it is taken up again", row.name));
        }
        TaskStatus::Completed | TaskStatus::Failed => {
            let way = match row.status {
                TaskStatus::Completed => "nothing is left to do; to measure again",
                _ => "it is not tried again; repair what failed and begin anew",
            };
            ui::say(&format!("task {} is {}: {way}: autotuner tune FILE", row.name, row.status));
            return show(&args, settings, &home, &store, &row).await;
        }
        _ => {}
    }
    if !settings.json {
        ui::say(&format!("task {} ({})", row.name, row.id));
    }
    match drive(settings, &home, &store, &row).await? {
        RunEnd::Stopped => {
            ui::say(&format!("stopped; go on with: autotuner tune --resume {}", row.name));
            Ok(Exit::Interrupted)
        }
        RunEnd::Finished { .. } => show(&args, settings, &home, &store, &row).await,
    }
}

fn check(args: &Args, settings: &Settings, home: &Home, spec: &tuner_core::TaskSpec) -> anyhow::Result<()> {
    let checks = doctor::check_task(home, spec, &settings.surroundings());
    // Without --force the failed ones stand in the error.
    let said =
        |c: &&doctor::Check| c.status == doctor::Status::Warning || args.force && c.status == doctor::Status::Failed;
    checks.iter().filter(said).for_each(|check| ui::say(&check.to_string()));
    if !args.force {
        doctor::must_pass(&checks)?;
    }
    Ok(())
}

/// Runs a task with a screen; Ctrl-C asks once to stop cleanly, twice to stop at once.
pub(crate) async fn drive(settings: &Settings, home: &Home, store: &Store, row: &TaskRow) -> anyhow::Result<RunEnd> {
    let stop = CancellationToken::new();
    let _interrupts = Interrupts::heed(&stop)?;
    let (sender, activity) = watch::channel(Activity::default());
    let mode = match (settings.json, ui::fancy(settings)) {
        (true, _) => Mode::Json,
        (false, true) => Mode::Bars,
        (false, false) => Mode::Lines,
    };
    let mut screen = open_screen(store, row.id, mode).await?;
    let mut follower = store.follow(0, Some(row.id));
    let surroundings = settings.surroundings();
    let end = {
        let work = tune::run(home, store, row.id, &surroundings, &stop, sender);
        tokio::pin!(work);
        let watching = screen.follow(&mut follower, activity);
        tokio::pin!(watching);
        tokio::select! {
            end = &mut work => end,
            () = &mut watching => unreachable!("the screen follows for ever"),
        }
    };
    loop {
        let rows = store.events_since(follower.seq(), Some(row.id), 500).await?;
        if rows.is_empty() {
            break;
        }
        screen.take(&rows);
        follower = store.follow(rows.last().map_or(0, |r| r.seq), Some(row.id));
    }
    screen.finish();
    Ok(end?)
}

async fn open_screen(store: &Store, task: TaskId, mode: Mode) -> anyhow::Result<Screen> {
    let state = store.load(task).await?;
    let space = tasks::space_of(&state.spec)?;
    let view = TaskView {
        spec: &state.spec,
        space: &space,
        experiments: &state.experiments,
        proposed: &state.proposed,
        started_at: state.row.created_at,
        cancel_requested: false,
        forecast: &NoForecast,
        places: Places::ALONE,
    };
    let ran = state.experiments.iter().flat_map(|e| &e.attempts).filter(|a| a.state != AttemptState::Interrupted);
    let spent: f64 = ran.filter_map(|a| Some((a.ended_at? - a.started_at).as_seconds_f64())).sum();
    Screen::new(mode, &state.spec, progress(&view).total, state.seq, spent).context("the task has no objective")
}

/// The result: on the terminal, as JSON, and as an HTML file.
async fn show(args: &Args, settings: &Settings, home: &Home, store: &Store, row: &TaskRow) -> anyhow::Result<Exit> {
    let report = results::gather(home, store, row.id, &settings.surroundings()).await?;
    let place = match &args.report {
        Some(place) => place.clone(),
        None => home.reports().join(format!("{}.html", row.name)),
    };
    results::write(&place, &results::rendered(&report, Format::Html)?)?;
    if settings.json {
        ui::json_line(&serde_json::json!({ "kind": "report", "html": place, "report": report }))?;
    } else {
        ui::answer(&results::rendered(&report, ui::brief_format(settings))?);
        ui::say(&format!("\nevery experiment and the method: autotuner report {}", row.name));
        ui::say(&format!("as a page: {}", place.display()));
    }
    let status = store.task(&row.id.to_string()).await?.status;
    Ok(if status == TaskStatus::Completed { Exit::Success } else { Exit::TaskFailed })
}

/// How a finished run ends the process.
pub(crate) fn exit_of(end: &RunEnd) -> Exit {
    match end {
        RunEnd::Finished { status: FinalStatus::Completed, .. } => Exit::Success,
        RunEnd::Finished { .. } => Exit::TaskFailed,
        RunEnd::Stopped => Exit::Interrupted,
    }
}
