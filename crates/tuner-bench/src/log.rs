//! The log of one level: everything its figures are computed from, as lines of JSON.
//!
//! *Invariant*: what is read back gives exactly the measurement that was reported ([`LevelLog::measurement`]); a log
//! that was cut short is refused, never measured.
//!
//! The first line is the [`Header`], then comes one [`RequestRecord`] per line, and the last line holds what the client
//! saw of itself and how many records there are.
//!
//! ```no_run
//! # fn door(plan: &tuner_bench::LevelPlan, run: &tuner_bench::LevelRun) -> Result<(), tuner_bench::log::LogError> {
//! use tuner_bench::log::LevelLog;
//! let path = std::path::Path::new("c8-0.jsonl");
//! LevelLog::new(plan, run, &[], &[]).save(path)?;
//! let measurement = LevelLog::load(path)?.measurement();
//! # Ok(()) }
//! ```

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use tuner_core::record::RequestRecord;
use tuner_core::server_side::ServerSide;
use tuner_core::task::{Level, SloSpec, WorkloadSpec};
use tuner_core::{Measurement, Percentile, Stopped};

use crate::client::LevelClock;
use crate::plan::LevelPlan;
use crate::report::{self, ClassSlos, ReportInput, Window};
use crate::run::LevelRun;
use crate::server::reconcile;
use crate::validity::ClientEvidence;

const FORMAT: &str = "autotuner-level-log";
/// Grows when an older reader would misread a newer log.
const VERSION: u32 = 1;

/// Why a log cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The file cannot be opened, written or read.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: String,
        /// What the system said.
        source: io::Error,
    },
    /// A line is not what its place asks for.
    #[error("line {line} of the log cannot be read; the file was changed or is no level log: {source}")]
    Line {
        /// From 1.
        line: usize,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// Another kind of file.
    #[error("this is no level log: its first line should name the format {FORMAT:?}, it names {found:?}")]
    Format {
        /// What it says it is.
        found: String,
    },
    /// Written by a newer version.
    #[error("the log has version {found}, this autotuner reads up to {VERSION}; use the version that wrote it")]
    Version {
        /// Version of the log.
        found: u32,
    },
    /// Its last line is missing or does not agree.
    #[error("the log was cut short after {records} requests: measure the level again")]
    CutShort {
        /// Records that could be read.
        records: usize,
    },
}

/// How the level was planned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LoggedPlan {
    /// Position of the level in the task's list, from 0.
    pub level: u32,
    /// Repeat of this level within the attempt, from 0.
    pub repeat: u32,
    /// The arrival process.
    pub arrival: Level,
    /// SLOs count from the planned arrival.
    pub open_loop: bool,
    /// Streams of a closed loop.
    pub streams: Option<u32>,
    /// What was asked.
    pub workload: WorkloadSpec,
    /// Requests before the window.
    pub warmup: u64,
    /// Requests in the window at most.
    pub requests: Option<u64>,
    /// Length of the window at most, seconds.
    pub duration_s: Option<f64>,
    /// Seed of lengths and arrivals.
    pub schedule_seed: u64,
    /// Seed of the words.
    pub prompts_seed: u64,
}

impl LoggedPlan {
    /// What a log says of `plan`.
    pub fn of(plan: &LevelPlan) -> Self {
        Self {
            level: plan.level,
            repeat: plan.repeat,
            arrival: plan.arrival.clone(),
            open_loop: plan.is_open_loop(),
            streams: plan.streams(),
            workload: plan.workload.clone(),
            warmup: plan.warmup,
            requests: plan.requests,
            duration_s: plan.duration_s,
            schedule_seed: plan.seeds.schedule,
            prompts_seed: plan.seeds.prompts,
        }
    }
}

