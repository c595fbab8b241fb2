//! The report as data: what every format shows, decided once. Its serialisation is the JSON format.
//!
//! *Invariant*: formats only lay out what stands here; no format computes a figure or chooses a word of its own.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Serialize;
use tuner_core::engine::ReadBack;
use tuner_core::measure::RequestCounts;
use tuner_core::score::Class;
use tuner_core::score::paired::RatioInterval;
use tuner_core::{Configuration, Metric, Stat};

use super::trade_off::Axes;

/// A whole report. Figures are in the units of `docs/measuring.md`; texts are for people.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Version of this layout.
    pub format: u32,
    /// Version of the tuner that wrote it.
    pub tuner_version: &'static str,
    /// When it was written.
    pub generated_at: DateTime<Utc>,
    /// Name of the task.
    pub task: String,
    /// What it is for, in the user's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Whether the task has ended.
    pub finished: bool,
    /// Engine with version.
    pub engine: String,
    /// Model that was served.
    pub model: String,
    /// The answer.
    pub verdict: Headline,
    /// What was wanted, the first decides.
    pub objectives: Vec<String>,
    /// What the first objective is measured in; empty for shares.
    pub unit: String,
    /// Whether smaller values of the first objective are better.
    pub smaller_is_better: bool,
    /// What had to hold.
    pub slos: Vec<String>,
    /// Number of the baseline experiment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub baseline: Option<u32>,
    /// Number of the best experiment of the search, when it ranks above the baseline or came close.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub best: Option<u32>,
    /// What [`Report::changes`] are: kept, or only tried.
    pub changes_title: String,
    /// Where the best configuration differs from the baseline.
    pub changes: Vec<Change>,
    /// Number of the experiment whose configuration should be used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recommended: Option<u32>,
    /// What [`Report::command`] starts.
    pub command_title: &'static str,
    /// The command that starts the recommended configuration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// Figures shown per level, in order.
    pub columns: Vec<Column>,
    /// Experiments by outcome word.
    pub outcomes: BTreeMap<&'static str, usize>,
    /// Every experiment in order of number.
    pub experiments: Vec<ExperimentReport>,
    /// How it was measured, name to value.
    pub method: Vec<Fact>,
    /// What the trade-off plot trades.
    #[serde(skip)]
    pub(super) axes: Axes,
}

/// The answer in words.
#[derive(Clone, Debug, Serialize)]
pub struct Headline {
    /// `better`, `no_significant_difference`, `worse`, `not_verified`, `no_result` or `running`.
    pub decision: &'static str,
    /// How it is coloured.
    pub tone: Tone,
    /// A few words: `15 % more output tokens per second`.
    pub title: String,
    /// One sentence for someone who pays for the GPUs.
    pub sentence: String,
    /// The same in numbers, for someone who checks them.
    pub numbers: Vec<String>,
    /// What to do now.
    pub advice: String,
    /// How many times better the best is on the first objective, proven by pairs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub improvement: Option<RatioInterval>,
}

/// A figure shown for every level.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Column {
    /// Metric, statistic and unit in one word: `ttft_p99_ms`.
    pub key: String,
    /// For people: `TTFT p99`.
    pub label: String,
    /// `ms`; empty for shares.
    pub unit: &'static str,
    /// Whether it is a share, 0..1, shown as a percentage.
    pub share: bool,
    /// What it is.
    #[serde(skip)]
    pub metric: Metric,
    /// Which number of it.
    #[serde(skip)]
    pub stat: Stat,
}

/// Mood of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Tone {
    /// As hoped.
    Good,
    /// Neither.
    Neutral,
    /// Something to look at.
    Warn,
    /// Not as hoped.
    Bad,
}

/// A parameter that the best configuration sets differently.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Change {
    /// Flag name.
    pub name: String,
    /// Value in the baseline; absent: the engine's default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub baseline: Option<String>,
    /// Value in the best configuration; absent: the engine's default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub best: Option<String>,
}

/// A named fact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fact {
    /// What it is.
    pub name: String,
    /// What it says.
    pub value: String,
}

/// One experiment.
#[derive(Clone, Debug, Serialize)]
pub struct ExperimentReport {
    /// 1..N.
    pub number: u32,
    /// `baseline`, `search`, `verify best 1`, …
    pub role: String,
    /// Whether it belongs to the final comparison.
    pub verification: bool,
    /// Whether it is the best.
    pub is_best: bool,
    /// What was tried.
    pub configuration: Configuration,
    /// The same in one line.
    pub configuration_text: String,
    /// How it ended, or `running`.
    pub outcome: &'static str,
    /// How that is coloured.
    pub tone: Tone,
    /// Value of the first objective in its own unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub objective: Option<f64>,
    /// How many times better than the baseline's single run: 1.2 is 20 % better. Not verified.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub improvement: Option<f64>,
    /// Its rank before the objective is looked at; absent without a score.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class: Option<Class>,
    /// SLOs that do not hold at the level that decides, in words.
    pub missed: Vec<String>,
    /// Short name of the level that gave the objective.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deciding_level: Option<String>,
    /// What was measured, level by level.
    pub levels: Vec<LevelReport>,
    /// Why it failed, or why levels are missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<FailureReport>,
    /// Attempts made.
    pub attempts: usize,
    /// The effective command of the attempt that counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// Arguments compared with the engine's own report.
    pub read_back: Vec<ReadBack>,
    /// Warnings of the launch, remarks of the measurements.
    pub remarks: Vec<String>,
    /// Seconds until the first good answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ready_s: Option<f64>,
    /// Seconds from the start of the first attempt to the end of the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub elapsed_s: Option<f64>,
    /// The engine's log file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_path: Option<String>,
}

/// One measured level.
#[derive(Clone, Debug, Serialize)]
pub struct LevelReport {
    /// Position in the task's list, from 0.
    pub level: u32,
    /// Short name: `c8`.
    pub label: String,
    /// Repeat, from 0.
    pub repeat: u32,
    /// Whether it may be scored.
    pub valid: bool,
    /// Why not.
    pub reasons: Vec<String>,
    /// Whether its SLOs hold; absent for levels that were not scored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class: Option<Class>,
    /// Measured window.
    pub window_s: f64,
    /// Requests by fate.
    pub requests: RequestCounts,
    /// Failed requests by class.
    pub errors: BTreeMap<String, u64>,
    /// The figures of the report's columns, by key; absent where not measured.
    pub figures: BTreeMap<String, f64>,
    /// What the engine and its GPUs showed, in one line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
}

/// A failure with what to do about it.
#[derive(Clone, Debug, Serialize)]
pub struct FailureReport {
    /// Its class, as in files.
    pub class: String,
    /// What happened.
    pub message: String,
    /// What to do.
    pub hint: &'static str,
    /// Last lines of the engine's log.
    pub log_tail: Vec<String>,
}
