//! Randomness as a function of (seed, index, purpose).

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// The generator every sampler draws from: portable, so a seed gives the same task on every machine.
pub type Rng = ChaCha8Rng;

/// A generator that belongs to one question. Different purposes are independent streams, so that adding a draw in one
/// place does not move the draws of another.
pub fn generator(seed: u64, index: u64, purpose: &str) -> Rng {
    let mut key = [0u8; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    key[8..16].copy_from_slice(&index.to_le_bytes());
    key[16..24].copy_from_slice(&fnv1a(purpose).to_le_bytes());
    key[24..32].copy_from_slice(&(purpose.len() as u64).to_le_bytes());
    ChaCha8Rng::from_seed(key)
}

/// FNV-1a, 64 bits: stable across versions and platforms, unlike the standard library's hasher.
fn fnv1a(word: &str) -> u64 {
    word.bytes().fold(0xcbf2_9ce4_8422_2325, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use rand::RngExt;

    use super::*;

    #[test]
    fn each_of_seed_index_and_purpose_changes_the_stream() {
        let first = |seed, index, purpose: &str| generator(seed, index, purpose).random::<u64>();
        let base = first(1, 2, "a");
        assert_eq!(base, first(1, 2, "a"));
        assert!([first(2, 2, "a"), first(1, 3, "a"), first(1, 2, "b")].iter().all(|&x| x != base));
    }
}
