//! The web page: `cargo xtask page` builds `ui/` into what the binary holds; its checks and its browser tests are stages of CI.

use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};

use crate::{codegen, shell};

/// Where the browser of Debian is.
const CHROMIUM: &str = "/usr/bin/chromium";

pub(crate) fn run(arguments: &[&str]) -> Result<ExitCode> {
    match arguments {
        [] => build(),
        // Types, lint, units, and what the binary will hold.
        ["--check"] => steps(&["check", "test", "build", "size"]),
        // CI drives the pages whose tests take least; all of them are some minutes more.
        ["--browser"] => browser(if std::env::var_os("CI").is_some() { "browser:ci" } else { "browser" }),
        other => bail!("unknown arguments {other:?}; there are --check and --browser"),
    }
}

/// Builds the page. The binary that is built next holds it.
pub(crate) fn build() -> Result<ExitCode> {
    steps(&["build"])
}

/// Whether this machine can build it.
pub(crate) fn can_build() -> bool {
    shell::works("npm", &["--version"])
}

fn folder() -> PathBuf {
    shell::root().join("ui")
}

fn npm(arguments: &[&str]) -> Command {
    let mut command = Command::new("npm");
    command.args(arguments).current_dir(folder());
    command
}

/// Fetches what the lock file names, unless it is there, and runs scripts of `ui/package.json` until one fails.
fn steps(scripts: &[&str]) -> Result<ExitCode> {
    if !can_build() {
        bail!("the page needs Node.js 20 with npm; install them with the system's package manager");
    }
    let (lock, installed) = (folder().join("package-lock.json"), folder().join("node_modules/.package-lock.json"));
    let changed = |path: &PathBuf| path.metadata().and_then(|meta| meta.modified());
    let is_there = changed(&installed).ok().zip(changed(&lock).ok()).is_some_and(|(there, lock)| there >= lock);
    if !is_there {
        shell::capture(&mut npm(&["ci"]))?;
    }
    for script in scripts {
        let status = npm(&["run", "--silent", script]).status().context("cannot run npm")?;
        if !status.success() {
            println!("page: npm run {script} failed");
            return Ok(ExitCode::FAILURE);
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Runs a script that drives a real browser against the debug binary, with the page as it was built.
fn browser(script: &str) -> Result<ExitCode> {
    if !folder().join("dist/index.html").exists() {
        let built = build()?;
        if built != ExitCode::SUCCESS {
            return Ok(built);
        }
    }
    if !PathBuf::from(CHROMIUM).exists() {
        shell::install_packages(&["chromium"])?;
    }
    let program = codegen::debug_directory()?.join("autotuner");
    let mut command = npm(&["run", "--silent", script]);
    command.env("AUTOTUNER_BIN", program).env("AUTOTUNER_PAGE", "embedded").env("CHROMIUM", CHROMIUM);
    let status = command.status().context("cannot run npm")?;
    println!("pictures of every page in both themes, wide and narrow: ui/screenshots");
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
