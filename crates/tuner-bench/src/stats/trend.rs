//! Whether a series goes somewhere: slope, trend test, change point.
//!
//! *Invariant*: successive values may depend on each other; both tests take that into account. They do not do so in
//! full: a correction that did would take ramps and stairs for dependence and find nothing (noise with an
//! autocorrelation of 0.5 passes for a trend at 5 % in one series of 40 values out of five).

use statrs::distribution::{ContinuousCDF, Normal};

/// Theil–Sen slope of a series of equally spaced values, per step: the median of all pairwise slopes.
pub(crate) fn slope(series: &[f64]) -> f64 {
    let mut slopes: Vec<f64> = Vec::with_capacity(series.len() * series.len() / 2);
    for (i, a) in series.iter().enumerate() {
        slopes.extend(series[i + 1..].iter().enumerate().map(|(k, b)| (b - a) / (k + 1) as f64));
    }
    median(slopes)
}

/// The middle value; 0 without any.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    if values.is_empty() { 0.0 } else { super::percentile(&values, 0.5) }
}

/// Ranks from 1, ties sharing their mean rank.
fn ranks(series: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..series.len()).collect();
    order.sort_by(|a, b| series[*a].total_cmp(&series[*b]));
    let mut ranks = vec![0.0; series.len()];
    let mut from = 0;
    while from < order.len() {
        let tied = order[from..].iter().take_while(|i| series[**i] == series[order[from]]).count();
        let rank = from as f64 + (tied as f64 + 1.0) / 2.0;
        order[from..from + tied].iter().for_each(|i| ranks[*i] = rank);
        from += tied;
    }
    ranks
}

/// By how much dependence between successive values widens the variance of rank statistics: Hamed and Rao's factor
/// (1998), from the significant autocorrelations of the ranks of what is left of a series when its trend or step is
/// taken out. At least 1.
fn inflation(residuals: &[f64]) -> f64 {
    let n = residuals.len() as f64;
    if n < 4.0 {
        return 1.0;
    }
    let ranks = ranks(residuals);
    let mean = (n + 1.0) / 2.0;
    let total: f64 = ranks.iter().map(|r| (r - mean).powi(2)).sum();
    if total <= 0.0 {
        return 1.0;
    }
    let autocorrelation =
        |lag: usize| ranks.windows(lag + 1).map(|w| (w[0] - mean) * (w[lag] - mean)).sum::<f64>() / total;
    // Outside this band an autocorrelation is significant at 5 %.
    let band = 1.96 / n.sqrt();
    let mut sum = 0.0;
    // Beyond a third of the series an estimate rests on too few pairs.
    for lag in 1..=residuals.len() / 3 {
        let rho = autocorrelation(lag);
        if rho.abs() > band {
            let left = n - lag as f64;
            sum += left * (left - 1.0) * (left - 2.0) * rho;
        }
    }
    (1.0 + 2.0 / (n * (n - 1.0) * (n - 2.0)) * sum).max(1.0)
}

/// Two-sided p-value of Mann and Kendall's trend test, corrected for dependence.
pub(crate) fn mann_kendall(series: &[f64]) -> f64 {
    let n = series.len() as f64;
    if n < 4.0 {
        return 1.0;
    }
    let mut s = 0.0;
    for (i, a) in series.iter().enumerate() {
        s += series[i + 1..].iter().map(|b| f64::from(i8::from(b > a) - i8::from(b < a))).sum::<f64>();
    }
    let mut sorted = series.to_vec();
    sorted.sort_by(f64::total_cmp);
    let ties: f64 = sorted
        .chunk_by(|a, b| a == b)
        .map(|tied| {
            let t = tied.len() as f64;
            t * (t - 1.0) * (2.0 * t + 5.0)
        })
        .sum();
    let slope = slope(series);
    let detrended: Vec<f64> = series.iter().enumerate().map(|(i, x)| x - slope * i as f64).collect();
    let variance = (n * (n - 1.0) * (2.0 * n + 5.0) - ties) / 18.0 * inflation(&detrended);
    if variance <= 0.0 {
        return 1.0;
    }
    let z = (s - s.signum()).abs() / variance.sqrt();
    if s == 0.0 { 1.0 } else { 2.0 * (1.0 - Normal::standard().cdf(z)) }
}

