//! The normal distribution cut to an interval, stable far out in the tails.
//!
//! Everything is on the standard scale: `a` and `b` are ends of an interval in standard deviations from the mean.

use std::f64::consts::{FRAC_1_SQRT_2, PI, SQRT_2};

use statrs::function::erf::{erfc, erfc_inv};

/// ln Φ(x), accurate down to x = −10⁸ (erfc where it does not underflow, its asymptotic series beyond).
pub(super) fn log_cdf(x: f64) -> f64 {
    if x > 5.0 {
        (-0.5 * erfc(x * FRAC_1_SQRT_2)).ln_1p()
    } else if x > -25.0 {
        (0.5 * erfc(-x * FRAC_1_SQRT_2)).ln()
    } else {
        // Φ(x) = φ(x)/|x| · (1 − 1/x² + 3/x⁴ − 15/x⁶ + …), Abramowitz and Stegun 26.2.12.
        let inverse = 1.0 / (x * x);
        let series = 1.0 - inverse * (1.0 - 3.0 * inverse * (1.0 - 5.0 * inverse * (1.0 - 7.0 * inverse)));
        -0.5 * x * x - (-x).ln() - 0.5 * (2.0 * PI).ln() + series.ln()
    }
}

/// ln(Φ(b) − Φ(a)) for a ≤ b, without cancellation; −∞ for an empty interval.
pub(super) fn log_mass(a: f64, b: f64) -> f64 {
    if b <= 0.0 {
        log_difference(log_cdf(b), log_cdf(a))
    } else if a >= 0.0 {
        log_difference(log_cdf(-a), log_cdf(-b))
    } else {
        (-0.5 * erfc(-a * FRAC_1_SQRT_2) - 0.5 * erfc(b * FRAC_1_SQRT_2)).ln_1p()
    }
}

/// ln φ(x).
pub(super) fn log_pdf(x: f64) -> f64 {
    -0.5 * x * x - 0.5 * (2.0 * PI).ln()
}

/// The quantile at `u` in [0, 1) of the normal cut to [a, b] with a ≤ 0 ≤ b, by the tail that keeps the digits.
pub(super) fn quantile(u: f64, a: f64, b: f64) -> f64 {
    let (below_a, above_b) = (0.5 * erfc(-a * FRAC_1_SQRT_2), 0.5 * erfc(b * FRAC_1_SQRT_2));
    let inside = 1.0 - below_a - above_b;
    let left = below_a + u * inside;
    let x = if left < 0.5 {
        -SQRT_2 * erfc_inv(2.0 * left)
    } else {
        SQRT_2 * erfc_inv(2.0 * (above_b + (1.0 - u) * inside))
    };
    x.clamp(a, b)
}

/// ln(eˣ − eʸ) for x ≥ y.
fn log_difference(x: f64, y: f64) -> f64 {
    if x <= y { f64::NEG_INFINITY } else { x + (-(y - x).exp()).ln_1p() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The expected values were computed with 30 digits.
    #[test]
    fn log_cdf_agrees_with_thirty_digit_values() {
        for (x, expected) in [
            (0.0, -std::f64::consts::LN_2),
            (-1.0, -1.841_021_645_009_264),
            (-10.0, -53.231_285_150_512_47),
            (-24.9, -314.140_412_761_613_16),
            (-25.1, -319.148_387_405_888_6),
            (-100.0, -5_005.524_208_694_205),
            (-30.0, -454.321_243_956_343_2),
            (3.0, -0.001_350_809_964_748_193_8),
        ] {
            let got = log_cdf(x);
            assert!((got - expected).abs() < 1e-9 * f64::abs(expected), "{x}: {got} {expected}");
        }
        assert!((log_cdf(-25.0 + 1e-9) - log_cdf(-25.0 - 1e-9)).abs() < 1e-6, "the two forms meet");
    }

    #[test]
    fn masses_of_adjacent_cells_add_up_also_in_the_tails() {
        for (a, m, b) in [(-40.0, -39.5, -39.0), (-1.0, 0.2, 3.0), (8.0, 8.1, 9.0), (-0.5, 0.0, 0.5)] {
            let (left, right, whole) = (log_mass(a, m), log_mass(m, b), log_mass(a, b));
            let top = left.max(right);
            let sum = top + ((left - top).exp() + (right - top).exp()).ln();
            assert!((sum - whole).abs() < 1e-8, "{a} {m} {b}: {sum} {whole}");
        }
        assert_eq!(log_mass(1.0, 1.0), f64::NEG_INFINITY);
    }

    #[test]
    fn quantiles_invert_the_mass() {
        for (a, b) in [(-1.0, 2.0), (0.0, 0.3), (-50.0, 0.0), (-0.001, 80.0)] {
            for u in [0.0, 1e-6, 0.2, 0.5, 0.9, 0.999_999] {
                let x = quantile(u, a, b);
                let share = (log_mass(a, x) - log_mass(a, b)).exp();
                assert!((share - u).abs() < 1e-7, "{u} in [{a}, {b}] gave {x}, mass {share}");
            }
        }
    }
}
