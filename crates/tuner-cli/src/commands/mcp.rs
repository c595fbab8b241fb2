//! `autotuner mcp`

use tokio_util::sync::CancellationToken;
use tuner_mcp::Door;
use tuner_policy::chat::Mode;

use crate::agent;
use crate::exit::{Exit, Refusal};
use crate::interrupts::Interrupts;
use crate::settings::Settings;

const ABOUT: &str = "\
It speaks on standard input and output: let the program whose model shall use the tools start it, for instance with
  {\"mcpServers\": {\"inference-autotuner\": {\"command\": \"autotuner\", \"args\": [\"mcp\"]}}}
Whatever only looks runs at once. What changes something waits for you: `autotuner chat --session ID`, which the answer
names, shows the card. A running service has the same tools at /mcp. Tasks are done by the workers of a service.";

#[derive(Debug, clap::Args)]
#[command(after_help = ABOUT)]
pub(crate) struct Args {
    /// Refuse every call that changes anything.
    #[arg(long)]
    read_only: bool,
}

pub(crate) async fn run(args: Args, settings: &Settings) -> anyhow::Result<Exit> {
    let (store, desk) = agent::at_home(settings).await?;
    let stop = CancellationToken::new();
    let _interrupts = Interrupts::heed(&stop)?;
    let driver = desk.agent().start(stop.clone());
    let mode = if args.read_only { Mode::ReadOnly } else { Mode::Ask };
    let served = Door::for_one(desk, agent::here("mcp"), mode).serve_stdio(stop.clone()).await;
    let interrupted = stop.is_cancelled();
    stop.cancel();
    driver.await?;
    store.close().await?;
    match served {
        Err(_) if interrupted => Ok(Exit::Success),
        Err(error) => Err(Refusal::usage(
            format!("the other side did not speak the Model Context Protocol: {error}"),
            "this command is started by a program, not typed: autotuner mcp --help",
        )
        .into()),
        Ok(()) => Ok(Exit::Success),
    }
}
