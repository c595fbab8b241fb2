//! A PostgreSQL server of the system's packages, on a free port of the loopback address and in a directory of its own.
//!
//! *Invariant*: it ends, and its directory goes, when its value is dropped or its process dies, however it dies: a
//! shell that holds the server waits for the end of a pipe whose other end only we hold.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use nix::unistd::{User, geteuid};

/// Where distributions put the server's programs, which are not in the search path.
const VERSIONS: &str = "/usr/lib/postgresql";

/// Arguments: directory of the programs, port. Says `ready PID` when the server answers, and again after each line that it
/// reads, for which it starts the server anew; anything else is why there is none. What a test writes need not survive a
/// power cut, but what was committed survives the end of every process.
const SCRIPT: &str = r#"
# Whoever started us may be gone before the server answers: then we must live to stop it.
trap '' PIPE
exec 2>&1
folder=$(mktemp -d "${TMPDIR:-/tmp}/tuner-postgres.XXXXXX") || folder=$(mktemp -d /tmp/tuner-postgres.XXXXXX) || exit 1
cd "$folder"
start() {
    "$1/postgres" -D data -p "$2" -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off \
        -c full_page_writes=off -c shared_buffers=16MB -c max_connections=300 \
        -c max_wal_size=128MB -c autovacuum=off >>log 2>&1 &
    server=$!
    until "$1/pg_isready" -q -h 127.0.0.1 -p "$2"; do
        kill -0 $server 2>/dev/null || return 1
        sleep 0.02
    done
    kill -0 $server 2>/dev/null && echo "ready $server"
}
if "$1/initdb" -D data -A trust -U tuner -E UTF8 --locale=C --no-sync --no-instructions >log && start "$1" "$2"; then
    while read -r again; do
        wait $server
        # Those that it left may hold its memory for a moment.
        tries=0
        until start "$1" "$2"; do
            tries=$((tries + 1))
            [ $tries -gt 500 ] && break 2
            sleep 0.02
        done
    done
fi
# Ended by its watch over the pipe, or already gone.
kill -QUIT $server 2>/dev/null
wait $server
grep -E 'FATAL|error' log | tail -n 5
cd /
rm -rf "$folder"
"#;

/// A running server. Dropped, it ends.
#[derive(Debug)]
pub struct Postgres {
    shell: Child,
    lifeline: Option<ChildStdin>,
    said: BufReader<ChildStdout>,
    programs: PathBuf,
    port: u16,
    pid: u32,
    databases: AtomicU32,
}

/// Why there is no server.
#[derive(Debug)]
pub enum NoPostgres {
    /// Its packages are not installed here.
    NotInstalled,
    /// It did not start.
    Failed(String),
}

impl Postgres {
    /// The server of this process, started when it is first asked for; it ends with the process. `None` where
    /// PostgreSQL is not installed.
    ///
    /// # Panics
    /// If it is installed and does not start.
    pub fn shared() -> Option<&'static Self> {
        static SHARED: OnceLock<Option<Postgres>> = OnceLock::new();
        let shared = SHARED.get_or_init(|| match Self::start() {
            Ok(server) => Some(server),
            Err(NoPostgres::NotInstalled) => None,
            Err(NoPostgres::Failed(why)) => panic!("PostgreSQL does not start: {why}"),
        });
        shared.as_ref()
    }

    /// Starts a server; as `postgres` or `nobody` where we are root, whom it refuses.
    ///
    /// # Errors
    /// [`NoPostgres`].
    pub fn start() -> Result<Self, NoPostgres> {
        let programs = programs().ok_or(NoPostgres::NotInstalled)?;
        let mut last = String::new();
        // The port is free now; somebody else may be faster to take it.
        for _ in 0..3 {
            match Self::try_start(&programs) {
                Ok(server) => return Ok(server),
                Err(why) => last = why,
            }
        }
        Err(NoPostgres::Failed(last))
    }

    fn try_start(programs: &Path) -> Result<Self, String> {
        let text = |e: std::io::Error| e.to_string();
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|l| l.local_addr()).map_err(text)?.port();
        let mut command = Command::new("sh");
        command.args(["-c", SCRIPT, "postgres"]).arg(programs).arg(port.to_string());
        command.current_dir("/").stdin(Stdio::piped()).stdout(Stdio::piped()).process_group(0);
        if geteuid().is_root() {
            let users = ["postgres", "nobody"].into_iter().filter_map(|name| User::from_name(name).ok().flatten());
            let user = users.into_iter().next().ok_or("we are root, and there is neither `postgres` nor `nobody`")?;
            command.uid(user.uid.as_raw()).gid(user.gid.as_raw());
        }
        let mut shell = command.spawn().map_err(text)?;
        let lifeline = shell.stdin.take();
        let mut said = BufReader::new(shell.stdout.take().ok_or("the shell has no output")?);
        let mut line = String::new();
        said.read_line(&mut line).map_err(text)?;
        if let Some(pid) = line.trim().strip_prefix("ready ").and_then(|pid| pid.parse().ok()) {
            let databases = AtomicU32::new(0);
            return Ok(Self { shell, lifeline, said, programs: programs.to_owned(), port, pid, databases });
        }
        drop(lifeline);
        said.read_to_string(&mut line).map_err(text)?;
        shell.wait().map_err(text)?;
        Err(line)
    }

    /// A new, empty database; gives its URL.
    ///
    /// # Panics
    /// If the server is gone.
    pub fn database(&self) -> String {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        let mut command = Command::new(self.programs.join("createdb"));
        let made =
            command.args(["-h", "127.0.0.1", "-U", "tuner", "-p"]).arg(self.port.to_string()).arg(&name).output();
        match made {
            Ok(output) if output.status.success() => {}
            other => panic!("no database could be made: {other:?}"),
        }
        format!("postgres://tuner@127.0.0.1:{}/{name}", self.port)
    }

    /// Process of the server.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Port of the loopback address.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Starts the server anew on the same data, after whoever holds its process has ended it; waits until it answers.
    ///
    /// # Errors
    /// What its log says.
    pub fn again(&mut self) -> Result<(), String> {
        let text = |e: std::io::Error| e.to_string();
        let lifeline = self.lifeline.as_mut().ok_or("it was given up")?;
        lifeline.write_all(b"again\n").map_err(text)?;
        let mut said = String::new();
        loop {
            let begun = said.len();
            if self.said.read_line(&mut said).map_err(text)? == 0 {
                return Err(said);
            }
            // The shell may have a word of its own for how the last server ended.
            if let Some(pid) = said[begun..].trim().strip_prefix("ready ").and_then(|pid| pid.parse().ok()) {
                self.pid = pid;
                return Ok(());
            }
        }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        drop(self.lifeline.take());
        let _ = self.shell.wait();
    }
}

