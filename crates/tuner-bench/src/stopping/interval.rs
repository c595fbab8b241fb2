//! Where a mean lies, and the rule that it is known well enough.
//!
//! *Invariant*: intervals come from batch means, so that requests which depend on each other do not look like more
//! evidence than they are. A rule looks whenever there is half as much again to see, and spends less of its error rate
//! on each look; all looks together stay within it.

use tuner_core::Metric;
use tuner_core::measure::MeanInterval;
use tuner_core::record::RequestRecord;

use super::{Rule, Stop};
use crate::report::Observed;
use crate::stats::batch;

/// Requests between looks grow by this factor.
const LOOK_GROWTH: f64 = 1.5;
/// Requests before the first look: three in each of the fewest batches.
const FIRST_LOOK: usize = 3 * batch::MIN_BATCHES;

/// Values of one per-request metric in the order in which requests ended.
#[derive(Clone, Debug)]
pub(super) struct Values {
    metric: Metric,
    values: Vec<f64>,
    /// First and latest moment seen, seconds.
    span_s: Option<(f64, f64)>,
    service_s: f64,
    looks: Looks,
}

/// When it is time to look.
#[derive(Clone, Debug, Default)]
pub(super) struct Looks {
    looks: u32,
    next: usize,
}

impl Looks {
    /// The number of this look, from 1, where `n` requests are enough for one.
    pub(super) fn due(&mut self, n: usize) -> Option<u32> {
        if n < self.next.max(FIRST_LOOK) {
            return None;
        }
        self.next = (n as f64 * LOOK_GROWTH).ceil() as usize;
        self.looks += 1;
        Some(self.looks)
    }
}

impl Values {
    pub(super) fn new(metric: Metric) -> Self {
        Self { metric, values: Vec::new(), span_s: None, service_s: 0.0, looks: Looks::default() }
    }

    /// Takes a request; the number of this look, from 1, where it is time to look.
    pub(super) fn take(&mut self, record: &RequestRecord) -> Option<u32> {
        let observed = Observed { record };
        let value = observed.time(self.metric).filter(|_| observed.completed())?;
        self.values.push(value);
        let (sent, ended) = (record.sent_s?, record.ended_s?);
        let (from, to) = self.span_s.unwrap_or((sent, ended));
        self.span_s = Some((from.min(sent), to.max(ended)));
        self.service_s += ended - sent;
        self.looks.due(self.values.len())
    }

    pub(super) fn interval(&self, confidence: f64) -> Option<MeanInterval> {
        let (from, to) = self.span_s?;
        let batches = batch::batches(to - from, self.service_s / self.values.len() as f64)?;
        batch::of_values(&self.values, batches, confidence)
    }
}

/// Share of the error rate that look `look` (from 1) may spend; over all looks they add up to one.
pub(super) fn spent(look: u32) -> f64 {
    let look = f64::from(look);
    1.0 / (look * (look + 1.0))
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
