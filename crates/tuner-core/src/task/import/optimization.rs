//! `optimization` and `slo`: sampler, objective, budget, limits.

use super::fields::Fields;
use crate::measure::{Metric, Percentile, Stat};
use crate::task::diagnostic::{Diagnostic, nearest};
use crate::task::read::tree::{Path, at_path};
use crate::task::{Budget, Objective, ObjectiveName, SamplerSpec, SloSpec, Timeouts};

const KNOWN: [&str; 9] = [
    "strategy",
    "objective",
    "max_iterations",
    "timeout_per_iteration",
    "n_initial_random",
    "study_name",
    "storage",
    "seed",
    "max_parallel_experiments",
];

pub(super) fn translate(
    fields: &mut Fields<'_>,
    timeouts: &mut Timeouts,
) -> (SamplerSpec, Vec<Objective>, Budget, u64) {
    let place = at_path!["optimization"];
    fields.only(&place, &KNOWN);
    for (field, why) in [
        ("study_name", "experiments live in this project's own store"),
        ("storage", "experiments live in this project's own store"),
        ("max_parallel_experiments", "the predecessor never did this either"),
    ] {
        if fields.node(&place.join(field)).is_some() {
            fields.report_key(&place.join(field), Diagnostic::note("", format!("`{field}` is left out: {why}")));
        }
    }
    let iterations = fields.count(&place.join("max_iterations"), 99_999);
    let experiments = iterations.unwrap_or(100) + 1;
    let message = format!("`budget.experiments: {experiments}`: one more than `max_iterations`, for the baseline");
    let at = if iterations.is_some() { place.join("max_iterations") } else { place.clone() };
    fields.report_key(&at, Diagnostic::note("", message));
    if let Some(seconds) = fields.number(&place.join("timeout_per_iteration")) {
        if (1.0..=604_800.0).contains(&seconds) {
            timeouts.experiment_s = seconds;
        } else {
            let finding = Diagnostic::error("", format!("{seconds} seconds per experiment")).allowed("1 to 604800");
            fields.report(&place.join("timeout_per_iteration"), finding);
        }
    }
    let seed = fields.number(&place.join("seed")).map_or(0, |s| s.abs() as u64);
    let sampler = sampler(fields, &place, experiments);
    let objective = Objective::Named(objective(fields, &place.join("objective")));
    (sampler, vec![objective], Budget { experiments, ..Budget::default() }, seed)
}

fn sampler(fields: &mut Fields<'_>, place: &Path, experiments: u32) -> SamplerSpec {
    const WORDS: [&str; 3] = ["grid_search", "bayesian", "random"];
    let at = place.join("strategy");
    let given = fields.text(&at).unwrap_or_else(|| "grid_search".to_owned());
    match given.as_str() {
        "grid_search" | "grid" => SamplerSpec::Grid,
        "random" => SamplerSpec::Random,
        "random_search" => {
            fields.report(&at, Diagnostic::note("", "`random_search` is the sampler `random`"));
            SamplerSpec::Random
        }
        "bayesian" => {
            let asked = fields.count(&place.join("n_initial_random"), 10_000).unwrap_or(5);
            let initial = asked.min(experiments);
            if initial < asked {
                let message = format!("{asked} initial experiments are more than the budget: {initial}");
                fields.report(&place.join("n_initial_random"), Diagnostic::note("", message));
            }
            SamplerSpec::Bayesian { initial: Some(initial), candidates: 24 }
        }
        _ => {
            let finding = Diagnostic::error("", format!("unknown strategy `{given}`"));
            fields.report(&at, finding.suggest(nearest(&given, WORDS)).allowed(WORDS.join(", ")));
            SamplerSpec::Random
        }
    }
}

