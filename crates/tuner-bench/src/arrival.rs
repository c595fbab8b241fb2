//! When open-loop requests arrive: an absolute schedule, fixed before the first request is sent.
//!
//! *Invariant*: the k-th arrival is a function of (level, seed, k), never of what the server does, so a slow server
//! cannot slow the load down (no coordinated omission).

use std::sync::Arc;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Gamma};
use tuner_core::task::{Arrival, Level, Ramp};

/// Arrival times in seconds from the start of the level; without end, but for those of a data set.
#[derive(Clone, Debug)]
pub struct Arrivals {
    process: Process,
    /// Arrivals before the window.
    warmup: u64,
    count: u64,
    window_start_s: f64,
    rng: ChaCha8Rng,
}

#[derive(Clone, Debug)]
enum Process {
    /// Independent gaps, drawn at one arrival per unit and stretched by the rate.
    Renewal { gaps: Gaps, course: Course, units: f64, units_before_window: f64 },
    /// As a data set says, once through.
    Replay { at_s: Arc<[f64]> },
    /// `size` at once, every `every_s`; the warm-up is a burst of its own.
    Bursts { size: u64, every_s: f64 },
}

/// Gaps of mean 1.
#[derive(Clone, Copy, Debug)]
enum Gaps {
    Equal,
    Exponential,
    Gamma(Gamma<f64>),
}

/// The rate over time: `from` until the window opens, then on to `to` within `over_s`, then `to`.
#[derive(Clone, Copy, Debug)]
struct Course {
    from: f64,
    to: f64,
    over_s: f64,
    shape: Ramp,
}

impl Course {
    /// Seconds until `arrivals` are expected, counted from the moment at which the ramp begins: the inverse of the
    /// integral of the rate.
    fn seconds_until(&self, arrivals: f64) -> f64 {
        let Self { from, to, over_s, shape } = *self;
        if from == to || over_s <= 0.0 {
            return arrivals / to;
        }
        let growth = match shape {
            Ramp::Linear => (to - from) / over_s,
            Ramp::Exponential => (to / from).ln() / over_s,
        };
        let during = match shape {
            Ramp::Linear => (from + to) / 2.0 * over_s,
            Ramp::Exponential => (to - from) / growth,
        };
        if arrivals >= during {
            return over_s + (arrivals - during) / to;
        }
        match shape {
            // The stable form of the quadratic formula: no difference of nearly equal numbers.
            Ramp::Linear => 2.0 * arrivals / (from + (from * from + 2.0 * growth * arrivals).sqrt()),
            Ramp::Exponential => (growth * arrivals / from).ln_1p() / growth,
        }
    }
}

impl Arrivals {
    /// The arrivals of an open-loop level, whose ramp takes `window_s` and begins after `warmup` arrivals; `None` for a
    /// closed loop, and for an intensity that is not a positive number.
    pub(crate) fn new(level: &Level, warmup: u64, window_s: Option<f64>, rng: ChaCha8Rng) -> Option<Self> {
        let positive = |x: f64| (x.is_finite() && x > 0.0).then_some(x);
        let process = match (level.rate, level.burst) {
            (Some(rate), _) => {
                let from = positive(rate)?;
                let to = positive(level.ramp_to.unwrap_or(from))?;
                let shape = level.ramp.unwrap_or_default();
                let gaps = match level.arrival.unwrap_or_default() {
                    Arrival::Constant => Gaps::Equal,
                    Arrival::Poisson => Gaps::Exponential,
                    Arrival::Trace => return None,
                    Arrival::Gamma => {
                        let shape = positive(level.burstiness.unwrap_or(1.0))?;
                        Gaps::Gamma(Gamma::new(shape, 1.0 / shape).ok()?)
                    }
                };
                let course = Course { from, to, over_s: window_s.unwrap_or(0.0), shape };
                Process::Renewal { gaps, course, units: 0.0, units_before_window: 0.0 }
            }
            (None, Some(burst)) => {
                Process::Bursts { size: u64::from(burst).max(1), every_s: positive(level.every_s?)? }
            }
            (None, None) => return None,
        };
        let window_start_s = match process {
            Process::Bursts { every_s, .. } if warmup > 0 => every_s,
            _ => 0.0,
        };
        Some(Self { process, warmup, count: 0, window_start_s, rng })
    }

    /// The arrivals of a data set, in order, from the first at 0.
    pub(crate) fn replay(at_s: Arc<[f64]>, warmup: u64, rng: ChaCha8Rng) -> Self {
        Self { process: Process::Replay { at_s }, warmup, count: 0, window_start_s: 0.0, rng }
    }

    /// When the window opens: at the last warm-up arrival, once that was given; bursts: with the first measured one.
    pub(crate) fn window_start_s(&self) -> f64 {
        self.window_start_s
    }
}

impl Iterator for Arrivals {
    type Item = f64;

    fn next(&mut self) -> Option<f64> {
        let index = self.count;
        self.count += 1;
        match &mut self.process {
            Process::Renewal { gaps, course, units, units_before_window } => {
                *units = match gaps {
                    // Counted rather than summed up: ten million equal gaps must not drift.
                    Gaps::Equal => self.count as f64,
                    // Inverse transform on (0, 1], so the logarithm is finite.
                    Gaps::Exponential => *units - (1.0 - self.rng.random::<f64>()).ln(),
                    Gaps::Gamma(gamma) => *units + gamma.sample(&mut self.rng),
                };
                if index < self.warmup {
                    let at_s = *units / course.from;
                    (*units_before_window, self.window_start_s) = (*units, at_s);
                    return Some(at_s);
                }
                if course.from == course.to {
                    return Some(*units / course.from);
                }
                Some(self.window_start_s + course.seconds_until(*units - *units_before_window))
            }
            Process::Replay { at_s } => {
                let at_s = at_s.get(index as usize)? - at_s.first()?;
                if index < self.warmup {
                    self.window_start_s = at_s;
                }
                Some(at_s)
            }
            Process::Bursts { size, every_s } => {
                if index < self.warmup {
                    return Some(0.0);
                }
                let burst = (index - self.warmup) / *size;
                Some(self.window_start_s + burst as f64 * *every_s)
            }
        }
    }
}

#[cfg(test)]
mod tests;
