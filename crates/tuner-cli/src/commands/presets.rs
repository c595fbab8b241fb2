//! `autotuner presets …`

use std::io::Read as _;
use std::path::PathBuf;

use tuner_app::presets::{self, Existing, PresetEntry, PresetFilter};
use tuner_app::{AppError, results, tune};
use tuner_core::engine::EngineName;
use tuner_core::task::{Merge, ParameterSpec, PresetSpec};
use tuner_store::Store;

use crate::exit::{Exit, Refusal};
use crate::settings::Settings;
use crate::ui;
use crate::ui::table::Table;

const USE: &str = "A task takes presets over with search_space: {presets: [NAME, …], merge: union|intersection|last_wins}; \
its own parameters and engine.fixed count over them. `autotuner tasks show FILE` shows what that gives.";

/// What can be done with presets.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Presets {
    /// List the presets: stored ones first, then those that come with the engines.
    #[command(after_help = USE)]
    List {
        /// Only those for this engine, or for any.
        #[arg(long, value_name = "NAME", value_parser = engine)]
        engine: Option<EngineName>,
        /// Only those of this category: general, quantisation, parallelism, or your own.
        #[arg(long, value_name = "WORD")]
        category: Option<String>,
    },
    /// Show a preset.
    Show {
        /// Its name.
        preset: String,
    },
    /// Store the presets of a file: one preset, or an export, also the predecessor's (YAML or JSON).
    Import {
        /// The file; - reads standard input.
        file: PathBuf,
        /// A preset whose name is taken: refuse the file, skip that one, or replace the stored one.
        #[arg(long, value_enum, default_value_t = OfThatName::Refuse, value_name = "HOW")]
        existing: OfThatName,
    },
    /// Write presets to a file that can be imported elsewhere.
    Export {
        /// Their names.
        #[arg(required = true, value_name = "PRESET")]
        presets: Vec<String>,
        /// The file, instead of standard output.
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Change a stored preset to what a file says; the name in the file is its new name.
    Edit {
        /// Its name.
        preset: String,
        /// The file; - reads standard input.
        file: PathBuf,
    },
    /// Show several presets as one, and what of them is not followed.
    #[command(after_help = USE)]
    Merge {
        /// Their names, in order.
        #[arg(required = true, value_name = "PRESET")]
        presets: Vec<String>,
        /// Every parameter with the values of all, only what all have, or what the last one says.
        #[arg(long, value_enum, default_value_t = How::Union, value_name = "HOW")]
        merge: How,
        /// Store the result under this name.
        #[arg(long, value_name = "NAME")]
        save: Option<String>,
    },
    /// Delete a stored preset. Tasks that took it over stay as they are.
    Delete {
        /// Its name.
        preset: String,
    },
}

/// A preset whose name is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum OfThatName {
    /// Store nothing of the file.
    Refuse,
    /// Leave that one out.
    Skip,
    /// Change the stored one.
    Replace,
}

/// How several presets become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum How {
    /// Every parameter, the values of all.
    Union,
    /// What all have.
    Intersection,
    /// The last one that has it.
    LastWins,
}

fn engine(word: &str) -> Result<EngineName, String> {
    let known = EngineName::ALL.map(EngineName::name).join(", ");
    EngineName::ALL.into_iter().find(|e| e.name() == word).ok_or_else(|| format!("one of {known}"))
}

pub(crate) async fn run(command: Presets, settings: &Settings) -> anyhow::Result<Exit> {
    let store = tune::open_store(&settings.home()).await?;
    match command {
        Presets::List { engine, category } => {
            let found = presets::list(&store, &PresetFilter { category, engine }).await?;
            if settings.json {
                ui::json(&found)?;
            } else if found.is_empty() {
                ui::say("no such presets; see all with: autotuner presets list");
            } else {
                ui::answer(&table(&found).to_string());
            }
        }
        Presets::Show { preset } => {
            let found = presets::get(&store, &preset).await?;
            if settings.json { ui::json(&found)? } else { ui::answer(&page(&found)) }
        }
        Presets::Import { file, existing } => {
            let existing = match existing {
                OfThatName::Refuse => Existing::Refuse,
                OfThatName::Skip => Existing::Skip,
                OfThatName::Replace => Existing::Replace,
            };
            let done = presets::import(&store, read(&file)?, existing, None).await?;
            if settings.json {
                ui::json(&done)?;
            } else {
                done.stored.iter().for_each(|entry| ui::say(&format!("stored {}", entry.preset.name)));
                done.skipped.iter().for_each(|name| ui::say(&format!("{name} is taken; left out")));
            }
        }
        Presets::Export { presets: names, output } => {
            let mut found = Vec::new();
            for name in &names {
                found.push(presets::get(&store, name).await?.preset);
            }
            let text = serde_json::to_string_pretty(&presets::export(&found))?;
            match output {
                Some(place) => results::write(&place, &text)?,
                None => ui::answer(&text),
            }
        }
        Presets::Edit { preset, file } => {
            let mut found = read(&file)?;
            let (Some(new), true) = (found.pop(), found.is_empty()) else {
                let hint = "import them: autotuner presets import FILE --existing replace";
                return Err(Refusal::usage("the file holds several presets", hint).into());
            };
            let changed = presets::change(&store, &preset, new).await?;
            if settings.json { ui::json(&changed)? } else { ui::say(&format!("changed {}", changed.preset.name)) }
        }
        Presets::Merge { presets: names, merge, save } => merged(&store, &names, merge, save, settings).await?,
        Presets::Delete { preset } => {
            presets::delete(&store, &preset).await?;
            ui::say(&format!("deleted {preset}"));
        }
    }
    Ok(Exit::Success)
}

