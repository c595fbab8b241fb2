//! The command as a newcomer meets it: what it answers, what it says beside the answer, how it exits. Every text is
//! a golden file. Nothing here needs a network, an engine or a home directory.

mod bench_runs;
mod benches;
mod cross_checks;
mod datasets;
mod help;
mod refusals;
mod results;
mod serving;
mod setup;
mod shelf;
mod telemetry;

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;
use tuner_app::{Home, tasks, tune};
use tuner_store::{Owner, Resource};

/// A task that the simulator runs in a moment.
const SMALL: &str = "\
name: small
model: {id: llama-3.1-8b}
engine: {name: simulated, hardware: {gpu: h100-80g}}
backend: {kind: virtual}
search_space: {parameters: {max-num-seqs: [2, 64, 256], enable-prefix-caching: bool}}
workload: {scenario: 'D(128,16)'}
load: {levels: [{concurrency: 2}, {concurrency: 16}], requests: 32}
slos: [{metric: ttft, stat: p99, max_ms: 2000}]
budget: {experiments: 4}
verification: {blocks: 2}
";

/// A folder of its own for a test: task files, and `data` for the command.
struct World {
    dir: TempDir,
}

impl World {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    /// A world with `small.yaml`.
    fn small() -> Self {
        let world = Self::new();
        world.write("small.yaml", SMALL);
        world
    }

    /// The same, tuned.
    fn tuned() -> Self {
        let world = Self::small();
        assert_eq!(world.command(&["tune", "small.yaml"]).output().unwrap().status.code(), Some(0));
        world
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_autotuner"));
        command.env_clear().env("PATH", "/usr/bin:/bin").env("HOME", self.dir.path());
        command.current_dir(self.dir.path()).args(["--data-dir", "data"]).args(arguments);
        command
    }

    /// Runs the command and says what a person sees, with everything replaced that differs from run to run.
    fn says(&self, arguments: &[&str]) -> String {
        self.transcript(&mut self.command(arguments))
    }

    fn transcript(&self, command: &mut Command) -> String {
        let output = command.output().unwrap();
        let part = |bytes: &[u8]| self.normal(std::str::from_utf8(bytes).unwrap());
        let (out, err) = (part(&output.stdout), part(&output.stderr));
        format!("exit {}\n──── answer\n{out}──── beside it\n{err}", output.status.code().unwrap())
    }

    /// The answer as JSON.
    fn json(&self, arguments: &[&str]) -> serde_json::Value {
        let output = self.command(arguments).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {text}"))
    }

    fn normal(&self, text: &str) -> String {
        let real = self.dir.path().canonicalize().unwrap();
        let text = [self.dir.path(), &real].iter().fold(text.to_owned(), |t, p| t.replace(&show(p), "[DIR]"));
        let text = text.replace(env!("CARGO_BIN_EXE_autotuner"), "[PROGRAM]");
        let text = replaced(&text, "00000000-0000-0000-0000-000000000000", "[ID]");
        let text = replaced(&text, "0000-00-00T00:00:00.000000Z", "[TIME]");
        replaced(&text, "0000-00-00 00:00 UTC", "[TIME]")
    }

    /// Stores the task of a file without running it, as a tuner does that is killed at once; `held` by a dead one.
    fn interrupt(&self, file: &str, held: bool) {
        let home = Home::new(self.path("data"));
        let work = async {
            let store = tune::open_store(&home).await.unwrap();
            let row = tasks::create(&store, &tasks::read_file(&self.path(file), &tasks::Known::shipped()).unwrap())
                .await
                .unwrap();
            if held {
                let dead =
                    Owner { host: tuner_runner::this_process().host, pid: 1, start_ticks: 1, pid_namespace: None };
                let (task, ttl) = (Resource::task(row.id), std::time::Duration::from_secs(30));
                store.claim(&task, &dead, ttl, chrono::Utc::now()).await.unwrap();
            }
        };
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work);
    }
}

fn show(path: &Path) -> String {
    path.display().to_string()
}

/// Replaces what looks like `shape`: a zero stands for any hexadecimal digit, everything else for itself.
fn replaced(text: &str, shape: &str, by: &str) -> String {
    let alike = |part: &[u8]| {
        part.len() == shape.len()
            && part.iter().zip(shape.as_bytes()).all(|(c, s)| if *s == b'0' { c.is_ascii_hexdigit() } else { c == s })
    };
    let (mut out, mut rest) = (String::new(), text);
    while let Some(c) = rest.chars().next() {
        if rest.as_bytes().get(..shape.len()).is_some_and(alike) {
            out.push_str(by);
            rest = &rest[shape.len()..];
        } else {
            out.push(c);
            rest = &rest[c.len_utf8()..];
        }
    }
    out
}

/// Lines that begin like this, without what follows: figures of this machine.
fn without(text: &str, beginnings: &[&str]) -> String {
    let cut = |line: &str| {
        let found = beginnings.iter().find(|b| line.trim_start().starts_with(**b));
        found.map_or_else(|| line.to_owned(), |b| format!("{}{b} […]", &line[..line.len() - line.trim_start().len()]))
    };
    text.lines().map(cut).collect::<Vec<_>>().join("\n")
}
