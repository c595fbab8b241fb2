//! What happened to each request of a task's levels, kept where the task asks for it (`load.save_log_mib`).
//!
//! *Invariant*: the logs of a task together never take more room than it allows; the oldest go first. A log that cannot be
//! kept costs the measurement nothing: it is said among its notes.

use std::fs::File;
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use flate2::Compression;
use flate2::write::GzEncoder;
use tuner_bench::log::LevelLog;

use crate::lab::{Job, Turn};

/// Folder of a task's request logs, within that of its engine logs.
pub const FOLDER: &str = "requests";
/// How their names end.
pub const ENDING: &str = ".jsonl.gz";

/// The name of the log of one measurement. Names in order are measurements in order.
pub fn name(experiment: u32, attempt: u32, level: u32, repeat: u32) -> String {
    format!("e{experiment:06}-a{attempt:03}-l{level:03}-r{repeat:03}{ENDING}")
}

/// Keeps the log of a measurement, and makes room for it. Gives what is worth saying.
pub(crate) fn keep(logs: &Path, job: &Job<'_>, turn: Turn, log: &LevelLog<'_>) -> Option<String> {
    let most = u64::from(job.spec.load.save_log_mib?) << 20;
    let folder = logs.join(job.task.to_string()).join(FOLDER);
    let path = folder.join(name(job.experiment.number, job.attempt, turn.level, turn.repeat));
    match save(&path, log).and_then(|()| make_room(&folder, &path, most)) {
        Ok(0) => None,
        Ok(gone) => {
            Some(format!("the logs of requests took more than load.save_log_mib: {gone} of them went, the oldest"))
        }
        Err(error) => Some(format!("the log of its requests could not be kept: {error}")),
    }
}

fn save(path: &Path, log: &LevelLog<'_>) -> io::Result<()> {
    std::fs::create_dir_all(path.parent().unwrap_or(path))?;
    // One that is cut short must not look like a log.
    let part = path.with_extension("part");
    let mut packed = GzEncoder::new(BufWriter::new(File::create(&part)?), Compression::fast());
    log.write(&mut packed)?;
    packed.finish()?.into_inner().map_err(io::IntoInnerError::into_error)?;
    std::fs::rename(&part, path)
}

/// Removes the oldest logs until the rest fits; how many those were.
fn make_room(folder: &Path, newest: &Path, most: u64) -> io::Result<usize> {
    let mut logs: Vec<(SystemTime, PathBuf, u64)> = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let (entry, facts) = entry.and_then(|entry| Ok((entry.path(), entry.metadata()?)))?;
        logs.push((facts.modified()?, entry, facts.len()));
    }
    // Names decide between files of one moment.
    logs.sort_by(|a, b| (a.1 == newest, a.0, &a.1).cmp(&(b.1 == newest, b.0, &b.1)));
    let (mut total, mut gone) = (logs.iter().map(|(.., bytes)| bytes).sum::<u64>(), 0);
    for (_, path, bytes) in logs {
        if total <= most {
            break;
        }
        std::fs::remove_file(path)?;
        (total, gone) = (total - bytes, gone + 1);
    }
    Ok(gone)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_logs_make_room_for_the_newest() {
        let folder = tempfile::tempdir().unwrap();
        for n in 1..=4 {
            std::fs::write(folder.path().join(name(n, 1, 0, 0)), vec![0; 100]).unwrap();
        }
        let newest = folder.path().join(name(4, 1, 0, 0));
        assert_eq!(make_room(folder.path(), &newest, 400).unwrap(), 0);
        assert_eq!(make_room(folder.path(), &newest, 250).unwrap(), 2);
        let mut left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|f| f.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, [name(3, 1, 0, 0), name(4, 1, 0, 0)].map(std::ffi::OsString::from));
        assert_eq!(make_room(folder.path(), &newest, 50).unwrap(), 2, "one that is too large alone is not kept either");
    }
}
