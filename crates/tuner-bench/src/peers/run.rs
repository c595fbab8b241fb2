//! One run of a peer as a process group of its own, from its start to the figures in the file it left.

use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::signal::{Signal, killpg};
use nix::sys::time::TimeVal;
use nix::unistd::Pid;
use serde_json::Value;
use tokio::process::Command;

use super::command::{PeerLoad, surroundings};
use super::error::PeerError;
use crate::compat::{self, Headline, Tool};

/// Lines of a failed tool that an error shows.
const SHOWN: usize = 12;
/// No result file of these tools is longer.
const LONGEST: u64 = 512 << 20;

/// What a peer measured, and what that cost.
#[derive(Clone, Debug, PartialEq)]
pub struct PeerRun {
    /// Its figures.
    pub headline: Headline,
    /// The file that holds them.
    pub file: PathBuf,
    /// Processor time of its processes from start to end, seconds: user, system.
    pub cpu_s: (f64, f64),
    /// From start to end, seconds.
    pub wall_s: f64,
}

/// Processes that are killed unless they ended.
struct Group(Option<Pid>);

/// A shell that kills a group when this process is gone, however it went: only then does its input end.
struct Leash(std::process::Child);

impl Leash {
    fn on(group: Pid) -> std::io::Result<Self> {
        let mut shell = std::process::Command::new("sh");
        shell.args(["-c", "cat >/dev/null; kill -s KILL -- \"-$1\"", "leash", &group.to_string()]);
        // Out of our group: Ctrl-C is for us alone.
        shell.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
        shell.spawn().map(Self)
    }
}

impl Drop for Leash {
    fn drop(&mut self) {
        // Its `cat` goes with it: both are in one group.
        let _ = killpg(Pid::from_raw(self.0.id() as i32), Signal::SIGKILL);
        let _ = self.0.wait();
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            // It may have ended at this very moment; then there is nothing to do.
            let _ = killpg(group, Signal::SIGKILL);
        }
    }
}

/// Processor time so far: user, system; seconds.
fn cpu_s(who: UsageWho) -> (f64, f64) {
    let seconds = |t: TimeVal| t.tv_sec() as f64 + t.tv_usec() as f64 / 1e6;
    getrusage(who).map_or((0.0, 0.0), |u| (seconds(u.user_time()), seconds(u.system_time())))
}

/// Processor time of this process so far, seconds.
pub fn own_cpu_s() -> f64 {
    let (user, system) = cpu_s(UsageWho::RUSAGE_SELF);
    user + system
}

/// Processor time of the children that ended.
fn children_s() -> (f64, f64) {
    cpu_s(UsageWho::RUSAGE_CHILDREN)
}

