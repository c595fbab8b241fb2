//! Exact order statistics.
//!
//! *Invariant*: nothing is approximated: percentiles come from the ordered sample by linear interpolation (NumPy's
//! default rule), and a confidence bound is one of the observed values. Only the ranks that are asked for are put in
//! their place, which gives the same values as sorting.

pub(crate) mod batch;
pub(crate) mod trend;

use std::collections::{BTreeMap, BTreeSet};

use statrs::distribution::{Binomial, DiscreteCDF};
use tuner_core::{Percentile, Summary};

/// Confidence of the bounds.
const CONFIDENCE: f64 = 0.99;

/// The ranks between which the percentile at share `q` of `n` values lies, and where it lies between them.
fn position(n: usize, q: f64) -> (usize, usize, f64) {
    let position = q * (n - 1) as f64;
    let below = position.floor();
    (below as usize, position.ceil() as usize, position - below)
}

/// The value at share `q` of a non-empty sample in which the ranks of [`position`] are in place.
pub(crate) fn percentile(sorted: &[f64], q: f64) -> f64 {
    let (below, above, share) = position(sorted.len(), q);
    sorted[below] + (sorted[above] - sorted[below]) * share
}

/// Rank of the upper 99 % confidence bound of the percentile at share `q` of `n` values: MLPerf LoadGen's
/// early-stopping estimate, the t-th largest value for the largest t with P(Binomial(n, 1 − q) ≤ t) ≤ 1 %. `None`
/// below the smallest n that allows t = 1: 64 for p90, 130 for p95, 662 for p99, 6,636 for p99.9.
fn bound_rank(n: usize, q: f64) -> Option<usize> {
    let n = n as u64;
    let over = Binomial::new(1.0 - q, n).ok()?;
    let allowed = |t: u64| over.cdf(t) <= 1.0 - CONFIDENCE;
    if n == 0 || !allowed(1) {
        return None;
    }
    let (mut largest, mut refused) = (1, n);
    while refused - largest > 1 {
        let middle = largest + (refused - largest) / 2;
        if allowed(middle) {
            largest = middle;
        } else {
            refused = middle;
        }
    }
    Some((n - largest) as usize)
}

/// Rank of the lower 99 % confidence bound: [`bound_rank`] of the sample read from its other end.
fn lower_rank(n: usize, q: f64) -> Option<usize> {
    Some(n - 1 - bound_rank(n, 1.0 - q)?)
}

/// Which end of an interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Lower,
    Upper,
}

/// Puts the values of `ranks` (ascending, counted from `from`) where sorting would put them.
fn place(sample: &mut [f64], ranks: &[usize], from: usize) {
    if ranks.is_empty() {
        return;
    }
    let middle = ranks.len() / 2;
    let rank = ranks[middle];
    let (below, _, above) = sample.select_nth_unstable_by(rank - from, f64::total_cmp);
    place(below, &ranks[..middle], from);
    place(above, &ranks[middle + 1..], rank + 1);
}

/// Percentiles of samples, as one report wants them.
#[derive(Debug)]
pub(crate) struct Summaries {
    percentiles: Vec<Percentile>,
    /// Ranks of the confidence bounds by sample size: the distributions over requests have the same few sizes.
    bounds: BTreeMap<usize, Vec<(Percentile, End, usize)>>,
}

impl Summaries {
    /// The standard percentiles and `extra` ones.
    pub(crate) fn new(extra: impl IntoIterator<Item = Percentile>) -> Self {
        let percentiles: BTreeSet<Percentile> = Percentile::STANDARD.into_iter().chain(extra).collect();
        Self { percentiles: percentiles.into_iter().collect(), bounds: BTreeMap::new() }
    }

