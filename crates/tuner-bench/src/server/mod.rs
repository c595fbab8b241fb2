//! The server's side of a level: the engine's own metrics and the GPUs, on the clock of the client.
//!
//! *Invariant*: reading them is never part of a measurement: a page that does not come is a gap in a series, and the
//! threads that send and read know nothing of it.

mod exposition;
mod gpu;
mod names;
pub(crate) mod reconcile;

use std::collections::BTreeMap;
use std::time::Duration;

use tuner_core::server_side::{GaugeSummary, ServerCounter, ServerGauge, ServerSample, ServerSide};

use crate::client::{Address, LevelClock, Target, TargetError, call, monotonic_ns};
use crate::report::Window;
use exposition::samples;
pub use gpu::GpuProbe;
use gpu::GpuReading;
use names::{Dialect, Reading};

/// Where engines print their metrics. TensorRT-LLM prints JSON under the first name.
const PATHS: [&str; 2] = ["/metrics", "/prometheus/metrics"];
/// Time between samples.
const EVERY: Duration = Duration::from_secs(1);
/// Time for one page.
const LIMIT: Duration = Duration::from_secs(5);
/// Samples kept of a level at most.
const MAX_SERIES: usize = 300;

/// Watches one endpoint and, where it runs on this machine, the GPUs.
#[derive(Debug)]
pub struct ServerWatch {
    address: Address,
    page: Option<(&'static str, &'static Dialect)>,
    gpus: GpuProbe,
}

/// What was seen while something ran.
#[derive(Debug, Default)]
pub struct Watched {
    source: Option<String>,
    before: Option<Reading>,
    after: Option<Reading>,
    samples: Vec<(u64, Reading)>,
    gpus: Vec<(u64, Vec<GpuReading>)>,
}

impl ServerWatch {
    /// Finds out whether the endpoint prints metrics. An endpoint that does not is watched without them.
    ///
    /// # Errors
    /// The target's address cannot be used.
    pub async fn find(target: &Target, gpus: GpuProbe) -> Result<Self, TargetError> {
        let address = target.address()?;
        let mut page = None;
        for path in PATHS {
            let Some(text) = fetch(&address, path).await else { continue };
            if let Some(dialect) = Dialect::of(&samples(&text).collect::<Vec<_>>()) {
                page = Some((path, dialect));
                break;
            }
        }
        let gpus = if address.is_here() { gpus } else { GpuProbe::none() };
        Ok(Self { address, page, gpus })
    }

    /// Watches while `work` runs.
    pub async fn during<T>(&self, work: impl Future<Output = T>) -> (T, Watched) {
        let source = self.page.map(|(path, dialect)| format!("{} {path}", dialect.engine));
        let mut watched = Watched { source, before: self.read().await, ..Watched::default() };
        let mut work = std::pin::pin!(work);
        let result = loop {
            let sample = async {
                tokio::time::sleep(EVERY).await;
                let gpus = (monotonic_ns(), self.gpus.read());
                (self.read().await.map(|reading| (monotonic_ns(), reading)), gpus)
            };
            tokio::select! {
                result = &mut work => break result,
                (reading, gpus) = sample => {
                    watched.samples.extend(reading);
                    if !gpus.1.is_empty() {
                        watched.gpus.push(gpus);
                    }
                }
            }
        };
        watched.after = self.read().await;
        (result, watched)
    }

    async fn read(&self) -> Option<Reading> {
        let (path, dialect) = self.page?;
        let text = fetch(&self.address, path).await?;
        Some(dialect.read(&samples(&text).collect::<Vec<_>>()))
    }
}

async fn fetch(address: &Address, path: &str) -> Option<String> {
    let (status, body) = call(address, &address.get(path), LIMIT).await.ok()?;
    (status == 200).then(|| String::from_utf8_lossy(&body).into_owned())
}

impl Watched {
    /// What was seen, on the level's clock; gauges and GPUs over the window. `None` if nothing was.
    pub fn side(&self, clock: &LevelClock, window: Window) -> Option<ServerSide> {
        let inside = |at_ns: u64| (window.start_s..=window.end_s).contains(&clock.seconds(at_ns));
        let gauge = |gauge: ServerGauge| {
            let values = self.samples.iter().filter(|(at, _)| inside(*at));
            let values = values.filter_map(|(_, r)| r.gauges.get(&gauge).copied());
            GaugeSummary::of(values).map(|summary| (gauge, summary))
        };
        let gauges = [ServerGauge::Running, ServerGauge::Waiting, ServerGauge::KvUsage].into_iter().filter_map(gauge);
        let side = ServerSide {
            source: self.source.clone(),
            counters: self.growth(),
            gauges: gauges.collect(),
            series: self.series(clock),
            gpus: gpu::sides(self.gpus.iter().filter(|(at, _)| inside(*at)).map(|(_, gpus)| gpus.as_slice())),
            gpu_series: thinned(&self.gpus).flat_map(|(at, gpus)| gpu::samples(clock.seconds(*at), gpus)).collect(),
        };
        Some(side).filter(|side| *side != ServerSide::default())
    }