/// First line of a log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Header {
    format: String,
    version: u32,
    /// Program that wrote it, with its version.
    pub generator: String,
    /// How the level was planned.
    pub plan: LoggedPlan,
    /// The measured window, seconds on the level's clock.
    pub window: Window,
    /// Time the level took, warm-up and drain included, seconds.
    pub elapsed_s: f64,
    /// Zero of the level's clock in CLOCK_MONOTONIC of the machine that measured, nanoseconds.
    pub zero_monotonic_ns: u64,
    /// Zero of the level's clock in Unix time, seconds.
    pub zero_unix_s: f64,
    /// It was cut off.
    pub cancelled: bool,
    /// A rule ended it before its plan did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped: Option<Stopped>,
    /// What goodput and attainment were measured against.
    pub slos: Vec<SloSpec>,
    /// Percentiles besides the standard ones.
    pub percentiles: Vec<Percentile>,
    /// What requests of single classes were measured against.
    #[serde(default, skip_serializing_if = "ClassSlos::is_empty")]
    pub class_slos: ClassSlos,
}

/// Last line of a log.
#[derive(Serialize, Deserialize)]
struct Footer<'a> {
    records: u64,
    client: Cow<'a, ClientEvidence>,
    notes: Cow<'a, [String]>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    server: Option<LoggedServer>,
}

/// The server's side of a level.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LoggedServer {
    /// What the engine and its GPUs showed.
    pub side: ServerSide,
    /// The prompts shared nothing, so that none can have come from a cache.
    pub fresh_prompts: bool,
}

/// A level as its log has it.
#[derive(Clone, Debug, PartialEq)]
pub struct LevelLog<'a> {
    /// How it was planned and run.
    pub header: Header,
    /// Every request, warm-up included, by index.
    pub records: Cow<'a, [RequestRecord]>,
    /// What the client saw of itself.
    pub evidence: Cow<'a, ClientEvidence>,
    /// Remarks for people.
    pub notes: Cow<'a, [String]>,
    /// The server's side, where it was seen.
    pub server: Option<LoggedServer>,
}

impl<'a> LevelLog<'a> {
    /// The log of a level that was run on this machine, now.
    pub fn new(plan: &LevelPlan, run: &'a LevelRun, slos: &[SloSpec], percentiles: &[Percentile]) -> Self {
        let header = Header {
            format: FORMAT.to_owned(),
            version: VERSION,
            generator: format!("autotuner {}", env!("CARGO_PKG_VERSION")),
            plan: LoggedPlan::of(plan),
            window: run.window,
            elapsed_s: run.elapsed_s,
            zero_monotonic_ns: run.clock.zero_ns,
            zero_unix_s: zero_unix_s(&run.clock),
            cancelled: run.cancelled,
            stopped: run.stopped.clone(),
            slos: slos.to_vec(),
            percentiles: percentiles.to_vec(),
            class_slos: plan.class_slos(),
        };
        Self {
            header,
            records: Cow::Borrowed(&run.records),
            evidence: Cow::Borrowed(&run.evidence),
            notes: Cow::Borrowed(&run.notes),
            server: run.server.clone().map(|side| LoggedServer { side, fresh_prompts: plan.is_fresh() }),
        }
    }

    /// The level in figures, as it was reported.
    pub fn measurement(&self) -> Measurement {
        self.measurement_against(&self.header.slos, &self.header.percentiles)
    }

    /// The level in figures, against other SLOs and with other percentiles.
    pub fn measurement_against(&self, slos: &[SloSpec], percentiles: &[Percentile]) -> Measurement {
        let plan = &self.header.plan;
        let mut measurement = report::measurement(&ReportInput {
            level: plan.level,
            repeat: plan.repeat,
            open_loop: plan.open_loop,
            streams: plan.streams,
            records: &self.records,
            window: self.header.window,
            elapsed_s: self.header.elapsed_s,
            stopped: self.header.stopped.as_ref(),
            slos,
            percentiles,
            class_slos: &self.header.class_slos,
        });
        self.evidence.apply(&mut measurement);
        measurement.notes.extend(self.notes.iter().cloned());
        if let Some(LoggedServer { side, fresh_prompts }) = &self.server {
            reconcile::attach(&mut measurement, side.clone(), &self.records, *fresh_prompts);
        }
        measurement
    }

