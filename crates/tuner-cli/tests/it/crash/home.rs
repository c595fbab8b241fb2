//! A data directory of its own with the `autotuner` command over it.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use serde_json::Value;

use tuner_testkit::procs::{self, send, wait_for};

/// Long enough for anything that is going to happen at all on a slow machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// A data directory, removed at the end.
pub(crate) struct Home {
    dir: tempfile::TempDir,
    mark: String,
}

/// A command that has ended.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Home {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mark = tuner_deploy::LocalBackend::new(dir.path().join("data")).unwrap().home().to_owned();
        Self { dir, mark }
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    /// Writes a task file.
    pub(crate) fn task(&self, text: &str) -> String {
        let path = self.dir.path().join("task.yaml");
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_autotuner"));
        command.arg("--data-dir").arg(self.data()).args(args).stdin(Stdio::null());
        for proxy in ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"] {
            command.env_remove(proxy);
        }
        command
    }

    /// Runs a command to its end.
    pub(crate) fn run(&self, args: &[&str]) -> Done {
        self.run_in(&[], args)
    }

    /// The same with variables of its environment.
    pub(crate) fn run_in(&self, variables: &[(&str, &str)], args: &[&str]) -> Done {
        let output = self.command(args).envs(variables.iter().copied()).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Done { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// The answer of a command in JSON.
    pub(crate) fn json(&self, args: &[&str]) -> Value {
        let done = self.run(&[args, &["--json"]].concat());
        assert_eq!(done.code, Some(0), "{args:?}: {done:?}");
        serde_json::from_str(&done.out).unwrap()
    }

    /// Starts a command that says everything that happens as JSON lines.
    pub(crate) fn start(&self, args: &[&str]) -> Running {
        self.start_in(&[], args)
    }

    /// The same with variables of its environment.
    pub(crate) fn start_in(&self, variables: &[(&str, &str)], args: &[&str]) -> Running {
        let log = self.dir.path().join("stderr");
        let err = File::options().create(true).append(true).open(&log).unwrap();
        let mut command = self.command(args);
        command.envs(variables.iter().copied());
        let mut child = command.arg("--json").stdout(Stdio::piped()).stderr(err).spawn().unwrap();
        let (send, events) = channel();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let _ = send.send(serde_json::from_str(&line).unwrap_or(Value::Null));
            }
        });
        Running { child, events, log }
    }

    /// Live processes of this data directory's deployments.
    pub(crate) fn processes(&self) -> Vec<(u32, String)> {
        procs::marked(&self.mark)
    }

    /// Waits until no process of a deployment lives.
    pub(crate) fn wait_until_empty(&self, limit: Duration) {
        wait_for("every engine to be gone", limit, || self.processes().is_empty().then_some(()));
    }

    /// Nothing is left of the work: no process, no port of `ports`, no deployment and no unfinished task in the store.
    pub(crate) fn assert_clean(&self, ports: &BTreeSet<u16>) {
        assert!(self.processes().is_empty(), "processes are left: {:?}", self.processes());
        assert_eq!(procs::busy(ports), [0u16; 0], "ports are left");
        let status = self.json(&["status"]);
        assert_eq!(status["deployments"], serde_json::json!([]), "deployments are left");
        assert_eq!(status["tasks"], serde_json::json!([]), "an unfinished task is left");
        let records = std::fs::read_dir(tuner_deploy::local::records_folder(&self.data())).unwrap();
        let names = records.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        assert_eq!(names.filter(|name| name != "lock").collect::<Vec<_>>(), [""; 0], "records are left");
    }

    /// How a task ended, in the store's word.
    pub(crate) fn status_of(&self, task: &str) -> String {
        let tasks = self.json(&["tasks", "list"]);
        let row = tasks.as_array().unwrap().iter().find(|row| row["name"] == task);
        row.map_or_else(|| "absent".to_owned(), |row| row["status"].as_str().unwrap().to_owned())
    }
}

impl Drop for Home {
    /// A lifeline that still works would make the directory anew.
    fn drop(&mut self) {
        let end = Instant::now() + PATIENCE;
        while !procs::lifelines(&self.data()).is_empty() && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// A command under way; killed when dropped.
pub(crate) struct Running {
    child: Child,
    events: Receiver<Value>,
    log: PathBuf,
}

impl Running {
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits for an event.
    pub(crate) fn wait_for(&self, what: &str, mut wanted: impl FnMut(&Value) -> bool) -> Value {
        let end = Instant::now() + PATIENCE;
        loop {
            match self.events.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(event) if wanted(&event) => return event,
                Ok(_) => {}
                Err(error) => panic!("waited for {what}: {error}; it said:\n{}", said(&self.log)),
            }
        }
    }

    /// Waits until an attempt enters a phase.
    pub(crate) fn wait_for_phase(&self, phase: &str) -> Value {
        self.wait_for(phase, |event| event["kind"] == "phase" && event["phase"] == phase)
    }

    /// What happened since the last look.
    pub(crate) fn events(&self) -> impl Iterator<Item = Value> + '_ {
        self.events.try_iter()
    }

    /// What it and others of its data directory said on standard error.
    pub(crate) fn said(&self) -> String {
        said(&self.log)
    }

    pub(crate) fn send(&self, signal: Signal) {
        send(self.pid(), signal);
    }

    /// Its end, if it comes within `limit`.
    pub(crate) fn ended_within(&mut self, limit: Duration) -> Option<ExitStatus> {
        let began = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return Some(status);
            }
            if began.elapsed() >= limit {
                return None;
            }
            std::thread::sleep(Duration::from_millis(2).min(limit));
        }
    }

    /// Its exit code, and how long it took from now.
    pub(crate) fn end(&mut self) -> (Option<i32>, Duration) {
        let began = Instant::now();
        let status = self.ended_within(PATIENCE);
        let status = status.unwrap_or_else(|| panic!("it does not end; it said:\n{}", said(&self.log)));
        (status.code(), began.elapsed())
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
    }
}

fn said(log: &Path) -> String {
    std::fs::read_to_string(log).unwrap_or_default()
}
