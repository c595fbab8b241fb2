//! One monotonic clock for everything that is measured.

use std::time::Duration;

use nix::time::{ClockId, clock_gettime};

/// CLOCK_MONOTONIC in nanoseconds, which servers on the same machine can stamp their events with.
pub fn monotonic_ns() -> u64 {
    now(ClockId::CLOCK_MONOTONIC)
}

/// Between CLOCK_MONOTONIC and CLOCK_REALTIME, the clock of the kernel's receive stamps. Both are slewed alike, so it
/// changes only where the machine's clock is set; it is taken anew ten times a second.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct RealtimeOffset {
    /// Realtime less monotonic.
    ns: u64,
    taken_ns: u64,
}

impl RealtimeOffset {
    /// How long an offset serves.
    const FRESH_NS: u64 = 100_000_000;
    /// Tries to take both clocks with nothing between.
    const TRIES: usize = 3;

    /// What `realtime_ns`, at or before `now_ns`, is on CLOCK_MONOTONIC.
    pub(crate) fn monotonic_ns(&mut self, realtime_ns: u64, now_ns: u64) -> u64 {
        if self.taken_ns == 0 || now_ns >= self.taken_ns + Self::FRESH_NS {
            let tries = (0..Self::TRIES).map(|_| {
                let before = monotonic_ns();
                let realtime = now(ClockId::CLOCK_REALTIME);
                let after = monotonic_ns();
                (after - before, realtime.saturating_sub(before + (after - before) / 2))
            });
            // The closest pair: a thread that was held up between the two would shift every stamp.
            self.ns = tries.min_by_key(|(apart, _)| *apart).map_or(0, |(_, offset)| offset);
            self.taken_ns = now_ns;
        }
        realtime_ns.saturating_sub(self.ns)
    }
}

fn now(clock: ClockId) -> u64 {
    // Both clocks exist on every system this builds for; a failing call would read as time standing still.
    clock_gettime(clock).map_or(0, |t| Duration::from(t).as_nanos() as u64)
}

/// Seconds on the clock whose zero is the start of a level.
#[derive(Clone, Copy, Debug)]
pub struct LevelClock {
    /// The zero, in nanoseconds of CLOCK_MONOTONIC.
    pub zero_ns: u64,
}

impl LevelClock {
    /// A clock that starts now.
    pub fn start() -> Self {
        Self { zero_ns: monotonic_ns() }
    }

    /// Seconds from the zero to `at_ns`.
    pub fn seconds(&self, at_ns: u64) -> f64 {
        (at_ns as f64 - self.zero_ns as f64) / 1e9
    }

    /// Seconds from the zero to now.
    pub fn now_s(&self) -> f64 {
        self.seconds(monotonic_ns())
    }

    /// The moment `seconds` after the zero.
    pub fn at_ns(&self, seconds: f64) -> u64 {
        self.zero_ns + (seconds.max(0.0) * 1e9) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_of_the_machines_clock_is_found_on_the_monotonic_one() {
        let mut offset = RealtimeOffset::default();
        let before = monotonic_ns();
        let realtime = now(ClockId::CLOCK_REALTIME);
        let after = monotonic_ns();
        let found = offset.monotonic_ns(realtime, after);
        // Taking the offset is exact to its own reading of both clocks, well under a millisecond.
        assert!((before - 1_000_000..=after + 1_000_000).contains(&found), "{before} {found} {after}");
        assert_eq!(offset.monotonic_ns(realtime, after), found);
    }
}
