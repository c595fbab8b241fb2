//! Which process listens on a port of this machine, for messages that name it. Nothing is done to it.

use std::fs;

use crate::local::listen;

/// Pid and command line of a process that listens on `port`; `None` if nobody does or if it may not be seen.
pub fn who(port: u16) -> Option<(u32, String)> {
    let inodes = listen::inodes(port);
    let pids = fs::read_dir("/proc").ok()?.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    let pid = pids.into_iter().find(|pid| listen::holds(*pid, &inodes))?;
    let command = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let words: Vec<_> = command.split(|byte| *byte == 0).filter(|word| !word.is_empty()).collect();
    let words = words.iter().take(6).map(|word| String::from_utf8_lossy(word)).collect::<Vec<_>>();
    Some((pid, words.join(" ").chars().take(120).collect()))
}
