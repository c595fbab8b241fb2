//! `autotuner dataset …`

use std::fmt::Write as _;

use tokio::io::AsyncReadExt;
use tuner_app::datasets::{self, Arrival, Wanted};
use tuner_app::{AppError, tune};
use tuner_bench::BenchError;
use tuner_bench::dataset::{self, Dataset, Inspection, Spread};
use tuner_bench::tokens::TokenSource;
use tuner_core::task::{DatasetSpec, ModelSpec};
use tuner_store::StoreError;

use crate::exit::Exit;
use crate::settings::Settings;
use crate::ui;
use crate::ui::table::Table;

/// Widest bar of a histogram, characters.
const BAR: f64 = 40.0;

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Datasets {
    /// Say what a data set holds: format, lengths, arrivals, what is left out and why, the first rows.
    Inspect(Inspect),
    /// List the data sets that are kept by name.
    List,
    /// Keep a data set by name, from a file or an address; tasks write `dataset: {source: NAME}`. What is packed (gzip,
    /// Zstandard, zip, tar) is taken apart.
    Add(Add),
    /// Delete a data set and its file. One that a task may still read is refused.
    Delete {
        /// Its name.
        dataset: String,
    },
}

#[derive(Debug, clap::Args)]
pub(crate) struct Add {
    /// A file, or an http or https address.
    source: String,
    /// What to call it [default: after the file].
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// SHA-256 of the file, in hexadecimal; something else is refused.
    #[arg(long, value_name = "HEX")]
    sha256: Option<String>,
    /// The file of an archive that has several.
    #[arg(long, value_name = "PATH")]
    member: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Inspect {
    /// A file, the name of one that is kept, or an http or https address; that is fetched once and kept in the data
    /// directory.
    source: String,
    /// Folder, tokenizer.json or GGUF to count prompts with that have no length of their own.
    #[arg(long, value_name = "PATH")]
    tokenizer: Option<String>,
    /// Leave out rows that arrive before this second of the data set's own time.
    #[arg(long, value_name = "SECONDS")]
    from: Option<f64>,
    /// Leave out rows that arrive at this second or later.
    #[arg(long, value_name = "SECONDS")]
    to: Option<f64>,
    /// Leave out rows with more tokens than this, prompt and answer together.
    #[arg(long, value_name = "TOKENS")]
    max_context: Option<u32>,
    /// Look at this many rows at most.
    #[arg(long, value_name = "N")]
    limit: Option<u32>,
}

pub(crate) async fn run(command: Datasets, settings: &Settings) -> anyhow::Result<Exit> {
    match command {
        Datasets::Inspect(args) => inspect(args, settings).await,
        Datasets::List => list(settings).await,
        Datasets::Add(args) => add(args, settings).await,
        Datasets::Delete { dataset } => {
            let store = tune::open_store(&settings.home()).await?;
            datasets::delete(&store, &dataset).await?;
            ui::say(&format!("deleted {dataset}"));
            Ok(Exit::Success)
        }
    }
}

async fn list(settings: &Settings) -> anyhow::Result<Exit> {
    let rows = tune::open_store(&settings.home()).await?.datasets().await?;
    if settings.json {
        ui::json(&rows)?;
    } else if rows.is_empty() {
        ui::say("no data sets yet; keep one with: autotuner dataset add FILE");
    } else {
        let mut table = Table::new(["data set", "format", "rows", "bytes", "from", "kept", "sha256"]);
        for row in rows {
            let sha256 = row.sha256.chars().take(12).collect();
            let kept = row.created_at.format("%Y-%m-%d %H:%M UTC").to_string();
            table.row([row.name, row.format, row.rows.to_string(), row.bytes.to_string(), row.origin, kept, sha256]);
        }
        ui::answer(&table.to_string());
    }
    Ok(Exit::Success)
}

async fn add(args: Add, settings: &Settings) -> anyhow::Result<Exit> {
    let (home, around) = (settings.home(), settings.surroundings());
    let store = tune::open_store(&home).await?;
    let url = DatasetSpec::file(&args.source).is_url();
    let wanted = Wanted { name: args.name, sha256: args.sha256, member: args.member, ..Wanted::of(&args.source) };
    let kept = if url {
        datasets::fetch_as(&home, &store, &around, &args.source, wanted).await?
    } else {
        let path = std::path::Path::new(&args.source);
        let fail = |source| AppError::Read { path: path.to_owned(), source };
        let mut file = tokio::fs::File::open(path).await.map_err(fail)?;
        let (mut arrival, mut chunk) = (Arrival::begin(&home, wanted.most).await?, vec![0; 64 << 10]);
        loop {
            match file.read(&mut chunk).await.map_err(fail)? {
                0 => break,
                n => arrival.take(&chunk[..n]).await?,
            }
        }
        arrival.keep(&home, &store, wanted).await?
    };
    if settings.json {
        ui::json(&kept)?;
    } else {
        let row = &kept.row;
        ui::say(&format!("kept {}: {}, {} rows, sha256 {}", row.name, row.format, row.rows, row.sha256));
    }
    Ok(Exit::Success)
}

async fn inspect(args: Inspect, settings: &Settings) -> anyhow::Result<Exit> {
    let mut spec = DatasetSpec {
        from_s: args.from,
        to_s: args.to,
        max_context: args.max_context,
        limit: args.limit,
        ..DatasetSpec::file(&args.source)
    };
    let around = settings.surroundings();
    spec.source = named(settings, &args.source).await?;
    spec.source = datasets::fetch(&settings.home(), &spec, &around).await?.display().to_string();
    let tokens = match args.tokenizer {
        Some(tokenizer) => {
            let model = ModelSpec { tokenizer: Some(tokenizer), ..ModelSpec::default() };
            let found = TokenSource::find(&model, around.hub_cache.as_deref(), None).await;
            Some(found.map_err(BenchError::from)?)
        }
        None => None,
    };
    let mut found = Dataset::load(&spec).map_err(BenchError::from)?;
    found.count(tokens.as_ref(), &spec).await?;
    let inspection = dataset::inspect(&found);
    if settings.json {
        ui::json(&inspection)?;
    } else {
        ui::answer(&page(&args.source, &inspection, tokens.is_some()));
    }
    Ok(Exit::Success)
}

/// The file of a data set that is kept by name, unless a file here is called so.
async fn named(settings: &Settings, source: &str) -> anyhow::Result<String> {
    let home = settings.home();
    let stored = home.database_url().is_some() || home.database().exists();
    if !stored || std::path::Path::new(source).exists() || source.contains('/') {
        return Ok(source.to_owned());
    }
    match tune::open_store(&home).await?.dataset(source).await {
        Ok(row) => Ok(row.path),
        Err(StoreError::NotFound { .. }) => Ok(source.to_owned()),
        Err(error) => Err(error.into()),
    }
}

fn page(source: &str, found: &Inspection, counted: bool) -> String {
    let mut out = format!("{source}: {}, {} rows\n\n", found.format.name(), found.rows);
    let mut table = Table::new(["tokens", "rows", "unknown", "mean", "sd", "min", "p50", "p90", "p99", "max"]);
    let spreads = [("prompt", &found.input_tokens), ("answer", &found.output_tokens)];
    for (name, spread) in spreads {
        let cells = match spread {
            Some(s) => {
                [s.mean, s.sd, f64::from(s.min), s.p50, s.p90, s.p99, f64::from(s.max)].map(|x| format!("{x:.0}"))
            }
            None => [(); 7].map(|()| "n/a".to_owned()),
        };
        let (known, unknown) = spread.as_ref().map_or((0, found.rows), |s| (s.known, s.unknown));
        let [mean, sd, min, p50, p90, p99, max] = cells;
        table.row([name.to_owned(), known.to_string(), unknown.to_string(), mean, sd, min, p50, p90, p99, max]);
    }
    let _ = writeln!(out, "{table}");
    if !counted && spreads.iter().any(|(_, spread)| spread.as_ref().is_none_or(|s| s.unknown > 0)) {
        out.push_str("(--tokenizer PATH counts what the data set does not say)\n");
    }
    for (name, spread) in spreads {
        if let Some(spread) = spread.as_ref().filter(|s| s.min < s.max) {
            let _ = write!(out, "\n{name} tokens\n{}", histogram(spread));
        }
    }
    out.push('\n');
    match &found.arrivals {
        Some(times) => {
            let shape = times.burstiness.map_or(String::new(), |b| {
                let word = if b < 0.9 {
                    "in clumps"
                } else if b > 1.1 {
                    "evenly"
                } else {
                    "like Poisson"
                };
                format!(", burstiness {b:.2} ({word})")
            });
            let _ = writeln!(out, "arrivals: {:.3} per second over {:.0} s{shape}", times.rate, times.span_s);
        }
        None => out.push_str("arrivals: the data set does not say\n"),
    }
    if let Some(share) = found.shared {
        let _ = writeln!(out, "shared: {:.1} % of the prompt tokens stood in an earlier prompt", share * 100.0);
    }
    if !found.roles.is_empty() {
        let roles: Vec<String> = found.roles.iter().map(|(role, n)| format!("{n} {role}")).collect();
        let _ = writeln!(out, "messages: {}", roles.join(", "));
    }
    if let Some(turns) = &found.turns {
        let _ = writeln!(
            out,
            "conversations: {:.1} turns on average, at most {} (bench --turns all)",
            turns.mean, turns.max
        );
    }
    for dropped in &found.dropped {
        let _ =
            writeln!(out, "left out: {} {}, the first in line {}", dropped.rows, dropped.reason, dropped.first_line);
    }
    out.push_str("\nfirst rows\n");
    for example in &found.examples {
        let _ = writeln!(out, "  {example}");
    }
    out
}

fn histogram(spread: &Spread) -> String {
    let most = spread.histogram.iter().map(|(_, count)| *count).max().unwrap_or(1).max(1) as f64;
    let width = spread.max.to_string().len();
    let mut from = spread.min;
    let mut out = String::new();
    for (to, count) in &spread.histogram {
        let bar = "█".repeat((*count as f64 / most * BAR).round() as usize);
        let space = if bar.is_empty() { "" } else { " " };
        let _ = writeln!(out, "  {from:>width$} to {to:>width$}  {bar}{space}{count}");
        from = to + 1;
    }
    out
}
