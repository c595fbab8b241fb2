//! Two sets of measurements compared: which is better, by how much, and what could have been seen at all.
//!
//! *Invariant*: runs are compared in pairs (the first of A with the first of B, and so on), so they should have been
//! measured in turn; what drifts then hits both. A difference is called one at most at the stated rate where there is
//! none, for each figure by itself; with many figures some will differ by chance.
//!
//! ```
//! use tuner_bench::compare::{Options, compare};
//! # let (a, b): (Vec<tuner_core::Measurement>, Vec<tuner_core::Measurement>) = (Vec::new(), Vec::new());
//! let comparison = compare(&a, &b, &Options::default());
//! for line in comparison.levels.iter().flat_map(|level| &level.figures) {
//!     let _ = (line.metric, line.ratio.estimate, line.verdict);
//! }
//! ```

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tuner_core::measure::Stat;
use tuner_core::score::paired::{RatioInterval, ratio_interval};
use tuner_core::{Measurement, Metric, Percentile};

use crate::stats::batch::t_quantile;

/// Share of real differences of the size [`FigureComparison::detectable`] that are found.
const POWER: f64 = 0.8;

/// How to compare.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// Confidence of the intervals, 0..1. One minus it is how often a difference is called where there is none.
    pub confidence: f64,
    /// Differences up to this share are of no interest: 0.02 is 2 %.
    pub margin: f64,
    /// What is compared.
    pub figures: Vec<(Metric, Stat)>,
}

impl Default for Options {
    fn default() -> Self {
        let p99 = Stat::Percentile(Percentile::P99);
        let figures = [
            (Metric::OutputThroughput, Stat::Mean),
            (Metric::RequestThroughput, Stat::Mean),
            (Metric::Goodput, Stat::Mean),
            (Metric::Ttft, Stat::Mean),
            (Metric::Ttft, p99),
            (Metric::TtftResp, p99),
            (Metric::Tpot, Stat::Mean),
            (Metric::Tpot, p99),
            (Metric::Icl, p99),
            (Metric::E2eLatency, Stat::Mean),
            (Metric::E2eLatency, p99),
        ];
        Self { confidence: 0.95, margin: 0.02, figures: figures.to_vec() }
    }
}

impl Options {
    /// Whether `pairs` differ by less than the margin, surely: two one-sided tests, each at the stated rate, which is
    /// the interval at 1 − 2α within the margin.
    pub fn is_equivalent(&self, pairs: &[(f64, f64)]) -> bool {
        let within =
            |interval: RatioInterval| interval.low >= 1.0 / (1.0 + self.margin) && interval.high <= 1.0 + self.margin;
        ratio_interval(pairs, (2.0 * self.confidence - 1.0).max(0.0)).is_some_and(within)
    }
}

/// What B is against A.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ComparisonVerdict {
    /// B is better.
    Better,
    /// B is worse.
    Worse,
    /// They differ by less than the margin, surely.
    Equivalent,
    /// Neither a difference nor equality could be shown.
    NoSignificantDifference,
}

/// One figure of one level.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FigureComparison {
    /// The metric.
    pub metric: Metric,
    /// Which number of it.
    pub stat: Stat,
    /// Geometric mean over A's runs, in the metric's unit.
    pub a: f64,
    /// Geometric mean over B's runs.
    pub b: f64,
    /// B / A with its interval: 1.1 is 10 % more, whether more is better or not.
    pub ratio: RatioInterval,
    /// What B is against A.
    pub verdict: ComparisonVerdict,
    /// The least difference, as a share, that so many runs with so much noise find in four of five cases.
    pub detectable: f64,
}

/// One level, told by its position.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LevelComparison {
    /// Position of the level in the list of levels, from 0.
    pub level: u32,
    /// Pairs of runs.
    pub pairs: u32,
    /// Every figure that both sides have in at least two pairs.
    pub figures: Vec<FigureComparison>,
}

