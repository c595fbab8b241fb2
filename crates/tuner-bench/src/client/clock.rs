//! One monotonic clock for everything that is measured.

use std::time::Duration;

use nix::time::{ClockId, clock_gettime};

/// CLOCK_MONOTONIC in nanoseconds, which servers on the same machine can stamp their events with.
pub fn monotonic_ns() -> u64 {
    now(ClockId::CLOCK_MONOTONIC)
}

/// CLOCK_REALTIME in nanoseconds, the clock of the kernel's receive stamps.
pub(crate) fn realtime_ns() -> u64 {
    now(ClockId::CLOCK_REALTIME)
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
