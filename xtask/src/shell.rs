//! Running other programs: with their output kept, shown live, or both.

use std::io::{BufRead, BufReader, IsTerminal, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// Without a terminal, a running program shows its latest line this often.
const HEARTBEAT: Duration = Duration::from_secs(30);

/// Root of the repository.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

/// The cargo that started us, without what it told us about ourselves: build scripts watch these variables, and a
/// plain `cargo build` beside us would build their crates again.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root()).stdin(Stdio::null());
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
            command.env_remove(name);
        }
    }
    command
}

/// Standard output of a program that must succeed.
pub(crate) fn capture(command: &mut Command) -> Result<String> {
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("cannot run {command:?}"))?;
    if !output.status.success() {
        bail!("{command:?} ended with {}\n{}", output.status, String::from_utf8_lossy(&output.stderr).trim_end());
    }
    String::from_utf8(output.stdout).with_context(|| format!("{command:?} wrote something that is not UTF-8"))
}

/// Whether a program runs and succeeds; silent.
pub(crate) fn works(program: &str, arguments: &[&str]) -> bool {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// Whether this process may change the machine.
pub(crate) fn is_root() -> Result<bool> {
    Ok(capture(Command::new("id").arg("-u"))?.trim() == "0")
}

/// Installs Debian packages, where this machine lets us; else says what is missing.
pub(crate) fn install_packages(packages: &[&str]) -> Result<()> {
    if !is_root()? || !works("apt-get", &["--version"]) {
        bail!("missing on this machine: {}; install with the system's package manager", packages.join(", "));
    }
    println!("installing {}", packages.join(", "));
    let apt =
        |arguments: &[&str]| capture(Command::new("apt-get").args(arguments).env("DEBIAN_FRONTEND", "noninteractive"));
    apt(&["update"])?;
    apt(&[&["install", "-y", "--no-install-recommends"], packages].concat())?;
    Ok(())
}

/// What a watched program did.
pub(crate) struct Watched {
    pub(crate) ok: bool,
    /// Both streams, in order of arrival.
    pub(crate) lines: Vec<String>,
    /// Whether the lines were already shown.
    pub(crate) shown: bool,
}

/// Runs a program to its end. On a terminal its lines appear as they come; elsewhere only a heartbeat does.
pub(crate) fn watch(command: &mut Command) -> Result<Watched> {
    let live = std::io::stdout().is_terminal();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot run {command:?}"))?;
    let (sender, receiver) = mpsc::channel::<String>();
    let streams: [Option<Box<dyn Read + Send>>; 2] =
        [child.stdout.take().map(|s| Box::new(s) as _), child.stderr.take().map(|s| Box::new(s) as _)];
    for stream in streams.into_iter().flatten() {
        let sender = sender.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(stream).split(b'\n').map_while(Result::ok) {
                if sender.send(String::from_utf8_lossy(&line).trim_end().to_owned()).is_err() {
                    return;
                }
            }
        });
    }
    drop(sender);
    let mut lines = Vec::new();
    let begun = Instant::now();
    let mut shown_at = begun;
    for line in receiver {
        if live {
            println!("{line}");
        } else if shown_at.elapsed() >= HEARTBEAT {
            shown_at = Instant::now();
            println!("    {:>4} s  {}", begun.elapsed().as_secs(), line.trim());
        }
        lines.push(line);
    }
    let ok = child.wait()?.success();
    Ok(Watched { ok, lines, shown: live })
}
