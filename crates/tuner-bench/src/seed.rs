//! One seed per dimension, so that a change in one (say, the arrivals) leaves the others as they are.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// What a random stream is for. Numbers are part of the format: changing one changes every seeded run.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Dimension {
    Lengths = 1,
    Arrivals = 2,
    Prompts = 3,
    FileOrder = 4,
    Classes = 5,
    Models = 6,
    Prefixes = 7,
    PrefixWords = 8,
    Thinning = 9,
    Salt = 10,
    Pictures = 11,
    Turns = 12,
    Think = 13,
}

/// The two seeds of a level. Experiments that are compared share `schedule` (lengths and arrivals) and differ in
/// `prompts` (the words), so that they do equal work and none finds another's prefixes in a cache.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Seeds {
    /// Lengths, arrivals, order of file prompts: the task's seed.
    pub schedule: u64,
    /// Words of synthetic prompts: different for every experiment and attempt.
    pub prompts: u64,
}

/// SplitMix64's finaliser (Steele, Lea, Flood 2014): neighbouring inputs give unrelated outputs.
pub(crate) fn mix(mut x: u64) -> u64 {
    x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// A generator that depends on every argument.
pub(crate) fn rng(seed: u64, dimension: Dimension, level: u32, repeat: u32, index: u64) -> ChaCha8Rng {
    let words = [dimension as u64, u64::from(level), u64::from(repeat), index];
    let seed = words.into_iter().fold(mix(seed), |state, word| mix(state ^ mix(word)));
    ChaCha8Rng::seed_from_u64(seed)
}
