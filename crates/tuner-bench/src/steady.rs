//! Whether the engine was in a steady state, and from when on; `none` is an answer.
//!
//! *Invariant*: the part that counts as steady is chosen by how precise it is, never by whether its figures are good;
//! and it does not change which requests count. Method: MLPerf Endpoints' steady-state detection, with windows that
//! a tuner can afford.
//!
//! The window is cut into parts. Per part there are the time per token, the output tokens per second, and in an open
//! loop the requests in the system. A part of the window is steady if, for each of these series, there is no trend
//! (Mann–Kendall with Hamed and Rao's correction) and no jump (Pettitt) that amounts to 5 % over the window.

use tuner_core::measure::{Steady, Unsteady};

use crate::report::{Observed, Timeline, Window};
use crate::stats::{self, trend};

/// Parts into which a window is cut.
const PARTS: usize = 30;
/// The window must be at least so many times as long as the 99th percentile of latency.
const MIN_LATENCIES: f64 = 5.0;
/// Completed requests at least.
const MIN_COMPLETED: usize = 20;
/// A steady part is at least this share of the window.
const MIN_SHARE: f64 = 0.5;
/// Changes over the window below this share of the median are none.
const MIN_CHANGE: f64 = 0.05;
/// How often a test may see a change where there is none, per series and candidate.
const ALPHA: f64 = 0.01;
/// A change of so many standard deviations of what is left without it needs no test: dependence between the parts
/// weakens the tests, but makes no such change.
const PLAIN: f64 = 4.0;
/// Limits on the coefficient of variation of the time per token from which candidates for the start are taken.
const VARIATIONS: [f64; 4] = [0.02, 0.05, 0.10, 0.20];
/// Above it, nothing is steady.
const MOST_VARIATION: f64 = 0.5;

/// Name of the series of times per token.
const PACE: &str = "tpot";

/// One quantity over the window: part and value.
struct Series {
    name: &'static str,
    values: Vec<(usize, f64)>,
}

/// What speaks against a stretch being steady.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Objection {
    reason: Unsteady,
    series: &'static str,
    /// Share of the median, over the whole window.
    change: f64,
}

impl Series {
    fn from(&self, part: usize) -> Vec<f64> {
        self.values.iter().filter(|(at, _)| *at >= part).map(|(_, x)| *x).collect()
    }

    fn object(&self, part: usize) -> Option<Objection> {
        let values = self.from(part);
        let middle = trend::median(values.clone());
        if middle <= 0.0 {
            return None;
        }
        let objection = |reason, change| Objection { reason, series: self.name, change };
        // The slope goes on over the whole window: a stretch of a drift drifts less, but is no less a drift.
        let slope = trend::slope(&values);
        let drift = slope * PARTS as f64 / middle;
        let detrended: Vec<f64> = values.iter().enumerate().map(|(i, x)| x - slope * i as f64).collect();
        let (at, jumps) = trend::pettitt(&values);
        let (before, after) = values.split_at(at);
        let step = (trend::median(after.to_vec()) - trend::median(before.to_vec())) / middle;
        let within = (moments(before).1 * before.len() as f64 + moments(after).1 * after.len() as f64)
            / values.len().max(1) as f64;
        let plain = |change: f64, left: f64| change.abs() > PLAIN * left.sqrt() / middle;
        let drifts =
            drift.abs() >= MIN_CHANGE && (trend::mann_kendall(&values) < ALPHA || plain(drift, moments(&detrended).1));
        let shifts = step.abs() >= MIN_CHANGE && (jumps < ALPHA || plain(step, within));
        if shifts && (!drifts || is_step(&values, at)) {
            return Some(objection(Unsteady::LevelShift, step));
        }
        if drifts {
            let reason = if drift > 0.0 { Unsteady::DriftUp } else { Unsteady::DriftDown };
            return Some(objection(reason, drift));
        }
        None
    }
}

/// Whether two levels describe the values better than a straight line does.
fn is_step(values: &[f64], at: usize) -> bool {
    let squares = |part: &[f64]| {
        let mean = part.iter().sum::<f64>() / part.len().max(1) as f64;
        part.iter().map(|x| (x - mean).powi(2)).sum::<f64>()
    };
    let (before, after) = values.split_at(at);
    let n = values.len() as f64;
    let (mean_x, mean_y) = ((n - 1.0) / 2.0, values.iter().sum::<f64>() / n);
    let xy: f64 = values.iter().enumerate().map(|(i, y)| (i as f64 - mean_x) * (y - mean_y)).sum();
    let xx: f64 = (0..values.len()).map(|i| (i as f64 - mean_x).powi(2)).sum();
    squares(before) + squares(after) < squares(values) - xy * xy / xx
}

/// Mean and population variance.
fn moments(values: &[f64]) -> (f64, f64) {
    let n = values.len().max(1) as f64;
    let mean = values.iter().sum::<f64>() / n;
    (mean, values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n)
}

