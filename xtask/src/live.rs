//! `cargo xtask live ENGINE`: installs a real engine that is too large for every test run and tunes it with the example
//! task. Its figures belong into `docs/benchmarks.md`.

use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};

use crate::quickstart::{hand_over, release};
use crate::{codegen, shell};

/// Engine, what to install, example task, the model's place in it, the model's place in the data directory.
const LIVE: &[(&str, &str, &str, &str)] = &[
    ("sglang", "sglang-cpu", "examples/sglang-cpu.yaml", "models/SmolLM2-135M-Instruct"),
    ("vllm", "vllm-cpu", "examples/vllm-cpu.yaml", "models/SmolLM2-135M-Instruct"),
];

pub(crate) fn run(engine: &str, arguments: &[&str]) -> Result<ExitCode> {
    let Some((_, target, example, model)) = LIVE.iter().find(|(name, ..)| *name == engine) else {
        let known: Vec<&str> = LIVE.iter().map(|(name, ..)| *name).collect();
        bail!("no recipe for {engine:?}; there are: {}", known.join(", "));
    };
    let binary = release()?;
    let home = codegen::target_directory()?.join("live");
    let mut autotuner = Command::new(&binary);
    autotuner.arg("--data-dir").arg(&home);
    let mut install = Command::new(&binary);
    install.arg("--data-dir").arg(&home).args(["engines", "install", target]);
    if !install.status()?.success() {
        bail!("{target} was not installed; its own message is above");
    }
    let text = std::fs::read_to_string(shell::root().join(example)).with_context(|| example.to_owned())?;
    let task = home.join(format!("{engine}.yaml"));
    std::fs::write(&task, text.replace(model, &home.join(model).display().to_string()))?;
    hand_over(autotuner.arg("tune").arg(&task).args(arguments))
}
