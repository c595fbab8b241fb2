//! Who we are, and whether another worker of this host still lives.

use std::fs;

use tuner_store::Owner;

/// This process, named so that a later one with the same pid is not taken for it.
pub fn this_process() -> Owner {
    let pid = std::process::id();
    let host = nix::unistd::gethostname().ok().and_then(|h| h.into_string().ok());
    Owner { host: host.unwrap_or_else(|| "localhost".to_owned()), pid, start_ticks: start_ticks(pid).unwrap_or(0) }
}

/// Whether `owner` certainly does not live any more: a process of this host that is gone, or whose pid belongs to a
/// process that started at another time. Processes of other hosts cannot be judged.
pub fn is_dead(owner: &Owner) -> bool {
    let here = this_process();
    owner.host == here.host && start_ticks(owner.pid) != Some(owner.start_ticks) && owner.start_ticks != 0
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
        assert!(!is_dead(&Owner { host: "elsewhere".into(), start_ticks: 1, ..here }));
    }
}
