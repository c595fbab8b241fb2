//! `cargo xtask bench-server [PARTS]`: how fast the service answers, tells and starts with a large store, and what memory
//! it needs, on SQLite and PostgreSQL, with goals, in one table.

use std::process::{Command, ExitCode};

use anyhow::{Result, bail};

use crate::quickstart::hand_over;
use crate::{codegen, shell};

/// The server, what fills its store, and what asks it: in one build, for they share nearly everything.
const BUILD: [&str; 14] = [
    "build",
    "--release",
    "--package",
    "tuner-cli",
    "--package",
    "tuner-store",
    "--package",
    "tuner-server",
    "--bin",
    "autotuner",
    "--example",
    "fill",
    "--example",
    "service",
];

pub(crate) fn run(arguments: &[&str]) -> Result<ExitCode> {
    if !shell::cargo().args(BUILD).status()?.success() {
        bail!("the build failed; its own messages are above");
    }
    let release = codegen::target_directory()?.join("release");
    let mut bench = Command::new(release.join("examples/service"));
    hand_over(bench.arg(release.join("autotuner")).arg(release.join("examples/fill")).args(arguments))
}
