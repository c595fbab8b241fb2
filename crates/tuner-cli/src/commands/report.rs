//! `autotuner report TASK`

use std::path::{Path, PathBuf};

use tuner_app::report::{Format, Ink};
use tuner_app::{results, tune};

use crate::exit::{Exit, Refusal};
use crate::settings::Settings;
use crate::ui;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Name, id or beginning of an id.
    task: String,
    /// The form: terminal, brief, json, markdown or html [default: by the ending of --output, else terminal].
    #[arg(long, short, value_parser = parse)]
    format: Option<Format>,
    /// Write it here instead of standard output.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

fn parse(word: &str) -> Result<Format, String> {
    word.parse().map_err(|error: tuner_app::report::UnknownFormat| error.to_string())
}

fn by_ending(place: &Path) -> Result<Format, Refusal> {
    Ok(match place.extension().and_then(|e| e.to_str()).unwrap_or_default() {
        "html" | "htm" => Format::Html,
        "md" => Format::Markdown,
        "json" => Format::Json,
        "txt" => Format::Terminal { width: 100, ink: Ink::Plain },
        _ => {
            let message = format!("the ending of {} names no report format", place.display());
            return Err(Refusal::usage(message, "end it in .html, .md, .json or .txt, or say --format"));
        }
    })
}

pub(crate) async fn run(args: Args, settings: &Settings) -> anyhow::Result<Exit> {
    let home = settings.home();
    let store = tune::open_store(&home).await?;
    let row = store.task(&args.task).await?;
    let report = results::gather(&home, &store, row.id, &settings.surroundings()).await?;
    let format = match (args.format, &args.output) {
        (Some(Format::Terminal { .. }), None) => ui::terminal_format(settings),
        (Some(Format::Brief { .. }), None) => ui::brief_format(settings),
        (Some(format), _) => format,
        (None, _) if settings.json => Format::Json,
        (None, Some(place)) => by_ending(place)?,
        (None, None) => ui::terminal_format(settings),
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
