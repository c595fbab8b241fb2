//! When a measurement may stop early: rules that are fed with finished requests.
//!
//! *Invariant*: pure state machines; time comes in with the requests, the same requests give the same verdict. Each
//! rule that could be wrong is wrong at most as often as it states, however often it is asked.
//!
//! ```
//! use tuner_bench::stopping::{Limits, Percentiles, Stop, Stopping};
//! # let slos = Vec::new();
//! # let records: Vec<tuner_core::record::RequestRecord> = Vec::new();
//! let mut stopping = Stopping::new(Limits { requests: Some(500), time_s: Some(60.0) })
//!     .with(Percentiles::new(&slos, true, Some(500), 0.01));
//! for record in &records {
//!     if let Some(stop) = stopping.finished(record) {
//!         assert!(!stop.to_string().is_empty());
//!         break;
//!     }
//! }
//! ```

mod evidence;
mod interval;
mod loser;
mod percentile;
mod saturation;
mod watch;

use std::fmt;

use tuner_core::measure::MeanInterval;
use tuner_core::record::{Fate, RequestRecord};
use tuner_core::task::Goal;
use tuner_core::{Bar, Metric, StopRule};

pub use interval::NarrowEnough;
pub use loser::{CertainLoser, Losing, Shortfall};
pub use percentile::Percentiles;
pub use saturation::{Growth, Saturation, SaturationRule, saturated};
pub use watch::{LevelWatch, Missed, Precision, StopWhen, Verdict};

/// Why a measurement may stop.
#[derive(Clone, Debug, PartialEq)]
pub enum Stop {
    /// As many requests ended as were wanted.
    Requests(u64),
    /// So many seconds passed.
    Time(f64),
    /// An SLO on a percentile can no longer be met, or so surely not that waiting is waste.
    Missed {
        /// The SLO in words.
        slo: String,
        /// By how many.
        over: Over,
    },
    /// It cannot reach what it would have to.
    Loser {
        /// What that is.
        bar: Bar,
        /// Why not.
        how: Shortfall,
    },
    /// The mean is known well enough.
    Narrow {
        /// The metric.
        metric: Metric,
        /// Where its mean lies.
        interval: MeanInterval,
    },
    /// More comes in than goes out.
    Saturated(Growth),
}

/// Requests over a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Over {
    /// Over it.
    pub over: u64,
    /// Looked at.
    pub seen: u64,
    /// No outcome of the rest could change what follows.
    pub certain: bool,
}

impl Stop {
    /// Its kind.
    pub fn rule(&self) -> StopRule {
        match self {
            Self::Requests(_) | Self::Time(_) => StopRule::Limit,
            Self::Missed { .. } => StopRule::Missed,
            Self::Loser { .. } => StopRule::Loser,
            Self::Narrow { .. } => StopRule::Precise,
            Self::Saturated(_) => StopRule::Saturated,
        }
    }
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Requests(n) => write!(f, "{n} requests ended, as many as were wanted"),
            Self::Time(s) => write!(f, "{s:.1} s passed, as long as was wanted"),
            Self::Missed { slo, over: Over { over, seen, certain } } => {
                let how = if *certain { "can no longer" } else { "will not" };
                write!(f, "{slo} {how} be met: {over} of {seen} requests are over it")
            }
            Self::Loser { bar, how } => {
                let (metric, unit, limit) = (bar.metric, bar.metric.unit(), bar.limit());
                let stat = if metric.is_time() { format!(" {}", bar.stat) } else { String::new() };
                write!(f, "certain loser: {metric}{stat} ")?;
                let (bound, worse) = match bar.goal {
                    Goal::Maximize => ("at most", "less"),
                    Goal::Minimize => ("at least", "more"),
                };
                match how {
                    Shortfall::AtBest(x) => write!(f, "will be {bound} {x:.1} {unit}, whatever the rest gives")?,
                    Shortfall::Within(interval) => {
                        write!(f, "lies in {:.1} to {:.1} {unit}", interval.low, interval.high)?;
                    }
                    Shortfall::Over(Over { over, seen, .. }) => {
                        write!(f, "is over {limit:.1} {unit}, as {over} of {seen} requests are")?;
                    }
                }
                write!(f, "; the best so far has {:.1}, and {worse} than {limit:.1} cannot win", bar.best)
            }
            Self::Narrow { metric, interval } => {
                write!(f, "{metric} is known well enough: {:.4} to {:.4}", interval.low, interval.high)
            }
            Self::Saturated(Growth { arrivals_per_s, in_flight_per_s, ttft_s_per_s, .. }) => write!(
                f,
                "over-saturated: of {arrivals_per_s:.2} requests per second {in_flight_per_s:.2} pile up, and the time \
                 to first token grows by {:.0} ms per second",
                ttft_s_per_s * 1000.0
            ),
        }
    }
}

/// One rule.
pub trait Rule: fmt::Debug + Send {
    /// Takes a measured request that ended; says whether the measurement may stop now.
    fn finished(&mut self, record: &RequestRecord) -> Option<Stop>;

    /// Says whether it may stop because of the time that has passed.
    fn at(&mut self, _now_s: f64) -> Option<Stop> {
        None
    }
}

/// Hard limits.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Limits {
    /// Requests that ended.
    pub requests: Option<u64>,
    /// Seconds since the first measured request was sent.
    pub time_s: Option<f64>,
}

/// Every rule of a measurement. The first that says stop decides; limits are asked last, so that a reason comes
/// before a mere end.
#[derive(Debug)]
pub struct Stopping {
    rules: Vec<Box<dyn Rule>>,
    limits: Limits,
    began_s: Option<f64>,
    ended: u64,
}

impl Stopping {
    /// Limits alone.
    pub fn new(limits: Limits) -> Self {
        Self { rules: Vec::new(), limits, began_s: None, ended: 0 }
    }

    /// With a further rule.
    pub fn with(mut self, rule: impl Rule + 'static) -> Self {
        self.rules.push(Box::new(rule));
        self
    }

    /// Takes a request that ended, in the order of ends; warm-up and requests cut off by the end of the run count for
    /// nothing.
    pub fn finished(&mut self, record: &RequestRecord) -> Option<Stop> {
        if record.warmup || matches!(record.fate, Fate::Cancelled | Fate::Unsent) {
            return None;
        }
        self.ended += 1;
        let sent = record.sent_s.unwrap_or(record.planned_s);
        self.began_s = Some(self.began_s.map_or(sent, |began| began.min(sent)));
        // Every rule must see every request.
        let stops: Vec<Stop> = self.rules.iter_mut().filter_map(|rule| rule.finished(record)).collect();
        stops.into_iter().next().or_else(|| self.at(record.ended_s.unwrap_or(sent)))
    }

    /// Whether it may stop at `now_s`, a request having ended or not.
    pub fn at(&mut self, now_s: f64) -> Option<Stop> {
        if let Some(stop) = self.rules.iter_mut().find_map(|rule| rule.at(now_s)) {
            return Some(stop);
        }
        if let Some(most) = self.limits.requests.filter(|most| self.ended >= *most) {
            return Some(Stop::Requests(most));
        }
        let passed = now_s - self.began_s?;
        self.limits.time_s.filter(|most| passed >= *most).map(Stop::Time)
    }
}

#[cfg(test)]
mod tests;
