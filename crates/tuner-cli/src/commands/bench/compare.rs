//! `autotuner bench compare A B`: two endpoints measured in turn, or two results of earlier runs.

use std::path::Path;

use serde::Deserialize;
use tokio::sync::watch;
use tuner_bench::compare::{Comparison, ComparisonVerdict, Options, compare};
use tuner_bench::{BenchRequest, Live, Seeds, bench_pair};
use tuner_core::Measurement;
use tuner_core::task::Level;

use super::{LoadArgs, watched};
use crate::exit::{Exit, Refusal};
use crate::settings::Settings;
use crate::ui;
use crate::ui::table::Table;
use crate::ui::words;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Address of an endpoint, or a .json file that `bench --output` wrote with several repeats.
    a: String,
    /// The same; both addresses or both files.
    b: String,
    /// Rounds in which every level of both is measured, in turn: A B, B A, …
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(2..=1000))]
    rounds: u32,
    #[command(flatten)]
    pairs: PairArgs,
    #[command(flatten)]
    load: LoadArgs,
}

/// What is made of pairs.
#[derive(Debug, clap::Args)]
pub(super) struct PairArgs {
    /// Differences up to this share are of no interest.
    #[arg(long, value_name = "SHARE", default_value_t = 0.02)]
    margin: f64,
    /// Confidence of the intervals.
    #[arg(long, value_name = "SHARE", default_value_t = 0.95)]
    confidence: f64,
}

impl PairArgs {
    pub(super) fn options(&self) -> Options {
        Options { confidence: self.confidence, margin: self.margin, ..Options::default() }
    }

    /// How verdicts in a table are meant.
    pub(super) fn legend(&self) -> String {
        let (confidence, margin) = (self.confidence * 100.0, self.margin * 100.0);
        format!("{confidence} % confidence for each figure by itself; equivalent: surely within {margin} %")
    }
}

/// What is read of a result file.
#[derive(Deserialize)]
struct Stored {
    levels: Vec<Level>,
    measurements: Vec<Measurement>,
}

pub(super) async fn run(args: &Args, settings: &Settings) -> anyhow::Result<Exit> {
    let addresses = [&args.a, &args.b].map(|side| side.contains("://"));
    let (levels, [a, b], cancelled) = match addresses {
        [true, true] => measure(args, settings).await?,
        [false, false] => {
            let (a, b) = (load(&args.a)?, load(&args.b)?);
            if a.levels != b.levels {
                let hint = "compare results of the same levels";
                return Err(Refusal::usage("the two results have different levels", hint).into());
            }
            (a.levels, [a.measurements, b.measurements], false)
        }
        _ => {
            let hint = "give two addresses (http://HOST:PORT) or two .json files";
            return Err(Refusal::usage("an address and a file cannot be compared", hint).into());
        }
    };
    let comparison = compare(&a, &b, &args.pairs.options());
    if settings.json {
        ui::json(&comparison)?;
    } else {
        show(&comparison, &levels, args);
    }
    Ok(if cancelled { Exit::Interrupted } else { Exit::Success })
}

type Measured = (Vec<Level>, [Vec<Measurement>; 2], bool);

async fn measure(args: &Args, settings: &Settings) -> anyhow::Result<Measured> {
    if args.load.sweep.is_some() {
        return Err(Refusal::usage("a sweep chooses levels for each side", "give --concurrency or --rate").into());
    }
    let a = super::request(&args.load, args.a.clone(), settings)?;
    // Other words for the other side: both may be the same engine with its cache.
    let seeds = Seeds { prompts: a.seeds.prompts.wrapping_add(1), ..a.seeds };
    let b = BenchRequest { seeds, ..super::request(&args.load, args.b.clone(), settings)? };
    let (live, seen) = watch::channel(Live::default());
    let (stop, stopped) = watch::channel(false);
    let work = bench_pair([&a, &b], args.rounds, live, stopped);
    let [left, right] = watched(work, seen, &stop, settings).await?;
    let cancelled = left.cancelled || right.cancelled;
    Ok((left.levels, [left.measurements, right.measurements], cancelled))
}

fn load(path: &str) -> anyhow::Result<Stored> {
    let hint = "give a .json file that `autotuner bench URL --output FILE.json` wrote, or an address http://HOST:PORT";
    let text = std::fs::read_to_string(Path::new(path))
        .map_err(|e| Refusal::usage(format!("cannot read {path}: {e}"), hint))?;
    Ok(serde_json::from_str(&text).map_err(|e| Refusal::usage(format!("{path} is no result of bench: {e}"), hint))?)
}

fn show(comparison: &Comparison, levels: &[Level], args: &Args) {
    let mut table = Table::new(["level", "figure", "A", "B", "B against A", "interval", "verdict", "could see"]);
    for level in &comparison.levels {
        let label = levels.get(level.level as usize).map(Level::label).unwrap_or_default();
        for figure in &level.figures {
            let value = |x| words::figure(figure.metric, x);
            let name = if figure.metric.is_time() {
                format!("{} {}", figure.metric, figure.stat)
            } else {
                figure.metric.to_string()
            };
            table.row([
                label.clone(),
                name,
                value(figure.a),
                value(figure.b),
                words::percent(figure.ratio.estimate),
                format!("{} to {}", words::percent(figure.ratio.low), words::percent(figure.ratio.high)),
                verdict(figure.verdict).to_owned(),
                format!("{:.1} %", figure.detectable * 100.0),
            ]);
        }
    }
    ui::answer(&table.to_string());
    let pairs = comparison.levels.iter().map(|l| l.pairs).max().unwrap_or(0);
    ui::answer(&format!("{pairs} pairs, {}", args.pairs.legend()));
    comparison.notes.iter().for_each(|note| ui::say(&format!("note: {note}")));
}

fn verdict(verdict: ComparisonVerdict) -> &'static str {
    match verdict {
        ComparisonVerdict::Better => "B is better",
        ComparisonVerdict::Worse => "B is worse",
        ComparisonVerdict::Equivalent => "equivalent",
        ComparisonVerdict::NoSignificantDifference => "no significant difference",
    }
}
