//! `autotuner lifeline DIR`: ends engines when the tuner that started it dies. Started by the tuner itself.

use std::path::PathBuf;
use std::time::Duration;

use crate::exit::Exit;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The data directory.
    root: PathBuf,
}

pub(crate) fn run(args: Args) -> anyhow::Result<Exit> {
    let ended = tuner_deploy::local::lifeline::watch(&args.root, std::io::stdin().lock(), Duration::from_secs(5))?;
    tracing::info!(?ended, "the tuner is gone");
    Ok(Exit::Success)
}