    /// Counters after less counters before. One that shrank belongs to an engine that was started anew in between: it
    /// is left out.
    fn growth(&self) -> BTreeMap<ServerCounter, f64> {
        let (Some(before), Some(after)) = (&self.before, &self.after) else { return BTreeMap::new() };
        let grown = after.counters.iter().map(|(counter, value)| {
            // Prometheus clients print a counter with labels only once it has counted something.
            (*counter, value - before.counters.get(counter).copied().unwrap_or(0.0))
        });
        grown.filter(|(_, growth)| *growth >= 0.0).collect()
    }

    fn series(&self, clock: &LevelClock) -> Vec<ServerSample> {
        let output = |reading: &Reading| reading.counters.get(&ServerCounter::OutputTokens).copied();
        let start = self.before.as_ref().and_then(output).unwrap_or(0.0);
        let sample = |(at, reading): &(u64, Reading)| ServerSample {
            at_s: clock.seconds(*at),
            gauges: reading.gauges.clone(),
            output_tokens: output(reading).map(|n| n - start),
        };
        thinned(&self.samples).map(sample).collect()
    }
}

/// At most [`MAX_SERIES`] of them, evenly.
fn thinned<T>(all: &[T]) -> impl Iterator<Item = &T> {
    all.iter().step_by(all.len().div_ceil(MAX_SERIES).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(output: f64, running: f64) -> Reading {
        Reading {
            counters: [(ServerCounter::OutputTokens, output)].into(),
            gauges: [(ServerGauge::Running, running)].into(),
        }
    }

    #[test]
    fn gauges_are_those_of_the_window_and_counters_those_of_the_level() {
        let second = 1_000_000_000;
        let watched = Watched {
            source: Some("vllm /metrics".to_owned()),
            before: Some(reading(100.0, 0.0)),
            after: Some(reading(160.0, 0.0)),
            samples: vec![
                (second, reading(110.0, 9.0)),
                (2 * second, reading(130.0, 2.0)),
                (3 * second, reading(150.0, 4.0)),
            ],
            gpus: Vec::new(),
        };
        let clock = LevelClock { zero_ns: 0 };
        let side = watched.side(&clock, Window { start_s: 1.5, end_s: 3.5 }).unwrap();
        assert_eq!(side.counters[&ServerCounter::OutputTokens], 60.0);
        assert_eq!(side.gauges[&ServerGauge::Running], GaugeSummary { mean: 3.0, max: 4.0 });
        let series: Vec<_> = side.series.iter().map(|s| (s.at_s, s.output_tokens)).collect();
        assert_eq!(series, [(1.0, Some(10.0)), (2.0, Some(30.0)), (3.0, Some(50.0))]);
    }

    #[test]
    fn gpus_are_sampled_on_the_levels_clock_and_what_nobody_saw_is_no_side() {
        let reading = |power_w| vec![gpu::GpuReading { power_w: Some(power_w), ..gpu::GpuReading::default() }];
        let gpus = vec![(3_000_000_000, reading(200.0)), (4_000_000_000, reading(300.0))];
        let watched = Watched { gpus, ..Watched::default() };
        let (clock, window) = (LevelClock { zero_ns: 1_000_000_000 }, Window { start_s: 2.5, end_s: 9.0 });
        let side = watched.side(&clock, window).unwrap();
        let series: Vec<_> = side.gpu_series.iter().map(|s| (s.at_s, s.index, s.power_w)).collect();
        assert_eq!(series, [(2.0, 0, Some(200.0)), (3.0, 0, Some(300.0))]);
        assert_eq!(side.gpus[0].power_w, Some(GaugeSummary { mean: 300.0, max: 300.0 }));
        assert_eq!(Watched::default().side(&clock, window), None);
    }

    #[test]
    fn a_counter_that_shrank_is_left_out() {
        let (before, after) = (Some(reading(100.0, 0.0)), Some(reading(5.0, 0.0)));
        let watched = Watched { before, after, ..Watched::default() };
        assert!(watched.growth().is_empty());
    }

    #[test]
    fn a_long_series_is_thinned() {
        let samples = (0..1000).map(|i| (i * 1_000_000_000, reading(i as f64, 0.0))).collect();
        let watched = Watched { samples, ..Watched::default() };
        let side = watched.side(&LevelClock { zero_ns: 0 }, Window { start_s: 0.0, end_s: 1.0 }).unwrap();
        assert!(side.series.len() <= MAX_SERIES, "{}", side.series.len());
    }
}