/// The newest installed version's programs.
fn programs() -> Option<PathBuf> {
    let found = std::fs::read_dir(VERSIONS).into_iter().flatten().flatten().map(|entry| entry.path().join("bin"));
    let version = |path: &PathBuf| path.parent()?.file_name()?.to_str()?.parse::<u32>().ok();
    found.filter(|bin| bin.join("initdb").exists() && bin.join("postgres").exists()).max_by_key(version)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    fn started() -> Option<Postgres> {
        match Postgres::start() {
            Ok(server) => Some(server),
            Err(NoPostgres::NotInstalled) => {
                eprintln!("SKIPPED: PostgreSQL is not installed");
                None
            }
            Err(NoPostgres::Failed(why)) => panic!("{why}"),
        }
    }

    fn folder(pid: u32) -> PathBuf {
        std::fs::read_link(format!("/proc/{pid}/cwd")).unwrap().parent().unwrap().to_owned()
    }

    fn lives(pid: u32) -> bool {
        Path::new(&format!("/proc/{pid}")).exists()
    }

    #[test]
    fn a_server_ends_with_its_value_and_leaves_no_directory() {
        let Some(server) = started() else { return };
        assert_ne!(server.database(), server.database());
        let (pid, folder) = (server.pid(), folder(server.pid()));
        assert!(folder.exists());
        drop(server);
        assert!(!folder.exists() && !lives(pid));
    }

    #[test]
    fn a_server_that_is_killed_and_started_anew_has_what_was_committed() {
        let Some(mut server) = started() else { return };
        let url = server.database();
        let psql = |sql: &str| {
            let output = Command::new("psql").args(["-Atc", sql]).arg(&url).output().unwrap();
            assert!(output.status.success(), "{output:?}");
            String::from_utf8(output.stdout).unwrap()
        };
        psql("CREATE TABLE kept (n int); INSERT INTO kept VALUES (7)");
        let before = server.pid();
        crate::procs::send(before, nix::sys::signal::Signal::SIGKILL);
        server.again().unwrap();
        assert_ne!(server.pid(), before);
        assert_eq!(psql("SELECT n FROM kept"), "7\n");
    }

    /// Not a test of its own: the process that the next test kills.
    #[test]
    #[ignore = "run by the test that kills it"]
    fn child_that_has_a_server_until_it_is_killed() {
        if let Some(server) = started() {
            println!("pid {}", server.pid());
            let _ = std::io::stdin().read(&mut [0]);
            drop(server);
        }
    }

    #[test]
    fn a_server_ends_with_a_process_that_is_killed() {
        if programs().is_none() {
            return eprintln!("SKIPPED: PostgreSQL is not installed");
        }
        let mut child = Command::new(std::env::current_exe().unwrap());
        child.args([
            "--exact",
            "postgres::tests::child_that_has_a_server_until_it_is_killed",
            "--ignored",
            "--nocapture",
        ]);
        let mut child = child.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut pids = lines.filter_map(|line| line.unwrap().split_once("pid ")?.1.trim().parse::<u32>().ok());
        let pid = pids.next().unwrap();
        let folder = folder(pid);
        child.kill().unwrap();
        child.wait().unwrap();
        let limit = Instant::now() + Duration::from_secs(60);
        while lives(pid) || folder.exists() {
            assert!(Instant::now() < limit, "the server outlives its process");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}
