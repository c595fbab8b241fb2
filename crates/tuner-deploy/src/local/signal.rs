//! Signals to verified processes only.

use rustix::process::{Pid, PidfdFlags, Signal, WaitOptions, kill_process, pidfd_open, pidfd_send_signal, waitpid};

use super::procfs::{self, Identity};

/// Sends `signal` to that very process; one that is gone, or whose number belongs to another now, is left alone.
///
/// A pidfd is opened first and the start time compared after: from then on the number cannot change hands. Kernels
/// and sandboxes without pidfds get the comparison alone.
pub(crate) fn send(target: Identity, signal: Signal) {
    let Some(pid) = i32::try_from(target.pid).ok().and_then(Pid::from_raw) else { return };
    let handle = pidfd_open(pid, PidfdFlags::empty());
    if !procfs::is_alive(target) {
        return;
    }
    let sent = match handle {
        Ok(handle) => pidfd_send_signal(handle, signal).or_else(|e| match e {
            rustix::io::Errno::NOSYS => kill_process(pid, signal),
            other => Err(other),
        }),
        Err(rustix::io::Errno::SRCH) => return,
        Err(_) => kill_process(pid, signal),
    };
    if let Err(error) = sent
        && error != rustix::io::Errno::SRCH
    {
        tracing::warn!(pid = target.pid, %error, "a process of ours cannot be signalled");
    }
}

/// Takes the dead process off the table when it is a child of ours (an orphan handed to us, as to process 1 of a
/// container). Not for processes whose exit status someone waits for.
pub(crate) fn bury(target: Identity) {
    let child_of_ours =
        procfs::read(target.pid).is_some_and(|p| p.identity == target && p.is_dead() && p.ppid == std::process::id());
    if child_of_ours && let Some(pid) = i32::try_from(target.pid).ok().and_then(Pid::from_raw) {
        let _ = waitpid(Some(pid), WaitOptions::NOHANG);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};

    #[test]
    fn a_recycled_number_is_never_signalled() {
        let mut child = Command::new("sleep").arg("600").stdin(Stdio::null()).spawn().unwrap();
        let real = procfs::read(child.id()).unwrap().identity;
        send(Identity { start_ticks: real.start_ticks - 1, ..real }, Signal::KILL);
        assert!(procfs::is_alive(real));
        assert!(child.try_wait().unwrap().is_none());
        send(real, Signal::KILL);
        child.wait().unwrap();
        assert!(!procfs::is_alive(real));
        send(real, Signal::KILL);
    }
}
