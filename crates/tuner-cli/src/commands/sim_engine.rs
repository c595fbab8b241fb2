//! `autotuner sim-engine …`: the simulated engine as a server.

use crate::exit::Exit;

/// Options of the server and flags of the engine.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Options of the server: --model MODEL --gpu GPU --gpu-count N --speed X --host HOST --port PORT --seed N\n\
Every other --name value is a flag of the engine in vLLM's or SGLang's spelling; see: autotuner engines params simulated"
)]
pub(crate) struct Args {
    /// Options and flags, as the engine takes them.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "OPTIONS")]
    rest: Vec<String>,
}

/// The engine's own exit status is its contract: exit classification reads it.
pub(crate) async fn run(args: Args) -> anyhow::Result<Exit> {
    Ok(match tuner_sim::run_command(&args.rest).await {
        0 => Exit::Success,
        2 => Exit::Usage,
        _ => Exit::Internal,
    })
}
