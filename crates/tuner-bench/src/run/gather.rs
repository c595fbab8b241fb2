//! Takes what many streams send in few wakes.
//!
//! Waking a thread costs several times what reading an event does. A thread with thousands of events a second therefore
//! sleeps a little before it asks the kernel for the next ones, and gets several at once. The time of an event is the
//! kernel's, so no figure changes; what waits is the next request of a stream whose answer ended. That wait is bounded
//! by a small share of the answers' own length, and below [`MOST_NS`]. It is also shorter than what lies between two
//! events of a stream: taken by one read, both would have the time of the second.
//!
//! *Invariant*: a thread that sleeps here misses no planned request, and one without kernel stamps never sleeps.

use std::cell::RefCell;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::pace::sleep_until;
use crate::client::{Reads, monotonic_ns, reads};

/// Longest time between two looks.
const MOST_NS: u64 = 3_000_000;
/// As a share of how long answers take: with it the streams of a closed loop are busy at least 99.9 % of the time.
const SHARE: f64 = 0.002;
/// As a share of the gaps between reads of one connection.
const GAP_SHARE: f64 = 0.5;
/// Reads that a look must bring, or waking less often saves nothing.
const LEAST_READS: f64 = 2.0;
/// How often the rate of reads is taken.
const SPAN_NS: u64 = 20_000_000;
/// Before a planned request the thread is back at the loop.
const AHEAD_NS: u64 = 100_000;

/// What a thread knows of its own traffic.
#[derive(Debug, Default)]
struct Gather {
    /// Since when reads are counted, and the count then.
    since: (u64, u64),
    /// Reads per nanosecond.
    rate: f64,
    /// Length of the shortest of the latest answers; 0 before the first.
    answer_ns: f64,
    looked_ns: u64,
}

thread_local! {
    static GATHER: RefCell<Gather> = RefCell::default();
}

/// An answer took that long, from sending to its end.
pub(super) fn answered(took_ns: u64) {
    GATHER.with_borrow_mut(|gather| gather.answered(took_ns as f64));
}

/// Called when a thread has nothing left to do, before it waits for the kernel. `next_ns`: the next planned request.
pub(super) fn before_waiting(next_ns: &AtomicU64) {
    let until = GATHER.with_borrow_mut(|gather| gather.until(monotonic_ns(), reads(), next_ns.load(Relaxed)));
    if let Some(until) = until {
        sleep_until(until);
        GATHER.with_borrow_mut(|gather| gather.looked_ns = monotonic_ns());
    }
}

impl Gather {
    fn answered(&mut self, took_ns: f64) {
        let forgotten = if self.answer_ns == 0.0 { f64::INFINITY } else { self.answer_ns * 1.02 };
        self.answer_ns = took_ns.min(forgotten).max(1.0);
    }

    /// Until when to sleep, if at all.
    fn until(&mut self, now_ns: u64, reads: Reads, next_ns: u64) -> Option<u64> {
        let (since_ns, before) = self.since;
        if now_ns >= since_ns + SPAN_NS {
            // After a long silence the rate of old says nothing.
            self.rate = (reads.stamped - before) as f64 / (now_ns - since_ns) as f64;
            self.since = (now_ns, reads.stamped);
        }
        let most = (self.answer_ns * SHARE).min(reads.gap_ns * GAP_SHARE).min(MOST_NS as f64);
        if self.rate * most < LEAST_READS {
            return None;
        }
        let until = (self.looked_ns + most as u64).min(next_ns.saturating_sub(AHEAD_NS));
        if until <= now_ns {
            self.looked_ns = now_ns;
            return None;
        }
        Some(until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    fn reads(stamped: u64) -> Reads {
        Reads { stamped, gap_ns: 20e6 }
    }

    /// After answers of `answer_ms` and `stamped` reads in 20 ms, looking for the first time since.
    fn until(answer_ms: u64, stamped: u64, next_ns: u64) -> Option<u64> {
        let mut gather = Gather { answer_ns: (answer_ms * MS) as f64, since: (100 * MS, 0), ..Gather::default() };
        gather.looked_ns = 120 * MS;
        gather.until(120 * MS, reads(stamped), next_ns)
    }

    #[test]
    fn busy_threads_look_once_in_three_milliseconds() {
        assert_eq!(until(2000, 100, u64::MAX), Some(123 * MS));
    }

    #[test]
    fn two_events_of_a_stream_are_not_taken_for_one() {
        let mut gather = Gather { answer_ns: 2e9, since: (100 * MS, 0), looked_ns: 120 * MS, ..Gather::default() };
        let fast = Reads { stamped: 100, gap_ns: 1e6 };
        assert_eq!(gather.until(120 * MS, fast, u64::MAX), Some(120 * MS + 500_000));
        let faster = Reads { gap_ns: 2e5, ..fast };
        assert_eq!(gather.until(120 * MS, faster, u64::MAX), None);
    }

    #[test]
    fn few_events_are_taken_as_they_come() {
        assert_eq!(until(2000, 12, u64::MAX), None);
        assert_eq!(until(2000, 0, u64::MAX), None);
    }

    #[test]
    fn short_answers_bound_the_wait() {
        assert_eq!(until(100, 400, u64::MAX), Some(120 * MS + 200_000));
        assert_eq!(until(10, 400, u64::MAX), None);
        assert_eq!(until(0, 400, u64::MAX), None);
    }

    #[test]
    fn among_long_answers_the_short_ones_decide() {
        let mut gather = Gather::default();
        [2e9, 2e9, 1e7, 2e9, 2e9].into_iter().for_each(|took| gather.answered(took));
        assert!((1e7..1.1e7).contains(&gather.answer_ns), "{gather:?}");
        (0..400).for_each(|_| gather.answered(2e9));
        assert_eq!(gather.answer_ns, 2e9);
    }

    #[test]
    fn a_planned_request_is_not_missed() {
        assert_eq!(until(2000, 400, 120 * MS + 500_000), Some(120 * MS + 400_000));
        assert_eq!(until(2000, 400, 120 * MS + 50_000), None);
        assert_eq!(until(2000, 400, 0), None);
    }

    #[test]
    fn work_that_took_longer_than_the_wait_is_followed_by_none() {
        let mut gather = Gather { answer_ns: 2e9, since: (100 * MS, 0), looked_ns: 110 * MS, ..Gather::default() };
        assert_eq!(gather.until(120 * MS, reads(400), u64::MAX), None);
        assert_eq!(gather.until(120 * MS + 10, reads(401), u64::MAX), Some(123 * MS));
    }
}
