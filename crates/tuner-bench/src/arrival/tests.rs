//! Goodness of fit: gaps against their distribution (Kolmogorov and Smirnov), counts against their mean and dispersion.

use proptest::prelude::*;
use statrs::distribution::{ContinuousCDF, Exp, Gamma as GammaLaw};

use super::*;
use crate::seed::{Dimension, rng};

/// 1.63/√n is the 1 % critical value of the Kolmogorov–Smirnov distance.
const CRITICAL: f64 = 1.63;

fn level(rate: f64, arrival: Arrival) -> Level {
    Level { rate: Some(rate), arrival: Some(arrival), ..Level::default() }
}

fn gamma(rate: f64, burstiness: f64) -> Level {
    Level { burstiness: Some(burstiness), ..level(rate, Arrival::Gamma) }
}

fn arrivals(level: &Level, warmup: u64, window_s: Option<f64>, seed: u64) -> Arrivals {
    Arrivals::new(level, warmup, window_s, rng(seed, Dimension::Arrivals, 0, 0, 0)).unwrap()
}

/// The largest distance between the gaps' empirical distribution and a law, times √n.
fn distance(times: &[f64], law: impl Fn(f64) -> f64) -> f64 {
    let mut gaps: Vec<f64> = std::iter::once(times[0]).chain(times.windows(2).map(|w| w[1] - w[0])).collect();
    gaps.sort_by(f64::total_cmp);
    let n = gaps.len() as f64;
    let steps = gaps.iter().enumerate().flat_map(|(i, gap)| [law(*gap) - i as f64 / n, (i + 1) as f64 / n - law(*gap)]);
    steps.fold(0.0, f64::max) * n.sqrt()
}

/// Mean and variance over mean (index of dispersion) of the counts per second.
fn counts(times: impl Iterator<Item = f64>, seconds: usize) -> (f64, f64) {
    let mut counts = vec![0f64; seconds];
    times.take_while(|t| *t < seconds as f64).for_each(|t| counts[t as usize] += 1.0);
    let n = seconds as f64;
    let mean = counts.iter().sum::<f64>() / n;
    (mean, counts.iter().map(|c| (c - mean).powi(2)).sum::<f64>() / (n - 1.0) / mean)
}

#[test]
fn constant_arrivals_do_not_drift() {
    let last = arrivals(&level(0.3, Arrival::Constant), 2, None, 1).nth(2_999_999);
    assert_eq!(last, Some(3_000_000.0 / 0.3));
}

#[test]
fn poisson_gaps_are_exponential_by_kolmogorov_and_smirnov() {
    let law = Exp::new(2.5).unwrap();
    for seed in [7, 8, 9] {
        let times: Vec<f64> = arrivals(&level(2.5, Arrival::Poisson), 2, None, seed).take(20_000).collect();
        assert!(distance(&times, |x| law.cdf(x)) < CRITICAL, "seed {seed}");
    }
}

#[test]
fn gamma_gaps_follow_their_shape_by_kolmogorov_and_smirnov() {
    // Much below, most gaps are shorter than what the difference of two times can tell.
    for burstiness in [0.3, 0.5, 1.0, 4.0] {
        // Shape k and rate k·λ: mean 1/λ, as vLLM draws them.
        let law = GammaLaw::new(burstiness, burstiness * 3.0).unwrap();
        let times: Vec<f64> = arrivals(&gamma(3.0, burstiness), 2, None, 5).take(20_000).collect();
        assert!(distance(&times, |x| law.cdf(x)) < CRITICAL, "burstiness {burstiness}");
        let poisson = Exp::new(3.0).unwrap();
        let like_poisson = distance(&times, |x| poisson.cdf(x)) < CRITICAL;
        assert_eq!(like_poisson, burstiness == 1.0, "burstiness {burstiness}");
    }
}

