//! Which figures a report shows for each level: the usual ones, and whatever the task's objectives and SLOs name.

use tuner_core::measure::Percentile;
use tuner_core::{Metric, Stat, TaskSpec};

use super::model::Column;

const USUAL: [(Metric, Stat); 9] = [
    (Metric::OutputThroughput, Stat::Mean),
    (Metric::RequestThroughput, Stat::Mean),
    (Metric::Ttft, Stat::Percentile(Percentile::P50)),
    (Metric::Ttft, Stat::Percentile(Percentile::P99)),
    (Metric::Tpot, Stat::Percentile(Percentile::P50)),
    (Metric::Tpot, Stat::Percentile(Percentile::P99)),
    (Metric::E2eLatency, Stat::Percentile(Percentile::P50)),
    (Metric::E2eLatency, Stat::Percentile(Percentile::P99)),
    (Metric::ErrorRate, Stat::Mean),
];

/// The columns of a task's level tables.
pub(super) fn columns(spec: &TaskSpec) -> Vec<Column> {
    let objectives = spec.objectives.iter().map(|o| o.resolve()).map(|o| (o.metric, o.stat));
    with_usual(objectives.chain(spec.slos.iter().map(|slo| (slo.metric, slo.stat()))))
}

/// The usual columns and these, each once.
pub(super) fn with_usual(extras: impl Iterator<Item = (Metric, Stat)>) -> Vec<Column> {
    let mut wanted: Vec<(Metric, Stat)> = USUAL.to_vec();
    for extra in extras {
        if !wanted.contains(&extra) {
            wanted.push(extra);
        }
    }
    wanted.sort_by_key(|(metric, _)| order(*metric));
    wanted.into_iter().map(|(metric, stat)| column(metric, stat)).collect()
}

/// Throughputs, then times, then shares.
fn order(metric: Metric) -> usize {
    let group = if metric.unit().ends_with("/s") { 0 } else { 1 + usize::from(!metric.is_time()) };
    group * Metric::ALL.len() + Metric::ALL.iter().position(|m| *m == metric).unwrap_or(0)
}

pub(super) fn column(metric: Metric, stat: Stat) -> Column {
    let slug = match metric.unit() {
        "tok/s" => "_tok_per_s",
        "req/s" => "_req_per_s",
        "ms" => "_ms",
        "tok" => "_tok",
        _ => "",
    };
    let statistic = if metric.is_time() { format!(" {stat}") } else { String::new() };
    Column {
        key: format!("{metric}_{stat}{slug}").replace('.', "_"),
        label: format!("{}{statistic}", short(metric)),
        unit: metric.unit(),
        share: matches!(metric, Metric::ErrorRate | Metric::Attainment),
        metric,
        stat,
    }
}

/// The name at the head of a column.
pub(super) fn short(metric: Metric) -> &'static str {
    match metric {
        Metric::Ttft => "TTFT",
        Metric::TtftResp => "TTFT from arrival",
        Metric::Ttfat => "first answer token",
        Metric::Tpot => "TPOT",
        Metric::Itl => "ITL",
        Metric::Icl => "chunk gap",
        Metric::E2eLatency => "latency",
        Metric::E2eResp => "latency from arrival",
        Metric::OutputThroughput => "output",
        Metric::InputThroughput => "input",
        Metric::TotalThroughput => "total",
        Metric::RequestThroughput => "requests",
        Metric::Goodput => "goodput",
        Metric::Attainment => "attainment",
        Metric::ErrorRate => "errors",
        Metric::Concurrency => "in flight",
        Metric::OutputTokens => "output tokens",
        Metric::InputTokens => "input tokens",
        Metric::Quality => "quality",
    }
}

/// The metric in a sentence: "15 % more …", "20 % lower …".
pub(super) fn noun(metric: Metric) -> String {
    match metric {
        Metric::Ttft | Metric::TtftResp => "time to first token".to_owned(),
        Metric::Ttfat => "time to the first answer token".to_owned(),
        Metric::Tpot => "time per output token".to_owned(),
        Metric::Itl => "time between tokens".to_owned(),
        Metric::E2eLatency | Metric::E2eResp => "end-to-end latency".to_owned(),
        Metric::OutputThroughput => "output tokens per second".to_owned(),
        Metric::InputThroughput => "prompt tokens per second".to_owned(),
        Metric::TotalThroughput => "tokens per second".to_owned(),
        Metric::RequestThroughput => "requests per second".to_owned(),
        Metric::Goodput => "requests per second within the SLOs".to_owned(),
        Metric::ErrorRate => "error rate".to_owned(),
        other => other.name().replace('_', " "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_slo_names_gets_a_column_beside_its_kind() {
        let spec: TaskSpec = serde_json::from_value(serde_json::json!({
            "name": "t", "model": {"id": "m"}, "engine": {"name": "vllm"}, "search_space": {},
            "slos": [{"metric": "ttft", "stat": "p99.9", "max_ms": 10.0}, {"metric": "ttft", "max_ms": 5.0}]
        }))
        .unwrap();
        let keys: Vec<String> = columns(&spec).into_iter().map(|c| c.key).collect();
        assert_eq!(
            keys[..5],
            [
                "output_throughput_mean_tok_per_s",
                "request_throughput_mean_req_per_s",
                "ttft_p50_ms",
                "ttft_p99_ms",
                "ttft_p99_9_ms"
            ]
        );
        assert_eq!(keys.len(), USUAL.len() + 1);
    }
}
