//! A level that surely cannot reach what its experiment has to reach.
//!
//! *Invariant*: certain where the plan says how many requests there will be and no outcome of the rest could save it;
//! else an interval or the evidence says so, wrongly at most as often as stated, all looks together.

use tuner_core::measure::MeanInterval;
use tuner_core::record::RequestRecord;
use tuner_core::task::{Goal, SloSpec};
use tuner_core::{Bar, Metric, Stat};

use super::interval::{Looks, Values, spent};
use super::percentile::Tail;
use super::{Over, Rule, Stop};
use crate::plan::LevelPlan;
use crate::report::{ClassSlos, Observed, slos_of};
use crate::stats::batch;

/// How often a level that could win may be ended.
const WRONGLY: f64 = 0.01;

/// What a level has to be able to reach.
#[derive(Clone, Debug, PartialEq)]
pub struct Losing {
    /// Which figure, and how good it has to be.
    pub bar: Bar,
    /// What goodput is counted against.
    pub slos: Vec<SloSpec>,
    /// How often a level that is as good as the bar may be stopped, 0..1.
    pub error_rate: f64,
}

impl Losing {
    /// With the usual error rate.
    pub fn of(bar: Bar, slos: &[SloSpec]) -> Self {
        Self { bar, slos: slos.to_vec(), error_rate: WRONGLY }
    }
}

/// Why a level cannot reach its bar.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Shortfall {
    /// Nothing better can come out, whatever the rest gives.
    AtBest(f64),
    /// The whole interval lies beyond the bar.
    Within(MeanInterval),
    /// The percentile does.
    Over(Over),
}

/// Stops when the bar surely cannot be reached.
#[derive(Clone, Debug)]
pub struct CertainLoser {
    bar: Bar,
    error_rate: f64,
    figure: Figure,
}

#[derive(Clone, Debug)]
enum Figure {
    /// Mean of a time. With the sum of its values, and requests there will be.
    Mean(Values, f64, Option<u64>),
    Percentile(Box<Tail>),
    Rate(Rate),
}

impl CertainLoser {
    /// For a level of this plan.
    pub fn new(losing: &Losing, plan: &LevelPlan) -> Self {
        let Losing { bar, slos, error_rate } = losing;
        let planned = plan.total().map(|n| n.saturating_sub(plan.warmup));
        let figure = match bar.stat {
            Stat::Percentile(p) if bar.metric.is_time() => {
                Figure::Percentile(Box::new(Tail::new(p.share(), planned, *error_rate)))
            }
            _ if bar.metric.is_time() => Figure::Mean(Values::new(bar.metric), 0.0, planned),
            _ => Figure::Rate(Rate::new(bar.metric, slos, plan)),
        };
        Self { bar: *bar, error_rate: *error_rate, figure }
    }

    fn beyond(&self, interval: Option<MeanInterval>) -> Option<Shortfall> {
        let interval = interval?;
        let nearest = match self.bar.goal {
            Goal::Minimize => interval.low,
            Goal::Maximize => interval.high,
        };
        self.bar.is_missed_by(nearest).then_some(Shortfall::Within(interval))
    }

    fn stop(&self, how: Shortfall) -> Stop {
        Stop::Loser { bar: self.bar, how }
    }
}

/// Of the interval at look `look`: only one end of it can be wrong in the direction that matters.
fn confidence(error_rate: f64, look: u32) -> f64 {
    1.0 - 2.0 * error_rate * spent(look)
}

impl Rule for CertainLoser {
    fn finished(&mut self, record: &RequestRecord) -> Option<Stop> {
        let bar = self.bar;
        let observed = Observed { record };
        let how = match &mut self.figure {
            Figure::Mean(values, sum, planned) => {
                let value = observed.time(bar.metric).filter(|_| observed.completed())?;
                *sum += value;
                // Times are not negative: the rest cannot lower the sum.
                let least = planned.map(|n| *sum / n.max(1) as f64).filter(|_| bar.goal == Goal::Minimize);
                let look = values.take(record);
                if let Some(least) = least.filter(|least| bar.is_missed_by(*least)) {
                    return Some(self.stop(Shortfall::AtBest(least)));
                }
                let interval = values.interval(confidence(self.error_rate, look?));
                self.beyond(interval)
            }
            Figure::Percentile(tail) => {
                let value = observed.time(bar.metric).filter(|_| observed.completed())?;
                tail.take(record, bar.is_missed_by(value)).map(Shortfall::Over)
            }
            Figure::Rate(rate) => {
                let look = rate.take(record)?;
                let interval = rate.interval(confidence(self.error_rate, look));
                self.beyond(interval)
            }
        };
        how.map(|how| self.stop(how))
    }