    /// Writes it, one JSON document per line.
    ///
    /// # Errors
    /// `out` cannot be written.
    pub fn write(&self, mut out: impl Write) -> io::Result<()> {
        put(&mut out, &self.header)?;
        for record in self.records.iter() {
            put(&mut out, record)?;
        }
        let client = Cow::Borrowed(self.evidence.as_ref());
        let notes = Cow::Borrowed(self.notes.as_ref());
        let server = self.server.clone();
        put(&mut out, &Footer { records: self.records.len() as u64, client, notes, server })?;
        out.flush()
    }

    /// Writes it to a file.
    ///
    /// # Errors
    /// The file cannot be made or written.
    pub fn save(&self, path: &Path) -> Result<(), LogError> {
        let failed = |source| LogError::File { path: path.display().to_string(), source };
        self.write(BufWriter::new(File::create(path).map_err(failed)?)).map_err(failed)
    }
}

impl LevelLog<'static> {
    /// Reads what [`LevelLog::write`] wrote. `path` is named in errors.
    ///
    /// # Errors
    /// It cannot be read, is no level log, was written by a newer version, or was cut short.
    pub fn read(input: impl BufRead, path: &Path) -> Result<Self, LogError> {
        let failed = |source| LogError::File { path: path.display().to_string(), source };
        let mut lines = input.lines().enumerate();
        let first = lines.next().map(|(_, line)| line.map_err(failed)).transpose()?.unwrap_or_default();
        let header = header(&first)?;
        let (mut records, mut pending): (Vec<RequestRecord>, Option<(usize, String)>) = (Vec::new(), None);
        for (number, line) in lines {
            let line = line.map_err(failed)?;
            if let Some((at, record)) = pending.replace((number, line)) {
                let parsed = serde_json::from_str(&record);
                records.push(parsed.map_err(|source| LogError::Line { line: at + 1, source })?);
            }
        }
        // Only a whole log ends in a footer; half a line or a record in its place is a log that was cut short.
        let footer: Option<Footer<'_>> = pending.and_then(|(_, last)| serde_json::from_str(&last).ok());
        match footer {
            Some(footer) if footer.records == records.len() as u64 => Ok(Self {
                header,
                records: Cow::Owned(records),
                evidence: Cow::Owned(footer.client.into_owned()),
                notes: Cow::Owned(footer.notes.into_owned()),
                server: footer.server,
            }),
            _ => Err(LogError::CutShort { records: records.len() }),
        }
    }

    /// Reads a file that [`LevelLog::save`] wrote.
    ///
    /// # Errors
    /// As [`LevelLog::read`].
    pub fn load(path: &Path) -> Result<Self, LogError> {
        let failed = |source| LogError::File { path: path.display().to_string(), source };
        Self::read(BufReader::new(File::open(path).map_err(failed)?), path)
    }
}

fn header(line: &str) -> Result<Header, LogError> {
    #[derive(Deserialize)]
    struct Kind {
        #[serde(default)]
        format: String,
        #[serde(default)]
        version: u32,
    }
    let wrong = |source| LogError::Line { line: 1, source };
    let kind: Kind = serde_json::from_str(line).map_err(wrong)?;
    if kind.format != FORMAT {
        return Err(LogError::Format { found: kind.format });
    }
    if kind.version > VERSION {
        return Err(LogError::Version { found: kind.version });
    }
    serde_json::from_str(line).map_err(wrong)
}

/// The zero of `clock` in Unix seconds, by the machine's clocks as they stand now.
pub fn zero_unix_s(clock: &LevelClock) -> f64 {
    // A clock before 1970 is no clock to relate to; the log then counts from the level's start.
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |now| now.as_secs_f64() - clock.now_s())
}

fn put(out: &mut impl Write, line: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *out, line)?;
    out.write_all(b"\n")
}

#[cfg(test)]
mod tests;
