//! Exact order statistics.
//!
//! *Invariant*: nothing is approximated: percentiles come from the sorted sample by linear interpolation (NumPy's
//! default rule), and a confidence bound is one of the observed values.

use std::collections::BTreeMap;

use statrs::distribution::{Binomial, DiscreteCDF};
use tuner_core::{Percentile, Summary};

/// Confidence of the upper bounds.
const CONFIDENCE: f64 = 0.99;

/// The value at share `q` of a sorted, non-empty sample.
pub(crate) fn percentile(sorted: &[f64], q: f64) -> f64 {
    let position = q * (sorted.len() - 1) as f64;
    let below = position.floor() as usize;
    let above = position.ceil() as usize;
    sorted[below] + (sorted[above] - sorted[below]) * (position - below as f64)
}

/// Upper 99 % confidence bound of the percentile at share `q`: MLPerf LoadGen's early-stopping estimate, the t-th
/// largest value for the largest t with P(Binomial(n, 1 − q) ≤ t) ≤ 1 %. `None` below the smallest n that allows
/// t = 1: 64 for p90, 130 for p95, 662 for p99, 6,636 for p99.9.
pub(crate) fn upper_bound(sorted: &[f64], q: f64) -> Option<f64> {
    let n = sorted.len() as u64;
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
    Some(sorted[(n - largest) as usize])
}

/// The sample in numbers; `None` when it is empty. `bounds`: whether its values are independent enough for
/// confidence bounds (requests are, gaps within an answer are not).
pub(crate) fn summary(mut sample: Vec<f64>, extra: &[Percentile], bounds: bool) -> Option<Summary> {
    if sample.is_empty() {
        return None;
    }
    sample.sort_by(f64::total_cmp);
    let n = sample.len() as f64;
    let mean = sample.iter().sum::<f64>() / n;
    let squares: f64 = sample.iter().map(|x| (x - mean).powi(2)).sum();
    let stddev = if sample.len() > 1 { (squares / (n - 1.0)).sqrt() } else { 0.0 };
    let wanted = || Percentile::STANDARD.iter().chain(extra).copied();
    let percentiles: BTreeMap<_, _> = wanted().map(|p| (p, percentile(&sample, p.share()))).collect();
    let upper_bounds = if bounds {
        wanted().filter_map(|p| Some((p, upper_bound(&sample, p.share())?))).collect()
    } else {
        BTreeMap::new()
    };
    Some(Summary {
        n: sample.len() as u64,
        mean,
        stddev,
        min: sample[0],
        max: sample[sample.len() - 1],
        percentiles,
        upper_bounds,
    })
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
            let sorted: Vec<f64> = (0..floor).map(f64::from).collect();
            assert_eq!(upper_bound(&sorted, q), Some(f64::from(floor - 1)), "{q}");
            assert_eq!(upper_bound(&sorted[1..], q), None, "{q}");
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
                upper_bound(&sample, 0.95).unwrap() >= 0.95
            })
            .count();
        assert!(held >= 1975, "{held} of 2000");
    }

    proptest! {
        #[test]
        fn a_summary_is_ordered_and_inside_its_range(sample in prop::collection::vec(-1e6f64..1e6, 1..400)) {
            let summary = summary(sample, &[Percentile(12_345)], true).unwrap();
            let values: Vec<f64> = summary.percentiles.values().copied().collect();
            prop_assert!(values.windows(2).all(|w| w[0] <= w[1]));
            prop_assert!(summary.min <= values[0] && values[values.len() - 1] <= summary.max);
            for (p, bound) in &summary.upper_bounds {
                prop_assert!(*bound >= summary.percentiles[p] - 1e-6 && *bound <= summary.max);
            }
        }
    }
}
