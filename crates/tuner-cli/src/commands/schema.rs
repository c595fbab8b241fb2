//! `autotuner schema task|openapi`

use crate::exit::Exit;
use crate::ui;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The format.
    format: Format,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Format {
    /// The task file.
    Task,
    /// The HTTP API, as OpenAPI 3.1.
    Openapi,
}

pub(crate) fn run(args: Args) -> anyhow::Result<Exit> {
    match args.format {
        Format::Task => ui::json(&tuner_core::task::schema())?,
        Format::Openapi => ui::json(&tuner_server::document())?,
    }
    Ok(Exit::Success)
}
