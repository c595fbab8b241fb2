//! The `autotuner` command: one file per subcommand, and the only reader of the environment.
//!
//! *Invariant*: standard output carries the answer (text, or JSON with `--json`); progress, warnings and errors go to
//! standard error.

mod agent;
mod commands;
mod exit;
mod init;
mod interrupts;
mod settings;
mod telemetry;
mod ui;

use clap::Parser;

use commands::Command;
use exit::Exit;
use settings::Settings;

/// Finds the best configuration of an LLM inference engine for your model, hardware, traffic and service levels.
#[derive(Debug, Parser)]
#[command(name = "autotuner", version, max_term_width = 110, after_help = exit::HELP)]
struct Cli {
    #[command(flatten)]
    settings: Settings,
    #[command(subcommand)]
    command: Command,
}

fn main() -> std::process::ExitCode {
    if init::is_first() {
        return init::run().unwrap_or_else(|error| {
            ui::error(&error.context("this program cannot be process 1"));
            Exit::Internal.into()
        });
    }
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return if error.use_stderr() { Exit::Usage.into() } else { Exit::Success.into() };
        }
    };
    // One TLS stack for every client: ring.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let telemetry = match cli.settings.start_telemetry() {
        Ok(telemetry) => telemetry,
        Err(error) => {
            ui::error(&error);
            return Exit::Usage.into();
        }
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            ui::error(&anyhow::Error::new(error).context("the asynchronous runtime does not start"));
            return Exit::Internal.into();
        }
    };
    let exit = runtime.block_on(commands::run(cli.command, &cli.settings));
    runtime.shutdown_timeout(std::time::Duration::from_millis(200));
    drop(telemetry);
    exit.into()
}
