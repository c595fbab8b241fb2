//! Plots as geometry: places, shapes and texts that the page's template draws. The history plot.
//!
//! *Invariant*: a mark's meaning is in its shape and its title, never in its colour alone.

use serde::Serialize;

use super::headline::signed;
use super::model::{ExperimentReport, Report};
use super::numbers::figure;

/// Drawing area in user units; the page scales it.
pub(super) const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 340.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 16.0;
const TOP: f64 = 18.0;
const BOTTOM: f64 = 48.0;

/// A plot ready to be drawn.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Plot {
    pub(super) id: &'static str,
    pub(super) title: String,
    /// What it shows, for those who do not see it.
    pub(super) description: String,
    pub(super) x_label: String,
    pub(super) y_label: String,
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) left: f64,
    pub(super) right: f64,
    pub(super) top: f64,
    pub(super) bottom: f64,
    pub(super) x_ticks: Vec<Tick>,
    pub(super) y_ticks: Vec<Tick>,
    pub(super) lines: Vec<Line>,
    pub(super) marks: Vec<Mark>,
    pub(super) legend: Vec<Key>,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct Tick {
    pub(super) at: f64,
    pub(super) label: String,
}

/// A line through the plot, with a style of the page.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Line {
    pub(super) style: &'static str,
    pub(super) path: String,
}

/// One experiment or level.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Mark {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) kind: Kind,
    pub(super) title: String,
    /// The experiment it belongs to.
    pub(super) experiment: u32,
    /// Shown beside the mark.
    pub(super) label: Option<String>,
}

/// What a mark means; the page gives each its own shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    Baseline,
    Best,
    Candidate,
    /// Measured, but beyond an SLO or in part.
    Missed,
    Verify,
    /// Infeasible, failed or pruned: no value.
    Lost,
}

impl Kind {
    pub(super) fn of(experiment: &ExperimentReport) -> Self {
        match experiment {
            e if e.objective.is_none() => Self::Lost,
            e if e.role == "baseline" => Self::Baseline,
            e if e.is_best => Self::Best,
            e if e.verification => Self::Verify,
            e if e.class.is_none_or(|c| c > tuner_core::score::Class::Feasible) => Self::Missed,
            _ => Self::Candidate,
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Baseline => "baseline",
            Self::Best => "best",
            Self::Candidate => "within every SLO",
            Self::Missed => "beyond an SLO",
            Self::Verify => "verification run",
            Self::Lost => "no result",
        }
    }
}

/// One entry of the legend: a kind of mark or a style of line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Key {
    pub(super) kind: Option<Kind>,
    pub(super) style: Option<&'static str>,
    pub(super) text: &'static str,
}

/// Keys for the kinds that occur, in a fixed order.
pub(super) fn legend(marks: &[Mark], lines: &[(&'static str, &'static str)]) -> Vec<Key> {
    let order = [Kind::Baseline, Kind::Best, Kind::Candidate, Kind::Missed, Kind::Verify, Kind::Lost];
    let kinds = order.into_iter().filter(|kind| marks.iter().any(|m| m.kind == *kind));
    let kinds = kinds.map(|kind| Key { kind: Some(kind), style: None, text: kind.words() });
    kinds.chain(lines.iter().map(|(style, text)| Key { kind: None, style: Some(style), text })).collect()
}

/// An axis: from values to places.
#[derive(Clone, Copy, Debug)]
pub(super) struct Axis {
    low: f64,
    high: f64,
    log: bool,
    from: f64,
    to: f64,
}

impl Axis {
    pub(super) fn x(values: &[f64], log: bool) -> Self {
        Self::over(values, log, LEFT, WIDTH - RIGHT)
    }

    pub(super) fn y(values: &[f64], log: bool) -> Self {
        Self::over(values, log, HEIGHT - BOTTOM, TOP)
    }

