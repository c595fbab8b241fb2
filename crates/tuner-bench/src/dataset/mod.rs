//! Requests from files: prompts, request bodies and traces, recognised by what they hold, not by their name.
//!
//! *Invariant*: what the source says is kept (roles, sampling parameters, output lengths, arrival times); what is left
//! out is counted with its reason; what is wrong is named with its line.

mod csv;
mod fetch;
mod format;
mod inspect;
mod json;
mod requests;
mod rounds;
mod trace;
mod unpack;

use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::{Map, Value};
use tuner_core::record::SharedRun;
use tuner_core::task::DatasetSpec;

use crate::plan::{DEFAULT_OUTPUT_TOKENS, Row};
use crate::seed::mix;
use crate::tokens::{TokenError, TokenSource};

pub use fetch::{Download, FetchError, fetch, fetch_all};
pub use format::Format;
pub use inspect::{Inspection, Spread, Times, inspect};
pub use requests::{plain_text, roles, salted, texts};
pub use rounds::Round;
pub use unpack::{Packing, UnpackError, digest, unpack};

/// Largest file that is read, and largest answer that is fetched, bytes.
pub const MOST_BYTES: u64 = 2 << 30;
/// Tokens of a Mooncake block.
const BLOCK_TOKENS: u32 = 512;

/// A data set that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DatasetError {
    /// It cannot be read.
    #[error("{path} cannot be read")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is too large.
    #[error("{path} has {bytes} bytes, at most {MOST_BYTES} are read; cut it with head, or split it")]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its size.
        bytes: u64,
    },
    /// Lines are wrong.
    #[error("{path}, line {line}: {what}{}", others(*more))]
    Line {
        /// The file.
        path: PathBuf,
        /// The first wrong line, from 1.
        line: u64,
        /// What is wrong and what is allowed.
        what: String,
        /// Further wrong lines.
        more: u64,
    },
    /// Nothing of it can be used.
    #[error("{path} holds no requests{}", because(dropped))]
    Empty {
        /// The file.
        path: PathBuf,
        /// What was left out.
        dropped: Vec<Dropped>,
    },
    /// Its content is not what the task expects.
    #[error("{path} has SHA-256 {found}, not {expected}")]
    Checksum {
        /// The file.
        path: PathBuf,
        /// As the task says.
        expected: String,
        /// As it is.
        found: String,
    },
    /// A row's lengths are not known here.
    #[error("{path}, line {line}: its tokens cannot be counted here; a trace with lengths can be used")]
    Uncounted {
        /// The file.
        path: PathBuf,
        /// The row.
        line: u64,
    },
}

fn others(more: u64) -> String {
    match more {
        0 => String::new(),
        1 => " (one more line is wrong)".to_owned(),
        n => format!(" ({n} more lines are wrong)"),
    }
}

fn because(dropped: &[Dropped]) -> String {
    let reasons: Vec<String> = dropped.iter().map(|d| format!("{} {}", d.rows, d.reason)).collect();
    if reasons.is_empty() { String::new() } else { format!(" that can be used: {}", reasons.join(", ")) }
}

/// Rows that were left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Dropped {
    /// Why.
    pub reason: String,
    /// How many.
    pub rows: u64,
    /// Line of the first.
    pub first_line: u64,
}

/// One row that can be used.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DatasetRow {
    /// Line it begins on, from 1.
    pub line: u64,
    /// `messages` or `prompt` with sampling parameters, or a whole request body; none in a trace of lengths.
    pub request: Option<Map<String, Value>>,
    /// The answer that was given, to take its length from.
    pub answer: Option<String>,
    /// Messages after that answer.
    pub later: Vec<Value>,
    /// Its turns, where it was taken apart and has several.
    pub rounds: Vec<Round>,
    /// Prompt tokens, where the source or a tokenizer says.
    pub input_tokens: Option<u32>,
    /// Answer tokens, where the source or a tokenizer says.
    pub output_tokens: Option<u32>,
    /// Arrival, seconds from the first row's.
    pub at_s: Option<f64>,
    /// Names of the prompt's blocks of 512 tokens, where the source says.
    pub blocks: Vec<u64>,
}

