//! `autotuner bench recompute`: figures from the log of a level.

use std::path::PathBuf;

use tuner_app::bench::recompute;
use tuner_core::Measurement;
use tuner_core::task::SloSpec;

use super::show;
use crate::exit::{Exit, Refusal};
use crate::settings::Settings;
use crate::ui;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Logs that `bench --save-log` wrote.
    #[arg(required = true)]
    logs: Vec<PathBuf>,
    /// Other limits than those of the run: `ttft<=500` (ms).
    #[arg(long, value_name = "METRIC<=MS", value_parser = super::slo)]
    slo: Vec<SloSpec>,
}

pub(super) fn run(args: &Args, settings: &Settings) -> anyhow::Result<Exit> {
    let mut levels = Vec::new();
    for path in &args.logs {
        let hint = "give logs that `autotuner bench URL --results DIR --save-log` wrote";
        let wrong = |e| Refusal::usage(format!("{} is of no use here: {e}", path.display()), hint);
        let (level, measurement) = recompute(path, &args.slo).map_err(wrong)?;
        levels.push((level.label(), measurement));
    }
    if settings.json {
        ui::json(&levels.iter().map(|(_, m)| m).collect::<Vec<_>>())?;
    } else {
        let rows: Vec<(String, &Measurement)> = levels.iter().map(|(label, m)| (label.clone(), m)).collect();
        show::table(&rows);
    }
    Ok(if levels.iter().all(|(_, m)| m.is_valid()) { Exit::Success } else { Exit::TaskFailed })
}
