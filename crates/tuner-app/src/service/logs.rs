//! Engine logs: parts of a file, while it is written and after.
//!
//! *Invariant*: only files in the log folder of the data directory are read, whatever a row says.

use std::io::SeekFrom;
use std::path::PathBuf;

use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncSeekExt};
use tuner_core::plan::AttemptState;
use tuner_policy::Action;

use super::Service;
use crate::access::Permit;
use crate::error::AppError;

/// Where to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// From this byte on.
    Offset(u64),
    /// The last bytes.
    End,
}

/// The log of one attempt.
#[derive(Clone, Debug)]
pub struct Log {
    path: PathBuf,
    /// Of which attempt, from 1.
    pub attempt: u32,
    /// Nothing more will be written.
    pub ended: bool,
}

/// A part of it. Bytes that are no UTF-8 are shown as such.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Position of its first byte.
    pub offset: u64,
    /// Position after its last byte: where to go on.
    pub next_offset: u64,
    /// Bytes of the whole log now.
    pub size: u64,
    /// The text.
    pub text: String,
}

impl Service {
    /// Finds the log of an attempt, or of the last one that has any.
    ///
    /// # Errors
    /// [`AppError::Absent`] if no engine was started, or the file is gone.
    pub async fn find_log(
        &self,
        permit: &Permit,
        task: &str,
        number: u32,
        attempt: Option<u32>,
    ) -> Result<Log, AppError> {
        permit.must_be_for(Action::LogRead)?;
        let row = self.find(task).await?;
        let experiment = self.store().experiment(row.id, number).await?;
        let mut attempts = experiment.attempts.iter().rev().filter(|a| attempt.is_none_or(|n| a.number == n));
        let absent = || AppError::Absent { what: format!("engine log of experiment {number} of task {}", row.name) };
        let found = attempts.find_map(|a| Some((a, a.evidence.log_path.clone()?)));
        let (attempt, path) = found.ok_or_else(absent)?;
        let inside = |path: &str| {
            let (path, logs) = (std::fs::canonicalize(path).ok()?, std::fs::canonicalize(self.home().logs()).ok()?);
            path.starts_with(logs).then_some(path)
        };
        let path = inside(&path).ok_or_else(absent)?;
        Ok(Log { path, attempt: attempt.number, ended: attempt.state != AttemptState::Running })
    }
}

impl Log {
    /// Reads at most `limit` bytes. A position behind the end gives nothing.
    ///
    /// # Errors
    /// [`AppError::Read`].
    pub async fn part(&self, from: Start, limit: u64) -> Result<Part, AppError> {
        let fail = |source| AppError::Read { path: self.path.clone(), source };
        let mut file = File::open(&self.path).await.map_err(fail)?;
        let size = file.metadata().await.map_err(fail)?.len();
        let offset = match from {
            Start::Offset(offset) => offset.min(size),
            Start::End => size.saturating_sub(limit),
        };
        file.seek(SeekFrom::Start(offset)).await.map_err(fail)?;
        let mut bytes = Vec::new();
        file.take(limit).read_to_end(&mut bytes).await.map_err(fail)?;
        // A character that is cut in two is left for the next part.
        let whole = match std::str::from_utf8(&bytes) {
            Err(error) if error.error_len().is_none() && error.valid_up_to() > 0 => error.valid_up_to(),
            _ => bytes.len(),
        };
        let text = String::from_utf8_lossy(&bytes[..whole]).into_owned();
        Ok(Part { offset, next_offset: offset + whole as u64, size, text })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn parts_of_a_log_add_up_to_the_whole_and_cut_no_character() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("engine.log");
        let whole = "loading ✓ ready ✓ größer\n".repeat(20);
        std::fs::write(&path, &whole).unwrap();
        let log = Log { path, attempt: 1, ended: true };
        let (mut seen, mut at) = (String::new(), 0);
        loop {
            let part = log.part(Start::Offset(at), 7).await.unwrap();
            assert_eq!((part.offset, part.size), (at, whole.len() as u64));
            if part.text.is_empty() {
                break;
            }
            seen.push_str(&part.text);
            at = part.next_offset;
        }
        assert_eq!(seen, whole);
        assert_eq!(log.part(Start::End, 5).await.unwrap().text, "ßer\n");
        assert_eq!(log.part(Start::Offset(1 << 40), 5).await.unwrap().text, "");
    }
}