/// Runs `launcher` (program and leading arguments) with `load`, its results and its output in `folder`, which should
/// be empty. Dropping the future stops every process of the tool.
///
/// # Errors
/// It cannot be started, fails, takes longer than `limit`, or leaves no result; each with its last words.
pub async fn run(
    tool: Tool,
    launcher: &[String],
    load: &PeerLoad<'_>,
    folder: &Path,
    limit: Duration,
) -> Result<PeerRun, PeerError> {
    let refused = |path: &Path| {
        let path = path.to_owned();
        move |source| PeerError::Folder { path, source }
    };
    std::fs::create_dir_all(folder).map_err(refused(folder))?;
    let folder = std::path::absolute(folder).map_err(refused(folder))?;
    let arguments = load.arguments(tool, &folder)?;
    let output = folder.join("output.txt");
    let file = File::create(&output).map_err(refused(&output))?;
    let twin = file.try_clone().map_err(refused(&output))?;
    let (program, leading) = launcher.split_first().map_or((super::program(tool), &[][..]), |(p, l)| (p.as_str(), l));
    let mut command = Command::new(program);
    command.args(leading).args(&arguments).envs(surroundings(tool, load.url)).current_dir(&folder);
    command.env_remove("PYTHONPATH").env_remove("PYTHONHOME").env_remove("VIRTUAL_ENV");
    // A group of its own: these tools start workers, which must end with them.
    command.stdin(Stdio::null()).stdout(file).stderr(twin).process_group(0);
    let (before, began) = (children_s(), Instant::now());
    let start = |source| PeerError::Start { tool, program: program.to_owned(), source };
    let mut child = command.spawn().map_err(start)?;
    let mut group = Group(child.id().map(|id| Pid::from_raw(id as i32)));
    // Goes with this call: the group's number may come again.
    let _leash = group.0.map(Leash::on).transpose().map_err(start)?;
    let ended = tokio::time::timeout(limit, child.wait()).await;
    let lines = || last_lines(&output);
    let status = match ended {
        Err(_) => {
            let lines = lines();
            drop(group);
            // Reaped, so that no zombie stays.
            let _ = child.wait().await;
            return Err(PeerError::TooLong { tool, limit, lines, output });
        }
        Ok(status) => status.map_err(start)?,
    };
    // The leader is gone; workers it left behind are not.
    if let Some(pid) = group.0.take() {
        let _ = killpg(pid, Signal::SIGKILL);
    }
    let (after, wall_s) = (children_s(), began.elapsed().as_secs_f64());
    if !status.success() {
        return Err(PeerError::Failed { tool, status, lines: lines(), output });
    }
    let Some((file, headline)) = find_result(tool, &folder) else {
        return Err(PeerError::NoResult { tool, folder, lines: lines(), output });
    };
    if headline.completed.is_none_or(|n| n < 1.0) {
        return Err(PeerError::NothingCompleted { tool, lines: lines(), output });
    }
    Ok(PeerRun { headline, file, cpu_s: (after.0 - before.0, after.1 - before.1), wall_s })
}

/// The first file below `folder`, in the order of their names, whose content is a result of `tool`.
fn find_result(tool: Tool, folder: &Path) -> Option<(PathBuf, Headline)> {
    files(folder).into_iter().find_map(|path| {
        if std::fs::metadata(&path).ok()?.len() > LONGEST {
            return None;
        }
        let document: Value = serde_json::from_slice(&std::fs::read(&path).ok()?).ok()?;
        let (found, mut headlines) = compat::read(&document).ok()?;
        (found == tool && headlines.len() == 1).then(|| (path, headlines.swap_remove(0)))
    })
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut entries: Vec<PathBuf> =
        std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    entries.sort();
    let plain = |path: &Path| path.symlink_metadata().is_ok_and(|m| !m.is_symlink());
    entries
        .into_iter()
        .filter(|path| plain(path))
        .flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] })
        .collect()
}

/// The last lines with words in them, without the colours and movements of a terminal.
fn last_lines(output: &Path) -> Vec<String> {
    let text = String::from_utf8_lossy(&std::fs::read(output).unwrap_or_default()).into_owned();
    let plain = without_escapes(&text);
    let worded = |line: &&str| line.chars().any(char::is_alphanumeric);
    let mut lines: Vec<String> =
        plain.lines().rev().filter(worded).take(SHOWN).map(|l| l.trim_end().to_owned()).collect();
    lines.reverse();
    lines
}

/// Drops `ESC [ … letter` and what a carriage return would overwrite.
fn without_escapes(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\u{1b}' => {
                if chars.next_if_eq(&'[').is_some() {
                    while chars.next().is_some_and(|c| !c.is_ascii_alphabetic()) {}
                }
            }
            '\r' if chars.peek() != Some(&'\n') => out.push('\n'),
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_does_not_outlive_this_process() {
        let mut peer = std::process::Command::new("sleep").arg("1000").process_group(0).spawn().unwrap();
        let mut leash = Leash::on(Pid::from_raw(peer.id() as i32)).unwrap();
        // What the system does with our end of the pipe when we die.
        drop(leash.0.stdin.take());
        let status = peer.wait().unwrap();
        assert_eq!(status.to_string(), "signal: 9 (SIGKILL)");
    }

    #[test]
    fn words_are_left_of_what_was_drawn_for_a_terminal() {
        assert_eq!(without_escapes("\u{1b}[1;31mred\u{1b}[0m 10 %\r20 %\r\nend"), "red 10 %\n20 %\r\nend");
    }
}
