//! What `autotuner bench` measured, as a file: JSON, CSV, or one HTML page.
//!
//! *Invariant*: the file's ending says its format; nothing is computed here that the measurements do not hold.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use chrono::{DateTime, Utc};
use minijinja::context;
use minijinja::value::{Serde, Value};
use serde::Serialize;
use tuner_bench::BenchReport;
use tuner_core::measure::{Percentile, RequestCounts, TurnReport};
use tuner_core::{Measurement, Metric, Stat, Validity};

use super::columns::{noun, with_usual};
use super::html::environment;
use super::model::Column;
use super::numbers::{figure, percent};
use super::plot::{Axis, Key, Kind, Line, Mark, Plot, frame};
use super::server::server_words;
use super::{RenderError, html};

/// A file to write, in the format of its ending.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BenchFile {
    path: PathBuf,
    format: BenchFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum BenchFormat {
    Json,
    Csv,
    Html,
}

impl FromStr for BenchFile {
    type Err = BenchFileError;
    fn from_str(text: &str) -> Result<Self, BenchFileError> {
        let path = PathBuf::from(text);
        let format = match path.extension().and_then(|e| e.to_str()) {
            Some("json") => BenchFormat::Json,
            Some("csv") => BenchFormat::Csv,
            Some("html") => BenchFormat::Html,
            _ => return Err(BenchFileError::Ending(path)),
        };
        Ok(Self { path, format })
    }
}

