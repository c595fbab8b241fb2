//! Releases open-loop requests at their planned moments.
//!
//! *Invariant*: every moment is absolute, so lateness of one request never moves the next.

use std::time::Duration;

use crate::client::monotonic_ns;

/// The last stretch before a moment is spun through: waking from sleep takes about as long.
const SPIN_NS: u64 = 60_000;
/// Longest sleep, so that a cancelled run is noticed.
const SLICE_NS: u64 = 50_000_000;

/// Blocks until `at_ns` on CLOCK_MONOTONIC; false when `stop` said so first.
pub(super) fn wait_until(at_ns: u64, stop: impl Fn() -> bool) -> bool {
    loop {
        if stop() {
            return false;
        }
        let now = monotonic_ns();
        if now >= at_ns {
            return true;
        }
        if at_ns - now <= SPIN_NS {
            std::hint::spin_loop();
        } else {
            sleep_until((at_ns - SPIN_NS).min(now + SLICE_NS));
        }
    }
}

#[cfg(target_os = "linux")]
pub(super) fn sleep_until(at_ns: u64) {
    use nix::sys::time::TimeSpec;
    use nix::time::{ClockId, ClockNanosleepFlags, clock_nanosleep};
    let at = TimeSpec::from_duration(Duration::from_nanos(at_ns));
    // An interrupted sleep is taken up again by the caller's loop.
    let _ = clock_nanosleep(ClockId::CLOCK_MONOTONIC, ClockNanosleepFlags::TIMER_ABSTIME, &at);
}

#[cfg(not(target_os = "linux"))]
pub(super) fn sleep_until(at_ns: u64) {
    std::thread::sleep(Duration::from_nanos(at_ns.saturating_sub(monotonic_ns())));
}
