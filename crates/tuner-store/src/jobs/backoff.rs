//! How long a failed job waits: doubling, with a spread that keeps jobs that failed together from coming back
//! together. A function of the job and the attempt, so that whoever computes it gets the same.

use std::time::Duration;

use super::JobId;

/// Wait after the first failed attempt, before the spread.
const FIRST: Duration = Duration::from_secs(5);
/// The longest wait.
const LONGEST: Duration = Duration::from_secs(600);

/// The wait after attempt `attempt` (from 1) failed: between half and all of 5 s, 10 s, 20 s, … up to 10 minutes.
pub(crate) fn wait(job: JobId, attempt: u32) -> Duration {
    let doubled = FIRST.saturating_mul(1 << attempt.saturating_sub(1).min(20)).min(LONGEST);
    doubled.mul_f64(0.5 + 0.5 * spread(job, attempt))
}

/// A number in 0..1 that looks like chance: FNV-1a over the job and the attempt, mixed by the end of SplitMix64.
fn spread(job: JobId, attempt: u32) -> f64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in job.bytes().into_iter().chain(attempt.to_le_bytes()) {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((hash ^ (hash >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_limit_and_are_the_same_for_the_same_attempt() {
        let job = JobId::new();
        for attempt in 1..=40 {
            let wait_now = wait(job, attempt);
            let whole = FIRST.saturating_mul(1 << (attempt - 1).min(20)).min(LONGEST);
            assert!(whole.mul_f64(0.499) <= wait_now && wait_now <= whole, "attempt {attempt}: {wait_now:?}");
            assert_eq!(wait(job, attempt), wait_now);
        }
    }

    #[test]
    fn jobs_that_failed_together_come_back_spread() {
        let mut spreads: Vec<f64> = (0..1000).map(|_| spread(JobId::new(), 1)).collect();
        spreads.sort_by(f64::total_cmp);
        for (n, x) in spreads.iter().enumerate() {
            assert!((x - n as f64 / 1000.0).abs() < 0.08, "{n}: {x}");
        }
    }
}