/// B against A.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// The levels that both have, in order.
    pub levels: Vec<LevelComparison>,
    /// What was left out, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// Compares measurements of the same levels. Each level's valid runs are paired in the order of their repeats.
pub fn compare(a: &[Measurement], b: &[Measurement], options: &Options) -> Comparison {
    let (left, right) = (by_level(a), by_level(b));
    let mut comparison = Comparison::default();
    for (side, all) in [("A", a), ("B", b)] {
        let invalid = all.iter().filter(|m| !m.is_valid()).count();
        if invalid > 0 {
            comparison.notes.push(format!("{invalid} runs of {side} are INVALID and left out"));
        }
    }
    for level in left.keys().chain(right.keys()).copied().collect::<std::collections::BTreeSet<u32>>() {
        let (Some(left), Some(right)) = (left.get(&level), right.get(&level)) else {
            comparison.notes.push(format!("level {level} was measured on one side only"));
            continue;
        };
        let pairs = left.iter().filter_map(|(repeat, a)| Some((*a, *right.get(repeat)?))).collect::<Vec<_>>();
        if pairs.len() < 2 {
            comparison.notes.push(format!(
                "level {level} has {} pairs of runs, two are needed: measure with more repeats",
                pairs.len()
            ));
            continue;
        }
        let figures = options.figures.iter().filter_map(|figure| of_figure(*figure, &pairs, options)).collect();
        comparison.levels.push(LevelComparison { level, pairs: pairs.len() as u32, figures });
    }
    comparison
}

fn by_level(measurements: &[Measurement]) -> BTreeMap<u32, BTreeMap<u32, &Measurement>> {
    let mut levels: BTreeMap<u32, BTreeMap<u32, &Measurement>> = BTreeMap::new();
    for measurement in measurements.iter().filter(|m| m.is_valid()) {
        levels.entry(measurement.level).or_default().insert(measurement.repeat, measurement);
    }
    levels
}

fn of_figure(
    (metric, stat): (Metric, Stat),
    pairs: &[(&Measurement, &Measurement)],
    options: &Options,
) -> Option<FigureComparison> {
    let value = |m: &Measurement| m.stat(metric, stat).filter(|x| *x > 0.0);
    let values: Vec<(f64, f64)> = pairs.iter().filter_map(|(a, b)| Some((value(a)?, value(b)?))).collect();
    let ratio = ratio_interval(&values, options.confidence)?;
    let mean =
        |of: fn(&(f64, f64)) -> f64| (values.iter().map(|v| of(v).ln()).sum::<f64>() / values.len() as f64).exp();
    Some(FigureComparison {
        metric,
        stat,
        a: mean(|v| v.0),
        b: mean(|v| v.1),
        ratio,
        verdict: verdict(metric, &values, &ratio, options),
        detectable: detectable(&ratio, options.confidence)?,
    })
}

fn verdict(metric: Metric, values: &[(f64, f64)], ratio: &RatioInterval, options: &Options) -> ComparisonVerdict {
    if options.is_equivalent(values) {
        return ComparisonVerdict::Equivalent;
    }
    let (more, less) = if metric.smaller_is_better() {
        (ComparisonVerdict::Worse, ComparisonVerdict::Better)
    } else {
        (ComparisonVerdict::Better, ComparisonVerdict::Worse)
    };
    if ratio.low > 1.0 {
        more
    } else if ratio.high < 1.0 {
        less
    } else {
        ComparisonVerdict::NoSignificantDifference
    }
}

/// The least difference found with [`POWER`], from the interval's own width.
fn detectable(ratio: &RatioInterval, confidence: f64) -> Option<f64> {
    let freedom = f64::from(ratio.pairs) - 1.0;
    let (needed, power) = (t_quantile(f64::midpoint(1.0, confidence), freedom)?, t_quantile(POWER, freedom)?);
    let half = (ratio.high / ratio.low).ln() / 2.0;
    Some((half * (1.0 + power / needed)).exp_m1())
}

#[cfg(test)]
mod tests;
