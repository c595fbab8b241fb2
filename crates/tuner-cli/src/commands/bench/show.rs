//! What `bench` measured, for a terminal.

use tuner_app::report::server_words;
use tuner_bench::sweep::Found;
use tuner_bench::{BenchReport, BenchRequest};
use tuner_core::task::Level;
use tuner_core::{Measurement, Metric, Percentile, Stat, Validity};

use crate::ui;
use crate::ui::table::Table;
use crate::ui::words;

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
    measurements.iter().for_each(|(label, m)| remarks(label, m));
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
