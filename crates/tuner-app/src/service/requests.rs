//! What happened to each request of an experiment, and what the engine and its GPUs showed meanwhile, for doors.
//!
//! *Invariant*: request logs are streamed, never held; only files in the log folder of the data directory are read.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;

use flate2::read::MultiGzDecoder;
use serde::Serialize;
use tokio::sync::mpsc;
use tuner_core::TaskSpec;
use tuner_core::server_side::{GpuSample, ServerGauge, ServerSample};
use tuner_policy::Action;
use tuner_runner::request_log;
use tuner_store::{FullExperiment, TaskId};

use super::Service;
use crate::access::Permit;
use crate::error::AppError;
use crate::home::Home;

/// Bytes that are handed on at once.
const CHUNK: usize = 64 << 10;

/// Which measurements of an experiment; what is absent does not matter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Which {
    /// Of this attempt, from 1.
    pub attempt: Option<u32>,
    /// Of the level at this position in the task's list, from 0.
    pub level: Option<u32>,
    /// Of this repeat, from 0.
    pub repeat: Option<u32>,
}

impl Which {
    fn is(&self, attempt: u32, level: u32, repeat: u32) -> bool {
        let same = |wanted: Option<u32>, is: u32| wanted.is_none_or(|wanted| wanted == is);
        same(self.attempt, attempt) && same(self.level, level) && same(self.repeat, repeat)
    }
}

/// The request log of one measurement.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Log {
    path: PathBuf,
    /// What goes before each record: where it belongs.
    place: String,
}

/// Request logs of an experiment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestLogs(Vec<Log>);

/// Smallest, mean and largest of the points that are shown.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Spread {
    /// Smallest.
    pub min: f64,
    /// Mean.
    pub mean: f64,
    /// Largest.
    pub max: f64,
}

impl Spread {
    fn of(points: impl Iterator<Item = f64>) -> Option<Self> {
        let mut all = (0_u32, 0.0, f64::INFINITY, f64::NEG_INFINITY);
        for x in points {
            all = (all.0 + 1, all.1 + x, all.2.min(x), all.3.max(x));
        }
        let (n, sum, min, max) = all;
        (n > 0).then(|| Self { min, mean: sum / f64::from(n), max })
    }
}

/// One GPU during a level.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct GpuSeries {
    /// Number by which engines choose it.
    pub index: u32,
    /// Product name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Of each quantity that was read.
    pub figures: BTreeMap<&'static str, Spread>,
    /// In the order of time.
    pub points: Vec<GpuSample>,
}

/// What one measurement showed of its engine and GPUs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Series {
    /// The attempt, from 1.
    pub attempt: u32,
    /// The level's label.
    pub label: String,
    /// Its position, from 0.
    pub level: u32,
    /// The repeat, from 0.
    pub repeat: u32,
    /// Whose names were read, and where; absent where the engine shows no metrics.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Of each quantity that the engine shows.
    pub figures: BTreeMap<ServerGauge, Spread>,
    /// The engine, in the order of time, seconds from the begin of the level.
    pub points: Vec<ServerSample>,
    /// The GPUs; none where there are none, or none could be read.
    pub gpus: Vec<GpuSeries>,
}

impl Service {
    /// What the engine and its GPUs showed during the levels of an experiment.
    ///
    /// # Errors
    /// [`AppError::Store`]: no such task or experiment.
    pub async fn series(
        &self,
        permit: &Permit,
        task: &str,
        number: u32,
        which: Which,
    ) -> Result<Vec<Series>, AppError> {
        permit.must_be_for(Action::ExperimentRead)?;
        Ok(series_of(self.store().full_experiment(task, number).await?, which))
    }

    /// The request logs of an experiment.
    ///
    /// # Errors
    /// [`AppError::Store`]; [`AppError::NoRequestLog`] where none was kept.
    pub async fn request_logs(
        &self,
        permit: &Permit,
        task: &str,
        number: u32,
        which: Which,
    ) -> Result<RequestLogs, AppError> {
        permit.must_be_for(Action::LogRead)?;
        find(self.home(), &self.store().full_experiment(task, number).await?, which)
    }
}

