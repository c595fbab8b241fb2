//! Curtailment: a percentile is missed as soon as too many requests are over its limit, however the rest goes.
//!
//! *Invariant*: without a known number of requests the rule rests on an e-value (the evidence against "at most 1 − q
//! of the requests are over", with a uniform prior on how many are), so by Ville's inequality the chance that it ever
//! stops a measurement that meets the SLO is at most what was stated, however long it runs.

use statrs::function::beta::{beta_reg, ln_beta};
use tuner_core::Stat;
use tuner_core::measure::Metric;
use tuner_core::record::RequestRecord;
use tuner_core::task::{Bound, SloSpec};

use super::{Rule, Stop};
use crate::report::Observed;

/// SLOs on percentiles of times, watched request by request. A failed request is over every limit.
#[derive(Clone, Debug)]
pub struct Percentiles {
    watched: Vec<Watched>,
    open_loop: bool,
    /// Requests there will be, where that is known.
    planned: Option<u64>,
    error_rate: f64,
}

#[derive(Clone, Debug)]
struct Watched {
    slo: SloSpec,
    share: f64,
    over: u64,
    seen: u64,
}

impl Percentiles {
    /// Watches those of `slos` that limit a percentile of a per-request time from above. `planned`: measured requests
    /// there will be, where the plan says. `error_rate`: how often the rule may stop a measurement wrongly, 0..1; 0
    /// stops only where nothing could change the outcome.
    pub fn new(slos: &[SloSpec], open_loop: bool, planned: Option<u64>, error_rate: f64) -> Self {
        let watch = |slo: &SloSpec| match (slo.stat(), slo.bound()) {
            (Stat::Percentile(p), Some(Bound::AtMost(_))) if is_watched(slo.metric) => {
                Some(Watched { slo: slo.clone(), share: p.share(), over: 0, seen: 0 })
            }
            _ => None,
        };
        Self { watched: slos.iter().filter_map(watch).collect(), open_loop, planned, error_rate }
    }
}

fn is_watched(metric: Metric) -> bool {
    metric.is_time() && !matches!(metric, Metric::Icl | Metric::Itl)
}

impl Rule for Percentiles {
    fn finished(&mut self, record: &RequestRecord) -> Option<Stop> {
        let observed = Observed { record };
        let (planned, open_loop) = (self.planned, self.open_loop);
        let error_rate = self.error_rate / self.watched.len().max(1) as f64;
        let mut stop = None;
        for watched in &mut self.watched {
            let missed = if observed.completed() {
                let Some(met) = observed.meets(&watched.slo, open_loop) else { continue };
                !met
            } else {
                true
            };
            watched.seen += 1;
            watched.over += u64::from(missed);
            let certain = planned.is_some_and(|n| is_lost(n, watched.over, watched.share));
            if certain || is_hopeless(watched.seen, watched.over, 1.0 - watched.share, error_rate) {
                let slo = watched.slo.label();
                stop.get_or_insert(Stop::Missed { slo, over: watched.over, seen: watched.seen, certain });
            }
        }
        stop
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

/// Whether `over` of `seen` is too much for a true share of at most `allowed`, at an error rate that holds over all
/// looks together.
pub(super) fn is_hopeless(seen: u64, over: u64, allowed: f64, error_rate: f64) -> bool {
    if error_rate <= 0.0 || over as f64 <= allowed * seen as f64 {
        return false;
    }
    let (a, b) = (over as f64 + 1.0, (seen - over) as f64 + 1.0);
    // The share's posterior mass above `allowed`; almost all of it where this is asked.
    let above = 1.0 - beta_reg(a, b, allowed);
    if above <= 0.0 {
        return false;
    }
    let evidence = ln_beta(a, b) + above.ln()
        - (1.0 - allowed).ln()
        - (over as f64 * allowed.ln() + (seen - over) as f64 * (1.0 - allowed).ln());
    evidence >= -error_rate.ln()
}
