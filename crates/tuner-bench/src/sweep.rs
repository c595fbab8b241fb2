//! Which load to try next when nobody says: doubling to saturation, then halving in on the highest load within the SLOs.
//!
//! *Invariant*: a pure function of what was measured; it ends after O(log max) probes.

use serde::Serialize;
use tuner_core::measure::Stat;
use tuner_core::{Measurement, Metric};

/// Throughput must grow by this share when the streams double; twice less is saturation.
const LEAST_GAIN: f64 = 0.05;
/// Share of the best throughput that the knee reaches.
const KNEE: f64 = 0.95;
/// The highest load within the SLOs is found to one part in this many.
const RESOLUTION: u32 = 8;

/// How far to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sweep {
    /// Streams at most, at least 1.
    pub max_streams: u32,
}

/// Share of failed requests that is nearly nothing.
const MAX_ERRORS: f64 = 0.01;

impl Probe {
    /// What the measurements of one load say together: their median throughput, and good only if each is.
    /// `attainment`: least share of requests that must meet the SLOs, 0..1. `None` without measurements.
    pub fn of(streams: u32, measurements: &[Measurement], attainment: f64) -> Option<Self> {
        let mut rates: Vec<f64> =
            measurements.iter().filter_map(|m| m.stat(Metric::OutputThroughput, Stat::Mean)).collect();
        rates.sort_by(f64::total_cmp);
        let good = |m: &Measurement| {
            let share = |metric, otherwise| m.stat(metric, Stat::Mean).unwrap_or(otherwise);
            m.is_valid() && share(Metric::ErrorRate, 1.0) <= MAX_ERRORS && share(Metric::Attainment, 1.0) >= attainment
        };
        Some(Self { streams, throughput: *rates.get(rates.len() / 2)?, good: measurements.iter().all(good) })
    }
}

/// One measured load.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Probe {
    /// Streams of the closed loop.
    pub streams: u32,
    /// Output tokens per second.
    pub throughput: f64,
    /// Every SLO was met, nearly nothing failed and the measurement is valid.
    pub good: bool,
}

/// What a sweep found.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Found {
    /// Streams with the highest throughput among the good ones.
    pub best: u32,
    /// Fewest streams with 95 % of that throughput: more only add latency.
    pub knee: u32,
    /// Most streams that were good.
    pub highest: u32,
    /// Whether the next load that was tried was too much; else the sweep ended for another reason.
    pub limited: bool,
}

impl Sweep {
    /// Streams to try next; `None` when nothing more is to be learned.
    pub fn next(&self, probes: &[Probe]) -> Option<u32> {
        let most = self.max_streams.max(1);
        let good = highest(probes);
        let Some(bad) = probes.iter().filter(|p| !p.good && p.streams > good).map(|p| p.streams).min() else {
            let saturated = saturated(probes);
            return (good < most && !saturated).then(|| good.saturating_mul(2).clamp(1, most));
        };
        // Too much already at one stream, or the two are as close as anybody needs.
        let near = (good / RESOLUTION).max(1);
        (good > 0 && bad - good > near).then_some(good + (bad - good) / 2)
    }
}

/// The knee, the best and the highest good load; `None` where none was good.
pub fn found(probes: &[Probe]) -> Option<Found> {
    let good = || probes.iter().filter(|p| p.good);
    let best = good().max_by(|a, b| a.throughput.total_cmp(&b.throughput))?;
    let knee = good().filter(|p| p.throughput >= KNEE * best.throughput).map(|p| p.streams).min()?;
    let highest = highest(probes);
    let limited = probes.iter().any(|p| !p.good && p.streams > highest);
    Some(Found { best: best.streams, knee, highest, limited })
}

/// Most streams that were good; 0 where none was.
fn highest(probes: &[Probe]) -> u32 {
    probes.iter().filter(|p| p.good).map(|p| p.streams).max().unwrap_or(0)
}

/// The last two doublings together gained next to nothing.
fn saturated(probes: &[Probe]) -> bool {
    let [.., a, b, c] = probes else { return false };
    let gain = |from: &Probe, to: &Probe| to.throughput < from.throughput * (1.0 + LEAST_GAIN);
    gain(a, b) && gain(b, c)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Throughput `c / (1 + c / capacity)`; good up to `limit` streams.
    fn run(max_streams: u32, capacity: f64, limit: u32) -> Vec<Probe> {
        let (sweep, mut probes) = (Sweep { max_streams }, Vec::new());
        while let Some(streams) = sweep.next(&probes) {
            let c = f64::from(streams);
            probes.push(Probe { streams, throughput: c / (1.0 + c / capacity), good: streams <= limit });
            assert!(probes.len() < 60, "{probes:?}");
        }
        probes
    }

    fn streams(probes: &[Probe]) -> Vec<u32> {
        probes.iter().map(|p| p.streams).collect()
    }

    #[test]
    fn without_limits_it_doubles_until_nothing_more_is_gained() {
        let probes = run(10_000, 8.0, u32::MAX);
        assert_eq!(streams(&probes), [1, 2, 4, 8, 16, 32, 64, 128, 256, 512]);
        let found = found(&probes).unwrap();
        assert_eq!((found.best, found.knee, found.limited), (512, 128, false));
    }

    #[test]
    fn a_limit_is_closed_in_on() {
        let probes = run(10_000, 1e9, 50);
        assert_eq!(streams(&probes), [1, 2, 4, 8, 16, 32, 64, 48, 56, 52]);
        assert_eq!(found(&probes), Some(Found { best: 48, knee: 48, highest: 48, limited: true }));
    }

    #[test]
    fn one_stream_too_much_ends_it_at_once() {
        let probes = run(100, 10.0, 0);
        assert_eq!((streams(&probes), found(&probes)), (vec![1], None));
    }

    proptest! {
        #[test]
        fn the_highest_good_load_is_found_to_one_part_in_eight(max in 1u32..100_000, limit in 1u32..100_000) {
            let probes = run(max, 1e12, limit);
            let found = found(&probes).unwrap();
            let truth = limit.min(max);
            prop_assert!(found.highest <= truth);
            prop_assert!(f64::from(truth - found.highest) <= f64::from(found.highest) / 8.0 + 1.0, "{found:?} {truth}");
        }
    }
}