    /// A little wider than the values; never of no width.
    fn over(values: &[f64], log: bool, from: f64, to: f64) -> Self {
        let log = log && values.iter().all(|v| *v > 0.0);
        let turn = |v: f64| if log { v.ln() } else { v };
        let low = values.iter().copied().map(turn).fold(f64::INFINITY, f64::min);
        let high = values.iter().copied().map(turn).fold(f64::NEG_INFINITY, f64::max);
        let (low, high) = if low <= high { (low, high) } else { (0.0, 1.0) };
        let margin = if high > low { (high - low) * 0.08 } else { (high.abs() * 0.1).max(0.1) };
        let floor = if low >= 0.0 && !log { 0.0 } else { f64::NEG_INFINITY };
        Self { low: (low - margin).max(floor), high: high + margin, log, from, to }
    }

    pub(super) fn place(&self, value: f64) -> f64 {
        let turned = if self.log { value.ln() } else { value };
        tenth(self.from + (turned - self.low) / (self.high - self.low) * (self.to - self.from))
    }

    pub(super) fn ticks(&self) -> Vec<Tick> {
        let values = if self.log { log_steps(self.low.exp(), self.high.exp()) } else { steps(self.low, self.high) };
        values.into_iter().map(|v| Tick { at: self.place(v), label: label(v) }).collect()
    }
}

fn label(value: f64) -> String {
    let text = figure(value);
    let text = if text.contains('.') && !text.contains('e') {
        text.trim_end_matches('0').trim_end_matches('.')
    } else {
        &text
    };
    text.to_owned()
}

/// Round values, four to eight of them.
fn steps(low: f64, high: f64) -> Vec<f64> {
    let raw = (high - low) / 5.0;
    let decade = 10f64.powf(raw.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|m| m * decade).find(|s| *s >= raw).unwrap_or(raw);
    let first = (low / step).ceil();
    let last = (high / step).floor();
    (0..=((last - first).clamp(0.0, 20.0) as u32)).map(|i| (first + f64::from(i)) * step).collect()
}

fn log_steps(low: f64, high: f64) -> Vec<f64> {
    let mut found = Vec::new();
    for decade in (low.log10().floor() as i32)..=(high.log10().ceil() as i32) {
        let digits: &[f64] = if high / low > 1000.0 { &[1.0] } else { &[1.0, 2.0, 5.0] };
        found.extend(digits.iter().map(|d| d * 10f64.powi(decade)).filter(|v| *v >= low && *v <= high));
    }
    if found.len() < 2 { steps(low, high) } else { found }
}

fn tenth(x: f64) -> f64 {
    (x * 10.0).round() / 10.0
}

/// An empty frame with its axes.
pub(super) fn frame(id: &'static str, title: &str, x: (&Axis, String), y: (&Axis, String)) -> Plot {
    Plot {
        id,
        title: title.to_owned(),
        description: String::new(),
        x_label: x.1,
        y_label: y.1,
        width: WIDTH,
        height: HEIGHT,
        left: LEFT,
        right: WIDTH - RIGHT,
        top: TOP,
        bottom: HEIGHT - BOTTOM,
        x_ticks: x.0.ticks(),
        y_ticks: y.0.ticks(),
        lines: Vec::new(),
        marks: Vec::new(),
        legend: Vec::new(),
    }
}

