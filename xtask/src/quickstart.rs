//! `cargo xtask quickstart`: from a clone to a tuned engine. Only builds and hands over: the work is
//! `autotuner quickstart`, the same for people who installed the binary.

use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};

use crate::{codegen, shell};

pub(crate) fn run(arguments: &[&str]) -> Result<ExitCode> {
    eprintln!("building autotuner (release); some minutes on a cold clone");
    let built = shell::cargo().args(["build", "--release", "--package", "tuner-cli"]).status()?;
    if !built.success() {
        bail!("the build failed; its own messages are above");
    }
    let binary = codegen::target_directory()?.join("release/autotuner");
    let mut command = Command::new(&binary);
    command.arg("quickstart").args(arguments).current_dir(shell::root());
    let status = command.status().with_context(|| format!("cannot run {}", binary.display()))?;
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from))
}
