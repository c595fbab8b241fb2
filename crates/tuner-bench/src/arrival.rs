//! When open-loop requests arrive: an absolute schedule, fixed before the first request is sent.
//!
//! *Invariant*: the k-th arrival is a function of (process, rate, seed, k), never of what the server does, so a slow
//! server cannot slow the load down (no coordinated omission).

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use tuner_core::task::Arrival;

/// Arrival times in seconds from the start of the level, without end.
#[derive(Clone, Debug)]
pub struct Arrivals {
    process: Arrival,
    rate: f64,
    count: u64,
    at_s: f64,
    rng: ChaCha8Rng,
}

impl Arrivals {
    /// A process of `rate` arrivals per second; `rate` is finite and positive.
    pub(crate) fn new(process: Arrival, rate: f64, rng: ChaCha8Rng) -> Self {
        Self { process, rate, count: 0, at_s: 0.0, rng }
    }
}

impl Iterator for Arrivals {
    type Item = f64;

    fn next(&mut self) -> Option<f64> {
        self.count += 1;
        self.at_s = match self.process {
            // Multiplied out rather than summed up: ten million equal gaps must not drift.
            Arrival::Constant => self.count as f64 / self.rate,
            // Inverse transform on (0, 1], so the logarithm is finite.
            Arrival::Poisson => self.at_s - (1.0 - self.rng.random::<f64>()).ln() / self.rate,
        };
        Some(self.at_s)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::{Dimension, rng};

    fn arrivals(process: Arrival, rate: f64, seed: u64) -> Arrivals {
        Arrivals::new(process, rate, rng(seed, Dimension::Arrivals, 0, 0, 0))
    }

    #[test]
    fn constant_arrivals_do_not_drift() {
        let last = arrivals(Arrival::Constant, 0.3, 1).nth(2_999_999);
        assert_eq!(last, Some(3_000_000.0 / 0.3));
    }

    #[test]
    fn poisson_gaps_are_exponential_by_kolmogorov_and_smirnov() {
        let rate = 2.5;
        let times: Vec<f64> = arrivals(Arrival::Poisson, rate, 7).take(20_000).collect();
        let mut gaps: Vec<f64> = std::iter::once(times[0]).chain(times.windows(2).map(|w| w[1] - w[0])).collect();
        gaps.sort_by(f64::total_cmp);
        let n = gaps.len() as f64;
        let distance = gaps
            .iter()
            .enumerate()
            .map(|(i, gap)| ((1.0 - (-rate * gap).exp()) - (i as f64 + 0.5) / n).abs())
            .fold(0.0, f64::max);
        // 1.63/sqrt(n) is the 1 % critical value.
        assert!(distance < 1.63 / n.sqrt(), "distance {distance}");
    }

    #[test]
    fn poisson_counts_scatter_like_their_mean() {
        let times: Vec<f64> = arrivals(Arrival::Poisson, 10.0, 11).take_while(|t| *t < 2000.0).collect();
        let mut counts = vec![0f64; 2000];
        for t in &times {
            counts[*t as usize] += 1.0;
        }
        let mean = counts.iter().sum::<f64>() / 2000.0;
        let variance = counts.iter().map(|c| (c - mean).powi(2)).sum::<f64>() / 1999.0;
        assert!((mean - 10.0).abs() < 0.3, "mean {mean}");
        assert!((variance / mean - 1.0).abs() < 0.15, "index of dispersion {}", variance / mean);
    }

    #[test]
    fn a_seed_gives_one_schedule_and_another_seed_another() {
        let take = |seed| arrivals(Arrival::Poisson, 3.0, seed).take(50).collect::<Vec<_>>();
        assert_eq!(take(5), take(5));
        assert_ne!(take(5), take(6));
    }
}
