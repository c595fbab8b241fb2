//! The server's clock.

use std::time::Duration;

use nix::time::{ClockId, clock_gettime};

/// Longest sleep, so that a server that stops is noticed.
const SLICE_NS: u64 = 50_000_000;

/// CLOCK_MONOTONIC in nanoseconds.
pub fn monotonic_ns() -> u64 {
    clock_gettime(ClockId::CLOCK_MONOTONIC).map_or(0, |t| Duration::from(t).as_nanos() as u64)
}

/// Sleeps to an absolute time; false when `stop` said so first.
pub(super) fn sleep_until(at_ns: u64, stop: impl Fn() -> bool) -> bool {
    loop {
        let now = monotonic_ns();
        if now >= at_ns {
            return true;
        }
        if stop() {
            return false;
        }
        sleep(at_ns.min(now + SLICE_NS), now);
    }
}

#[cfg(target_os = "linux")]
fn sleep(until_ns: u64, _now_ns: u64) {
    use nix::sys::time::TimeSpec;
    use nix::time::{ClockNanosleepFlags, clock_nanosleep};
    let at = TimeSpec::from_duration(Duration::from_nanos(until_ns));
    // An interrupted sleep is taken up again by the caller's loop.
    let _ = clock_nanosleep(ClockId::CLOCK_MONOTONIC, ClockNanosleepFlags::TIMER_ABSTIME, &at);
}

#[cfg(not(target_os = "linux"))]
fn sleep(until_ns: u64, now_ns: u64) {
    std::thread::sleep(Duration::from_nanos(until_ns - now_ns));
}

/// Asks the kernel not to round this thread's sleeps (50 µs by default).
pub(super) fn sleep_exactly() {
    #[cfg(target_os = "linux")]
    // Refused, sleeps are rounded; each write is stamped anyway.
    let _ = nix::sys::prctl::set_timerslack(1);
}
