//! `cargo xtask quickstart`: from a clone to a tuned engine. Only builds and hands over: the work is
//! `autotuner quickstart`, the same for people who installed the binary.

use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};

use crate::{codegen, page, shell};

pub(crate) fn run(arguments: &[&str]) -> Result<ExitCode> {
    let binary = release()?;
    hand_over(Command::new(&binary).arg("quickstart").args(arguments))
}

/// Builds the release binary and says where it is.
pub(crate) fn release() -> Result<PathBuf> {
    if !page::can_build() {
        eprintln!("npm is not installed: the binary will have no web page (install Node.js 20 and run this again)");
    } else if page::build()? != ExitCode::SUCCESS {
        bail!("the page was not built; its own messages are above");
    }
    eprintln!("building autotuner (release); some minutes on a cold clone");
    let built = shell::cargo().args(["build", "--release", "--package", "tuner-cli"]).status()?;
    if !built.success() {
        bail!("the build failed; its own messages are above");
    }
    Ok(codegen::target_directory()?.join("release/autotuner"))
}

/// Runs a command in the clone and ends as it ended.
pub(crate) fn hand_over(command: &mut Command) -> Result<ExitCode> {
    let status = command.current_dir(shell::root()).status().with_context(|| format!("cannot run {command:?}"))?;
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from))
}