/// A data set that was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Dataset {
    /// Where it was read from.
    pub path: PathBuf,
    /// What it is.
    pub format: Format,
    /// At least one.
    pub rows: Vec<DatasetRow>,
    /// What was left out.
    pub dropped: Vec<Dropped>,
}

/// What a reader found: rows, rows left out, wrong lines.
#[derive(Debug, Default)]
struct Found {
    rows: Vec<DatasetRow>,
    dropped: Vec<Dropped>,
    wrong: Vec<(u64, String)>,
}

impl Found {
    fn row(&mut self, line: u64, read: Result<DatasetRow, Refused>) {
        match read {
            Ok(row) => self.rows.push(DatasetRow { line, ..row }),
            Err(Refused::Drop(reason)) => drop_row(&mut self.dropped, line, reason),
            Err(Refused::Wrong(what)) => self.wrong.push((line, what)),
        }
    }
}

/// Why a row is not used.
#[derive(Debug, PartialEq)]
enum Refused {
    /// It holds nothing to ask.
    Drop(&'static str),
    /// It is not what it should be.
    Wrong(String),
}

fn drop_row(dropped: &mut Vec<Dropped>, line: u64, reason: &str) {
    match dropped.iter_mut().find(|d| d.reason == reason) {
        Some(known) => known.rows += 1,
        None => dropped.push(Dropped { reason: reason.to_owned(), rows: 1, first_line: line }),
    }
}

impl Dataset {
    /// Reads a file, whole or the part that a task wants of it. Rows over `max_context` are left out by
    /// [`Dataset::count`], which knows their lengths.
    ///
    /// # Errors
    /// Names the line and what is wrong with it.
    pub fn load(spec: &DatasetSpec) -> Result<Self, DatasetError> {
        let path = Path::new(&spec.source);
        let read = |source| DatasetError::Read { path: path.to_owned(), source };
        let bytes = std::fs::metadata(path).map_err(read)?.len();
        if bytes > MOST_BYTES {
            return Err(DatasetError::TooLarge { path: path.to_owned(), bytes });
        }
        let content = std::fs::read(path).map_err(read)?;
        if let Some(expected) = &spec.sha256 {
            fetch::check(path, &content, expected)?;
        }
        let text = String::from_utf8(content)
            .map_err(|e| std::io::Error::new(std::io::ErrorKind::InvalidData, format!("not UTF-8: {}", e.utf8_error())))
            .map_err(read)?;
        let mut dataset = Self::parse(path, &text)?;
        dataset.crop(spec);
        dataset.not_empty()
    }

    /// Reads a text; `path` is where it came from.
    ///
    /// # Errors
    /// As [`Dataset::load`].
    pub fn parse(path: &Path, text: &str) -> Result<Self, DatasetError> {
        let (format, found) = match format::read(text) {
            Ok(read) => read,
            Err((line, what)) => return Err(DatasetError::Line { path: path.to_owned(), line, what, more: 0 }),
        };
        let Found { mut rows, dropped, wrong } = found;
        let more = wrong.len().saturating_sub(1) as u64;
        if let Some((line, what)) = wrong.into_iter().next() {
            return Err(DatasetError::Line { path: path.to_owned(), line, what, more });
        }
        let first = rows.iter().filter_map(|row| row.at_s).fold(f64::INFINITY, f64::min);
        rows.iter_mut().filter_map(|row| row.at_s.as_mut()).for_each(|at| *at -= first);
        Self { path: path.to_owned(), format, rows, dropped }.not_empty()
    }

    fn not_empty(self) -> Result<Self, DatasetError> {
        if self.rows.is_empty() {
            return Err(DatasetError::Empty { path: self.path, dropped: self.dropped });
        }
        Ok(self)
    }

    fn crop(&mut self, spec: &DatasetSpec) {
        let (from, to) = (spec.from_s.unwrap_or(0.0), spec.to_s.unwrap_or(f64::INFINITY));
        if spec.from_s.is_some() || spec.to_s.is_some() {
            self.keep("outside from_s and to_s", |row| row.at_s.is_some_and(|at| at >= from && at < to));
        }
        if let Some(limit) = spec.limit {
            let mut seen = 0;
            self.keep("beyond the limit", |_| {
                seen += 1;
                seen <= limit
            });
        }
    }

