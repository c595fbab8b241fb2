//! Processes as `/proc` shows them, and the mark that ours carry in their environment.
//!
//! *Invariant*: a process is known by number and start time together, so a number that was given out again never
//! passes for the old one.

use std::collections::BTreeMap;
use std::fs;

/// Variable that every process of a deployment inherits: its id.
pub(crate) const DEPLOYMENT_VAR: &str = "AUTOTUNER_DEPLOYMENT";
/// Variable beside it: the digest of the data directory it belongs to.
pub(crate) const HOME_VAR: &str = "AUTOTUNER_HOME";

/// A process beyond doubt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Identity {
    pub(crate) pid: u32,
    /// Field 22 of `/proc/PID/stat`: clock ticks after boot.
    pub(crate) start_ticks: u64,
}

/// One row of the process table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Process {
    pub(crate) identity: Identity,
    pub(crate) state: char,
    /// Of a process that was killed, the first thread can be dead while others still hold memory and ports.
    pub(crate) threads: u32,
    pub(crate) ppid: u32,
    pub(crate) pgid: u32,
    pub(crate) sid: u32,
    pub(crate) mark: Option<Mark>,
}

/// What a process says it belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) home: String,
    pub(crate) id: String,
}

impl Process {
    /// Dead processes wait for their parent only: they hold no memory, no port, and no signal reaches them.
    pub(crate) fn is_dead(&self) -> bool {
        matches!(self.state, 'Z' | 'X' | 'x') && self.threads <= 1
    }
}

/// The process with that number now, without its mark.
pub(crate) fn read(pid: u32) -> Option<Process> {
    parse_stat(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// Whether that very process lives.
pub(crate) fn is_alive(identity: Identity) -> bool {
    read(identity.pid).is_some_and(|p| p.identity == identity && !p.is_dead())
}

/// Every process of this host (of this container), with the marks that may be read.
pub(crate) fn table() -> BTreeMap<u32, Process> {
    let Ok(entries) = fs::read_dir("/proc") else { return BTreeMap::new() };
    entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter_map(|pid: u32| {
            let mut process = read(pid)?;
            process.mark = fs::read(format!("/proc/{pid}/environ")).ok().and_then(|e| parse_mark(&e));
            Some((pid, process))
        })
        .collect()
}

/// The name in the second field may hold spaces and brackets, so fields count from the last bracket.
fn parse_stat(text: &str) -> Option<Process> {
    let (head, tail) = text.rsplit_once(')')?;
    let pid = head.split_once(" (")?.0.trim().parse().ok()?;
    let fields: Vec<&str> = tail.split_ascii_whitespace().collect();
    let number = |field: usize| fields.get(field - 3)?.parse::<u64>().ok();
    let small = |field: usize| number(field).and_then(|n| u32::try_from(n).ok());
    Some(Process {
        identity: Identity { pid, start_ticks: number(22)? },
        state: fields.first()?.chars().next()?,
        threads: small(20)?,
        ppid: small(4)?,
        pgid: small(5)?,
        sid: small(6)?,
        mark: None,
    })
}

fn parse_mark(environ: &[u8]) -> Option<Mark> {
    let find = |name: &str| {
        environ.split(|b| *b == 0).find_map(|entry| {
            let value = entry.strip_prefix(name.as_bytes())?.strip_prefix(b"=")?;
            String::from_utf8(value.to_vec()).ok()
        })
    };
    Some(Mark { home: find(HOME_VAR)?, id: find(DEPLOYMENT_VAR)? })
}

/// Which boot the start times count from; empty where the system does not say.
pub(crate) fn boot_id() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id").map(|s| s.trim().to_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_full_of_brackets_and_spaces_hides_no_field() {
        let line =
            "123 (a) S 1 (x) R) S 7 8 9 0 -1 4194560 1 0 0 0 5 6 0 0 20 0 1 0 987654 1000 200 18446744073709551615";
        let process = parse_stat(line).unwrap();
        assert_eq!(process.identity, Identity { pid: 123, start_ticks: 987_654 });
        assert_eq!((process.state, process.ppid, process.pgid, process.sid), ('S', 7, 8, 9));
        assert_eq!(process.threads, 1);
        assert_eq!(parse_stat(""), None);
        assert_eq!(parse_stat("1 (x) S 2"), None);
    }

    #[test]
    fn a_process_is_dead_with_its_last_thread() {
        let process = |state, threads| {
            let line = format!("9 (x) {state} 1 9 9 0 -1 0 0 0 0 0 0 0 0 0 20 0 {threads} 0 5 0 0");
            parse_stat(&line).unwrap()
        };
        assert!(process('Z', 1).is_dead() && process('X', 0).is_dead());
        assert!(!process('Z', 3).is_dead() && !process('S', 1).is_dead() && !process('D', 1).is_dead());
    }

    #[test]
    fn a_mark_needs_both_variables_by_their_full_names() {
        let environ = b"PATH=/bin\0XAUTOTUNER_DEPLOYMENT=no\0AUTOTUNER_HOME=abc\0AUTOTUNER_DEPLOYMENT=t1=x\0";
        assert_eq!(parse_mark(environ), Some(Mark { home: "abc".into(), id: "t1=x".into() }));
        assert_eq!(parse_mark(b"AUTOTUNER_DEPLOYMENT=t1\0"), None);
        assert_eq!(parse_mark(b""), None);
    }

    #[test]
    fn this_process_is_alive_and_its_namesake_is_not() {
        let me = read(std::process::id()).unwrap().identity;
        assert!(is_alive(me));
        assert!(!is_alive(Identity { start_ticks: me.start_ticks + 1, ..me }));
        assert!(table().contains_key(&me.pid));
    }
}