#[test]
fn below_one_arrivals_come_in_clumps_and_above_one_evenly() {
    let of = |level: &Level| counts(arrivals(level, 2, None, 11), 20_000);
    for (level, dispersion) in
        [(gamma(10.0, 0.25), 4.0), (level(10.0, Arrival::Poisson), 1.0), (gamma(10.0, 4.0), 0.25)]
    {
        let (mean, found) = of(&level);
        assert!((mean - 10.0).abs() < 0.15, "{}: mean {mean}", level.label());
        // Counts of a renewal process scatter by 1/shape; a second is not quite long enough for the limit.
        assert!((found / dispersion - 1.0).abs() < 0.15, "{}: dispersion {found}", level.label());
    }
}

#[test]
fn a_ramp_reaches_its_end_rate_at_the_end_of_the_window() {
    for shape in [Ramp::Linear, Ramp::Exponential] {
        for (from, to) in [(2.0, 50.0), (50.0, 2.0)] {
            let level = Level { ramp_to: Some(to), ramp: Some(shape), ..level(from, Arrival::Poisson) };
            let mut all = arrivals(&level, 10, Some(400.0), 3);
            let times: Vec<f64> = all.by_ref().take_while(|t| *t < 1000.0).collect();
            let start = all.window_start_s();
            assert_eq!(start, times[9]);
            let rate =
                |a: f64, b: f64| times.iter().filter(|t| (start + a..start + b).contains(*t)).count() as f64 / (b - a);
            let expected = |at: f64| match shape {
                Ramp::Linear => from + (to - from) * at / 400.0,
                Ramp::Exponential => from * (to / from).powf(at / 400.0),
            };
            for at in [50.0, 200.0, 350.0] {
                let (found, wanted) = (rate(at - 25.0, at + 25.0), expected(at));
                // Four standard deviations of a Poisson count, and the curve within the slice.
                let slack = 4.0 * (wanted / 50.0).sqrt() + 0.03 * wanted;
                assert!((found - wanted).abs() < slack, "{} at {at}: {found}, not {wanted}", level.label());
            }
            let after = times.last().unwrap() - start;
            assert!(after > 590.0 && (rate(400.0, 590.0) / to - 1.0).abs() < 0.25, "{}", level.label());
        }
    }
}

#[test]
fn bursts_come_at_once_and_the_window_opens_with_the_first_measured_one() {
    let level = Level { burst: Some(3), every_s: Some(2.5), ..Level::default() };
    let mut all = arrivals(&level, 2, None, 1);
    let times: Vec<f64> = all.by_ref().take(9).collect();
    assert_eq!(times, [0.0, 0.0, 2.5, 2.5, 2.5, 5.0, 5.0, 5.0, 7.5]);
    assert_eq!(all.window_start_s(), 2.5);
    let without: Vec<f64> = arrivals(&level, 0, None, 1).take(4).collect();
    assert_eq!(without, [0.0, 0.0, 0.0, 2.5]);
}

#[test]
fn a_seed_gives_one_schedule_and_another_seed_another() {
    for level in [level(3.0, Arrival::Poisson), gamma(3.0, 0.5)] {
        let take = |seed| arrivals(&level, 2, None, seed).take(50).collect::<Vec<_>>();
        assert_eq!(take(5), take(5));
        assert_ne!(take(5), take(6));
    }
}

proptest! {
    #[test]
    fn arrivals_never_go_back_in_time(
        rate in 0.01f64..5000.0,
        to in 0.01f64..5000.0,
        burstiness in 0.01f64..50.0,
        exponential: bool,
        warmup in 0u64..5,
        window in 0.1f64..500.0,
    ) {
        let ramp = if exponential { Ramp::Exponential } else { Ramp::Linear };
        let level = Level { ramp_to: Some(to), ramp: Some(ramp), ..gamma(rate, burstiness) };
        let times: Vec<f64> = arrivals(&level, warmup, Some(window), 1).take(500).collect();
        prop_assert!(times.iter().all(|t| t.is_finite() && *t >= 0.0));
        prop_assert!(times.windows(2).all(|w| w[0] <= w[1]), "{times:?}");
    }
}