    fn keep(&mut self, reason: &str, mut wanted: impl FnMut(&DatasetRow) -> bool) {
        let (rows, dropped) = (&mut self.rows, &mut self.dropped);
        rows.retain(|row| {
            let keep = wanted(row);
            if !keep {
                drop_row(dropped, row.line, reason);
            }
            keep
        });
    }

    /// Counts with a tokenizer what the source does not say, and leaves out what is longer than `max_context`.
    ///
    /// # Errors
    /// The tokenizer refuses a text, or nothing is left.
    pub async fn count(&mut self, tokens: Option<&TokenSource>, spec: &DatasetSpec) -> Result<(), crate::BenchError> {
        self.count_rounds(tokens, spec.max_context).await?;
        if let Some(tokens) = tokens {
            for row in &mut self.rows {
                if row.input_tokens.is_none()
                    && let Some(request) = &row.request
                {
                    row.input_tokens = Some(count_prompt(tokens, request).await?);
                }
                if row.output_tokens.is_none()
                    && let Some(answer) = &row.answer
                {
                    row.output_tokens = Some(tokens.count(answer).await?.max(1));
                }
            }
        }
        if let Some(most) = spec.max_context {
            let total =
                |row: &DatasetRow| u64::from(row.input_tokens.unwrap_or(0)) + u64::from(row.output_tokens.unwrap_or(0));
            self.keep("longer than max_context", |row| total(row) <= u64::from(most));
        }
        if self.rows.is_empty() {
            let dropped = std::mem::take(&mut self.dropped);
            return Err(DatasetError::Empty { path: self.path.clone(), dropped }.into());
        }
        Ok(())
    }

    /// What planning needs. `output`: for rows that do not say; `source`: names this data set's blocks among others'.
    pub fn plan_rows(&self, output: Option<u32>, source: usize) -> Vec<Row> {
        let row = |row: &DatasetRow| {
            let input = row.input_tokens.unwrap_or(0);
            Row {
                input_tokens: if row.request.is_some() { input } else { input.max(1) },
                output_tokens: row.output_tokens.or(output).unwrap_or(DEFAULT_OUTPUT_TOKENS).max(1),
                at_s: row.at_s,
                shared: shared(&row.blocks, input, source),
                rounds: row.rounds.iter().map(|round| lengths(round, output)).collect(),
                has_prompt: row.request.is_some(),
                roles: row.request.as_ref().map_or_else(|| Some("user".to_owned()), roles),
            }
        };
        self.rows.iter().map(row).collect()
    }

    /// Refuses rows whose prompt length is not known.
    ///
    /// # Errors
    /// Names the first.
    pub fn must_be_counted(&self) -> Result<(), DatasetError> {
        match self.rows.iter().find(|row| row.input_tokens.is_none()) {
            Some(row) => Err(DatasetError::Uncounted { path: self.path.clone(), line: row.line }),
            None => Ok(()),
        }
    }
}

fn lengths(round: &Round, output: Option<u32>) -> (u32, u32) {
    let answer = round.output_tokens.or(output).unwrap_or(DEFAULT_OUTPUT_TOKENS).max(1);
    (round.own_tokens.unwrap_or(1), answer)
}

/// The blocks as runs of tokens; the last is cut where the prompt ends. The prompt's last token stays its own.
fn shared(blocks: &[u64], input: u32, source: usize) -> Vec<SharedRun> {
    let mut left = input.saturating_sub(1);
    let mut runs = Vec::new();
    for block in blocks {
        let tokens = left.min(BLOCK_TOKENS);
        if tokens == 0 {
            break;
        }
        left -= tokens;
        runs.push(SharedRun { key: mix(mix(*block) ^ mix(source as u64 + 1)), tokens });
    }
    runs
}

async fn count_prompt(tokens: &TokenSource, request: &Map<String, Value>) -> Result<u32, TokenError> {
    if let Some(ids) = request.get("prompt").and_then(Value::as_array)
        && ids.iter().all(Value::is_number)
    {
        return Ok(ids.len() as u32);
    }
    // Each text by itself: a template stands between them, so that no token spans two.
    let mut sum = 0;
    for text in texts(request) {
        sum += tokens.count(&text).await?;
    }
    Ok(sum)
}

#[cfg(test)]
mod tests;
