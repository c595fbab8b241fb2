//! Who we are, and whether another worker of this host still lives.

use std::fs;

use tuner_store::Owner;

/// This process, named so that a later one with the same pid is not taken for it.
pub fn this_process() -> Owner {
    let pid = std::process::id();
    let host = nix::unistd::gethostname().ok().and_then(|h| h.into_string().ok());
    Owner {
        host: host.unwrap_or_else(|| "localhost".to_owned()),
        pid,
        start_ticks: start_ticks(pid).unwrap_or(0),
        pid_namespace: pid_namespace(),
    }
}

/// Whether pids of `owner` mean here what they mean there: the same host, and not another container on it.
pub fn is_neighbour(owner: &Owner) -> bool {
    let here = this_process();
    owner.host == here.host && owner.pid_namespace == here.pid_namespace
}

/// Whether `owner` certainly does not live any more: a process of this host that is gone, or whose pid belongs to a
/// process that started at another time. Processes of other hosts and containers cannot be judged.
pub fn is_dead(owner: &Owner) -> bool {
    is_neighbour(owner) && start_ticks(owner.pid) != Some(owner.start_ticks) && owner.start_ticks != 0
}

/// The inode of this process's pid namespace (pid_namespaces(7)), `None` in that of the host.
fn pid_namespace() -> Option<u64> {
    /// The kernel's own, `PROC_PID_INIT_INO`.
    const HOST: u64 = 0xEFFF_FFFC;
    let link = fs::read_link("/proc/self/ns/pid").ok()?;
    let inode = link.to_str()?.strip_prefix("pid:[")?.strip_suffix(']')?.parse().ok()?;
    (inode != HOST).then_some(inode)
}

/// Whether this process of this host, and no later one with its pid, lives.
pub(crate) fn lives(pid: u32, started_at_ticks: u64) -> bool {
    start_ticks(pid) == Some(started_at_ticks)
}

/// Field 22 of `/proc/PID/stat` (proc(5)): start time in clock ticks since boot. `None` when there is no such
/// process, or when it has ended and only waits to be collected.
fn start_ticks(pid: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The command's name may hold spaces and parentheses; what follows its last parenthesis is regular.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    let state = fields.next()?;
    if matches!(state, "Z" | "X") {
        return None;
    }
    fields.nth(18)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn we_live_and_a_recycled_pid_does_not_count_as_us() {
        let here = this_process();
        assert!(!is_dead(&here));
        assert!(is_dead(&Owner { start_ticks: here.start_ticks + 1, ..here.clone() }));
        let long_ago = Owner { start_ticks: 1, ..here };
        assert!(is_dead(&long_ago));
        // B8: a worker in another container of this host is not taken for a dead one, whatever its pid means here.
        assert!(!is_dead(&Owner { pid_namespace: Some(4_026_532_000), ..long_ago.clone() }));
        assert!(!is_dead(&Owner { host: "elsewhere".into(), ..long_ago }));
    }
}
