//! What `bench` measured, for a terminal.

use tuner_app::report::server_words;
use tuner_bench::sweep::Found;
use tuner_bench::{BenchReport, BenchRequest};
use tuner_core::task::Level;
use tuner_core::{Measurement, Metric, Percentile, Stat, Validity};

use crate::ui;
use crate::ui::table::Table;
use crate::ui::words;

/// Turns of one measurement that are shown; all stand in the files.
const MOST_TURNS: usize = 12;

/// The answer as a table, then what is to be said about it.
pub(super) fn report(report: &BenchReport, request: &BenchRequest) {
    let seed = request.seeds.schedule;
    ui::answer(&format!("{} at {} (seed {seed})", report.model, report.url));
    let label = |m: &Measurement| report.levels.get(m.level as usize).map(Level::label).unwrap_or_default();
    let rows: Vec<(String, &Measurement)> = report.measurements.iter().map(|m| (label(m), m)).collect();
    table(&rows);
    report.notes.iter().for_each(|note| ui::say(&format!("note: {note}")));
    if let Some(Found { best, knee, highest, limited }) = report.sweep {
        let end = if limited { "more is too much" } else { "more gains nothing, or was not tried" };
        ui::answer(&format!("highest load: c{highest} ({end}); best throughput at c{best}, 95 % of it from c{knee}"));
    } else if request.sweep.is_some() && !report.cancelled {
        ui::answer("no load meets the limits, not even one stream");
    }
}

/// One row per measurement, then its remarks, each with the level's name.
pub(super) fn table(measurements: &[(String, &Measurement)]) {
    let head = ["level", "tok/s", "req/s", "TTFT p50", "p99", "TPOT p50", "p99", "E2E p50", "p99", "ok", "failed", ""];
    let mut table = Table::new(head);
    for (label, m) in measurements {
        let at = |metric, p| words::optional(metric, m.stat(metric, Stat::Percentile(p)));
        let rate = |metric| m.stat(metric, Stat::Mean).map_or_else(|| "n/a".to_owned(), |x| format!("{x:.2}"));
        table.row([
            label.clone(),
            rate(Metric::OutputThroughput),
            rate(Metric::RequestThroughput),
            at(Metric::Ttft, Percentile::P50),
            at(Metric::Ttft, Percentile::P99),
            at(Metric::Tpot, Percentile::P50),
            at(Metric::Tpot, Percentile::P99),
            at(Metric::E2eLatency, Percentile::P50),
            at(Metric::E2eLatency, Percentile::P99),
            m.requests.completed.to_string(),
            m.requests.failed.to_string(),
            if m.is_valid() { "valid".to_owned() } else { "INVALID".to_owned() },
        ]);
    }
    ui::answer(&table.to_string());
    if let Some(turns) = turns(measurements) {
        ui::answer(&format!("\n{turns}"));
    }
    measurements.iter().for_each(|(label, m)| remarks(label, m));
}

/// One row per turn of each measurement of conversations: the first ones and the last.
fn turns(measurements: &[(String, &Measurement)]) -> Option<Table> {
    let talked = || measurements.iter().filter(|(_, m)| !m.turns.is_empty());
    talked().next()?;
    let head = ["level", "turn", "tokens in", "cached", "TTFT p50", "p99", "TPOT p50", "p99", "ok", "failed", "unsent"];
    let mut table = Table::new(head);
    for (label, m) in talked() {
        let last = m.turns.len() - 1;
        let shown = m.turns.iter().enumerate().filter(|(i, _)| *i < MOST_TURNS - 1 || *i == last);
        for (i, (number, turn)) in shown {
            let at = |metric, p| words::optional(metric, turn.stat(metric, Stat::Percentile(p)));
            let left_out = if i == last && i >= MOST_TURNS { "… " } else { "" };
            table.row([
                label.clone(),
                format!("{left_out}{number}"),
                turn.stat(Metric::InputTokens, Stat::Mean).map_or_else(|| "n/a".to_owned(), |n| format!("{n:.0}")),
                turn.cached_prompt_share.map_or_else(|| "n/a".to_owned(), |share| format!("{:.0} %", share * 100.0)),
                at(Metric::Ttft, Percentile::P50),
                at(Metric::Ttft, Percentile::P99),
                at(Metric::Tpot, Percentile::P50),
                at(Metric::Tpot, Percentile::P99),
                turn.requests.completed.to_string(),
                turn.requests.failed.to_string(),
                turn.requests.unsent.to_string(),
            ]);
        }
    }
    Some(table)
}

fn remarks(level: &str, m: &Measurement) {
    if let Validity::Invalid { reasons } = &m.validity {
        reasons.iter().for_each(|reason| ui::say(&format!("{level} INVALID: {reason}")));
    }
    for (class, count) in &m.errors {
        ui::say(&format!("{level}: {count} × {class}"));
    }
    m.notes.iter().for_each(|note| ui::say(&format!("{level}: {note}")));
    if let Some(server) = &m.server {
        ui::say(&format!("{level}: {}", server_words(server)));
    }
}
