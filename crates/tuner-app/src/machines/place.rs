//! The other machine's side: one worker in its place, started so that it outlives whoever asked for it.
//!
//! *Invariant*: of the workers that are deployed to one machine one runs: it holds a lock with its name in it. Only the
//! process that holds that lock is ever signalled.

use std::fs::{self, File, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tuner_runner::{is_dead, this_process};
use tuner_store::Owner;
use uuid::Uuid;

use super::error::MachineError;
use super::order::{Order, Said};
use crate::home::Home;

/// How often one looks.
const LOOK: Duration = Duration::from_millis(100);
/// How long a worker may take to stop its engines and give its jobs back.
const GIVES_BACK: Duration = Duration::from_secs(45);
/// How long a killed one may take to be gone.
const GONE: Duration = Duration::from_secs(10);
/// How long one that was started is watched.
const WATCH: Duration = Duration::from_secs(60);
/// How long somebody may look at the lock.
const GLANCE: Duration = Duration::from_secs(3);
/// A log that is larger than this is put aside.
const LARGE: u64 = 16 << 20;
/// Lines of a log that are told.
const LINES: usize = 12;

/// Where a deployed worker's lock and log are.
#[derive(Clone, Debug)]
pub struct Place {
    folder: PathBuf,
    machine: Uuid,
}

/// The place, held for as long as this lives.
#[derive(Debug)]
pub struct Held {
    _lock: File,
}

impl Place {
    /// The place in a data directory.
    pub fn new(home: &Home, machine: Uuid) -> Self {
        Self { folder: home.root().join("workers"), machine }
    }

    /// The messages of its worker.
    pub fn log(&self) -> PathBuf {
        self.folder.join(format!("{}.log", self.machine))
    }

    fn lock(&self) -> Result<File, MachineError> {
        let at = |path: &Path| {
            let path = path.to_owned();
            move |source| MachineError::Place { path, source }
        };
        fs::create_dir_all(&self.folder).map_err(at(&self.folder))?;
        let path = self.folder.join(format!("{}.lock", self.machine));
        File::options().create(true).truncate(false).read(true).write(true).open(&path).map_err(at(&path))
    }

    /// Takes the place for this process; `None` if another worker has it.
    ///
    /// # Errors
    /// [`MachineError::Place`].
    pub fn hold(&self) -> Result<Option<Held>, MachineError> {
        let mut lock = self.lock()?;
        let begun = Instant::now();
        loop {
            match lock.try_lock() {
                Ok(()) => break,
                // Somebody may only have looked.
                Err(TryLockError::WouldBlock) if begun.elapsed() < GLANCE => std::thread::sleep(LOOK),
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(source)) => return Err(self.unusable(source)),
            }
        }
        let text = serde_json::to_string(&this_process()).unwrap_or_default();
        let written = lock.set_len(0).and_then(|()| lock.write_all(text.as_bytes())).and_then(|()| lock.flush());
        written.map_err(|source| self.unusable(source))?;
        Ok(Some(Held { _lock: lock }))
    }

    /// Who has the place.
    fn holder(&self) -> Result<Option<Owner>, MachineError> {
        let begun = Instant::now();
        loop {
            let mut lock = self.lock()?;
            match lock.try_lock() {
                Ok(()) => return Ok(None),
                Err(TryLockError::Error(source)) => return Err(self.unusable(source)),
                Err(TryLockError::WouldBlock) => {}
            }
            let mut text = String::new();
            let read = lock.seek(SeekFrom::Start(0)).and_then(|_| lock.read_to_string(&mut text));
            read.map_err(|source| self.unusable(source))?;
            match serde_json::from_str::<Owner>(&text) {
                Ok(owner) if !is_dead(&owner) => return Ok(Some(owner)),
                // It is just being taken, or was only looked at.
                _ if begun.elapsed() < GLANCE => std::thread::sleep(LOOK),
                _ => return Err(self.unusable(std::io::ErrorKind::WouldBlock.into())),
            }
        }
    }

    fn unusable(&self, source: std::io::Error) -> MachineError {
        MachineError::Place { path: self.folder.join(format!("{}.lock", self.machine)), source }
    }

    /// Has whoever holds the place give back what it runs and end; kills it if it does not.
    fn vacate(&self, owner: &Owner) -> Result<(), MachineError> {
        let pid = Pid::from_raw(owner.pid as i32);
        for (signal, patience) in [(Signal::SIGTERM, GIVES_BACK), (Signal::SIGKILL, GONE)] {
            let begun = Instant::now();
            // It may have ended at this moment.
            let _ = kill(pid, signal);
            while begun.elapsed() < patience {
                if self.holder()?.as_ref() != Some(owner) {
                    return Ok(());
                }
                std::thread::sleep(LOOK);
            }
        }
        Err(MachineError::DoesNotEnd { pid: owner.pid })
    }

    /// The last lines of the log from `from` on.
    fn lines(&self, from: u64) -> Vec<String> {
        let mut text = Vec::new();
        let read = File::open(self.log()).and_then(|mut file| {
            let end = file.metadata()?.len();
            file.seek(SeekFrom::Start(from.max(end.saturating_sub(16 << 10))))?;
            file.read_to_end(&mut text)
        });
        if read.is_err() {
            return Vec::new();
        }
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
        lines[lines.len().saturating_sub(LINES)..].iter().map(|line| (*line).to_owned()).collect()
    }
}

