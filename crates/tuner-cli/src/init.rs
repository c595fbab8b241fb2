//! Process 1 of a container: the program itself as a child, its signals passed on, orphans collected.
//!
//! The kernel gives process 1 every orphan, and no signal that it does not wait for; the program proper should know
//! nothing of that.

use std::process::{Command, ExitCode};

use nix::errno::Errno;
use nix::sys::signal::{SigSet, Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

/// Whether this process is the first of a container.
pub(crate) fn is_first() -> bool {
    std::process::id() == 1
}

/// Runs this program again with the same arguments, until that has ended. Gives its exit code.
///
/// # Errors
/// It cannot be started, or signals cannot be waited for.
pub(crate) fn run() -> anyhow::Result<ExitCode> {
    let child = Command::new(std::env::current_exe()?).args(std::env::args_os().skip(1)).spawn()?;
    let child = Pid::from_raw(child.id() as i32);
    // After the start: the child must not inherit the mask.
    let mut awaited = SigSet::empty();
    [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP, Signal::SIGCHLD].into_iter().for_each(|s| awaited.add(s));
    awaited.thread_block()?;
    loop {
        if let Some(code) = collect(child)? {
            return Ok(code);
        }
        match awaited.wait()? {
            Signal::SIGCHLD => {}
            // It may have ended at this moment; then that is seen next.
            signal => drop(kill(child, signal)),
        }
    }
}

/// Collects whoever has ended; the child's code if it is among them.
fn collect(child: Pid) -> anyhow::Result<Option<ExitCode>> {
    loop {
        let (pid, code) = match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::Exited(pid, code)) => (pid, code),
            Ok(WaitStatus::Signaled(pid, signal, _)) => (pid, 128 + signal as i32),
            Ok(WaitStatus::StillAlive) => return Ok(None),
            Ok(_) | Err(Errno::EINTR) => continue,
            Err(error) => return Err(error.into()),
        };
        if pid == child {
            return Ok(Some(ExitCode::from(u8::try_from(code).unwrap_or(u8::MAX))));
        }
    }
}