/// A file that cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum BenchFileError {
    /// No known format.
    #[error("{} has no known ending: .json (everything), .csv (a row per measurement) or .html (a page)", .0.display())]
    Ending(PathBuf),
    /// A fault of ours.
    #[error(transparent)]
    Render(#[from] RenderError),
    /// The system refuses.
    #[error("cannot write {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

impl BenchFile {
    /// Where it will be.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Writes one file.
///
/// # Errors
/// The system refuses it.
pub fn write_bench(report: &BenchReport, file: &BenchFile, now: DateTime<Utc>) -> Result<(), BenchFileError> {
    let text = match file.format {
        BenchFormat::Json => serde_json::to_string_pretty(report).map_err(RenderError::from)? + "\n",
        BenchFormat::Csv => csv(report),
        BenchFormat::Html => page(report, now)?,
    };
    std::fs::write(&file.path, text).map_err(|source| BenchFileError::Write { path: file.path.clone(), source })
}

fn columns(report: &BenchReport) -> Vec<Column> {
    let more = [Metric::Itl, Metric::Goodput, Metric::Attainment, Metric::Concurrency, Metric::InputThroughput];
    let measured = more.into_iter().filter(|m| report.measurements.iter().any(|r| r.metrics.contains_key(m)));
    let stat = |m: &Metric| if m.is_time() { Stat::Percentile(Percentile::P50) } else { Stat::Mean };
    with_usual(measured.map(|m| (m, stat(&m))))
}

fn label(report: &BenchReport, m: &Measurement) -> String {
    report.levels.get(m.level as usize).map_or_else(|| format!("level {}", m.level), |l| l.label())
}

/// A row per measurement; figures in full, absent ones empty. Where there are conversations each turn has a row too, and
/// a column says which.
fn csv(report: &BenchReport) -> String {
    let columns = columns(report);
    let talks = report.measurements.iter().any(|m| !m.turns.is_empty());
    let facts = ["level", "repeat", "valid", "window_s", "planned", "completed", "failed", "unsent", "stopped"];
    let turn = talks.then_some("turn");
    let head = facts.into_iter().chain(turn).map(str::to_owned).chain(columns.iter().map(|c| c.key.clone()));
    let mut lines = vec![head.collect::<Vec<_>>().join(",")];
    for m in &report.measurements {
        let mut row = |requests: &RequestCounts, turn: Option<u32>, stat: &dyn Fn(&Column) -> Option<f64>| {
            let facts = [
                label(report, m),
                m.repeat.to_string(),
                m.is_valid().to_string(),
                format!("{:.3}", m.window_s),
                requests.planned.to_string(),
                requests.completed.to_string(),
                requests.failed.to_string(),
                requests.unsent.to_string(),
                m.stopped.as_ref().map_or_else(String::new, |stopped| stopped.rule.name().to_owned()),
            ];
            let turn = talks.then(|| turn.map_or(String::new(), |turn| turn.to_string()));
            let figures = columns.iter().map(|c| stat(c).map(|x| x.to_string()).unwrap_or_default());
            lines.push(facts.into_iter().chain(turn).chain(figures).collect::<Vec<_>>().join(","));
        };
        row(&m.requests, None, &|c| m.stat(c.metric, c.stat));
        for (number, turn) in &m.turns {
            row(&turn.requests, Some(*number), &|c| turn.stat(c.metric, c.stat));
        }
    }
    lines.join("\n") + "\n"
}

/// One measurement as the page shows it.
#[derive(Serialize)]
struct Row {
    number: u32,
    label: String,
    figures: Vec<String>,
    completed: u64,
    failed: u64,
    reasons: Vec<String>,
    turns: Vec<TurnRow>,
    notes: Vec<String>,
}

/// One turn of its conversations.
#[derive(Serialize)]
struct TurnRow {
    label: String,
    figures: Vec<String>,
    completed: u64,
    failed: u64,
}

fn page(report: &BenchReport, now: DateTime<Utc>) -> Result<String, RenderError> {
    let columns = columns(report);
    let figures = |stat: &dyn Fn(&Column) -> Option<f64>| -> Vec<String> {
        columns.iter().map(|c| stat(c).map_or("–".to_owned(), if c.share { percent } else { figure })).collect()
    };
    let turn = |(number, turn): (&u32, &TurnReport)| TurnRow {
        label: match turn.cached_prompt_share {
            Some(share) => format!("turn {number}, {} of the prompt cached", percent(share)),
            None => format!("turn {number}"),
        },
        figures: figures(&|c| turn.stat(c.metric, c.stat)),
        completed: turn.requests.completed,
        failed: turn.requests.failed,
    };
    let row = |(i, m): (usize, &Measurement)| Row {
        number: i as u32 + 1,
        label: label(report, m),
        figures: figures(&|c| m.stat(c.metric, c.stat)),
        turns: m.turns.iter().map(turn).collect(),
        completed: m.requests.completed,
        failed: m.requests.failed,
        reasons: match &m.validity {
            Validity::Invalid { reasons } => reasons.clone(),
            Validity::Valid => Vec::new(),
        },
        notes: m
            .errors
            .iter()
            .map(|(class, n)| format!("{n} × {class}"))
            .chain(m.notes.iter().cloned())
            .chain(m.server.iter().map(server_words))
            .collect(),
    };
    let rows: Vec<Row> = report.measurements.iter().enumerate().map(row).collect();
    let plots: Vec<Plot> =
        [Metric::Ttft, Metric::Tpot].into_iter().filter_map(|metric| against_rate(report, metric)).collect();
    let page = environment()?.get_template("bench.html")?.render(context! {
        report => Value::from(Serde(report)),
        columns => Value::from(Serde(&columns)),
        rows => Value::from(Serde(&rows)),
        plots => Value::from(Serde(&plots)),
        written_at => now.format("%Y-%m-%d %H:%M UTC").to_string(),
        style => Value::from_safe_string(html::STYLE.to_owned()),
    })?;
    Ok(page)
}

/// Throughput against the 99th percentile of a time, one mark per measurement, in order of the levels.
fn against_rate(report: &BenchReport, metric: Metric) -> Option<Plot> {
    let stat = Stat::Percentile(Percentile::P99);
    let points: Vec<(usize, &Measurement, f64, f64)> = report
        .measurements
        .iter()
        .enumerate()
        .filter_map(|(i, m)| Some((i, m, m.stat(metric, stat)?, m.stat(Metric::OutputThroughput, Stat::Mean)?)))
        .collect();
    if points.len() < 2 {
        return None;
    }
    let x = Axis::x(&points.iter().map(|p| p.2).collect::<Vec<_>>(), true);
    let y = Axis::y(&points.iter().map(|p| p.3).collect::<Vec<_>>(), false);
    let id = if metric == Metric::Ttft { "ttft" } else { "tpot" };
    let title = format!("Throughput and {}", noun(metric));
    let labels = (format!("{}, p99 (ms)", noun(metric)), noun(Metric::OutputThroughput));
    let mut plot = frame(id, &title, (&x, labels.0), (&y, labels.1));
    let mut path = String::new();
    for (i, m, time, rate) in points {
        let (at_x, at_y) = (x.place(time), y.place(rate));
        path.push_str(&format!("{}{at_x},{at_y}", if path.is_empty() { "M" } else { "L" }));
        let label = label(report, m);
        plot.marks.push(Mark {
            x: at_x,
            y: at_y,
            kind: if m.is_valid() { Kind::Candidate } else { Kind::Lost },
            title: format!("{label}: {} tok/s, {} ms", figure(rate), figure(time)),
            experiment: i as u32 + 1,
            label: Some(label),
        });
    }
    plot.lines.push(Line { style: "front", path });
    let keys = [(Kind::Candidate, "valid"), (Kind::Lost, "INVALID")];
    let there = keys.into_iter().filter(|(kind, _)| plot.marks.iter().any(|m| m.kind == *kind));
    plot.legend = there.map(|(kind, text)| Key { kind: Some(kind), style: None, text }).collect();
    plot.description = "Each mark is one measurement, joined in the order in which they were taken.".to_owned();
    Some(plot)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tuner_core::measure::{Figure, Summary};
    use tuner_core::task::Level;

    fn measurement(level: u32, rate: f64, ttft: f64, validity: Validity) -> Measurement {
        let percentiles = [(Percentile::P50, ttft / 2.0), (Percentile::P99, ttft)].into();
        let ttft = Summary { n: 10, mean: ttft / 2.0, percentiles, ..Summary::default() };
        Measurement {
            level,
            window_s: 10.0,
            requests: RequestCounts { planned: 10, completed: 9, failed: 1, ..RequestCounts::default() },
            errors: [("cut".to_owned(), 1)].into(),
            metrics: [(Metric::OutputThroughput, Figure::Scalar(rate)), (Metric::Ttft, Figure::Distribution(ttft))]
                .into(),
            validity,
            ..Measurement::default()
        }
    }

    fn report() -> BenchReport {
        let late = Validity::Invalid { reasons: vec!["requests were released late: <b>9 ms</b>".to_owned()] };
        BenchReport {
            url: "http://127.0.0.1:8000".to_owned(),
            model: "m & n".to_owned(),
            levels: vec![Level::closed(1), Level::closed(8)],
            measurements: vec![measurement(0, 40.0, 100.0, Validity::Valid), measurement(1, 160.0, 400.0, late)],
            ..BenchReport::default()
        }
    }

    #[test]
    fn a_table_has_a_row_per_measurement_and_leaves_out_what_was_not_measured() {
        let text = csv(&report());
        let rows: Vec<Vec<&str>> = text.lines().map(|l| l.split(',').collect()).collect();
        assert_eq!(rows.len(), 3);
        assert!(rows.iter().all(|r| r.len() == rows[0].len()), "{text}");
        assert_eq!(rows[1][..9], ["c1", "0", "true", "10.000", "10", "9", "1", "0", ""]);
        let at = |name: &str| rows[0].iter().position(|h| *h == name).unwrap();
        assert_eq!((rows[2][at("ttft_p99_ms")], rows[2][at("tpot_p50_ms")]), ("400", ""));
    }

    #[test]
    fn a_page_shows_every_level_escapes_what_came_from_outside_and_loads_nothing() {
        let page = page(&report(), DateTime::UNIX_EPOCH).unwrap();
        for part in
            ["m &amp; n under load", "INVALID", "released late: &lt;b&gt;", "1 × cut", "c8: 160 tok&#x2f;s, 400 ms"]
        {
            assert!(page.contains(part), "{part}\n{page}");
        }
        assert!(!page.contains("<script") && !page.contains("src=\"http"), "{page}");
    }

    #[test]
    fn conversations_have_a_row_for_each_turn() {
        let mut report = report();
        let turn = TurnReport {
            requests: RequestCounts { planned: 5, completed: 5, ..RequestCounts::default() },
            metrics: report.measurements[0].metrics.clone(),
            cached_prompt_share: Some(0.5),
            ..TurnReport::default()
        };
        report.measurements[0].turns = [(1, turn.clone()), (2, turn)].into();
        let text = csv(&report);
        let rows: Vec<Vec<&str>> = text.lines().map(|l| l.split(',').collect()).collect();
        assert!(rows.len() == 5 && rows.iter().all(|r| r.len() == rows[0].len()), "{text}");
        assert_eq!([0, 1, 2, 3, 4].map(|i| rows[i][9]), ["turn", "", "1", "2", ""]);
        assert_eq!(rows[2][4..7], ["5", "5", "0"]);
        let page = page(&report, DateTime::UNIX_EPOCH).unwrap();
        assert!(page.contains("turn 2, 50 % of the prompt cached"), "{page}");
    }

    #[test]
    fn the_ending_says_the_format() {
        let refused = "result.txt".parse::<BenchFile>().unwrap_err().to_string();
        assert!(refused.contains("result.txt has no known ending: .json"), "{refused}");
        assert_eq!("a/b.csv".parse::<BenchFile>().unwrap().format, BenchFormat::Csv);
    }
}