/// The arguments with which this program is a deployed worker that reads its order from standard input.
const WORKER: [&str; 4] = ["--log", "info", "worker", "--order"];

/// Starts a worker that outlives this process. Gives it, and how long its log was before.
///
/// # Errors
/// [`MachineError::Place`].
pub fn start(place: &Place, order: &Order, program: &Path) -> Result<(Child, u64), MachineError> {
    let at = |path: &Path| {
        let path = path.to_owned();
        move |source| MachineError::Place { path, source }
    };
    let path = place.log();
    if fs::metadata(&path).is_ok_and(|log| log.len() > LARGE) {
        fs::rename(&path, path.with_extension("log.1")).map_err(at(&path))?;
    }
    // Nobody else's to read.
    let log = File::options().create(true).append(true).mode(0o600).open(&path).map_err(at(&path))?;
    let from = log.metadata().map_err(at(&path))?.len();
    let again = log.try_clone().map_err(at(&path))?;
    let mut command = match scope() {
        true => {
            let mut command = Command::new("systemd-run");
            command.args(["--user", "--scope", "--quiet", "--collect", "--"]).arg(program);
            command
        }
        false => Command::new(program),
    };
    command.args(WORKER).current_dir("/").stdin(Stdio::piped()).stdout(log).stderr(again);
    let mut child = command.spawn().map_err(at(program))?;
    let line = serde_json::to_string(order).unwrap_or_default();
    if let Some(mut input) = child.stdin.take() {
        // One that ended says so itself.
        let _ = writeln!(input, "{line}");
    }
    Ok((child, from))
}

/// Whether systemd keeps processes of this user that are not of a session: then the worker goes into a scope of its own,
/// because the session's own processes may be ended with it.
fn scope() -> bool {
    let Ok(Some(user)) = nix::unistd::User::from_uid(nix::unistd::geteuid()) else { return false };
    if !Path::new("/var/lib/systemd/linger").join(user.name).exists() {
        return false;
    }
    let probe = Command::new("systemd-run")
        .args(["--user", "--scope", "--quiet", "--collect", "--", "true"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    probe.is_ok_and(|status| status.success())
}

/// Carries out an order: says who runs, and watches one that was started for a while, or until `over`.
///
/// # Errors
/// [`MachineError::Place`], [`MachineError::DoesNotEnd`].
pub fn carry_out(
    home: &Home,
    order: &Order,
    program: &Path,
    over: impl Fn() -> bool,
    mut say: impl FnMut(&Said),
) -> Result<(), MachineError> {
    let place = Place::new(home, order.machine);
    match place.holder()? {
        Some(owner) if order.replace => place.vacate(&owner)?,
        Some(owner) => {
            say(&Said::Lives { pid: owner.pid, log: place.log() });
            let begun = Instant::now();
            while begun.elapsed() < WATCH && !over() {
                std::thread::sleep(LOOK);
            }
            say(&Said::Goes { lines: place.lines(0) });
            return Ok(());
        }
        None => {}
    }
    let order = Order { replace: false, ..order.clone() };
    let (mut child, from) = start(&place, &order, program)?;
    say(&Said::Started { pid: child.id(), log: place.log() });
    let begun = Instant::now();
    while begun.elapsed() < WATCH && !over() {
        if let Ok(Some(status)) = child.try_wait() {
            say(&Said::Ended { code: status.code(), lines: place.lines(from) });
            return Ok(());
        }
        std::thread::sleep(LOOK);
    }
    say(&Said::Goes { lines: place.lines(from) });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// R12.2: never two workers in one place.
    #[test]
    fn a_place_is_held_once_and_says_by_whom() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::new(&Home::new(folder.path()), Uuid::from_u128(7));
        assert_eq!(place.holder().unwrap(), None);
        let held = place.hold().unwrap().unwrap();
        assert_eq!(place.holder().unwrap(), Some(this_process()));
        assert!(place.hold().unwrap().is_none());
        drop(held);
        assert_eq!(place.holder().unwrap(), None);
        assert!(place.hold().unwrap().is_some());
    }

    #[test]
    fn what_a_worker_said_last_is_told_and_a_large_log_put_aside() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::new(folder.path());
        let order = Order {
            machine: Uuid::from_u128(7),
            database: "postgres://me:word@db/x".to_owned(),
            data_dir: None,
            slots: 1,
            replace: false,
        };
        assert!(!format!("{order:?}").contains("word"));
        let place = Place::new(&home, order.machine);
        let mut said = Vec::new();
        // A program that does not know such arguments.
        let program = Path::new("/bin/false");
        carry_out(&home, &order, program, || false, |line| said.push(line.clone())).unwrap();
        assert!(matches!(said[..], [Said::Started { .. }, Said::Ended { code: Some(1), .. }]), "{said:?}");
        fs::write(place.log(), "old\n".repeat(3)).unwrap();
        assert_eq!(place.lines(4), ["old", "old"]);
        File::options().write(true).open(place.log()).unwrap().set_len(LARGE + 1).unwrap();
        start(&place, &order, program).unwrap().0.wait().unwrap();
        assert!(place.log().with_extension("log.1").exists());
        assert!(fs::metadata(place.log()).unwrap().len() < LARGE);
    }
}
