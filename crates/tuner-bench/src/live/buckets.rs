//! Times counted in buckets that several threads may fill at once.
//!
//! *Invariant*: a quantile is that of a bucket at most 1/16 wide of its value; good for a screen, never for a report.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// Buckets per power of two.
const PARTS: u64 = 16;
const PART_BITS: u32 = PARTS.trailing_zeros();
/// Buckets up to 2⁴⁰ ns, which is 18 minutes; longer times fall into the last one.
const BUCKETS: usize = (PARTS * (40 - PART_BITS as u64 + 1)) as usize;

#[derive(Debug)]
pub(super) struct Buckets(Box<[AtomicU32]>);

impl Default for Buckets {
    fn default() -> Self {
        Self((0..BUCKETS).map(|_| AtomicU32::new(0)).collect())
    }
}

impl Buckets {
    pub(super) fn add(&self, ns: u64) {
        self.0[bucket(ns)].fetch_add(1, Relaxed);
    }

    /// The middle of the bucket that holds quantile `q` (0..1), nanoseconds; `None` while all are empty.
    pub(super) fn quantile(&self, q: f64) -> Option<f64> {
        let counts: Vec<u64> = self.0.iter().map(|n| u64::from(n.load(Relaxed))).collect();
        let all: u64 = counts.iter().sum();
        let rank = ((all as f64 * q).ceil() as u64).max(1);
        let mut seen = 0;
        let found = counts.iter().position(|n| {
            seen += n;
            seen >= rank
        })?;
        Some((lower(found) as f64 + lower(found + 1) as f64) / 2.0)
    }
}

fn bucket(ns: u64) -> usize {
    if ns < PARTS {
        return ns as usize;
    }
    let octave = ns.ilog2() - PART_BITS;
    let part = (ns >> octave) - PARTS;
    ((u64::from(octave) + 1) * PARTS + part).min(BUCKETS as u64 - 1) as usize
}

/// The smallest time of a bucket.
fn lower(bucket: usize) -> u64 {
    let (octave, part) = (bucket as u64 / PARTS, bucket as u64 % PARTS);
    if octave == 0 { part } else { (PARTS + part) << (octave - 1) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn quantiles_are_those_of_what_was_counted() {
        let buckets = Buckets::default();
        assert_eq!(buckets.quantile(0.5), None);
        (1..=1000u64).for_each(|ms| buckets.add(ms * 1_000_000));
        for (q, ms) in [(0.5, 500.0), (0.99, 990.0), (0.0, 1.0), (1.0, 1000.0)] {
            let found = buckets.quantile(q).unwrap() / 1e6;
            assert!((found / ms - 1.0).abs() < 0.07, "{q}: {found} instead of {ms}");
        }
    }

    proptest! {
        #[test]
        fn every_time_lies_in_its_bucket(ns in 0u64..(1 << 40)) {
            let b = bucket(ns);
            prop_assert!(lower(b) <= ns && ns < lower(b + 1), "{ns} in {b}: {}..{}", lower(b), lower(b + 1));
        }

        #[test]
        fn no_time_is_too_long(ns: u64) {
            Buckets::default().add(ns);
        }
    }
}
