//! Random moments that a seed repeats, and how many of them a test takes.

use std::time::Duration;

/// A number of the environment, or the usual one.
///
/// # Panics
/// If it is no number.
pub fn setting(name: &str, usual: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name} is {text:?}, which is no number")),
        Err(_) => usual,
    }
}

/// Seeded chance (SplitMix64).
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// Seeded by `AUTOTUNER_CRASH_SEED`, and apart from other tests by `salt`.
    pub fn new(salt: u64) -> Self {
        Self(setting("AUTOTUNER_CRASH_SEED", 1).wrapping_mul(0x1000_0001) ^ salt)
    }

    /// Seeded by a number alone.
    pub fn seeded(seed: u64) -> Self {
        Self(seed)
    }

    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let x = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    }

    /// A share from 0 to below 1, each as likely as the others.
    pub fn share(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// A moment before `limit`, each as likely as the others.
    pub fn moment(&mut self, limit: Duration) -> Duration {
        limit.mul_f64(self.share())
    }

    /// A number below `end`, each as likely as the others; 0 if there is none.
    pub fn below(&mut self, end: usize) -> usize {
        (self.share() * end as f64) as usize
    }

    /// Heads or tails.
    pub fn coin(&mut self) -> bool {
        self.bits() & 1 == 1
    }
}
