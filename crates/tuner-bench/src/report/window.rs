//! The measured window and what was in flight in it.

use serde::{Deserialize, Serialize};
use tuner_core::record::{Fate, RequestRecord};

use crate::plan::LevelPlan;

/// A half-open span of time, in seconds from the start of the level.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Window {
    /// Inclusive.
    pub start_s: f64,
    /// Exclusive.
    pub end_s: f64,
}

impl Window {
    /// The window of a level that was run.
    ///
    /// Open loop: as planned, whatever the server did. Closed loop: from the first measured request to the planned
    /// duration, or to the moment when a stream found nothing left to send if that came first; so all streams are
    /// busy throughout, and warm-up and drain lie outside. Either ends at `stopped_s` where a rule ended the level.
    pub fn of(plan: &LevelPlan, records: &[RequestRecord], stopped_s: Option<f64>) -> Self {
        let planned = match plan.open_window() {
            Some((start_s, end_s)) => Self { start_s, end_s },
            None => Self::of_closed_loop(plan, records),
        };
        Self { end_s: stopped_s.map_or(planned.end_s, |at| planned.end_s.min(at)), ..planned }
    }

    fn of_closed_loop(plan: &LevelPlan, records: &[RequestRecord]) -> Self {
        let sent = || records.iter().filter(|r| !r.warmup).filter_map(|r| r.sent_s);
        let start_s = sent().fold(f64::INFINITY, f64::min);
        if !start_s.is_finite() {
            return Self { start_s: 0.0, end_s: 0.0 };
        }
        let last_sent = sent().fold(start_s, f64::max);
        let idle = records
            .iter()
            .filter(|r| r.fate != Fate::Cancelled)
            // A user is idle when it has thought and finds nothing to send.
            .filter_map(|r| Some(r.ended_s? + r.think_s.unwrap_or(0.0)))
            .filter(|at| *at > last_sent)
            .fold(f64::INFINITY, f64::min);
        let end_s = plan.duration_s.map_or(idle, |duration| idle.min(start_s + duration));
        Self { start_s, end_s: if end_s.is_finite() { end_s } else { last_sent } }
    }

    /// Its length; 0 if it never opened.
    pub fn length_s(&self) -> f64 {
        (self.end_s - self.start_s).max(0.0)
    }

    /// Whether the moment lies in it.
    pub fn contains(&self, at_s: f64) -> bool {
        self.start_s <= at_s && at_s < self.end_s
    }

    /// Most requests in flight at one moment. Where one ends as another begins there is one.
    pub fn peak_in_flight(&self, records: &[RequestRecord]) -> u32 {
        let spans = records.iter().filter_map(|r| Some((r.sent_s?, r.ended_s.unwrap_or(self.end_s))));
        let within = spans.filter(|(from, to)| *from < self.end_s && *to > self.start_s);
        let mut edges: Vec<(f64, i32)> = within.flat_map(|(from, to)| [(from, 1), (to, -1)]).collect();
        edges.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let counts = edges.iter().scan(0, |count, (_, step)| {
            *count += step;
            Some(*count)
        });
        counts.max().unwrap_or(0).max(0) as u32
    }

    /// Users who think after an answer, time-weighted mean.
    pub fn mean_thinking<'a>(&self, records: impl IntoIterator<Item = &'a RequestRecord>) -> f64 {
        let span = |r: &RequestRecord| {
            let (from, think) = (r.ended_s?, r.think_s?);
            Some(((from + think).min(self.end_s) - from.max(self.start_s)).max(0.0))
        };
        records.into_iter().filter_map(span).sum::<f64>() / self.length_s()
    }

    /// Requests in flight, time-weighted mean.
    pub fn mean_in_flight<'a>(&self, records: impl IntoIterator<Item = &'a RequestRecord>) -> f64 {
        let busy: f64 = records
            .into_iter()
            .filter_map(|r| {
                let start = r.sent_s?.max(self.start_s);
                let end = r.ended_s.unwrap_or(self.end_s).min(self.end_s);
                Some((end - start).max(0.0))
            })
            .sum();
        busy / self.length_s()
    }
}