    fn at(&mut self, now_s: f64) -> Option<Stop> {
        let Figure::Rate(rate) = &self.figure else { return None };
        let most = rate.at_most(now_s).filter(|most| self.bar.is_missed_by(*most))?;
        Some(self.stop(Shortfall::AtBest(most)))
    }
}

/// What requests are worth to a rate.
#[derive(Clone, Debug)]
enum Worth {
    Tokens,
    One,
    /// One where every SLO is met.
    Good {
        slos: Vec<SloSpec>,
        of_classes: ClassSlos,
        open_loop: bool,
    },
}

/// A rate over the window: what ended requests were worth, by the moment of their ends.
#[derive(Clone, Debug)]
struct Rate {
    worth: Worth,
    /// The most that the plan can give, less what ended requests fell short by.
    most: Option<f64>,
    opened_s: Option<f64>,
    /// When requests ended, with what they were worth.
    ends: Vec<(f64, f64)>,
    service_s: f64,
    looks: Looks,
}

impl Rate {
    fn new(metric: Metric, slos: &[SloSpec], plan: &LevelPlan) -> Self {
        let (worth, most) = match metric {
            Metric::OutputThroughput => (Worth::Tokens, plan.most_output().map(|n| n as f64)),
            Metric::RequestThroughput => (Worth::One, plan.total().map(|n| n as f64)),
            _ => {
                let (slos, of_classes) = (slos.to_vec(), plan.class_slos());
                let most = plan.total().map(|n| n.saturating_sub(plan.warmup) as f64);
                (Worth::Good { slos, of_classes, open_loop: plan.is_open_loop() }, most)
            }
        };
        let opened_s = plan.open_window().map(|(start, _)| start);
        Self { worth, most, opened_s, ends: Vec::new(), service_s: 0.0, looks: Looks::default() }
    }

    /// Takes a request; the number of this look where it is time to look.
    fn take(&mut self, record: &RequestRecord) -> Option<u32> {
        let observed = Observed { record };
        let (planned, worth) = match &self.worth {
            Worth::Tokens => {
                let planned = f64::from(record.planned_output_tokens);
                let whole = observed.output_tokens().map_or(planned, f64::from);
                (planned, if observed.completed() { whole } else { observed.read_tokens().map(|(_, n)| n).sum() })
            }
            Worth::One => (1.0, f64::from(u8::from(observed.completed()))),
            Worth::Good { slos, of_classes, open_loop } => {
                let slos = slos_of(slos, of_classes, record.class.as_deref());
                let met = || slos.iter().all(|slo| observed.meets(slo, *open_loop) != Some(false));
                (1.0, f64::from(u8::from(observed.completed() && met())))
            }
        };
        self.most = self.most.map(|most| most - (planned - worth).max(0.0));
        let (sent, ended) = (record.sent_s?, record.ended_s?);
        self.opened_s = Some(self.opened_s.map_or(sent, |opened| opened.min(sent)));
        self.service_s += ended - sent;
        self.ends.push((ended, worth));
        self.looks.due(self.ends.len())
    }

    /// The most that the rate over the window can still be: the window is at least as long as it is now.
    fn at_most(&self, now_s: f64) -> Option<f64> {
        let passed = now_s - self.opened_s?;
        (passed > 0.0).then_some(self.most? / passed)
    }

    /// The rate from the first end on: before it, requests of the warm-up were still being answered.
    fn interval(&self, confidence: f64) -> Option<MeanInterval> {
        let ((from, _), rest) = self.ends.split_first()?;
        let to = rest.iter().map(|(at, _)| *at).fold(*from, f64::max);
        let batches = batch::batches(to - from, self.service_s / self.ends.len() as f64)?;
        let part_s = (to - from) / batches as f64;
        let mut rates = vec![0.0; batches];
        for (at, worth) in rest {
            let part = (((at - from) / part_s).max(0.0) as usize).min(batches - 1);
            rates[part] += worth / part_s;
        }
        let mean = rates.iter().sum::<f64>() / batches as f64;
        batch::interval(&rates, mean, confidence)
    }
}
