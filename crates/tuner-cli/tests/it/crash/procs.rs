//! The process table as an outsider sees it, and waiting for conditions.

use std::collections::BTreeSet;
use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// Looks again and again until `look` gives something; fails after `limit`.
pub(crate) fn wait_for<T>(what: &str, limit: Duration, mut look: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(began.elapsed() < limit, "waited {limit:?} for {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Sends a signal to a process that we hold.
pub(crate) fn send(pid: u32, signal: Signal) {
    let _ = kill(Pid::from_raw(pid as i32), signal);
}

/// Every process: its number and what a file of its `/proc` folder holds.
fn each(file: &str) -> Vec<(u32, Vec<u8>)> {
    let entries = fs::read_dir("/proc").unwrap();
    let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    pids.filter_map(|pid| Some((pid, fs::read(format!("/proc/{pid}/{file}")).ok()?))).collect()
}

/// Processes that carry the mark of the data directory whose digest is `home`, with the deployment they belong to.
/// The dead have no environment any more.
pub(crate) fn marked(home: &str) -> Vec<(u32, String)> {
    let home = format!("AUTOTUNER_HOME={home}");
    let found = each("environ").into_iter().filter_map(|(pid, environ)| {
        let entries: Vec<&[u8]> = environ.split(|b| *b == 0).collect();
        let id = entries.iter().find_map(|e| e.strip_prefix(b"AUTOTUNER_DEPLOYMENT="))?;
        let ours = entries.contains(&home.as_bytes());
        ours.then(|| (pid, String::from_utf8_lossy(id).into_owned()))
    });
    found.collect()
}

/// The lifelines of a data directory.
pub(crate) fn lifelines(dir: &Path) -> Vec<u32> {
    let dir = dir.to_str().unwrap();
    let is_one = |line: &[u8]| {
        let words: Vec<&[u8]> = line.split(|b| *b == 0).collect();
        words.contains(&b"lifeline".as_slice()) && words.contains(&dir.as_bytes())
    };
    each("cmdline").into_iter().filter(|(_, line)| is_one(line)).map(|(pid, _)| pid).collect()
}

/// Ports that cannot be bound.
pub(crate) fn busy(ports: &BTreeSet<u16>) -> Vec<u16> {
    ports.iter().copied().filter(|port| TcpListener::bind(("127.0.0.1", *port)).is_err()).collect()
}
