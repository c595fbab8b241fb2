//! Over-saturation of an open loop: more comes in than goes out, so that neither the requests in flight nor the time
//! to first token have a steady value.
//!
//! *Invariant*: both must grow, by more than their margin of error (Student's t on the slope, with at most one
//! independent observation per second, as GuideLLM does), and requests must pile up by a real share of the arrivals.

use std::collections::VecDeque;

use tuner_core::record::{Fate, RequestRecord};

use crate::stats::batch::t_quantile;

/// Seconds between looks.
pub(super) const LOOK_EVERY_S: f64 = 1.0;

/// When a level counts as over-saturated.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SaturationRule {
    /// No verdict before this many seconds.
    pub min_s: f64,
    /// Look at this many seconds at most.
    pub window_s: f64,
    /// Margins of error are at this confidence, 0..1.
    pub confidence: f64,
    /// The least share of arrivals by which requests must pile up, 0..1.
    pub min_surplus: f64,
}

impl Default for SaturationRule {
    fn default() -> Self {
        Self { min_s: 30.0, window_s: 120.0, confidence: 0.99, min_surplus: 0.05 }
    }
}

/// What grows how fast.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Growth {
    /// Seconds from the first arrival to the verdict.
    pub after_s: f64,
    /// Arrivals per second.
    pub arrivals_per_s: f64,
    /// Requests in flight, more per second.
    pub in_flight_per_s: f64,
    /// Time to first token, seconds more per second.
    pub ttft_s_per_s: f64,
}

impl Growth {
    /// The share of the arrivals that piles up, 0..1.
    pub fn surplus(&self) -> f64 {
        (self.in_flight_per_s / self.arrivals_per_s).min(1.0)
    }
}

/// Observations over time with their regression line.
#[derive(Clone, Debug, Default)]
struct Line {
    points: VecDeque<(f64, f64)>,
}

impl Line {
    fn add(&mut self, at: f64, value: f64, keep_s: f64) {
        self.points.push_back((at, value));
        while self.points.front().is_some_and(|(first, _)| *first < at - keep_s) {
            self.points.pop_front();
        }
    }

    /// Slope and margin of error; `None` where there is too little to tell.
    fn slope(&self, confidence: f64) -> Option<(f64, f64)> {
        let n = self.points.len() as f64;
        let (first, last) = (self.points.front()?.0, self.points.back()?.0);
        let freedom = n.min(last - first) - 2.0;
        if freedom < 1.0 {
            return None;
        }
        let mean = |of: &dyn Fn(&(f64, f64)) -> f64| self.points.iter().map(of).sum::<f64>() / n;
        let (x, y) = (mean(&|p| p.0), mean(&|p| p.1));
        let (mut xx, mut xy, mut yy) = (0.0, 0.0, 0.0);
        for (at, value) in &self.points {
            xx += (at - x).powi(2);
            xy += (at - x) * (value - y);
            yy += (value - y).powi(2);
        }
        if xx <= 0.0 {
            return None;
        }
        let slope = xy / xx;
        let left = (yy - xy * xy / xx).max(0.0);
        // As if there were no more observations than seconds: those of one second say the same.
        let error = (left / n / xx * (n / freedom)).sqrt();
        Some((slope, t_quantile(f64::midpoint(1.0, confidence), freedom)? * error))
    }
}

/// Follows an open loop, event by event in order of time.
#[derive(Clone, Debug)]
pub struct Saturation {
    rule: SaturationRule,
    began_s: Option<f64>,
    arrivals: VecDeque<f64>,
    now_in_flight: u64,
    in_flight: Line,
    ttft: Line,
}

impl Saturation {
    /// Nothing has been seen yet.
    pub fn new(rule: SaturationRule) -> Self {
        Self {
            rule,
            began_s: None,
            arrivals: VecDeque::new(),
            now_in_flight: 0,
            in_flight: Line::default(),
            ttft: Line::default(),
        }
    }

    /// A request was due at `at_s`.
    pub fn arrived(&mut self, at_s: f64) {
        self.began_s.get_or_insert(at_s);
        self.now_in_flight += 1;
        self.arrivals.push_back(at_s);
        while self.arrivals.front().is_some_and(|first| *first < at_s - self.rule.window_s) {
            self.arrivals.pop_front();
        }
        self.in_flight.add(at_s, self.now_in_flight as f64, self.rule.window_s);
    }

    /// The first token came at `at_s`, `ttft_s` after its request was due.
    pub fn first_token(&mut self, at_s: f64, ttft_s: f64) {
        self.ttft.add(at_s, ttft_s, self.rule.window_s);
    }

    /// A request ended.
    pub fn ended(&mut self) {
        self.now_in_flight = self.now_in_flight.saturating_sub(1);
    }

    /// The verdict at `now_s`.
    pub fn verdict(&self, now_s: f64) -> Option<Growth> {
        let after_s = now_s - self.began_s?;
        if after_s < self.rule.min_s {
            return None;
        }
        let span = now_s - self.arrivals.front()?;
        let rate = if span > 0.0 { self.arrivals.len() as f64 / span } else { return None };
        let (in_flight_per_s, margin) = self.in_flight.slope(self.rule.confidence)?;
        let piles_up = in_flight_per_s > margin && in_flight_per_s >= self.rule.min_surplus * rate;
        if !piles_up {
            return None;
        }
        let (ttft_s_per_s, margin) = self.ttft.slope(self.rule.confidence)?;
        let growth = Growth { after_s, arrivals_per_s: rate, in_flight_per_s, ttft_s_per_s };
        (ttft_s_per_s > margin).then_some(growth)
    }
}

/// What a request of an open loop does, with its moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Event {
    Arrived,
    /// So many seconds after it was due.
    FirstToken(f64),
    Ended,
}

impl Saturation {
    /// Takes an event; events come in order of time.
    pub(super) fn take(&mut self, at_s: f64, event: Event) {
        match event {
            Event::Arrived => self.arrived(at_s),
            Event::FirstToken(ttft_s) => self.first_token(at_s, ttft_s),
            Event::Ended => self.ended(),
        }
    }
}

/// What the rule says of the measured requests of a level that is over: the first verdict, looking once a second.
pub fn saturated(records: &[RequestRecord], rule: SaturationRule) -> Option<Growth> {
    let mut events: Vec<(f64, Event)> = Vec::with_capacity(records.len() * 3);
    for record in records.iter().filter(|r| !r.warmup && r.fate != Fate::Unsent) {
        events.push((record.planned_s, Event::Arrived));
        if let Some(at) = record.first_token_s() {
            events.push((at, Event::FirstToken(at - record.planned_s)));
        }
        if let Some(at) = record.ended_s {
            events.push((at, Event::Ended));
        }
    }
    events.sort_by(|a, b| a.0.total_cmp(&b.0));
    let last_arrival = records.iter().map(|r| r.planned_s).fold(f64::NEG_INFINITY, f64::max);
    let mut state = Saturation::new(rule);
    let mut next_look = f64::NEG_INFINITY;
    for (at, event) in events {
        // After the last arrival everything drains; that says nothing about the load.
        if at > last_arrival {
            break;
        }
        state.take(at, event);
        if at >= next_look {
            next_look = at + LOOK_EVERY_S;
            if let Some(growth) = state.verdict(at) {
                return Some(growth);
            }
        }
    }
    None
}
