//! `autotuner stop`

use std::time::Duration;

use tuner_app::instance;

use crate::exit::Exit;
use crate::settings::Settings;
use crate::ui;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How long it may take to give back what its workers run.
    #[arg(long, value_name = "SECONDS", default_value_t = 40)]
    limit: u64,
}

pub(crate) async fn run(args: Args, settings: &Settings) -> anyhow::Result<Exit> {
    match instance::stop(&settings.home(), Duration::from_secs(args.limit)).await? {
        Some(server) => ui::say(&format!("the server with pid {} has ended; its jobs wait in the queue", server.pid)),
        None => ui::say(&format!("no server runs on {}", settings.home().root().display())),
    }
    Ok(Exit::Success)
}
