//! The process table as an outsider sees it, and waiting for conditions.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// Looks again and again until `look` gives something; fails after `limit`.
///
/// # Panics
/// After `limit`.
pub fn wait_for<T>(what: &str, limit: Duration, mut look: impl FnMut() -> Option<T>) -> T {
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
pub fn send(pid: u32, signal: Signal) {
    let _ = kill(Pid::from_raw(pid as i32), signal);
}

/// Every process: its number and what a file of its `/proc` folder holds.
fn each(file: &str) -> Vec<(u32, Vec<u8>)> {
    let pids = fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    pids.filter_map(|pid| Some((pid, fs::read(format!("/proc/{pid}/{file}")).ok()?))).collect()
}

/// Processes that carry the mark of the data directory whose digest is `home`, with the deployment they belong to.
/// The dead have no environment any more.
pub fn marked(home: &str) -> Vec<(u32, String)> {
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
pub fn lifelines(dir: &Path) -> Vec<u32> {
    let dir = dir.to_string_lossy();
    let is_one = |line: &[u8]| {
        let words: Vec<&[u8]> = line.split(|b| *b == 0).collect();
        words.contains(&b"lifeline".as_slice()) && words.contains(&dir.as_bytes())
    };
    each("cmdline").into_iter().filter(|(_, line)| is_one(line)).map(|(pid, _)| pid).collect()
}

/// Ports that cannot be bound.
pub fn busy(ports: &BTreeSet<u16>) -> Vec<u16> {
    ports.iter().copied().filter(|port| TcpListener::bind(("127.0.0.1", *port)).is_err()).collect()
}

/// Every process whose command line or environment names a path: its number and its command line. A child that has not
/// become its own program yet still has its parent's line and is left out.
pub fn naming(path: &Path) -> Vec<(u32, String)> {
    let path = path.to_string_lossy();
    let names = |bytes: &[u8]| bytes.windows(path.len()).any(|window| window == path.as_bytes());
    let words = |line: &[u8]| String::from_utf8_lossy(line).replace('\0', " ").trim().to_owned();
    let environs = each("environ").into_iter().filter(|(_, environ)| names(environ)).map(|(pid, _)| pid);
    let environs: BTreeSet<u32> = environs.collect();
    let lines = each("cmdline").into_iter().filter(|(pid, line)| environs.contains(pid) || names(line));
    let found: Vec<(u32, String)> =
        lines.filter(|(pid, _)| *pid != std::process::id()).map(|(pid, line)| (pid, words(&line))).collect();
    let parents = parents();
    let is_itself = |(pid, line): &&(u32, String)| {
        let parent = parents.get(pid);
        parent.is_some() && !found.iter().any(|(other, theirs)| parent == Some(other) && line == theirs)
    };
    found.iter().filter(is_itself).cloned().collect()
}

/// The parent of every process.
fn parents() -> BTreeMap<u32, u32> {
    let parent = |stat: &[u8]| {
        let text = String::from_utf8_lossy(stat);
        // The command's name may hold anything; what follows its last parenthesis is regular.
        text.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(1)?.parse().ok())
    };
    each("stat").into_iter().filter_map(|(pid, stat)| Some((pid, parent(&stat)?))).collect()
}

/// The children of a process.
pub fn children(parent: u32) -> Vec<u32> {
    parents().into_iter().filter(|(_, of)| *of == parent).map(|(pid, _)| pid).collect()
}

/// Whether a process exists, ended and not collected ones included.
pub fn exists(pid: u32) -> bool {
    Path::new("/proc").join(pid.to_string()).exists()
}
