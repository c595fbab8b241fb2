//! The interval on a difference measured in pairs.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, StudentsT};

/// A ratio with its confidence interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RatioInterval {
    /// Lower end.
    pub low: f64,
    /// Geometric mean of the pairs' ratios.
    pub estimate: f64,
    /// Upper end.
    pub high: f64,
    /// Pairs it rests on.
    pub pairs: u32,
}

/// Student's t interval on the mean log-ratio of `pairs` of (reference, candidate), as ratios candidate / reference.
///
/// Log-ratios make the interval symmetric in the two sides and independent of the metric's unit. `None` with fewer
/// than two pairs or where a value is not positive.
pub fn ratio_interval(pairs: &[(f64, f64)], confidence: f64) -> Option<RatioInterval> {
    if pairs.len() < 2 || pairs.iter().any(|(a, b)| !(*a > 0.0 && *b > 0.0 && a.is_finite() && b.is_finite())) {
        return None;
    }
    let n = pairs.len() as f64;
    let logs: Vec<f64> = pairs.iter().map(|(a, b)| (b / a).ln()).collect();
    let mean = logs.iter().sum::<f64>() / n;
    let sd = (logs.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt();
    let t = StudentsT::new(0.0, 1.0, n - 1.0).ok()?.inverse_cdf(0.5 + confidence.clamp(0.0, 0.999_999) / 2.0);
    let half = t * sd / n.sqrt();
    Some(RatioInterval {
        low: (mean - half).exp(),
        estimate: mean.exp(),
        high: (mean + half).exp(),
        pairs: pairs.len() as u32,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_agrees_with_a_textbook_case() {
        // Log-ratios 0.1, 0.2, 0.3: mean 0.2, sd 0.1, t(0.975, 2) = 4.302653, half width 0.248414.
        let pairs = [(1.0, 0.1f64.exp()), (1.0, 0.2f64.exp()), (1.0, 0.3f64.exp())];
        let interval = ratio_interval(&pairs, 0.95).unwrap();
        assert!((interval.estimate.ln() - 0.2).abs() < 1e-9);
        assert!((interval.high.ln() - 0.448_414).abs() < 1e-5, "{interval:?}");
        assert!((interval.low.ln() + 0.048_414).abs() < 1e-5, "{interval:?}");
    }

    #[test]
    fn one_pair_or_a_zero_gives_no_interval() {
        assert_eq!(ratio_interval(&[(1.0, 2.0)], 0.95), None);
        assert_eq!(ratio_interval(&[(0.0, 2.0), (1.0, 2.0)], 0.95), None);
    }

    #[test]
    fn swapping_the_sides_inverts_the_interval() {
        let forward = ratio_interval(&[(1.0, 1.2), (1.1, 1.3), (0.9, 1.15)], 0.9).unwrap();
        let back = ratio_interval(&[(1.2, 1.0), (1.3, 1.1), (1.15, 0.9)], 0.9).unwrap();
        assert!((forward.low * back.high - 1.0).abs() < 1e-12 && (forward.high * back.low - 1.0).abs() < 1e-12);
    }
}
