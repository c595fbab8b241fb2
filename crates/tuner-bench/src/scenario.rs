//! Lengths drawn from a scenario, as genai-bench draws them.
//!
//! *Invariant*: the lengths of request `index` are a function of (scenario, generator of that index): no request's
//! lengths depend on how many came before.

use rand::{Rng, RngExt};
use rand_distr::{Distribution, LogNormal, Normal};
use tuner_core::task::Scenario;

/// Smallest output length that a normal scenario gives, as in genai-bench: one token has no inter-token time.
const MIN_NORMAL_OUTPUT: f64 = 2.0;
/// Longest length drawn, so that a wide spread does not ask for gigabytes.
const MAX_TOKENS: u32 = 10_000_000;

/// Lengths (input, output) drawn with `rng`. Normal lengths are truncated to whole numbers, at least 1 in and 2 out.
pub fn lengths(scenario: Scenario, rng: &mut impl Rng) -> (u32, u32) {
    match scenario {
        Scenario::Deterministic { input, output } => (input, output),
        Scenario::Normal { input, output } => (normal(input, 1.0, rng), normal(output, MIN_NORMAL_OUTPUT, rng)),
        Scenario::Uniform { input, output } => {
            (rng.random_range(input.0..=input.1), rng.random_range(output.0..=output.1))
        }
        Scenario::Lognormal { input, output } => {
            (lognormal(input, 1.0, rng), lognormal(output, MIN_NORMAL_OUTPUT, rng))
        }
        // Nothing is generated: the whole request is the prompt.
        Scenario::Embedding { document } => (document, 0),
        Scenario::Rerank { document, query } => (document.saturating_add(query), 0),
        // How many tokens a model makes of a picture is its own affair.
        Scenario::Image { .. } => (0, 0),
    }
}

/// The nearest whole number of tokens, so that the median is `exp(mu)`.
fn lognormal((mu, sigma): (f64, f64), least: f64, rng: &mut impl Rng) -> u32 {
    let drawn = match LogNormal::new(mu, sigma) {
        Ok(distribution) => distribution.sample(rng),
        Err(_) => mu.exp(),
    };
    drawn.round().clamp(least, f64::from(MAX_TOKENS)) as u32
}

/// `max(least, int(normal))`: genai-bench truncates toward zero, which lowers the mean by about half a token.
fn normal((mean, sd): (u32, u32), least: f64, rng: &mut impl Rng) -> u32 {
    let drawn = match Normal::new(f64::from(mean), f64::from(sd)) {
        Ok(distribution) => distribution.sample(rng),
        Err(_) => f64::from(mean),
    };
    drawn.trunc().clamp(least, f64::from(MAX_TOKENS)) as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::{Dimension, rng};

    fn draw(scenario: &str, n: u64) -> Vec<(u32, u32)> {
        let scenario: Scenario = scenario.parse().unwrap();
        (0..n).map(|i| lengths(scenario, &mut rng(3, Dimension::Lengths, 0, 0, i))).collect()
    }

    fn mean_and_sd(values: impl Iterator<Item = u32> + Clone) -> (f64, f64) {
        mean_and_sd_of(values.map(f64::from))
    }

    fn mean_and_sd_of(values: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
        let n = values.clone().count() as f64;
        let mean = values.clone().sum::<f64>() / n;
        (mean, (values.map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt())
    }

    #[test]
    fn normal_lengths_follow_the_published_rule() {
        let drawn = draw("N(480,50)/(300,30)", 20_000);
        let (mean, sd) = mean_and_sd(drawn.iter().map(|d| d.0));
        assert!((mean - 479.5).abs() < 1.5, "mean {mean}");
        assert!((sd - 50.0).abs() < 1.0, "sd {sd}");
        let clamped = draw("N(1,100)/(1,100)", 5_000);
        assert_eq!(clamped.iter().map(|d| d.0).min(), Some(1));
        assert_eq!(clamped.iter().map(|d| d.1).min(), Some(2));
    }

    #[test]
    fn lognormal_lengths_have_the_median_and_the_spread_of_their_parameters() {
        let drawn = draw("L(6.2,0.8)/(4.6,0.5)", 20_000);
        let log = |pick: fn(&(u32, u32)) -> u32| mean_and_sd_of(drawn.iter().map(|d| f64::from(pick(d)).ln()));
        let ((mu, sigma), (mu_out, sigma_out)) = (log(|d| d.0), log(|d| d.1));
        assert!((mu - 6.2).abs() < 0.02 && (sigma - 0.8).abs() < 0.02, "{mu} {sigma}");
        assert!((mu_out - 4.6).abs() < 0.02 && (sigma_out - 0.5).abs() < 0.02, "{mu_out} {sigma_out}");
        assert!(draw("L(0,3)/(0,3)", 5_000).iter().all(|d| d.0 >= 1 && d.1 >= 2));
    }

    #[test]
    fn uniform_lengths_reach_both_bounds() {
        let drawn = draw("U(3,6)/(10,12)", 2_000);
        assert_eq!((drawn.iter().map(|d| d.0).min(), drawn.iter().map(|d| d.0).max()), (Some(3), Some(6)));
        assert_eq!((drawn.iter().map(|d| d.1).min(), drawn.iter().map(|d| d.1).max()), (Some(10), Some(12)));
    }
}
