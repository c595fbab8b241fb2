//! The rules over one level while it runs.
//!
//! *Invariant*: fed with the same events at the same moments it gives the same verdict, in real and in virtual time. It
//! runs on whoever looks, never on the threads that send and read.

use tuner_core::record::RequestRecord;
use tuner_core::task::SloSpec;
use tuner_core::{Metric, Stopped};

use super::saturation::{Event, LOOK_EVERY_S};
use super::{CertainLoser, Limits, Losing, NarrowEnough, Percentiles, Saturation, SaturationRule, Stop, Stopping};
use crate::plan::LevelPlan;
use crate::report::Window;

/// What may end a level before its plan does.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StopWhen {
    /// An open loop of one rate is over-saturated.
    pub saturated: Option<SaturationRule>,
    /// A mean is known well enough.
    pub precise: Option<Precision>,
    /// SLOs on percentiles cannot be met any more.
    pub missed: Option<Missed>,
    /// It cannot reach what its experiment would have to.
    pub losing: Option<Losing>,
}

impl StopWhen {
    /// Nothing but over-saturation, by the usual rule.
    pub fn saturated() -> Self {
        Self { saturated: Some(SaturationRule::default()), ..Self::default() }
    }

    fn has_rules(&self) -> bool {
        self.precise.is_some() || self.missed.is_some() || self.losing.is_some()
    }
}

/// How well a mean shall be known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Precision {
    /// A per-request time.
    pub metric: Metric,
    /// Half the interval's width as a share of the mean.
    pub half_width: f64,
    /// How often the intervals at which it stops hold the true mean, 0..1.
    pub confidence: f64,
}

/// SLOs to be watched.
#[derive(Clone, Debug, PartialEq)]
pub struct Missed {
    /// Those that limit a percentile of a per-request time from above are.
    pub slos: Vec<SloSpec>,
    /// How often a level that meets them may be stopped, 0..1.
    pub error_rate: f64,
}

/// A level that is to end now.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// When, seconds on the level's clock.
    pub at_s: f64,
    /// Why.
    pub stop: Stop,
}

impl Verdict {
    /// What a measurement says of it. `window`: that of the level, which the verdict ended.
    pub fn stopped(&self, window: Window) -> Stopped {
        let surplus = match &self.stop {
            Stop::Saturated(growth) => Some(growth.surplus()),
            _ => None,
        };
        let after_s = (self.at_s - window.start_s).max(0.0);
        Stopped { rule: self.stop.rule(), after_s, reason: self.stop.to_string(), surplus }
    }
}

/// Follows a level and says when it may end. Feed it what happens and look now and then.
#[derive(Debug)]
pub struct LevelWatch {
    rules: Option<Stopping>,
    saturation: Option<Inflow>,
    verdict: Option<Stop>,
}

/// An open loop's events, until somebody looks.
#[derive(Debug)]
struct Inflow {
    state: Saturation,
    /// Arrivals that are still to come, the last first.
    planned_s: Vec<f64>,
    pending: Vec<(f64, Event)>,
    next_look_s: f64,
}

impl LevelWatch {
    /// The rules of this plan; `None` where it has none.
    pub fn of(plan: &LevelPlan) -> Option<Self> {
        let StopWhen { saturated, precise, missed, losing } = &plan.stop;
        let rules = plan.stop.has_rules().then(|| {
            let mut rules = Stopping::new(Limits::default());
            if let Some(Missed { slos, error_rate }) = missed {
                // A level that its duration ends first has fewer requests, of which still fewer may be over.
                let planned = plan.total().map(|n| n.saturating_sub(plan.warmup));
                rules = rules.with(Percentiles::new(slos, plan.is_open_loop(), planned, *error_rate));
            }
            if let Some(losing) = losing {
                rules = rules.with(CertainLoser::new(losing, plan));
            }
            if let Some(Precision { metric, half_width, confidence }) = precise {
                rules = rules.with(NarrowEnough::new(*metric, *half_width, *confidence));
            }
            rules
        });
        let saturation = saturated.filter(|_| plan.arrival.has_one_rate() && !plan.talks()).map(|rule| {
            let mut planned_s: Vec<f64> = plan.requests().filter(|r| !r.warmup).filter_map(|r| r.planned_s).collect();
            planned_s.reverse();
            Inflow { state: Saturation::new(rule), planned_s, pending: Vec::new(), next_look_s: f64::NEG_INFINITY }
        });
        (rules.is_some() || saturation.is_some()).then_some(Self { rules, saturation, verdict: None })
    }

    /// A measured request that was due at `planned_s` had its first token.
    pub fn first_token(&mut self, planned_s: f64, at_s: f64) {
        if let Some(inflow) = &mut self.saturation {
            inflow.pending.push((at_s, Event::FirstToken(at_s - planned_s)));
        }
    }

    /// A request ended. Warm-up counts for nothing.
    pub fn ended(&mut self, record: &RequestRecord) {
        if record.warmup {
            return;
        }
        if let (Some(inflow), Some(at)) = (&mut self.saturation, record.ended_s) {
            inflow.pending.push((at, Event::Ended));
        }
        if let Some(stop) = self.rules.as_mut().and_then(|rules| rules.finished(record)) {
            self.verdict.get_or_insert(stop);
        }
    }

    /// Whether the level may end now.
    pub fn look(&mut self, now_s: f64) -> Option<Verdict> {
        if let Some(growth) = self.saturation.as_mut().and_then(|inflow| inflow.look(now_s)) {
            self.verdict.get_or_insert(growth);
        }
        if self.verdict.is_none() {
            self.verdict = self.rules.as_mut().and_then(|rules| rules.at(now_s));
        }
        self.verdict.clone().map(|stop| Verdict { at_s: now_s, stop })
    }
}

impl Inflow {
    fn look(&mut self, now_s: f64) -> Option<Stop> {
        // After the last arrival everything drains; that says nothing about the load.
        if now_s < self.next_look_s || self.planned_s.is_empty() {
            return None;
        }
        self.next_look_s = now_s + LOOK_EVERY_S;
        while let Some(at) = self.planned_s.pop_if(|at| *at <= now_s) {
            self.pending.push((at, Event::Arrived));
        }
        self.pending.sort_by(|a, b| a.0.total_cmp(&b.0));
        for (at, event) in self.pending.drain(..) {
            self.state.take(at, event);
        }
        self.state.verdict(now_s).map(Stop::Saturated)
    }
}
