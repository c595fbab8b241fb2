//! The lock that one writer of a SQLite file holds and all others wait for, held by a process that writes nothing.
//!
//! *Invariant*: the process that takes it must not have the database open itself: its locks are its own.

use std::fs::File;
use std::os::fd::AsFd;
use std::path::Path;
use std::time::{Duration, Instant};

use nix::fcntl::{FcntlArg, fcntl};

/// The byte that SQLite's writers lock in the file that they share (its documentation, "WAL-mode File Format", 2.3.1).
const WRITER: i64 = 120;
const LOOK: Duration = Duration::from_millis(1);

/// A lock, until it is dropped.
#[derive(Debug)]
pub struct WriterLock {
    _file: File,
}

impl WriterLock {
    /// Waits for the lock of the database `path`, which somebody must have open.
    ///
    /// # Errors
    /// Nobody has it open, or a writer does not let go, for as long as `limit`.
    pub fn take(path: &Path, limit: Duration) -> std::io::Result<Self> {
        let mut name = path.as_os_str().to_owned();
        name.push("-shm");
        let begun = Instant::now();
        loop {
            match File::options().read(true).write(true).open(&name).and_then(Self::of) {
                Ok(lock) => return Ok(lock),
                Err(error) if begun.elapsed() > limit => return Err(error),
                Err(_) => std::thread::sleep(LOOK),
            }
        }
    }

    fn of(file: File) -> std::io::Result<Self> {
        let lock = nix::libc::flock {
            l_type: nix::libc::F_WRLCK as i16,
            l_whence: nix::libc::SEEK_SET as i16,
            l_start: WRITER,
            l_len: 1,
            l_pid: 0,
        };
        fcntl(file.as_fd(), FcntlArg::F_SETLK(&lock))?;
        Ok(Self { _file: file })
    }
}
