//! What is kept of a bench besides its report: the log of each level, and the same run in other tools' formats.

use std::path::{Path, PathBuf};

use tuner_bench::compat::{self, Tool};
use tuner_bench::log::{LevelLog, LogError, zero_unix_s};
use tuner_bench::{BenchReport, BenchRequest, LevelPlan, LevelRun};
use tuner_core::Measurement;
use tuner_core::task::{Level, SloSpec};

/// What to write into the folder of results.
#[derive(Clone, Debug, Default)]
pub struct ResultFolder {
    /// The folder; made where it is missing.
    pub path: PathBuf,
    /// A log of each level, request by request: `log/c8-0.jsonl`.
    pub log: bool,
    /// The run as these tools would have written it: `vllm/…`.
    pub tools: Vec<Tool>,
}

/// Why a result was not written or read.
#[derive(Debug, thiserror::Error)]
pub enum ResultError {
    /// A file or folder cannot be written.
    #[error("cannot write {}", path.display())]
    Write {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A log cannot be written or read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// A fault of ours.
    #[error("a result does not serialise")]
    Json(#[from] serde_json::Error),
}

impl ResultFolder {
    /// Writes what was asked for and gives the files.
    ///
    /// # Errors
    /// The system refuses a file or folder.
    pub fn write(
        &self,
        request: &BenchRequest,
        report: &BenchReport,
        runs: &[(LevelPlan, LevelRun)],
    ) -> Result<Vec<PathBuf>, ResultError> {
        let mut written = Vec::new();
        if self.log {
            for (plan, run) in runs {
                let name = plan.arrival.label().replace(['/', ' '], "_");
                let path = self.path.join("log").join(format!("{name}-{}.jsonl", plan.repeat));
                make_folder_of(&path)?;
                LevelLog::new(plan, run, &request.slos, &request.percentiles).save(&path)?;
                written.push(path);
            }
        }
        let levels: Vec<compat::Level<'_>> = runs.iter().map(|(plan, run)| compat_level(plan, run)).collect();
        for tool in &self.tools {
            let run = compat::Run {
                model: &report.model,
                url: &report.url,
                api: request.workload.api,
                tokenizer: report.tokenizer.as_deref(),
                scenario: request.workload.prompts.scenario.as_deref(),
                slos: &request.slos,
                levels: &levels,
            };
            for file in compat::emit(*tool, &run) {
                let path = self.path.join(tool.name()).join(&file.path);
                make_folder_of(&path)?;
                let text = match tool {
                    Tool::Sglang => serde_json::to_string(&file.document)?,
                    _ => serde_json::to_string_pretty(&file.document)?,
                };
                std::fs::write(&path, text + "\n")
                    .map_err(|source| ResultError::Write { path: path.clone(), source })?;
                written.push(path);
            }
        }
        Ok(written)
    }
}

fn compat_level<'a>(plan: &'a LevelPlan, run: &'a LevelRun) -> compat::Level<'a> {
    compat::Level { arrival: &plan.arrival, records: &run.records, zero_unix_s: zero_unix_s(&run.clock) }
}

fn make_folder_of(path: &Path) -> Result<(), ResultError> {
    let folder = path.parent().unwrap_or(path);
    std::fs::create_dir_all(folder).map_err(|source| ResultError::Write { path: folder.to_owned(), source })
}

/// The figures of a logged level, computed again; against other SLOs where some are given.
///
/// # Errors
/// The file is no log, or was cut short.
pub fn recompute(path: &Path, slos: &[SloSpec]) -> Result<(Level, Measurement), ResultError> {
    let log = LevelLog::load(path)?;
    let slos = if slos.is_empty() { &log.header.slos } else { slos };
    let measurement = log.measurement_against(slos, &log.header.percentiles);
    Ok((log.header.plan.arrival.clone(), measurement))
}
