//! Rules on where a mean lies: known well enough, or surely worse than what is there already.
//!
//! *Invariant*: intervals come from batch means, so that requests which depend on each other do not look like more
//! evidence than they are. A rule looks whenever there is half as much again to see, and spends less of its error rate
//! on each look; all looks together stay within it.

use tuner_core::Metric;
use tuner_core::measure::MeanInterval;
use tuner_core::record::RequestRecord;
use tuner_core::task::Goal;

use super::{Rule, Stop};
use crate::report::Observed;
use crate::stats::batch;

/// Requests between looks grow by this factor.
const LOOK_GROWTH: f64 = 1.5;
/// Requests before the first look: three in each of the fewest batches.
const FIRST_LOOK: usize = 3 * batch::MIN_BATCHES;

/// Values of one per-request metric in the order in which requests ended.
#[derive(Clone, Debug)]
struct Values {
    metric: Metric,
    values: Vec<f64>,
    /// First and latest moment seen, seconds.
    span_s: Option<(f64, f64)>,
    service_s: f64,
    looks: u32,
    next_look: usize,
}

impl Values {
    fn new(metric: Metric) -> Self {
        Self { metric, values: Vec::new(), span_s: None, service_s: 0.0, looks: 0, next_look: FIRST_LOOK }
    }

    /// Takes a request; the number of this look, from 1, where it is time to look.
    fn take(&mut self, record: &RequestRecord) -> Option<u32> {
        let observed = Observed { record };
        let value = observed.time(self.metric).filter(|_| observed.completed())?;
        self.values.push(value);
        let (sent, ended) = (record.sent_s?, record.ended_s?);
        let (from, to) = self.span_s.unwrap_or((sent, ended));
        self.span_s = Some((from.min(sent), to.max(ended)));
        self.service_s += ended - sent;
        if self.values.len() < self.next_look {
            return None;
        }
        self.next_look = (self.values.len() as f64 * LOOK_GROWTH).ceil() as usize;
        self.looks += 1;
        Some(self.looks)
    }

    fn interval(&self, confidence: f64) -> Option<MeanInterval> {
        let (from, to) = self.span_s?;
        let batches = batch::batches(to - from, self.service_s / self.values.len() as f64)?;
        batch::of_values(&self.values, batches, confidence)
    }
}

/// Share of the error rate that look `look` (from 1) may spend; over all looks they add up to one.
fn spent(look: u32) -> f64 {
    let look = f64::from(look);
    1.0 / (look * (look + 1.0))
}

/// What is wanted of a mean.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Wanted {
    /// A per-request time.
    pub metric: Metric,
    /// Which way is better.
    pub goal: Goal,
    /// The value to beat, in the metric's unit.
    pub incumbent: f64,
}

/// Stops when the mean is surely worse than an incumbent's.
#[derive(Clone, Debug)]
pub struct CertainLoser {
    wanted: Wanted,
    error_rate: f64,
    values: Values,
}

impl CertainLoser {
    /// `error_rate`: how often a measurement that is as good as the incumbent may be stopped, 0..1.
    pub fn new(wanted: Wanted, error_rate: f64) -> Self {
        Self { wanted, error_rate, values: Values::new(wanted.metric) }
    }
}

impl Rule for CertainLoser {
    fn finished(&mut self, record: &RequestRecord) -> Option<Stop> {
        let look = self.values.take(record)?;
        // Only one end of the interval can be wrong in the direction that matters.
        let confidence = 1.0 - 2.0 * self.error_rate * spent(look);
        let interval = self.values.interval(confidence)?;
        let Wanted { metric, goal, incumbent } = self.wanted;
        let worse = match goal {
            Goal::Minimize => interval.low > incumbent,
            Goal::Maximize => interval.high < incumbent,
        };
        worse.then_some(Stop::Loser { metric, interval, incumbent })
    }
}

/// Stops when the interval of the mean is narrow enough.
#[derive(Clone, Debug)]
pub struct NarrowEnough {
    metric: Metric,
    half_width: f64,
    confidence: f64,
    values: Values,
}

impl NarrowEnough {
    /// `half_width`: half the interval's width as a share of the mean. `confidence`: how often the intervals at which
    /// it stops hold the true mean, 0..1, over all looks.
    pub fn new(metric: Metric, half_width: f64, confidence: f64) -> Self {
        Self { metric, half_width, confidence, values: Values::new(metric) }
    }
}

impl Rule for NarrowEnough {
    fn finished(&mut self, record: &RequestRecord) -> Option<Stop> {
        let look = self.values.take(record)?;
        let interval = self.values.interval(1.0 - (1.0 - self.confidence) * spent(look))?;
        let narrow = interval.relative_half_width().is_some_and(|half| half <= self.half_width);
        narrow.then_some(Stop::Narrow { metric: self.metric, interval })
    }
}