/// Pettitt's most likely change point and its approximate p-value, corrected for dependence: the values before the
/// index differ from the rest.
pub(crate) fn pettitt(series: &[f64]) -> (usize, f64) {
    let n = series.len();
    let ranks = ranks(series);
    let (mut sum, mut best, mut at) = (0.0, 0.0, 0);
    for (i, rank) in ranks.iter().enumerate().take(n.saturating_sub(1)) {
        sum += rank;
        let u: f64 = 2.0 * sum - (i + 1) as f64 * (n as f64 + 1.0);
        if u.abs() > best {
            (best, at) = (u.abs(), i + 1);
        }
    }
    let n = n as f64;
    let (before, after) = series.split_at(at);
    let centred = |part: &[f64]| {
        let mean = part.iter().sum::<f64>() / part.len().max(1) as f64;
        part.iter().map(|x| x - mean).collect::<Vec<f64>>()
    };
    let residuals = [centred(before), centred(after)].concat();
    let p = 2.0 * (-6.0 * best * best / (inflation(&residuals) * (n * n * n + n * n))).exp();
    (at, p.min(1.0))
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha8Rng;
    use rand_distr::{Distribution, StandardNormal};

    use super::*;

    #[test]
    fn the_trend_test_agrees_with_a_worked_example() {
        // S = 8 of 10 pairs, var = 5·4·15/18 = 16.667, z = 7/4.082 = 1.7146, p = 0.0864.
        let p = mann_kendall(&[1.0, 2.0, 4.0, 3.0, 5.0]);
        assert!((p - 0.0864).abs() < 2e-3, "{p}");
        assert_eq!(mann_kendall(&[2.0; 9]), 1.0);
        assert!((slope(&[1.0, 3.0, 5.0, 70.0, 9.0]) - 2.0).abs() < 1e-12);
    }

    #[test]
    fn a_step_is_found_where_it_is() {
        let series: Vec<f64> = (0..30).map(|i| if i < 12 { 1.0 } else { 2.0 } + f64::from(i % 3) * 0.1).collect();
        let (at, p) = pettitt(&series);
        assert_eq!(at, 12);
        assert!(p < 0.001, "{p}");
    }

    fn ar1(rng: &mut ChaCha8Rng, n: usize, phi: f64) -> Vec<f64> {
        let mut x = 0.0;
        let mut next = || -> f64 {
            let e: f64 = StandardNormal.sample(rng);
            x = phi * x + e * (1.0 - phi * phi).sqrt();
            x
        };
        (0..50).for_each(|_| {
            next();
        });
        (0..n).map(|_| next()).collect()
    }

    #[test]
    fn noise_is_taken_for_a_trend_about_as_often_as_stated() {
        let mut rng = crate::seed::rng(7, crate::seed::Dimension::Lengths, 0, 0, 0);
        for (phi, limit) in [(0.0, 80), (0.5, 220)] {
            let found = (0..1000).filter(|_| mann_kendall(&ar1(&mut rng, 40, phi)) < 0.05).count();
            assert!((20..=limit).contains(&found), "{found} of 1000 at autocorrelation {phi}");
        }
    }

    #[test]
    fn a_trend_of_four_deviations_over_the_series_is_found() {
        let mut rng = crate::seed::rng(8, crate::seed::Dimension::Lengths, 0, 0, 0);
        let found = (0..200).filter(|_| {
            let noise = ar1(&mut rng, 40, 0.3);
            let series: Vec<f64> = noise.iter().enumerate().map(|(i, x)| x + 4.0 * i as f64 / 40.0).collect();
            mann_kendall(&series) < 0.01
        });
        let found = found.count();
        assert!(found >= 180, "{found} of 200");
    }
}
