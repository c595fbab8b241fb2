//! Randomness as a function: a number for every (seed, stream, index), the same on every machine.

/// SplitMix64's finaliser (Steele, Lea, Flood 2014): mixes 64 bits so that neighbours share nothing.
pub fn mix(mut x: u64) -> u64 {
    x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// Bits of one draw.
pub fn bits(seed: u64, stream: u64, index: u64) -> u64 {
    mix(mix(mix(seed) ^ stream) ^ index)
}

/// A uniform number in (0, 1].
pub fn unit(seed: u64, stream: u64, index: u64) -> f64 {
    ((bits(seed, stream, index) >> 11) as f64 + 1.0) / (1u64 << 53) as f64
}

/// A log-normal factor with median 1 and `sigma` as the standard deviation of its logarithm (Box-Muller).
pub fn factor(seed: u64, stream: u64, index: u64, sigma: f64) -> f64 {
    if sigma == 0.0 {
        return 1.0;
    }
    let radius = (-2.0 * unit(seed, stream, 2 * index).ln()).sqrt();
    let angle = std::f64::consts::TAU * unit(seed, stream, 2 * index + 1);
    (sigma * radius * angle.cos()).exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn factors_have_median_one_and_the_spread_asked_for() {
        let logs: Vec<f64> = (0..20_000).map(|i| factor(7, 1, i, 0.1).ln()).collect();
        let mean = logs.iter().sum::<f64>() / logs.len() as f64;
        let deviation = (logs.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / logs.len() as f64).sqrt();
        assert!(mean.abs() < 0.003, "{mean}");
        assert!((deviation - 0.1).abs() < 0.003, "{deviation}");
    }

    #[test]
    fn no_spread_is_exactly_one() {
        assert_eq!(factor(7, 1, 3, 0.0), 1.0);
    }
}
