//! A filled database and the server over it.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tuner_testkit::postgres::{NoPostgres, Postgres};

use crate::wire;

/// A task of 100 experiments in virtual time: 92 searched, 4 pairs to verify.
const TASK: &str = include_str!("task.yaml");
/// A server that has not answered by then never will.
const LIMIT: Duration = Duration::from_secs(60);
/// What waits for a healthy answer asks for: the database is written and read.
const HEALTH: &str = "/ready";

/// The other programs.
pub(crate) struct Programs {
    pub(crate) autotuner: PathBuf,
    pub(crate) fill: PathBuf,
}

/// A database with so many tasks.
pub(crate) struct Place {
    folder: tempfile::TempDir,
    pub(crate) url: String,
    postgres: Option<Postgres>,
}

impl Place {
    pub(crate) fn sqlite(programs: &Programs, tasks: usize) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let url = format!("sqlite:{}", folder.path().join("autotuner.sqlite").display());
        let place = Self { folder, url, postgres: None };
        place.fill(programs, tasks);
        place
    }

    /// `None`, with a message, where there is no PostgreSQL.
    pub(crate) fn postgres(programs: &Programs, tasks: usize) -> Option<Self> {
        match Postgres::start() {
            Ok(server) => {
                let place = Self {
                    folder: tempfile::tempdir().expect("a folder"),
                    url: server.database(),
                    postgres: Some(server),
                };
                place.fill(programs, tasks);
                Some(place)
            }
            Err(NoPostgres::NotInstalled) => {
                println!("PostgreSQL is left out: it is not installed");
                None
            }
            Err(NoPostgres::Failed(why)) => {
                println!("PostgreSQL is left out: it does not start: {why}");
                None
            }
        }
    }

    fn fill(&self, programs: &Programs, tasks: usize) {
        let begun = Instant::now();
        let file = self.folder.path().join("task.yaml");
        std::fs::write(&file, TASK).expect("a file");
        let mut tune = self.command(&programs.autotuner);
        let tuned = tune.arg("tune").arg(&file).stdout(Stdio::null()).stderr(Stdio::null()).status();
        assert!(tuned.is_ok_and(|status| status.success()), "the first task runs");
        let filled = Command::new(&programs.fill).arg(&self.url).arg(tasks.to_string()).status();
        assert!(filled.is_ok_and(|status| status.success()), "the store is filled");
        eprintln!("    filled in {:.0} s", begun.elapsed().as_secs_f64());
    }

    /// `autotuner` on this database.
    fn command(&self, autotuner: &Path) -> Command {
        let mut command = Command::new(autotuner);
        command.arg("--data-dir").arg(self.folder.path());
        if self.postgres.is_some() {
            command.env("AUTOTUNER_DATABASE", &self.url);
        }
        command
    }

    /// Starts a server and waits for its first healthy answer; gives the time that took.
    pub(crate) async fn serve(&self, programs: &Programs) -> (Server, Duration) {
        let address = free_address();
        let mut command = self.command(&programs.autotuner);
        command.args(["serve", "--listen", &address]).stdin(Stdio::null()).stdout(Stdio::null());
        let begun = Instant::now();
        let child = command.spawn().expect("a server process");
        let server = Server { child, address };
        wire::healthy(&server.address, HEALTH, LIMIT).await.expect("a healthy answer");
        (server, begun.elapsed())
    }
}

/// A port that nobody has at this moment.
fn free_address() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("a free port").to_string()
}

/// A running server. Dropped, it ends.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: String,
}

impl Server {
    /// Largest resident memory so far, MiB.
    pub(crate) fn peak_mib(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse::<f64>().ok());
        kib.map_or(f64::NAN, |kib| kib / 1024.0)
    }

    /// Processor time so far, seconds.
    pub(crate) fn cpu_s(&self) -> f64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap_or_default();
        let after_name = stat.rsplit(')').next().unwrap_or_default();
        let ticks = after_name.split_whitespace().skip(11).take(2).filter_map(|word| word.parse::<f64>().ok());
        // The kernel shows times in hundredths, whatever it counts in.
        ticks.sum::<f64>() / 100.0
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It ends its worker with it; a kill would leave that to the worker.
        let _ = kill(Pid::from_raw(self.child.id() as i32), Signal::SIGTERM);
        let _ = self.child.wait();
    }
}
