//! `autotuner report TASK`

use std::path::PathBuf;

use tuner_app::report::Format;
use tuner_app::{results, tune};

use crate::exit::Exit;
use crate::settings::Settings;
use crate::ui;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Name, id or beginning of an id.
    task: String,
    /// The form: terminal, json, markdown or html.
    #[arg(long, short, value_parser = parse)]
    format: Option<Format>,
    /// Write it here instead of standard output.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

fn parse(word: &str) -> Result<Format, String> {
    word.parse().map_err(|error: tuner_app::report::UnknownFormat| error.to_string())
}

pub(crate) async fn run(args: Args, settings: &Settings) -> anyhow::Result<Exit> {
    let home = settings.home();
    let store = tune::open_store(&home).await?;
    let row = store.task(&args.task).await?;
    let report = results::gather(&home, &store, row.id, &settings.surroundings()).await?;
    let by_name = args.output.as_ref().and_then(|p| match p.extension()?.to_str()? {
        "html" | "htm" => Some(Format::Html),
        "md" => Some(Format::Markdown),
        "json" => Some(Format::Json),
        _ => None,
    });
    let default = if settings.json { Format::Json } else { ui::terminal_format(settings) };
    let format = match args.format.or(by_name).unwrap_or(default) {
        Format::Terminal { .. } if args.output.is_none() => ui::terminal_format(settings),
        format => format,
    };
    let text = results::rendered(&report, format)?;
    match &args.output {
        Some(place) => {
            results::write(place, &text)?;
            ui::say(&format!("written to {}", place.display()));
        }
        None => ui::answer(&text),
    }
    Ok(Exit::Success)
}
