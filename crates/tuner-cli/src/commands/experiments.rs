//! `autotuner experiments …`

use std::fmt::Write as _;

use tuner_app::service::requests::{self, Series, Which};
use tuner_app::{AppError, tune};
use tuner_core::Value;
use tuner_core::plan::{AttemptView, ExperimentView};
use tuner_core::score::score;
use tuner_core::{Metric, Percentile, Stat, Validity};
use tuner_store::TaskState;

use crate::exit::Exit;
use crate::settings::Settings;
use crate::ui;
use crate::ui::table::Table;
use crate::ui::words;

/// What can be asked of experiments.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Experiments {
    /// List the experiments of a task.
    List {
        /// Name, id or beginning of an id.
        task: String,
    },
    /// Explain one experiment: levels, command, read-back, failure with hint.
    Show {
        /// Name, id or beginning of an id.
        task: String,
        /// Its number.
        number: u32,
    },
    /// Print what happened to each request, one JSON document a line; kept where the task sets load.save_log_mib.
    Requests {
        /// Name, id or beginning of an id.
        task: String,
        /// Its number.
        number: u32,
        #[command(flatten)]
        of: Of,
    },
    /// Show what the engine and its GPUs showed of themselves during the levels.
    Series {
        /// Name, id or beginning of an id.
        task: String,
        /// Its number.
        number: u32,
        #[command(flatten)]
        of: Of,
    },
    /// Print the engine's log of an experiment's last attempt.
    Logs {
        /// Name, id or beginning of an id.
        task: String,
        /// Its number.
        number: u32,
        /// Only the last lines.
        #[arg(long, short = 'n', value_name = "LINES")]
        tail: Option<usize>,
    },
}

/// Which measurements.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct Of {
    /// Only of this attempt, from 1.
    #[arg(long, value_name = "N")]
    attempt: Option<u32>,
    /// Only of the level at this position in the task's list, from 0.
    #[arg(long, value_name = "N")]
    level: Option<u32>,
    /// Only of this repeat, from 0.
    #[arg(long, value_name = "N")]
    repeat: Option<u32>,
}

impl From<Of> for Which {
    fn from(of: Of) -> Self {
        Self { attempt: of.attempt, level: of.level, repeat: of.repeat }
    }
}

pub(crate) async fn run(command: Experiments, settings: &Settings) -> anyhow::Result<Exit> {
    let store = tune::open_store(&settings.home()).await?;
    let (Experiments::List { task }
    | Experiments::Show { task, .. }
    | Experiments::Logs { task, .. }
    | Experiments::Requests { task, .. }
    | Experiments::Series { task, .. }) = &command;
    let row = store.task(task).await?;
    let state = store.load(row.id).await?;
    match command {
        Experiments::List { .. } if settings.json => ui::json(&state.experiments)?,
        Experiments::List { .. } => list(&state),
        Experiments::Show { number, .. } => {
            let experiment = find(&state, number)?;
            if settings.json {
                ui::json(experiment)?;
            } else {
                ui::answer(&explain(&state, experiment));
            }
        }
        Experiments::Requests { number, of, .. } => {
            find(&state, number)?;
            let full = store.full_experiment(&row.id.to_string(), number).await?;
            let mut lines = requests::find(&settings.home(), &full, of.into())?.stream();
            while let Some(chunk) = lines.recv().await {
                let chunk = chunk.map_err(|source| AppError::Read { path: settings.home().logs(), source })?;
                ui::answer(String::from_utf8_lossy(&chunk).trim_end_matches('\n'));
            }
        }
        Experiments::Series { number, of, .. } => {
            find(&state, number)?;
            let full = store.full_experiment(&row.id.to_string(), number).await?;
            let found = requests::series_of(full, of.into());
            if settings.json { ui::json(&found)? } else { ui::answer(&series(&found)) }
        }
        Experiments::Logs { number, tail, .. } => logs(find(&state, number)?, tail)?,
    }
    Ok(Exit::Success)
}

fn find(state: &TaskState, number: u32) -> Result<&ExperimentView, AppError> {
    state.experiments.iter().find(|e| e.number == number).ok_or_else(|| AppError::NoSuchExperiment {
        task: state.row.name.clone(),
        number,
        known: match (state.experiments.first(), state.experiments.last()) {
            (Some(first), Some(last)) if first.number == last.number => first.number.to_string(),
            (Some(first), Some(last)) => format!("{} to {}", first.number, last.number),
            _ => "none yet".to_owned(),
        },
    })
}

fn list(state: &TaskState) {
    if state.experiments.is_empty() {
        ui::say("no experiments yet");
        return;
    }
    let objective = state.spec.objectives.first().map(|o| o.resolve());
    let mut table = Table::new(["#", "role", "outcome", "objective", "configuration"]);
    for experiment in &state.experiments {
        let outcome = experiment.outcome.as_ref().map_or("open", |o| o.word());
        let value = score(&state.spec, experiment)
            .and_then(|s| Some(words::figure(objective.as_ref()?.metric, s.primary()?)))
            .or_else(|| experiment.outcome.as_ref()?.failure().map(|f| words::snake(&f.class)));
        table.row([
            experiment.number.to_string(),
            words::role(experiment.role),
            outcome.to_owned(),
            value.unwrap_or_default(),
            experiment.configuration.to_string(),
        ]);
    }
    ui::answer(&table.to_string());
}

