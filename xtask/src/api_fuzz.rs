//! `cargo xtask api-fuzz`: schemathesis makes requests from the document of the API and looks whether a real server
//! answers them as the document says. Where it cannot be installed, the chore says so and counts as skipped.
//!
//! *Invariant*: the server is one of our own, on a free port, with a data directory of its own; it ends with the chore.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};

use anyhow::{Context, Result};

use crate::{codegen, shell};

/// The release that the findings were looked through with.
const RELEASE: &str = "schemathesis>=4,<5";

/// That a document is a task which can be run is more than a schema can say, so a refusal of one is no finding.
const LEFT_OUT: &str = "positive_data_acceptance";

/// Streams end only with the service.
const STREAMS: &str = "(/events$|/follow$|/messages/stream$)";

pub(crate) fn run() -> Result<ExitCode> {
    let target = codegen::target_directory()?;
    let program = match install(&target.join("schemathesis")) {
        Ok(program) => program,
        Err(error) => {
            println!("schemathesis cannot be installed here: {error:#}");
            println!("test result: ok. 0 passed; 0 failed; 1 ignored");
            return Ok(ExitCode::SUCCESS);
        }
    };
    let binary = codegen::debug_directory()?.join("autotuner");
    let data = target.join(format!("api-fuzz-{}", std::process::id()));
    let done = against(&binary, &data, &program);
    let _ = std::fs::remove_dir_all(&data);
    let passed = done?;
    println!("test result: {} passed; {} failed; 0 ignored", u8::from(passed), u8::from(!passed));
    Ok(if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Schemathesis in a Python environment of its own.
fn install(place: &Path) -> Result<PathBuf> {
    let program = place.join("bin/schemathesis");
    if !program.exists() {
        shell::capture(Command::new("python3").args(["-m", "venv"]).arg(place))?;
        shell::capture(Command::new(place.join("bin/pip")).args(["install", "--quiet", RELEASE]))?;
    }
    Ok(program)
}

/// A server that ends when it is dropped.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn against(binary: &Path, data: &Path, program: &Path) -> Result<bool> {
    let mut command = Command::new(binary);
    // Without a worker: what is queued by made-up requests must not be done.
    command.arg("--data-dir").arg(data).args(["serve", "--listen", "127.0.0.1:0", "--workers", "0"]);
    let mut server = Server(command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?);
    let mut line = String::new();
    let stdout = server.0.stdout.as_mut().context("the server has no output")?;
    BufReader::new(stdout).read_line(&mut line)?;
    let address = line.strip_prefix("listening on ").and_then(|rest| rest.split_once(','));
    let (address, _) = address.with_context(|| format!("the server said {line:?}"))?;
    let mut command = Command::new(program);
    // It keeps what it learnt in the folder that it is called from.
    command.current_dir(program.parent().unwrap_or(program));
    command.args(["run", &format!("{address}/api/openapi.json"), "--exclude-path-regex", STREAMS]);
    command.args(["--exclude-checks", LEFT_OUT, "--max-examples", "25", "--request-timeout", "20"]);
    command.args(["--phases", "examples,coverage,fuzzing", "--no-color"]);
    command.env("NO_PROXY", "127.0.0.1").env("no_proxy", "127.0.0.1");
    let watched = shell::watch(&mut command)?;
    if !watched.ok && !watched.shown {
        watched.lines.iter().for_each(|line| println!("{line}"));
    }
    Ok(watched.ok)
}
