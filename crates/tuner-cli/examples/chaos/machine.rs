//! A machine's worth of processes on this one: a host name of its own, and for the second a network of its own.
//!
//! *Invariant*: its namespaces end with this program, however that ends: whoever holds them waits for the end of a pipe.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};

/// Sets the name up, says that it stands, and stays.
const HOLD: &str =
    "echo \"$1\" > /proc/sys/kernel/hostname && { ip link set lo up 2>/dev/null; echo ready; exec cat; }";

/// A host name, a data directory and, if apart, a network.
#[derive(Debug)]
pub(crate) struct Machine {
    pub(crate) name: String,
    pub(crate) data: PathBuf,
    holder: Child,
    apart: bool,
}

impl Machine {
    /// # Errors
    /// No namespace can be made here: that needs root.
    pub(crate) fn new(name: &str, folder: &Path, apart: bool) -> Result<Self> {
        let data = folder.join(name);
        std::fs::create_dir_all(&data)?;
        let mut command = Command::new("unshare");
        command.arg("--uts").args(apart.then_some("--net")).args(["sh", "-c", HOLD, "sh", name]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut holder = command.spawn().context("`unshare` (util-linux) cannot be run")?;
        let mut line = String::new();
        let stdout = holder.stdout.take().context("it has no output")?;
        BufReader::new(stdout).read_line(&mut line)?;
        if line.trim() != "ready" {
            let said = holder.wait_with_output()?.stderr;
            bail!("no machine with a name of its own can be made; run it as root: {}", String::from_utf8_lossy(&said));
        }
        Ok(Self { name: name.to_owned(), data, holder, apart })
    }

    /// A program on this machine; its process is the one that is started.
    pub(crate) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new("nsenter");
        command.arg("--target").arg(self.holder.id().to_string()).arg("--uts").args(self.apart.then_some("--net"));
        command.arg("--").arg(program);
        command
    }

    /// Ports on which somebody listens in a network of its own; of a shared one nothing can be said.
    pub(crate) fn listening(&self) -> Vec<u16> {
        if !self.apart {
            return Vec::new();
        }
        let table = std::fs::read_to_string(format!("/proc/{}/net/tcp", self.holder.id())).unwrap_or_default();
        let port = |line: &str| {
            let mut words = line.split_whitespace().skip(1);
            let (local, state) = (words.next()?, words.nth(1)?);
            // 0A: listening (proc(5), include/net/tcp_states.h).
            (state == "0A").then(|| u16::from_str_radix(local.rsplit_once(':')?.1, 16).ok())?
        };
        table.lines().filter_map(port).collect()
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}