fn explain(state: &TaskState, experiment: &ExperimentView) -> String {
    let mut out = String::new();
    let outcome = experiment.outcome.as_ref().map_or("open", |o| o.word());
    let _ = writeln!(out, "experiment {} ({}): {outcome}", experiment.number, words::role(experiment.role));
    for (name, value) in experiment.configuration.iter() {
        let value = if *value == Value::Null { "left to the engine".to_owned() } else { value.to_string() };
        let _ = writeln!(out, "  {name} = {value}");
    }
    for attempt in &experiment.attempts {
        explain_attempt(state, attempt, &mut out);
    }
    if let Some(failure) = experiment.outcome.as_ref().and_then(|o| o.failure()) {
        let _ = writeln!(out, "\n{}: {}", words::snake(&failure.class), failure.message);
        let _ = writeln!(out, "hint: {}", tuner_engines::hint(failure.class, state.spec.engine.name));
        for line in &failure.log_tail {
            let _ = writeln!(out, "  | {line}");
        }
    }
    out
}

fn explain_attempt(state: &TaskState, attempt: &AttemptView, out: &mut String) {
    let evidence = &attempt.evidence;
    let _ = writeln!(out, "\nattempt {}: {}", attempt.number, words::snake(&attempt.state));
    let facts = [
        ("run by", evidence.worker.clone()),
        ("hardware", evidence.hardware.clone()),
        ("engine version", evidence.engine_version.clone()),
        ("serves", evidence.served_model.clone()),
        ("address", evidence.base_url.clone()),
        ("ready after", evidence.ready_s.map(|s| format!("{s:.1} s"))),
        ("stopped in", evidence.stop_s.map(|s| format!("{s:.1} s"))),
        ("log", evidence.log_path.clone()),
        ("read back", words::read_back(&evidence.read_back)),
        ("command", evidence.command.clone()),
    ];
    for (name, value) in facts.into_iter().filter_map(|(n, v)| Some((n, v?))) {
        let _ = writeln!(out, "  {name}: {value}");
    }
    for warning in &evidence.warnings {
        let _ = writeln!(out, "  warning: {warning}");
    }
    for m in &attempt.measurements {
        let level = state.spec.load.levels.get(m.level as usize).map(|l| l.label()).unwrap_or_default();
        let number = |metric: Metric, stat| m.stat(metric, stat).map(|x| words::figure(metric, x));
        let p99 = Stat::Percentile(Percentile::P99);
        let shown = [
            ("", number(Metric::OutputThroughput, Stat::Mean)),
            ("TTFT p50 ", number(Metric::Ttft, Stat::Percentile(Percentile::P50))),
            ("p99 ", number(Metric::Ttft, p99)),
            ("TPOT p50 ", number(Metric::Tpot, Stat::Percentile(Percentile::P50))),
            ("E2E p99 ", number(Metric::E2eLatency, p99)),
        ];
        let shown: Vec<String> = shown.into_iter().filter_map(|(n, v)| Some(format!("{n}{}", v?))).collect();
        let c = &m.requests;
        let _ = writeln!(out, "  level {level}: {}  ({} ok, {} failed)", shown.join("  "), c.completed, c.failed);
        if let Validity::Invalid { reasons } = &m.validity {
            let _ = writeln!(out, "    INVALID: {}", reasons.join("; "));
        }
        for note in &m.notes {
            let _ = writeln!(out, "    note: {note}");
        }
        if let Some(server) = &m.server {
            let _ = writeln!(out, "    {}", tuner_app::report::server_words(server));
        }
    }
}

fn series(found: &[Series]) -> String {
    let mut table = Table::new(["attempt", "level", "repeat", "of", "quantity", "min", "mean", "max", "points"]);
    for s in found {
        let engine =
            s.figures.iter().map(|(gauge, spread)| ("engine".to_owned(), words::snake(gauge), spread, s.points.len()));
        let gpus = s.gpus.iter().flat_map(|gpu| {
            let of = format!("GPU {}", gpu.index);
            gpu.figures.iter().map(move |(name, spread)| (of.clone(), (*name).to_owned(), spread, gpu.points.len()))
        });
        for (of, quantity, spread, points) in engine.chain(gpus) {
            let [min, mean, max] = [spread.min, spread.mean, spread.max].map(|x| format!("{x:.2}"));
            let place = [s.attempt.to_string(), s.label.clone(), s.repeat.to_string()];
            let [attempt, label, repeat] = place;
            table.row([attempt, label, repeat, of, quantity, min, mean, max, points.to_string()]);
        }
    }
    let shown = table.to_string();
    match found.iter().all(|s| s.figures.is_empty() && s.gpus.is_empty()) {
        true => "neither the engine nor a GPU showed anything while it was measured".to_owned(),
        false => shown,
    }
}

fn logs(experiment: &ExperimentView, tail: Option<usize>) -> anyhow::Result<()> {
    let path = experiment.attempts.iter().rev().find_map(|a| a.evidence.log_path.clone());
    let Some(path) = path else {
        ui::say(&format!("experiment {} has no engine log: no engine was started for it", experiment.number));
        return Ok(());
    };
    let source = |source| AppError::Read { path: path.clone().into(), source };
    let text = String::from_utf8_lossy(&std::fs::read(&path).map_err(source)?).into_owned();
    let lines: Vec<&str> = text.lines().collect();
    let from = tail.map_or(0, |n| lines.len().saturating_sub(n));
    ui::answer(&lines[from..].join("\n"));
    Ok(())
}