/// The first objective over the experiments: baseline level, best so far, and what gave no value along the bottom.
pub(super) fn history(report: &Report) -> Option<Plot> {
    let values: Vec<f64> = report.experiments.iter().filter_map(|e| e.objective).collect();
    if values.is_empty() {
        return None;
    }
    let last = report.experiments.last().map_or(1, |e| e.number);
    let x = Axis { low: 0.3, high: f64::from(last) + 0.7, log: false, from: LEFT, to: WIDTH - RIGHT };
    let y = Axis::y(&values, false);
    let objective = report.objectives.first().cloned().unwrap_or_default();
    let mut plot = frame("history", "History", (&x, "experiment".to_owned()), (&y, objective));
    plot.x_ticks.retain(|t| t.label.parse::<u32>().is_ok_and(|n| n >= 1));
    let floor = HEIGHT - BOTTOM - 8.0;
    for e in &report.experiments {
        let kind = Kind::of(e);
        plot.marks.push(Mark {
            x: x.place(f64::from(e.number)),
            y: e.objective.map_or(floor, |v| y.place(v)),
            kind,
            title: title(report, e),
            experiment: e.number,
            label: matches!(kind, Kind::Best | Kind::Baseline).then(|| format!("{} {}", kind.words(), e.number)),
        });
    }
    let mut lines = Vec::new();
    if let Some(value) = report.experiments.iter().find(|e| e.role == "baseline").and_then(|e| e.objective) {
        let at = y.place(value);
        plot.lines.push(Line { style: "baseline", path: format!("M{LEFT},{at}H{}", WIDTH - RIGHT) });
        lines.push(("baseline", "baseline's level"));
    }
    let path = best_so_far(report, &x, &y);
    if !path.is_empty() {
        plot.lines.push(Line { style: "leading", path });
        lines.push(("leading", "best so far within every SLO"));
    }
    plot.legend = legend(&plot.marks, &lines);
    plot.description = format!(
        "Objective of each of the {} experiments in order, with the level of the baseline and the best so far.",
        report.experiments.len()
    );
    Some(plot)
}

/// A step line through the search; verification runs prove, they do not lead.
fn best_so_far(report: &Report, x: &Axis, y: &Axis) -> String {
    let mut best: Option<f64> = None;
    let mut path = String::new();
    for e in report.experiments.iter().filter(|e| !e.verification) {
        let feasible = e.class == Some(tuner_core::score::Class::Feasible);
        let (Some(value), true) = (e.objective, feasible) else { continue };
        let leads = best.is_none_or(|b| if report.smaller_is_better { value < b } else { value > b });
        if leads {
            let (to_x, to_y) = (x.place(f64::from(e.number)), y.place(value));
            path.push_str(&if path.is_empty() { format!("M{to_x},{to_y}") } else { format!("H{to_x}V{to_y}") });
            best = Some(value);
        }
    }
    let end = report.experiments.iter().rfind(|e| !e.verification).map_or(1, |e| e.number);
    if !path.is_empty() {
        path.push_str(&format!("H{}", x.place(f64::from(end) + 0.4)));
    }
    path
}

/// What a pointer or a screen reader learns at a mark.
fn title(report: &Report, e: &ExperimentReport) -> String {
    let value = match (e.objective, e.improvement) {
        (Some(v), Some(r)) if e.role != "baseline" => {
            format!("{} {} ({} against the baseline)", figure(v), report.unit, signed(report.smaller_is_better, r))
        }
        (Some(v), _) => format!("{} {}", figure(v), report.unit),
        (None, _) => e.failure.as_ref().map_or(String::new(), |f| f.message.clone()),
    };
    format!("Experiment {}, {}, {}: {} {}", e.number, e.role, e.outcome, value.trim(), e.configuration_text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_lie_within_the_axis() {
        for (low, high) in [(0.0, 1.0), (93.2, 148.9), (1.0, 1.001), (1e-7, 2e-7), (-3.0, 12.0)] {
            let found = steps(low, high);
            assert!((2..=12).contains(&found.len()), "{low}..{high}: {found:?}");
            assert!(found.iter().all(|v| *v >= low - 1e-12 && *v <= high + 1e-12), "{found:?}");
        }
        assert_eq!(log_steps(8.0, 120.0), [10.0, 20.0, 50.0, 100.0]);
    }

    #[test]
    fn an_axis_over_one_value_or_none_has_width() {
        for values in [&[][..], &[5.0], &[0.0]] {
            let axis = Axis::y(values, false);
            assert!(axis.high > axis.low && axis.place(5.0).is_finite());
        }
    }
}