/// The series of an experiment's measurements.
pub fn series_of(full: FullExperiment, which: Which) -> Vec<Series> {
    let FullExperiment { spec, experiment, .. } = full;
    let mut found = Vec::new();
    for attempt in experiment.attempts {
        for m in attempt.measurements.into_iter().filter(|m| which.is(attempt.number, m.level, m.repeat)) {
            let side = m.server.unwrap_or_default();
            let mut gauges: Vec<ServerGauge> = side.series.iter().flat_map(|s| s.gauges.keys().copied()).collect();
            gauges.sort_unstable();
            gauges.dedup();
            let spread = |gauge| Spread::of(side.series.iter().filter_map(|s| s.gauges.get(&gauge).copied()));
            let figures = gauges.into_iter().filter_map(|gauge| Some((gauge, spread(gauge)?))).collect();
            let mut indices: Vec<u32> = side.gpu_series.iter().map(|s| s.index).collect();
            indices.sort_unstable();
            indices.dedup();
            let name = |index| side.gpus.iter().find(|gpu| gpu.index == index).map(|gpu| gpu.name.clone());
            let gpus = indices.into_iter().map(|index| {
                let points = side.gpu_series.iter().filter(|s| s.index == index).cloned().collect();
                gpu(index, name(index), points)
            });
            found.push(Series {
                attempt: attempt.number,
                label: label(&spec, m.level),
                level: m.level,
                repeat: m.repeat,
                figures,
                gpus: gpus.collect(),
                source: side.source,
                points: side.series,
            });
        }
    }
    found
}

fn label(spec: &TaskSpec, level: u32) -> String {
    spec.load.levels.get(level as usize).map(|level| level.label()).unwrap_or_default()
}

fn gpu(index: u32, name: Option<String>, points: Vec<GpuSample>) -> GpuSeries {
    let quantities: [(&'static str, fn(&GpuSample) -> Option<f64>); 4] = [
        ("utilization_percent", |s| s.utilization_percent),
        ("memory_used_mib", |s| s.memory_used_mib),
        ("power_w", |s| s.power_w),
        ("clock_mhz", |s| s.clock_mhz),
    ];
    let spread = |(name, read): (&'static str, fn(&GpuSample) -> Option<f64>)| {
        Some((name, Spread::of(points.iter().filter_map(read))?))
    };
    GpuSeries { index, name, figures: quantities.into_iter().filter_map(spread).collect(), points }
}

/// The request logs of an experiment's measurements.
///
/// # Errors
/// [`AppError::NoRequestLog`] where none was kept.
pub fn find(home: &Home, full: &FullExperiment, which: Which) -> Result<RequestLogs, AppError> {
    let FullExperiment { task, spec, experiment } = full;
    let mut logs = Vec::new();
    for attempt in &experiment.attempts {
        for m in attempt.measurements.iter().filter(|m| which.is(attempt.number, m.level, m.repeat)) {
            let label = serde_json::to_string(&label(spec, m.level)).unwrap_or_default();
            let (attempt, level, repeat) = (attempt.number, m.level, m.repeat);
            let place = format!("{{\"attempt\":{attempt},\"level\":{level},\"repeat\":{repeat},\"label\":{label},");
            let path = path(home, task.id, experiment.number, attempt, level, repeat);
            logs.extend(path.is_file().then_some(Log { path, place }));
        }
    }
    match logs.is_empty() {
        true => Err(AppError::NoRequestLog { task: task.name.clone(), number: experiment.number }),
        false => Ok(RequestLogs(logs)),
    }
}

fn path(home: &Home, task: TaskId, experiment: u32, attempt: u32, level: u32, repeat: u32) -> PathBuf {
    let folder = home.logs().join(task.to_string()).join(request_log::FOLDER);
    folder.join(request_log::name(experiment, attempt, level, repeat))
}

impl RequestLogs {
    /// Hands the records on, each a line of JSON with its attempt, level, repeat and label before its own fields. Ends
    /// early when nobody takes them.
    pub fn stream(self) -> mpsc::Receiver<std::io::Result<Vec<u8>>> {
        let (out, taken) = mpsc::channel(4);
        tokio::task::spawn_blocking(move || {
            for log in &self.0 {
                if let Err(error) = send(log, &out) {
                    let _ = out.blocking_send(Err(error));
                    return;
                }
            }
        });
        taken
    }
}

/// The lines between the first, which says what the log is, and the last, which says that it is whole.
fn send(log: &Log, out: &mpsc::Sender<std::io::Result<Vec<u8>>>) -> std::io::Result<()> {
    let input = BufReader::new(MultiGzDecoder::new(BufReader::new(File::open(&log.path)?)));
    let mut chunk = Vec::with_capacity(CHUNK);
    let mut held: Option<Vec<u8>> = None;
    for line in input.split(b'\n').skip(1) {
        let line = line?;
        if let Some(record) = held.replace(line)
            && let Some(fields) = record.strip_prefix(b"{")
        {
            chunk.extend_from_slice(log.place.as_bytes());
            chunk.extend_from_slice(fields);
            chunk.push(b'\n');
        }
        if chunk.len() >= CHUNK && out.blocking_send(Ok(std::mem::take(&mut chunk))).is_err() {
            return Ok(());
        }
    }
    let _ = out.blocking_send(Ok(chunk));
    Ok(())
}
