//! The report of a task: for a terminal, as JSON, as Markdown, as one HTML file.
//!
//! *Invariant*: a report is a pure function of rows and facts handed in ([`ReportData`]); it shows the verdict of
//! `tuner-core` and never computes one of its own. The HTML file loads nothing from anywhere.

mod bench;
mod brief;
mod build;
mod columns;
mod headline;
mod html;
mod json;
mod markdown;
mod method;
mod model;
mod numbers;
mod plot;
mod server;
mod table;
mod terminal;
mod trade_off;

use std::str::FromStr;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tuner_core::TaskSpec;
use tuner_core::plan::{ExperimentView, Verdict};

pub use bench::{BenchFile, BenchFileError, write_bench};
pub(crate) use numbers::count;

pub use model::{Change, Column, ExperimentReport, Fact, FailureReport, Headline, LevelReport, Report, Tone};
pub use server::server_words;
pub use terminal::Ink;

/// What a report is made from.
#[derive(Clone, Debug)]
pub struct ReportData<'a> {
    /// What was asked.
    pub spec: &'a TaskSpec,
    /// All experiments in order of their numbers.
    pub experiments: &'a [ExperimentView],
    /// What was found; `None` while the task runs or after it was cut off.
    pub verdict: Option<&'a Verdict>,
    /// The machine it ran on.
    pub host: HostFacts,
    /// The command that starts the recommended configuration, ready to paste. Default: the effective command of the
    /// best experiment, which names the port it was measured on.
    pub command: Option<String>,
    /// When the report is written.
    pub generated_at: DateTime<Utc>,
}

/// The machine that the engine ran on, as far as known.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct HostFacts {
    /// Processor model.
    pub cpu: Option<String>,
    /// Processors the engine could use.
    pub cores: Option<u32>,
    /// Memory in GiB.
    pub memory_gib: Option<f64>,
    /// One line per GPU: model and memory.
    pub gpus: Vec<String>,
    /// Operating system with version.
    pub os: Option<String>,
}

impl HostFacts {
    /// One line; empty when nothing is known.
    pub fn describe(&self) -> String {
        let mut parts: Vec<String> = self.gpus.clone();
        parts.extend(self.cpu.clone());
        parts.extend(self.cores.map(|n| numbers::count(n as usize, "core")));
        parts.extend(self.memory_gib.map(|gib| format!("{} GiB memory", numbers::figure(gib))));
        parts.extend(self.os.clone());
        parts.join(", ")
    }
}

/// A format of the report. A new one is a variant here and a file beside this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A table for a terminal of this many columns.
    Terminal {
        /// Width in columns.
        width: usize,
        /// With or without colours.
        ink: Ink,
    },
    /// The same in short: the answer, the leaders, each kind of failure once.
    Brief {
        /// Width in columns.
        width: usize,
        /// With or without colours.
        ink: Ink,
    },
    /// One JSON object.
    Json,
    /// Markdown.
    Markdown,
    /// One self-contained HTML file.
    Html,
}

impl FromStr for Format {
    type Err = UnknownFormat;
    fn from_str(word: &str) -> Result<Self, Self::Err> {
        Ok(match word {
            "terminal" => Self::Terminal { width: 100, ink: Ink::Plain },
            "brief" => Self::Brief { width: 100, ink: Ink::Plain },
            "json" => Self::Json,
            "markdown" | "md" => Self::Markdown,
            "html" => Self::Html,
            _ => return Err(UnknownFormat(word.to_owned())),
        })
    }
}

/// A word that names no format.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown report format {0:?}; there are terminal, brief, json, markdown and html")]
pub struct UnknownFormat(pub String);

/// A report that could not be written: a fault of ours in a template or a serialiser.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// The HTML template.
    #[error("the HTML template does not render")]
    Template(#[from] minijinja::Error),
    /// The JSON form.
    #[error("the report does not serialise")]
    Json(#[from] serde_json::Error),
}

/// Writes a report in one format; ends with a line break.
pub fn render(report: &Report, format: Format) -> Result<String, RenderError> {
    match format {
        Format::Terminal { width, ink } => Ok(terminal::render(report, width, ink)),
        Format::Brief { width, ink } => Ok(brief::render(report, width, ink)),
        Format::Json => json::render(report),
        Format::Markdown => Ok(markdown::render(report)),
        Format::Html => html::render(report),
    }
}

#[cfg(test)]
mod tests;
