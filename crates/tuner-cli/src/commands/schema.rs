//! `autotuner schema task`

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
}

pub(crate) fn run(args: Args) -> anyhow::Result<Exit> {
    match args.format {
        Format::Task => ui::json(&tuner_core::task::schema())?,
    }
    Ok(Exit::Success)
}
