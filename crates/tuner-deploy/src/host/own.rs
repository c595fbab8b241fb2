//! What the kernel says of this very process.

use std::fs;

/// This process at one moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OwnProcess {
    /// Memory that is really in use.
    pub memory_bytes: Option<u64>,
    /// Processor time since it started, seconds.
    pub cpu_s: Option<f64>,
    /// Its threads.
    pub threads: Option<u64>,
    /// Its open files and sockets.
    pub open_files: Option<u64>,
}

/// Looks at this process; `None` where the system has no `/proc`.
pub fn process() -> Option<OwnProcess> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        line.split_ascii_whitespace().next()?.parse::<u64>().ok()
    };
    let cpu = fs::read_to_string("/proc/self/stat").ok();
    Some(OwnProcess {
        memory_bytes: field("VmRSS").map(|kib| kib * 1024),
        cpu_s: cpu.as_deref().and_then(cpu_seconds),
        threads: field("Threads"),
        open_files: fs::read_dir("/proc/self/fd").ok().map(|entries| entries.count() as u64),
    })
}

/// User and system time of `/proc/PID/stat`; the name in brackets may hold anything.
fn cpu_seconds(stat: &str) -> Option<f64> {
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_ascii_whitespace().collect();
    let ticks: u64 = fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?;
    Some(ticks as f64 / rustix::param::clock_ticks_per_second() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_uses_memory_and_time() {
        let seen = process().unwrap();
        assert!(seen.memory_bytes.unwrap() > 1 << 20 && seen.threads.unwrap() > 0 && seen.open_files.unwrap() > 2);
        assert!(seen.cpu_s.unwrap() >= 0.0);
        let stat = "1 (a) b) S 1 1 1 0 -1 4 0 0 0 0 250 150 0 0 20 0 1 0 5 0 0";
        assert_eq!(cpu_seconds(stat), Some(400.0 / rustix::param::clock_ticks_per_second() as f64));
    }
}