    /// The sample in numbers; `None` when it is empty. `bounds`: whether its values are independent enough for
    /// confidence bounds (requests are, gaps within an answer are not).
    pub(crate) fn of(&mut self, mut sample: Vec<f64>, bounds: bool) -> Option<Summary> {
        let n = sample.len();
        if n == 0 {
            return None;
        }
        let bounds: &[(Percentile, End, usize)] = match bounds {
            true => self.bounds.entry(n).or_insert_with(|| {
                let upper = |p: &Percentile| Some((*p, End::Upper, bound_rank(n, p.share())?));
                let lower = |p: &Percentile| Some((*p, End::Lower, lower_rank(n, p.share())?));
                let lower = self.percentiles.iter().filter_map(lower);
                self.percentiles.iter().filter_map(upper).chain(lower).collect()
            }),
            false => &[],
        };
        let around = self.percentiles.iter().flat_map(|p| {
            let (below, above, _) = position(n, p.share());
            [below, above]
        });
        let ranks: BTreeSet<usize> = around.chain(bounds.iter().map(|(_, _, rank)| *rank)).collect();
        let ranks: Vec<usize> = ranks.into_iter().collect();
        let (mut sum, mut min, mut max) = (0.0, f64::INFINITY, f64::NEG_INFINITY);
        for x in &sample {
            sum += x;
            min = x.min(min);
            max = x.max(max);
        }
        let mean = sum / n as f64;
        let squares: f64 = sample.iter().map(|x| (x - mean).powi(2)).sum();
        place(&mut sample, &ranks, 0);
        Some(Summary {
            n: n as u64,
            mean,
            stddev: if n > 1 { (squares / (n - 1) as f64).sqrt() } else { 0.0 },
            min,
            max,
            percentiles: self.percentiles.iter().map(|p| (*p, percentile(&sample, p.share()))).collect(),
            upper_bounds: at_end(bounds, &sample, End::Upper),
            lower_bounds: at_end(bounds, &sample, End::Lower),
        })
    }
}

fn at_end(bounds: &[(Percentile, End, usize)], sample: &[f64], end: End) -> BTreeMap<Percentile, f64> {
    bounds.iter().filter(|(_, its, _)| *its == end).map(|(p, _, rank)| (*p, sample[*rank])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn percentiles_equal_those_of_numpy() {
        // numpy.percentile([15, 20, 35, 40, 50], [5, 30, 40, 95, 99])
        let sorted = [15.0, 20.0, 35.0, 40.0, 50.0];
        let expected = [(0.05, 16.0), (0.30, 23.0), (0.40, 29.0), (0.95, 48.0), (0.99, 49.6)];
        for (q, value) in expected {
            assert!((percentile(&sorted, q) - value).abs() < 1e-9, "{q}: {}", percentile(&sorted, q));
        }
    }

    #[test]
    fn bounds_begin_at_the_published_sample_sizes() {
        for (q, floor) in [(0.9, 64), (0.95, 130), (0.99, 662), (0.999, 6636)] {
            assert_eq!(bound_rank(floor, q), Some(floor - 1), "{q}");
            assert_eq!(bound_rank(floor - 1, q), None, "{q}");
        }
    }

    #[test]
    fn bounds_hold_in_at_least_99_of_100_samples() {
        use rand::RngExt;
        let mut rng = crate::seed::rng(1, crate::seed::Dimension::Lengths, 0, 0, 0);
        let held = (0..2000)
            .filter(|_| {
                let mut sample: Vec<f64> = (0..300).map(|_| rng.random()).collect();
                sample.sort_by(f64::total_cmp);
                sample[bound_rank(sample.len(), 0.95).unwrap()] >= 0.95
            })
            .count();
        assert!(held >= 1975, "{held} of 2000");
    }

    #[test]
    fn lower_bounds_mirror_upper_ones_and_hold_as_often() {
        assert_eq!(lower_rank(64, 0.1), Some(0));
        assert_eq!(lower_rank(63, 0.1), None);
        use rand::RngExt;
        let mut rng = crate::seed::rng(2, crate::seed::Dimension::Lengths, 0, 0, 0);
        let rank = lower_rank(300, 0.95).unwrap();
        let held = (0..2000)
            .filter(|_| {
                let mut sample: Vec<f64> = (0..300).map(|_| rng.random()).collect();
                sample.sort_by(f64::total_cmp);
                sample[rank] <= 0.95
            })
            .count();
        assert!((1975..2000).contains(&held), "{held} of 2000: neither too often wrong nor vacuous");
    }

    proptest! {
        #[test]
        fn a_summary_is_ordered_and_inside_its_range(sample in prop::collection::vec(-1e6f64..1e6, 1..400)) {
            let summary = Summaries::new([Percentile(12_345)]).of(sample.clone(), true).unwrap();
            let mut sorted = sample;
            sorted.sort_by(f64::total_cmp);
            for (p, value) in &summary.percentiles {
                prop_assert_eq!(*value, percentile(&sorted, p.share()));
            }
            let values: Vec<f64> = summary.percentiles.values().copied().collect();
            prop_assert!(values.windows(2).all(|w| w[0] <= w[1]));
            prop_assert!(summary.min <= values[0] && values[values.len() - 1] <= summary.max);
            for (p, bound) in &summary.upper_bounds {
                prop_assert!(*bound >= summary.percentiles[p] - 1e-6 && *bound <= summary.max);
            }
            for (p, bound) in &summary.lower_bounds {
                prop_assert!(*bound <= summary.percentiles[p] + 1e-6 && *bound >= summary.min);
            }
        }
    }
}