fn variation(values: &[f64]) -> f64 {
    let (mean, variance) = moments(values);
    if mean > 0.0 { variance.sqrt() / mean } else { f64::INFINITY }
}

/// White's marginal standard error rule: the squared standard error of the mean of what is left.
fn mser(values: &[f64]) -> f64 {
    moments(values).1 / values.len().max(1) as f64
}

/// The verdict on the window; `None` where no request was completed. `everyone`: warm-up included.
pub(crate) fn judge(everyone: &[Observed<'_>], window: Window, open_loop: bool) -> Option<Steady> {
    let completed = everyone.iter().filter(|o| !o.record.warmup && o.completed());
    let mut latencies: Vec<f64> = completed.filter_map(|o| Some(o.record.last_token_s()? - o.record.sent_s?)).collect();
    if latencies.is_empty() {
        return None;
    }
    latencies.sort_by(f64::total_cmp);
    let p99 = stats::percentile(&latencies, 0.99);
    if latencies.len() < MIN_COMPLETED || window.length_s() < MIN_LATENCIES * p99 {
        return Some(too_short());
    }
    let timeline = Timeline::of(everyone.iter().copied(), window, PARTS);
    let whole = |name, values: Vec<f64>| Series { name, values: values.into_iter().enumerate().collect() };
    let pace = timeline.pace_s.iter().enumerate().filter_map(|(i, pace)| Some((i, (*pace)?))).collect();
    let mut series = vec![Series { name: PACE, values: pace }, whole("output_throughput", timeline.output)];
    if open_loop {
        series.push(whole("in_flight", timeline.in_system));
    }
    Some(verdict(&series, window.length_s()))
}

fn too_short() -> Steady {
    Steady::None { reason: Unsteady::TooShort, series: None, change: None }
}

fn verdict(series: &[Series], length_s: f64) -> Steady {
    // Answers in one read have no time per token, and rare requests leave parts without any: the rest is judged then.
    let needed = PARTS / 2;
    let series: Vec<&Series> = series.iter().filter(|s| s.values.len() >= needed).collect();
    let Some(lead) = series.first() else { return too_short() };
    let latest = (PARTS as f64 * (1.0 - MIN_SHARE)) as usize;
    let by_precision = (0..=latest).min_by(|a, b| mser(&lead.from(*a)).total_cmp(&mser(&lead.from(*b)))).unwrap_or(0);
    let by_variation = VARIATIONS.iter().filter_map(|limit| (0..=latest).find(|d| variation(&lead.from(*d)) <= *limit));
    let mut candidates: Vec<usize> = [0, by_precision].into_iter().chain(by_variation).collect();
    candidates.sort_unstable();
    candidates.dedup();
    let objection = |part: usize| series.iter().find_map(|s| s.object(part));
    let steady = candidates
        .iter()
        .copied()
        // Rates vary as arrivals do; only the time per token says that the engine itself is unstable.
        .filter(|part| lead.name != PACE || variation(&lead.from(*part)) <= MOST_VARIATION)
        .filter(|part| objection(*part).is_none())
        .min_by(|a, b| mser(&lead.from(*a)).total_cmp(&mser(&lead.from(*b))));
    if let Some(part) = steady {
        return Steady::Steady { from_s: length_s * part as f64 / PARTS as f64, to_s: length_s };
    }
    // Explained by the longest stretch, whose change is the one that a person would see.
    match objection(0).or_else(|| objection(by_precision)) {
        Some(Objection { reason, series, change }) => {
            Steady::None { reason, series: Some(series.to_owned()), change: Some(change) }
        }
        None => Steady::None { reason: Unsteady::Unstable, series: Some(lead.name.to_owned()), change: None },
    }
}

/// The verdict in words, where it is worth a remark: not for a whole window, nor for one that is too short to tell.
pub(crate) fn note(steady: &Steady) -> Option<String> {
    match steady {
        Steady::Steady { from_s, to_s } if *from_s > 0.0 => Some(format!(
            "steady only from {from_s:.1} s of the {to_s:.1} s window on: a longer warm-up would leave the start out"
        )),
        Steady::Steady { .. } | Steady::None { reason: Unsteady::TooShort, .. } => None,
        Steady::None { reason, series, change } => {
            let series = series.as_deref().unwrap_or("the load");
            let by = change.map(|c| format!(" by {:.0} % of its median", c.abs() * 100.0)).unwrap_or_default();
            Some(match reason {
                Unsteady::DriftUp => format!("not steady: {series} grows all through the window{by}"),
                Unsteady::DriftDown => format!("not steady: {series} falls all through the window{by}"),
                Unsteady::LevelShift => format!("not steady: {series} jumps within the window{by}"),
                _ => format!("not steady: {series} varies by more than half of its mean"),
            })
        }
    }
}

#[cfg(test)]
mod tests;
