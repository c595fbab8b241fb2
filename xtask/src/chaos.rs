//! `cargo xtask chaos [ARGS]`: server, workers and database are killed, ended, suspended and cut off at random moments while
//! tasks run; then it is looked whether anything is lost, doubled or left. Only builds and hands over.

use std::process::{Command, ExitCode};

use anyhow::Result;

use crate::codegen;
use crate::quickstart::hand_over;

pub(crate) fn run(arguments: &[&str]) -> Result<ExitCode> {
    let debug = codegen::debug_directory()?;
    hand_over(Command::new(debug.join("examples/chaos")).arg(debug.join("autotuner")).args(arguments))
}
