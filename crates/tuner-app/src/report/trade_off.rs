//! The trade-off plot: throughput against latency, one mark per experiment and level, with the Pareto front.

use std::collections::BTreeMap;

use tuner_core::measure::Percentile;
use tuner_core::score::Class;
use tuner_core::task::Bound;
use tuner_core::{Metric, Stat, TaskSpec};
use tuner_search::analysis::pareto::{self, Candidate};

use super::columns::{column, noun};
use super::model::{Column, ExperimentReport, LevelReport, Report};
use super::numbers::figure;
use super::plot::{Axis, Kind, Line, Mark, Plot, frame, legend};

/// The two quantities that are traded: a time across, a rate upwards.
#[derive(Clone, Debug)]
pub(super) struct Axes {
    pub(super) time: Column,
    pub(super) rate: Column,
    /// The SLO on the time, if there is one.
    pub(super) limit: Option<f64>,
}

impl Axes {
    /// The time that an SLO or an objective names, else median end-to-end latency; the rate that an objective names,
    /// else output throughput.
    pub(super) fn of(spec: &TaskSpec) -> Self {
        let slo = spec.slos.iter().find(|s| s.metric.is_time());
        let named = spec.objectives.iter().map(|o| o.resolve());
        let (time, stat) = slo
            .map(|s| (s.metric, s.stat()))
            .or_else(|| named.clone().find(|o| o.metric.is_time()).map(|o| (o.metric, o.stat)))
            .unwrap_or((Metric::E2eLatency, Stat::Percentile(Percentile::P50)));
        let rate =
            named.clone().find(|o| o.metric.unit().ends_with("/s")).map_or(Metric::OutputThroughput, |o| o.metric);
        let limit = slo.and_then(|s| match s.bound()? {
            Bound::AtMost(limit) => Some(limit),
            Bound::AtLeast(_) => None,
        });
        Self { time: column(time, stat), rate: column(rate, Stat::Mean), limit }
    }
}

struct Point<'a> {
    experiment: &'a ExperimentReport,
    label: &'a str,
    time: f64,
    rate: f64,
    feasible: bool,
}

pub(super) fn trade_off(report: &Report, axes: &Axes) -> Option<Plot> {
    let points = points(report, axes);
    if points.len() < 2 {
        return None;
    }
    let mut times: Vec<f64> = points.iter().map(|p| p.time).collect();
    let spread = times.iter().copied().fold(0.0, f64::max) / times.iter().copied().fold(f64::INFINITY, f64::min);
    // A limit far away would squeeze everything else into a corner; then its line is left out.
    let limit = axes.limit.filter(|l| times.iter().any(|t| *t > l / 3.0) && times.iter().any(|t| *t < l * 3.0));
    times.extend(limit);
    let x = Axis::x(&times, spread > 8.0);
    let y = Axis::y(&points.iter().map(|p| p.rate).collect::<Vec<_>>(), false);
    let axis_label = |c: &Column| {
        format!("{}{}", noun(c.metric), if c.metric.is_time() { format!(", {} (ms)", c.stat) } else { String::new() })
    };
    let mut plot = frame("trade-off", "Trade-off", (&x, axis_label(&axes.time)), (&y, axis_label(&axes.rate)));
    let front = front(&points);
    for point in &points {
        let on_front = front.iter().any(|p| std::ptr::eq(*p, point));
        let kind = match Kind::of(point.experiment) {
            Kind::Candidate | Kind::Missed if point.feasible => Kind::Candidate,
            Kind::Candidate => Kind::Missed,
            kind => kind,
        };
        let labelled = kind == Kind::Best || kind == Kind::Baseline;
        plot.marks.push(Mark {
            x: x.place(point.time),
            y: y.place(point.rate),
            kind,
            title: format!(
                "Experiment {} at {}: {} {}, {} {}{}",
                point.experiment.number,
                point.label,
                figure(point.rate),
                axes.rate.unit,
                figure(point.time),
                axes.time.unit,
                if on_front { ", on the Pareto front" } else { "" }
            ),
            experiment: point.experiment.number,
            label: labelled.then(|| point.label.to_owned()),
        });
    }
    let mut lines = Vec::new();
    // A staircase: what lies between two points of the front was not measured.
    let mut path = String::new();
    for (i, point) in front.iter().enumerate() {
        let (at_x, at_y) = (x.place(point.time), y.place(point.rate));
        path.push_str(&if i == 0 { format!("M{at_x},{at_y}") } else { format!("H{at_x}V{at_y}") });
    }
    if !path.is_empty() {
        plot.lines.push(Line { style: "front", path });
        lines.push(("front", "Pareto front"));
    }
    if let Some(limit) = limit {
        plot.lines.push(Line { style: "limit", path: format!("M{},{}V{}", x.place(limit), plot.top, plot.bottom) });
        lines.push(("limit", "SLO"));
    }
    plot.legend = legend(&plot.marks, &lines);
    plot.description = format!(
        "{} measured levels; further up is faster, further left answers sooner. {} of them are on the Pareto front: within \
         the SLOs, and no other such level is better in both.",
        points.len(),
        front.len()
    );
    Some(plot)
}

/// One point per experiment and level: the median of its valid repeats. Verification runs repeat known points.
fn points<'a>(report: &'a Report, axes: &Axes) -> Vec<Point<'a>> {
    let mut points = Vec::new();
    for experiment in report.experiments.iter().filter(|e| !e.verification && e.objective.is_some()) {
        let mut by_level: BTreeMap<u32, Vec<&LevelReport>> = BTreeMap::new();
        for level in experiment.levels.iter().filter(|l| l.valid) {
            by_level.entry(level.level).or_default().push(level);
        }
        for repeats in by_level.into_values() {
            let median = |key: &str| {
                let mut values: Vec<f64> = repeats.iter().filter_map(|l| l.figures.get(key).copied()).collect();
                values.sort_by(f64::total_cmp);
                values.get(values.len().saturating_sub(1) / 2).copied()
            };
            if let (Some(time), Some(rate)) = (median(&axes.time.key), median(&axes.rate.key)) {
                let feasible = repeats[0].class == Some(Class::Feasible);
                points.push(Point { experiment, label: &repeats[0].label, time, rate, feasible });
            }
        }
    }
    points
}

/// Points within their SLOs that no other beats in both, from the quickest to the fastest.
fn front<'p, 'a>(points: &'p [Point<'a>]) -> Vec<&'p Point<'a>> {
    let candidates: Vec<Candidate> = points
        .iter()
        .map(|p| Candidate { objectives: vec![p.time, -p.rate], violation: f64::from(u8::from(!p.feasible)) })
        .collect();
    let mut front: Vec<&Point<'_>> = pareto::front(&candidates).into_iter().map(|i| &points[i]).collect();
    front.sort_by(|a, b| a.time.total_cmp(&b.time));
    front
}
