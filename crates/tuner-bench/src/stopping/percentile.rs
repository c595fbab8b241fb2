//! Curtailment: a percentile is missed as soon as too many requests are over its limit, however the rest goes.
//!
//! *Invariant*: what is certain is said at once; what only the evidence says ([`super::evidence`]) is wrong at most as
//! often as was stated, and not before there were some seconds and some tens of requests to see.

use tuner_core::Stat;
use tuner_core::measure::Metric;
use tuner_core::record::RequestRecord;
use tuner_core::task::{Bound, SloSpec};

use super::evidence::Evidence;
use super::{Over, Rule, Stop};
use crate::report::Observed;

/// SLOs on percentiles of times, watched request by request. A failed request is over every limit.
#[derive(Clone, Debug)]
pub struct Percentiles {
    watched: Vec<(SloSpec, Tail)>,
    open_loop: bool,
}

impl Percentiles {
    /// Watches those of `slos` that limit a percentile of a per-request time from above. `planned`: measured requests
    /// there will be, where the plan says. `error_rate`: how often the rule may stop a measurement wrongly, 0..1; 0
    /// stops only where nothing could change the outcome.
    pub fn new(slos: &[SloSpec], open_loop: bool, planned: Option<u64>, error_rate: f64) -> Self {
        let share = |slo: &SloSpec| match (slo.stat(), slo.bound()) {
            (Stat::Percentile(p), Some(Bound::AtMost(_))) if is_watched(slo.metric) => Some(p.share()),
            _ => None,
        };
        let shares: Vec<_> = slos.iter().filter_map(|slo| Some((slo.clone(), share(slo)?))).collect();
        let each = error_rate / shares.len().max(1) as f64;
        let watched = shares.into_iter().map(|(slo, share)| (slo, Tail::new(share, planned, each))).collect();
        Self { watched, open_loop }
    }
}

fn is_watched(metric: Metric) -> bool {
    metric.is_time() && !matches!(metric, Metric::Icl | Metric::Itl)
}

impl Rule for Percentiles {
    fn finished(&mut self, record: &RequestRecord) -> Option<Stop> {
        let observed = Observed { record };
        let mut stop = None;
        for (slo, tail) in &mut self.watched {
            let missed = if observed.completed() {
                let Some(met) = observed.meets(slo, self.open_loop) else { continue };
                !met
            } else {
                true
            };
            if let Some(over) = tail.take(record, missed) {
                stop.get_or_insert_with(|| Stop::Missed { slo: slo.label(), over });
            }
        }
        stop
    }
}

/// Requests on either side of a limit that a percentile must not pass.
#[derive(Clone, Debug)]
pub(super) struct Tail {
    share: f64,
    planned: Option<u64>,
    error_rate: f64,
    over: u64,
    seen: u64,
    evidence: Evidence,
}

impl Tail {
    /// `share`: that of the percentile, 0..1.
    pub(super) fn new(share: f64, planned: Option<u64>, error_rate: f64) -> Self {
        Self { share, planned, error_rate, over: 0, seen: 0, evidence: Evidence::against(1.0 - share) }
    }

    /// Takes a request; what there is to say once the percentile surely passes the limit.
    pub(super) fn take(&mut self, record: &RequestRecord, over: bool) -> Option<Over> {
        self.seen += 1;
        self.over += u64::from(over);
        self.evidence.take(record, over);
        let certain = self.planned.is_some_and(|n| is_lost(n, self.over, self.share));
        let over = Over { over: self.over, seen: self.seen, certain };
        (certain || self.evidence.convinces(self.error_rate)).then_some(over)
    }
}

/// Whether `over` values above the limit put the percentile at share `q` of `n` values above it, whatever the others
/// are: both values that it lies between are over.
pub(super) fn is_lost(n: u64, over: u64, q: f64) -> bool {
    if n == 0 {
        return false;
    }
    let below = (q * (n - 1) as f64).floor() as u64;
    over >= n - below
}
