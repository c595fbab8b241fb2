//! `autotuner backup FILE` and `autotuner restore FILE`

use std::path::PathBuf;

use tuner_app::backup::{self, Part};
use tuner_app::tune;

use crate::exit::Exit;
use crate::settings::Settings;
use crate::ui;

/// Writing one.
#[derive(Debug, clap::Args)]
pub(crate) struct Backup {
    /// The file; it must not exist.
    file: PathBuf,
    /// What of the data directory goes with the store. May be given again.
    #[arg(long = "with", value_enum, value_name = "PART")]
    parts: Vec<With>,
}

/// What goes with the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum With {
    /// Engine logs, and what was kept of requests.
    Logs,
    /// Data sets.
    Datasets,
    /// Reports.
    Reports,
    /// All of them.
    All,
}

/// Putting one back.
#[derive(Debug, clap::Args)]
pub(crate) struct Restore {
    /// The backup.
    file: PathBuf,
    /// Also where something is: that is kept aside first.
    #[arg(long)]
    force: bool,
}

pub(crate) async fn back_up(args: Backup, settings: &Settings) -> anyhow::Result<Exit> {
    let home = settings.home();
    let parts: Vec<Part> = args
        .parts
        .iter()
        .flat_map(|with| match with {
            With::Logs => vec![Part::Logs],
            With::Datasets => vec![Part::Datasets],
            With::Reports => vec![Part::Reports],
            With::All => Part::ALL.to_vec(),
        })
        .collect();
    let store = tune::open_store(&home).await?;
    let manifest = backup::back_up(&home, &store, &args.file, &parts).await?;
    if settings.json {
        ui::json(&manifest)?;
        return Ok(Exit::Success);
    }
    let rows: u64 = manifest.rows.values().sum();
    ui::say(&format!("{rows} rows and {} files in {}", manifest.files.len() - 1, args.file.display()));
    let without: Vec<&str> = [(Part::Logs, "logs"), (Part::Datasets, "data sets"), (Part::Reports, "reports")]
        .into_iter()
        .filter(|(part, _)| !manifest.parts.contains(part))
        .map(|(_, word)| word)
        .collect();
    if !without.is_empty() {
        ui::say(&format!("without {}; take them along: --with all", without.join(", ")));
    }
    Ok(Exit::Success)
}

pub(crate) async fn restore(args: Restore, settings: &Settings) -> anyhow::Result<Exit> {
    let home = settings.home();
    let restored = backup::restore(&home, &args.file, args.force).await?;
    if settings.json {
        ui::json(&restored)?;
        return Ok(Exit::Success);
    }
    let manifest = &restored.manifest;
    let rows: u64 = manifest.rows.values().sum();
    let when = manifest.created_at.format("%Y-%m-%d %H:%M UTC");
    ui::say(&format!("restored {rows} rows of {when} by {} into {}", manifest.program, home.root().display()));
    for place in restored.kept.iter().chain(&restored.aside) {
        ui::say(&format!("what was there before: {}", place.display()));
    }
    Ok(Exit::Success)
}
