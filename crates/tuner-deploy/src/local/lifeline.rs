//! A small process that outlives the tuner by a moment and ends the engines it held.
//!
//! It reads ids from a pipe whose other end only the tuner holds. When the tuner dies, by whatever signal, the pipe
//! ends, and what was held is stopped. So nothing runs on even if the tuner is never started again.

use std::io::{BufRead, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use std::{collections::BTreeSet, io};

use super::LocalBackend;
use crate::{DeployError, DeploymentId};

/// The tuner's end.
#[derive(Debug)]
pub struct Lifeline {
    pipe: Mutex<Option<ChildStdin>>,
    process: Mutex<Child>,
}

impl Lifeline {
    /// Starts `command` (program, arguments, variables to set), which must call [`watch`] on its standard input.
    pub fn start(program: &Path, args: &[String], vars: &[(String, String)]) -> io::Result<Self> {
        let mut process = Command::new(program)
            .args(args)
            .envs(vars.iter().cloned())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // Ctrl-C is for the tuner; this one goes when the pipe ends.
            .process_group(0)
            .spawn()?;
        let pipe = process.stdin.take();
        Ok(Self { pipe: Mutex::new(pipe), process: Mutex::new(process) })
    }

    pub(crate) fn hold(&self, id: &DeploymentId) {
        self.say('+', id);
    }

    pub(crate) fn release(&self, id: &DeploymentId) {
        self.say('-', id);
    }

    fn say(&self, sign: char, id: &DeploymentId) {
        let mut pipe = self.pipe.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(open) = pipe.as_mut() else { return };
        if let Err(error) = writeln!(open, "{sign}{id}").and_then(|()| open.flush()) {
            tracing::warn!(%error, "the lifeline is gone; orphans are ended at the next start only");
            *pipe = None;
        }
    }
}

impl Drop for Lifeline {
    fn drop(&mut self) {
        *self.pipe.lock().unwrap_or_else(PoisonError::into_inner) = None;
        let _ = self.process.lock().unwrap_or_else(PoisonError::into_inner).wait();
    }
}

/// What the lifeline process does: reads `+id` and `-id` lines until the input ends, then stops what is still held
/// in the data directory `root`. Returns what it stopped. Blocks its thread.
pub fn watch(root: &Path, input: impl BufRead, grace: Duration) -> Result<Vec<DeploymentId>, DeployError> {
    let mut held: BTreeSet<DeploymentId> = BTreeSet::new();
    for line in input.lines().map_while(Result::ok) {
        let (sign, id) = line.split_at(line.len().min(1));
        let Ok(id) = id.parse() else { continue };
        match sign {
            "+" => held.insert(id),
            "-" => held.remove(&id),
            _ => continue,
        };
    }
    if held.is_empty() {
        return Ok(Vec::new());
    }
    let backend = LocalBackend::new(root)?;
    let mut stopped = Vec::new();
    for id in held {
        let result = backend.inner.stop(&id, grace)?;
        if result.processes > 0 {
            stopped.push(id);
        }
    }
    Ok(stopped)
}
