//! Log files of attempts: written by the engine itself, read from the end, never loaded whole.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

use crate::{DeployError, Launch, redact};

/// The most that is read from the end of a log.
const TAIL_BYTES: u64 = 512 * 1024;
/// Longer lines are cut; a progress bar can be megabytes in one line.
const LINE_CHARS: usize = 2000;

/// Opens a log for appending and writes which command the following lines come from, without its secrets.
pub(crate) fn begin(path: &Path, id: &str, launch: &Launch) -> Result<File, DeployError> {
    let mut file = append(path)?;
    let header = format!("=== {id}: {}\n", redact::command_line(launch));
    file.write_all(header.as_bytes()).map_err(DeployError::file("write", path))?;
    Ok(file)
}

pub(crate) fn append(path: &Path) -> Result<File, DeployError> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(DeployError::file("create", parent))?;
    }
    OpenOptions::new().create(true).append(true).open(path).map_err(DeployError::file("create", path))
}

/// The last `lines` lines, oldest first. A missing log has none. Bytes that are not UTF-8 are replaced, colours and
/// overwritten progress bars removed, blank lines skipped. Secrets are not: see [`redact::Secrets::clean`].
pub fn log_tail(path: &Path, lines: usize) -> Vec<String> {
    let Ok(text) = read_end(path) else { return Vec::new() };
    let mut tail: Vec<String> = text.lines().rev().map(readable).filter(|l| !l.is_empty()).take(lines).collect();
    tail.reverse();
    tail
}

/// The beginning of a log, at most `most` bytes, as text; empty if it cannot be read.
pub fn log_head(path: &Path, most: u64) -> String {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(most).read_to_end(&mut bytes));
    if read.is_err() { String::new() } else { String::from_utf8_lossy(&bytes).into_owned() }
}

/// Bytes in the log; 0 when it is missing. A log that grows is a sign of life.
pub fn log_size(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |m| m.len())
}

fn read_end(path: &Path) -> std::io::Result<String> {
    let mut file = File::open(path)?;
    let size = file.metadata()?.len();
    let from = size.saturating_sub(TAIL_BYTES);
    file.seek(SeekFrom::Start(from))?;
    let mut bytes = Vec::new();
    file.take(TAIL_BYTES).read_to_end(&mut bytes)?;
    let mut text = String::from_utf8_lossy(&bytes).into_owned();
    if from > 0 {
        // The first line is a part of one.
        text = text.split_once('\n').map_or(text.clone(), |(_, rest)| rest.to_owned());
    }
    Ok(text)
}

/// A line as a terminal would leave it: what a carriage return overwrote is gone, and so are escape sequences.
fn readable(line: &str) -> String {
    let shown = line.trim_end_matches('\r').rsplit('\r').next().unwrap_or_default();
    let mut out = String::new();
    let mut chars = shown.chars();
    while let Some(c) = chars.next() {
        if c == '\u{1b}' {
            // CSI sequence: ESC [ parameters, ended by a letter.
            if chars.next() == Some('[') {
                for c in chars.by_ref() {
                    if c.is_ascii_alphabetic() {
                        break;
                    }
                }
            }
        } else if !c.is_control() || c == '\t' {
            out.push(c);
        }
        if out.len() > LINE_CHARS {
            out.push('…');
            break;
        }
    }
    out.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tail_is_what_a_terminal_would_show() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.log");
        fs::write(&path, b"one\n\x1b[32mINFO\x1b[0m two\n\n 10%\r 50%\r100%\r\nbad \xff byte\nlast").unwrap();
        assert_eq!(log_tail(&path, 3), ["100%", "bad \u{fffd} byte", "last"]);
        assert_eq!(log_tail(&path, 99)[..2], ["one", "INFO two"]);
        assert_eq!(log_tail(&path, 0), Vec::<String>::new());
    }

    #[test]
    fn a_missing_log_is_empty() {
        let nowhere = Path::new("/nonexistent/x.log");
        assert_eq!(log_tail(nowhere, 5), Vec::<String>::new());
        assert_eq!(log_size(nowhere), 0);
    }

    #[test]
    fn only_the_end_of_a_long_log_is_read_and_no_half_line_is_shown() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.log");
        let mut text: String = (0..200_000).map(|i| format!("line {i}\n")).collect();
        text.push_str(&"x".repeat(5000));
        fs::write(&path, text).unwrap();
        let tail = log_tail(&path, usize::MAX);
        assert!(tail.len() < 200_000 && tail[0].starts_with("line "));
        assert!(tail.last().unwrap().len() < 2100);
        assert_eq!(tail[tail.len() - 2], "line 199999");
    }
}