fn objective(fields: &mut Fields<'_>, at: &Path) -> ObjectiveName {
    let given = fields.text(at).unwrap_or_else(|| "minimize_latency".to_owned());
    let (name, before, now) = match given.as_str() {
        "minimize_latency" => {
            (ObjectiveName::MinimizeLatency, "the mean over all levels", "the mean at the worst level")
        }
        "minimize_ttft" => (ObjectiveName::MinimizeTtft, "the mean over all levels", "the mean at the worst level"),
        "minimize_tpot" => (ObjectiveName::MinimizeTpot, "the mean over all levels", "the mean at the worst level"),
        "maximize_throughput" => (
            ObjectiveName::MaximizeThroughput,
            "prompt and answer tokens per second and GPU, averaged over all levels",
            "answer tokens per second at the best level that meets the SLOs",
        ),
        "balanced" => {
            let finding = Diagnostic::error("", "`balanced` was offered by the predecessor's page but never worked");
            let help = "choose one objective, or give several under `objectives` for a Pareto front";
            fields.report(at, finding.help(help));
            return ObjectiveName::MinimizeLatency;
        }
        _ => {
            let words = ["minimize_latency", "maximize_throughput", "minimize_ttft", "minimize_tpot"];
            let finding = Diagnostic::error("", format!("unknown objective `{given}`"));
            fields.report(at, finding.suggest(nearest(&given, words)).allowed(words.join(", ")));
            return ObjectiveName::MinimizeLatency;
        }
    };
    fields.report(at, Diagnostic::note("", format!("`{given}` was {before}; here it is {now}")));
    name
}

/// `slo`, seconds to milliseconds.
pub(super) fn slos(fields: &mut Fields<'_>) -> Vec<SloSpec> {
    let place = at_path!["slo"];
    let mut slos = Vec::new();
    fields.only(&place, &["latency", "ttft", "tpot", "steepness"]);
    let steepness = fields.number(&place.join("steepness")).unwrap_or(0.1);
    for entry in fields.entries(&place.join("latency")) {
        let at = place.join("latency").join(entry.key.as_str());
        match entry.key.parse::<Percentile>() {
            Ok(p) => slos.extend(slo(fields, &at, Metric::E2eLatency, Stat::Percentile(p), steepness)),
            Err(_) => {
                let finding = Diagnostic::note("", format!("unknown field `{}` is left out", entry.key));
                fields.report_key(&at, finding.help("latency has percentiles: p50, p90, p99"));
            }
        }
    }
    slos.extend(slo(fields, &place.join("ttft"), Metric::Ttft, Stat::Mean, steepness));
    slos.extend(slo(fields, &place.join("tpot"), Metric::Tpot, Stat::Mean, steepness));
    if !slos.is_empty() {
        let message = "SLOs hold at every level that counts, not on averages; penalties begin at 0 at the threshold";
        fields.report_key(&place, Diagnostic::note("", message));
    }
    slos
}

fn slo(fields: &mut Fields<'_>, at: &Path, metric: Metric, stat: Stat, steepness: f64) -> Option<SloSpec> {
    fields.node(at)?;
    fields.only(at, &["threshold", "weight", "hard_fail", "fail_ratio"]);
    let given = fields.node(&at.join("threshold")).is_some();
    let seconds = fields.number(&at.join("threshold"));
    let Some(seconds) = seconds else {
        if given {
            return None;
        }
        fields.report_key(at, Diagnostic::note("", "no threshold: left out"));
        return None;
    };
    // Thousandths without the dust of binary fractions: 0.05 s is 50 ms.
    let max_ms = (seconds * 1e9).round() / 1e6;
    let hard_fail = fields.switch(&at.join("hard_fail")).unwrap_or(false);
    let force = if hard_fail { "hard" } else { "soft (`hard_fail: false`)" };
    let message = format!("{seconds} s become `max_ms: {max_ms}` on the {stat} of {metric}; it stays {force}");
    let finding = Diagnostic::note("", message);
    fields.report(&at.join("threshold"), finding);
    Some(SloSpec {
        metric,
        stat: Some(stat),
        max_ms: Some(max_ms),
        max: None,
        min: None,
        weight: fields.number(&at.join("weight")).unwrap_or(1.0),
        hard_fail,
        fail_ratio: fields.number(&at.join("fail_ratio")).unwrap_or(if hard_fail { 0.5 } else { 0.0 }),
        steepness,
    })
}
