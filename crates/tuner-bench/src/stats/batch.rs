//! Confidence intervals of means of values that depend on each other: batch means.
//!
//! *Invariant*: an interval rests on at least ten batches, each of at least three mean service times, or there is
//! none. Dependence that is left between neighbouring batches widens it (Tafazzoli, Wilson, Lada and Steiger, "Skart",
//! 2011: the variance is multiplied by (1 + φ) / (1 − φ), φ their lag-one autocorrelation).

use statrs::distribution::{ContinuousCDF, StudentsT};
use tuner_core::measure::MeanInterval;

/// Batches at least.
pub(crate) const MIN_BATCHES: usize = 10;
/// Batches at most: more would be shorter and depend more on each other (Schmeiser 1982).
pub(crate) const MAX_BATCHES: usize = 20;
/// Length of a batch at least, in mean service times.
pub(crate) const MIN_SERVICES: f64 = 3.0;
/// How often intervals hold the true mean.
pub(crate) const CONFIDENCE: f64 = 0.95;
/// Dependence beyond which a correction would be guesswork.
const MOST_DEPENDENCE: f64 = 0.8;

/// Batches for a window of `window_s` with requests that take `service_s` on average; `None` where it is too short.
pub(crate) fn batches(window_s: f64, service_s: f64) -> Option<usize> {
    let fit = window_s / (MIN_SERVICES * service_s);
    (fit.is_finite() && fit >= MIN_BATCHES as f64).then(|| (fit as usize).min(MAX_BATCHES))
}

/// Quantile of Student's t.
pub(crate) fn t_quantile(share: f64, freedom: f64) -> Option<f64> {
    Some(StudentsT::new(0.0, 1.0, freedom).ok()?.inverse_cdf(share))
}

/// Autocorrelation of neighbours, corrected for the bias of short series (about −1/n).
fn dependence(means: &[f64], mean: f64) -> f64 {
    let total: f64 = means.iter().map(|x| (x - mean).powi(2)).sum();
    if total <= 0.0 {
        return 0.0;
    }
    let neighbours: f64 = means.windows(2).map(|w| (w[0] - mean) * (w[1] - mean)).sum();
    neighbours / total + 1.0 / means.len() as f64
}

/// The interval around `middle` (the mean of everything) that the means of equally long batches allow.
pub(crate) fn interval(means: &[f64], middle: f64, confidence: f64) -> Option<MeanInterval> {
    if means.len() < MIN_BATCHES || means.iter().any(|x| !x.is_finite()) {
        return None;
    }
    let n = means.len() as f64;
    let mean = means.iter().sum::<f64>() / n;
    let phi = dependence(means, mean);
    if phi > MOST_DEPENDENCE {
        return None;
    }
    let phi = phi.max(0.0);
    let variance = means.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0) * (1.0 + phi) / (1.0 - phi);
    let half = t_quantile(f64::midpoint(1.0, confidence), n - 1.0)? * (variance / n).sqrt();
    Some(MeanInterval { low: middle - half, high: middle + half, confidence, batches: means.len() as u32 })
}

/// The interval of the mean of values in order of time, in batches of as equal a size as can be.
pub(crate) fn of_values(values: &[f64], batches: usize, confidence: f64) -> Option<MeanInterval> {
    if batches < MIN_BATCHES || values.len() < batches {
        return None;
    }
    let edge = |i: usize| i * values.len() / batches;
    let mean = |part: &[f64]| part.iter().sum::<f64>() / part.len() as f64;
    let means: Vec<f64> = (0..batches).map(|i| mean(&values[edge(i)..edge(i + 1)])).collect();
    interval(&means, mean(values), confidence)
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha8Rng;
    use rand_distr::{Distribution, Exp1, StandardNormal};

    use super::*;

    fn rng(index: u64) -> ChaCha8Rng {
        crate::seed::rng(11, crate::seed::Dimension::Lengths, 0, 0, index)
    }

    /// Share of `rounds` in which the interval holds `truth`.
    fn coverage(rounds: u64, truth: f64, sample: impl Fn(&mut ChaCha8Rng) -> Vec<f64>) -> f64 {
        let mut rng = rng(rounds);
        let held = (0..rounds).filter(|_| {
            let interval = of_values(&sample(&mut rng), MAX_BATCHES, CONFIDENCE);
            interval.is_some_and(|i| i.low <= truth && truth <= i.high)
        });
        held.count() as f64 / rounds as f64
    }

    fn normal(rng: &mut ChaCha8Rng, mean: f64) -> f64 {
        let noise: f64 = StandardNormal.sample(rng);
        mean + noise
    }

    #[test]
    fn intervals_cover_independent_values_at_the_stated_rate() {
        let held = coverage(2000, 5.0, |rng| (0..200).map(|_| normal(rng, 5.0)).collect());
        assert!((0.935..=0.985).contains(&held), "{held}");
    }

    #[test]
    fn intervals_cover_dependent_values_at_the_stated_rate() {
        let held = coverage(1000, 0.0, |rng| {
            let mut x = 0.0;
            (0..2000)
                .map(|_| {
                    x = 0.9 * x + normal(rng, 0.0);
                    x
                })
                .collect()
        });
        assert!((0.925..=0.99).contains(&held), "{held}");
    }

    #[test]
    fn intervals_cover_the_waiting_of_a_queue_at_about_the_stated_rate() {
        // M/M/1 at 60 % load: time in the system is 1 / (1 − 0.6) service times on average.
        let held = coverage(600, 2.5, |rng| {
            let (mut wait, mut times) = (0.0f64, Vec::new());
            for i in 0..4500 {
                let (gap, service): (f64, f64) = (Exp1.sample(rng), Exp1.sample(rng));
                wait = (wait - gap / 0.6).max(0.0);
                if i >= 500 {
                    times.push(wait + service);
                }
                wait += service;
            }
            times
        });
        assert!((0.91..=0.99).contains(&held), "{held}");
    }

    #[test]
    fn a_short_window_allows_no_interval() {
        assert_eq!(batches(29.0, 1.0), None);
        assert_eq!(batches(30.0, 1.0), Some(10));
        assert_eq!(batches(1e6, 1.0), Some(20));
        assert_eq!(batches(30.0, 0.0), None);
        assert_eq!(of_values(&[1.0; 9], 10, 0.95), None);
    }

    #[test]
    fn batches_that_follow_each_other_closely_allow_none() {
        let ramp: Vec<f64> = (0..200).map(f64::from).collect();
        assert_eq!(of_values(&ramp, 20, 0.95), None);
    }
}
