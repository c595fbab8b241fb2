//! The report as one HTML file that loads nothing: style, script and plots are inside.
//!
//! *Invariant*: everything that came from a user, an engine or a log passes the template's escaping.

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Serde, Value};
use minijinja::{Environment, UndefinedBehavior, context};
use serde::Serialize;

use super::headline::signed;
use super::model::Report;
use super::numbers::{figure, percent, span};
use super::plot::history;
use super::trade_off::trade_off;
use super::{RenderError, terminal};

const PAGE: &str = include_str!("templates/report.html");
const PLOT: &str = include_str!("templates/plot.html");
const EXPERIMENT: &str = include_str!("templates/experiment.html");
const BENCH: &str = include_str!("templates/bench.html");
pub(super) const STYLE: &str = include_str!("templates/style.css");
const SCRIPT: &str = include_str!("templates/page.js");

/// Every template with the filters they use; what is put in is escaped.
pub(super) fn environment() -> Result<Environment<'static>, minijinja::Error> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
    environment.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
    environment.add_filter("figure", |x: f64| figure(x));
    environment.add_filter("percent", |x: f64| percent(x));
    environment.add_filter("span", |x: f64| span(x));
    environment.add_filter("signed", |x: f64, smaller: bool| signed(smaller, x));
    environment.add_template("plot.html", PLOT)?;
    environment.add_template("experiment.html", EXPERIMENT)?;
    environment.add_template("report.html", PAGE)?;
    environment.add_template("bench.html", BENCH)?;
    Ok(environment)
}

pub(super) fn render(report: &Report) -> Result<String, RenderError> {
    let environment = environment()?;
    let plots: Vec<_> = [history(report), trade_off(report, &report.axes)].into_iter().flatten().collect();
    let outcomes: Vec<String> = report.experiments.iter().map(terminal::outcome).collect();
    let settings: Vec<Vec<String>> = report
        .experiments
        .iter()
        .map(|e| e.configuration.iter().map(|(name, value)| format!("{name}={value}")).collect())
        .collect();
    let page = environment.get_template("report.html")?.render(context! {
        report => Value::from(Serde(report)),
        plots => Value::from(Serde(&plots)),
        outcome_words => outcomes,
        settings => settings,
        interval => Value::from(Serde(interval(report))),
        written_at => report.generated_at.format("%Y-%m-%d %H:%M UTC").to_string(),
        style => Value::from_safe_string(STYLE.to_owned()),
        script => Value::from_safe_string(SCRIPT.to_owned()),
    })?;
    Ok(page)
}

/// The interval on the improvement as a bar, with the baseline in it.
#[derive(Debug, Serialize)]
struct IntervalBar {
    zero: f64,
    low: f64,
    estimate: f64,
    high: f64,
    low_text: String,
    high_text: String,
    low_anchor: &'static str,
    high_anchor: &'static str,
    label: String,
}

fn interval(report: &Report) -> Option<IntervalBar> {
    let interval = report.verdict.improvement?;
    let smaller = report.smaller_is_better;
    // In the objective's own direction: a lower latency lies to the left of the baseline.
    let value = |ratio: f64| if smaller { 1.0 / ratio } else { ratio };
    let (mut low, mut high) = (interval.low, interval.high);
    if smaller {
        std::mem::swap(&mut low, &mut high);
    }
    let ends = [1.0, value(low), value(high)];
    let least = ends.into_iter().fold(f64::INFINITY, f64::min);
    let most = ends.into_iter().fold(f64::NEG_INFINITY, f64::max);
    let width = (most - least).max(1e-6);
    let place = |ratio: f64| (50.0 + (value(ratio) - least) / width * 420.0).round();
    let close = place(high) - place(low) < 90.0;
    Some(IntervalBar {
        zero: place(1.0),
        low: place(low),
        estimate: place(interval.estimate),
        high: place(high),
        low_text: signed(smaller, low),
        high_text: signed(smaller, high),
        low_anchor: if close { "end" } else { "middle" },
        high_anchor: if close { "start" } else { "middle" },
        label: format!(
            "difference to the baseline: {} ({} to {})",
            signed(smaller, interval.estimate),
            signed(smaller, low),
            signed(smaller, high)
        ),
    })
}