/// The presets of a file; notes on them are said.
fn read(file: &std::path::Path) -> anyhow::Result<Vec<PresetSpec>> {
    let name = file.display().to_string();
    let fail = |source| AppError::Read { path: file.to_owned(), source };
    let text = if name == "-" {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).map_err(fail)?;
        text
    } else {
        std::fs::read_to_string(file).map_err(fail)?
    };
    let (found, notes) = presets::read(&text, &name)?;
    notes.iter().for_each(|note| ui::say(&note.render(&name, &text)));
    Ok(found)
}

async fn merged(
    store: &Store,
    names: &[String],
    how: How,
    save: Option<String>,
    settings: &Settings,
) -> anyhow::Result<()> {
    let how = match how {
        How::Union => Merge::Union,
        How::Intersection => Merge::Intersection,
        How::LastWins => Merge::LastWins,
    };
    let merged = presets::merge(store, names, how).await?;
    if settings.json {
        ui::json(&merged)?;
    } else {
        for conflict in &merged.conflicts {
            ui::say(&format!("{} of {}: {}", conflict.parameter, conflict.preset, conflict.message));
        }
        let lines = merged.parameters.0.iter().map(|(name, spec)| format!("{name}: {}", values(spec)));
        let constraints = merged.constraints.iter().map(|text| format!("constraint: {text}"));
        ui::answer(&lines.chain(constraints).collect::<Vec<_>>().join("\n"));
    }
    if let Some(name) = save {
        // Through the reader, like every preset: a result without parameters is none.
        let preset = PresetSpec {
            name: name.clone(),
            description: Some(format!("{} of {}", how.word().replace('_', " "), names.join(", "))),
            category: "general".to_owned(),
            engine: merged.engine,
            parameters: merged.parameters,
            constraints: merged.constraints,
            metadata: serde_json::Map::new(),
        };
        let (found, _) = presets::read(&serde_json::to_string_pretty(&preset)?, &name)?;
        presets::import(store, found, Existing::Refuse, None).await?;
        ui::say(&format!("stored {name}"));
    }
    Ok(())
}

/// Values of a parameter as a task file writes them.
fn values(spec: &ParameterSpec) -> String {
    match spec {
        ParameterSpec::List(values) => {
            let words: Vec<String> = values.iter().map(ToString::to_string).collect();
            format!("[{}]", words.join(", "))
        }
        other => serde_json::to_value(other)
            .map(|json| json.as_str().map_or_else(|| json.to_string(), str::to_owned))
            .unwrap_or_default(),
    }
}

fn table(found: &[PresetEntry]) -> Table {
    let mut table = Table::new(["preset", "engine", "category", "parameters", "what it is for"]);
    for PresetEntry { preset, .. } in found {
        table.row([
            preset.name.clone(),
            preset.engine.map_or_else(|| "any".to_owned(), |engine| engine.to_string()),
            preset.category.clone(),
            preset.parameters.0.len().to_string(),
            preset.description.clone().unwrap_or_default(),
        ]);
    }
    table
}

fn page(entry: &PresetEntry) -> String {
    let preset = &entry.preset;
    let of = preset.engine.map_or_else(|| "any engine".to_owned(), |engine| engine.to_string());
    let kept = match entry.updated_at {
        Some(at) => format!("changed {}", at.format("%Y-%m-%d %H:%M UTC")),
        None => "comes with the engine".to_owned(),
    };
    let mut lines = vec![format!("{} ({of}, {}; {kept})", preset.name, preset.category)];
    lines.extend(preset.description.clone());
    lines.extend(preset.parameters.0.iter().map(|(name, spec)| format!("  {name}: {}", values(spec))));
    lines.extend(preset.constraints.iter().map(|text| format!("  constraint: {text}")));
    lines.extend(
        (!preset.metadata.is_empty())
            .then(|| format!("  metadata: {}", serde_json::Value::from(preset.metadata.clone()))),
    );
    lines.join("\n")
}
