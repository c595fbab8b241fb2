//! `autotuner completions SHELL`

use clap::CommandFactory;
use clap_complete::Shell;

use crate::exit::Exit;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The shell.
    shell: Shell,
}

pub(crate) fn run(args: Args) -> anyhow::Result<Exit> {
    let mut command = crate::Cli::command();
    clap_complete::generate(args.shell, &mut command, "autotuner", &mut std::io::stdout());
    Ok(Exit::Success)
}
