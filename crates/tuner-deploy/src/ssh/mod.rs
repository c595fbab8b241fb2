//! Other machines, by the system's `ssh`: commands there, with what they are given and what they say.
//!
//! *Invariant*: ssh is started without a shell, asks nobody anything, checks host keys, and ends with its process group
//! when its time is over or its value is dropped.

mod error;
mod target;

pub use error::SshError;
pub use target::{BadTarget, OPTIONS, Target, Value};

use std::io::ErrorKind;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::task::JoinHandle;

/// Bytes that are read of what is said.
const MOST: u64 = 64 << 10;

/// What a command there reads on its standard input.
#[derive(Clone, Debug)]
pub enum Input {
    /// Nothing.
    Nothing,
    /// A text.
    Text(String),
    /// A file of this machine.
    File(PathBuf),
}

/// Another machine that commands are run on.
#[derive(Clone, Debug)]
pub struct Ssh {
    target: Target,
    without: Vec<String>,
}

impl Ssh {
    /// The machine of a target. `without` names variables of our environment that ssh does not get.
    ///
    /// # Errors
    /// [`BadTarget`].
    pub fn new(target: Target, without: Vec<String>) -> Result<Self, BadTarget> {
        target.check()?;
        Ok(Self { target, without })
    }

    fn start(&self, command: &str) -> Result<Started, SshError> {
        let mut ssh = Command::new("ssh");
        ssh.args(self.target.arguments()).arg(command);
        // What it says is read by a program.
        ssh.env("LC_ALL", "C");
        self.without.iter().for_each(|name| {
            ssh.env_remove(name);
        });
        ssh.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0).kill_on_drop(true);
        let mut child = ssh.spawn().map_err(|error| match error.kind() {
            ErrorKind::NotFound => SshError::Missing,
            _ => SshError::Run(error),
        })?;
        let pipe = || SshError::Run(ErrorKind::BrokenPipe.into());
        let input = child.stdin.take().ok_or_else(pipe)?;
        let output = child.stdout.take().ok_or_else(pipe)?;
        let errors = child.stderr.take().ok_or_else(pipe)?;
        let said = tokio::spawn(async move {
            let mut bytes = Vec::new();
            let mut errors = errors;
            let _ = (&mut errors).take(MOST).read_to_end(&mut bytes).await;
            // What is more than that is let through, so that nobody waits for us.
            let _ = tokio::io::copy(&mut errors, &mut tokio::io::sink()).await;
            String::from_utf8_lossy(&bytes).into_owned()
        });
        let group = Group(child.id());
        Ok(Started { child, input, output, said, group })
    }

    /// Runs a command there to its end; gives what it said.
    ///
    /// # Errors
    /// [`SshError`].
    pub async fn run(&self, command: &str, input: Input, limit: Duration) -> Result<String, SshError> {
        let Started { mut child, input: mut pipe, output, said, group } = self.start(command)?;
        let feed = async move {
            // One that ends early says why itself.
            let _ = match input {
                Input::Nothing => Ok(()),
                Input::Text(text) => pipe.write_all(text.as_bytes()).await,
                Input::File(path) => match tokio::fs::File::open(&path).await {
                    Ok(mut file) => tokio::io::copy(&mut file, &mut pipe).await.map(drop),
                    Err(error) => Err(error),
                },
            };
            let _ = pipe.shutdown().await;
            drop(pipe);
        };
        let listen = async {
            let mut bytes = Vec::new();
            let mut output = output;
            (&mut output).take(MOST).read_to_end(&mut bytes).await.map_err(SshError::Run)?;
            tokio::io::copy(&mut output, &mut tokio::io::sink()).await.map_err(SshError::Run)?;
            Ok(String::from_utf8_lossy(&bytes).into_owned())
        };
        let work = async {
            let ((), text) = tokio::join!(feed, listen);
            let status = child.wait().await.map_err(SshError::Run)?;
            text.map(|text| (text, status))
        };
        let done = tokio::time::timeout(limit, work).await;
        let (text, status) = done.map_err(|_| self.hangs(limit))??;
        group.has_ended();
        if status.success() {
            return Ok(text);
        }
        let mut words = said.await.unwrap_or_default();
        if words.trim().is_empty() {
            words = text;
        }
        Err(SshError::of(&self.target.to_string(), status.code(), &words))
    }

    /// Begins a command there that says its lines one by one. It is given a text to read; its input stays open until the
    /// value is dropped, which also ends it.
    ///
    /// # Errors
    /// [`SshError::Missing`], [`SshError::Run`].
    pub async fn talk(&self, command: &str, input: &str) -> Result<Talk, SshError> {
        let Started { child, input: mut pipe, output, said, group } = self.start(command)?;
        // A machine that is not reached says so below.
        let _ = pipe.write_all(input.as_bytes()).await;
        let _ = pipe.flush().await;
        let lines = BufReader::new(output).lines();
        Ok(Talk { target: self.target.to_string(), child, lines, said, _input: pipe, group })
    }

    fn hangs(&self, limit: Duration) -> SshError {
        SshError::Hangs { target: self.target.to_string(), limit }
    }
}

struct Started {
    child: Child,
    input: ChildStdin,
    output: ChildStdout,
    said: JoinHandle<String>,
    group: Group,
}

/// A command there that goes on.
#[derive(Debug)]
pub struct Talk {
    target: String,
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    said: JoinHandle<String>,
    _input: ChildStdin,
    group: Group,
}

impl Talk {
    /// Its next line; `None` when it has ended. A call that is dropped loses no line.
    ///
    /// # Errors
    /// [`SshError::Run`]: the pipe broke.
    pub async fn line(&mut self) -> Result<Option<String>, SshError> {
        self.lines.next_line().await.map_err(SshError::Run)
    }

    /// How it ended, after its last line: an error unless it succeeded.
    ///
    /// # Errors
    /// [`SshError`].
    pub async fn end(mut self) -> Result<(), SshError> {
        let status = self.child.wait().await.map_err(SshError::Run)?;
        self.group.has_ended();
        if status.success() {
            return Ok(());
        }
        let said = self.said.await.unwrap_or_default();
        Err(SshError::of(&self.target, status.code(), &said))
    }
}

/// Ends the processes of a group when it is dropped, unless its leader was waited for: then the number may be another's.
#[derive(Debug)]
struct Group(Option<u32>);

impl Group {
    fn has_ended(mut self) {
        self.0 = None;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let group = self.0.and_then(|pid| i32::try_from(pid).ok()).and_then(Pid::from_raw);
        if let Some(group) = group {
            // It may have ended by itself.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}
