//! Small words and figures, the same everywhere.

use serde::Serialize;
use tuner_app::cross_check::CrossCheckError;
use tuner_bench::{BenchError, Live, LiveTimes, Phase};
use tuner_core::Metric;
use tuner_core::engine::{ReadBack, ReadBackVerdict};
use tuner_core::plan::{Arm, Role};
use tuner_core::score::Class;

use crate::exit::Refusal;

/// A role in one word or two.
pub(crate) fn role(role: Role) -> String {
    match role {
        Role::Baseline => "baseline".to_owned(),
        Role::Search => "search".to_owned(),
        Role::Verify { block, arm: Arm::Baseline } => format!("verify baseline {}", block + 1),
        Role::Verify { block, arm: Arm::Best } => format!("verify best {}", block + 1),
    }
}

/// What a class means, as an appendix to a line.
pub(crate) fn class(class: Class) -> &'static str {
    match class {
        Class::Feasible => "  within every SLO",
        Class::Pruned => "  stopped: certain loser",
        Class::SoftViolation => "  misses a soft SLO",
        Class::HardViolation => "  misses an SLO",
        Class::Infeasible => "  cannot run",
        Class::Failed => "  could not be tried",
    }
}

/// Milliseconds with the digits that matter.
pub(crate) fn ms(x: f64) -> String {
    match x {
        x if x >= 10_000.0 => format!("{:.1} s", x / 1000.0),
        x if x >= 100.0 => format!("{x:.0} ms"),
        _ => format!("{x:.1} ms"),
    }
}

/// A value of a metric with its unit.
pub(crate) fn figure(metric: Metric, x: f64) -> String {
    match metric.unit() {
        "ms" => ms(x),
        "" => format!("{x:.3}"),
        unit => format!("{x:.1} {unit}"),
    }
}

/// A value that may be missing.
pub(crate) fn optional(metric: Metric, x: Option<f64>) -> String {
    x.map_or_else(|| "n/a".to_owned(), |x| figure(metric, x))
}

/// A level at one moment.
pub(crate) fn live(live: &Live) -> String {
    format!("{} · {}", live.label, live_figures(live))
}

/// The same without the level's name.
pub(crate) fn live_figures(live: &Live) -> String {
    let phase = match live.phase {
        Phase::Preparing => "preparing",
        Phase::WarmUp => "warm-up",
        Phase::Measuring => "measuring",
        Phase::Draining => "draining",
        Phase::Done => "done",
    };
    let mut parts = vec![phase.to_owned()];
    if live.output_tok_s > 0.0 {
        parts.push(format!("{:.1} tok/s", live.output_tok_s));
    }
    let times = |name: &str, t: LiveTimes| format!("{name} p50 {} p99 {}", ms(t.p50_ms), ms(t.p99_ms));
    parts.extend(live.ttft.map(|t| times("TTFT", t)));
    parts.extend(live.icl.map(|t| times("ITL", t)));
    let planned = live.planned.map(|n| format!("/{n}")).unwrap_or_default();
    parts.push(format!("{}{planned} done, {} in flight", live.done, live.in_flight));
    parts.extend(live.failed.iter().map(|(class, n)| format!("{n} {class}")));
    parts.join(" · ")
}

/// A ratio as a signed percentage: 1.2 is `+20.0 %`, 0.9 is `−10.0 %`.
pub(crate) fn percent(ratio: f64) -> String {
    format!("{:+.1} %", (ratio - 1.0) * 100.0).replace('-', "−")
}

/// Seconds as people say them.
pub(crate) fn duration(seconds: f64) -> String {
    let s = seconds.round().max(0.0) as u64;
    match s {
        0..60 => format!("{s} s"),
        60..3600 => format!("{} min {:02} s", s / 60, s % 60),
        _ => format!("{} h {:02} min", s / 3600, s % 3600 / 60),
    }
}

/// What the read-back found, in one line; `None` when there is nothing to say.
pub(crate) fn read_back(arguments: &[ReadBack]) -> Option<String> {
    let of = |verdict| arguments.iter().filter(move |a| a.verdict == verdict);
    let different: Vec<String> = of(ReadBackVerdict::Different)
        .map(|a| format!("{} asked {} reports {}", a.name, a.asked, a.reported.as_deref().unwrap_or("nothing")))
        .collect();
    let proven = of(ReadBackVerdict::Proven).count();
    match (arguments.len(), different.is_empty()) {
        (0, _) => None,
        (n, true) => Some(format!("read back: {proven} of {n} flags proven")),
        (_, false) => Some(format!("warning: the engine changed flags: {}", different.join("; "))),
    }
}

/// The snake_case word of a serde enum.
pub(crate) fn snake(value: &impl Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
}

/// The hint that an error in the chain carries.
pub(crate) fn hint(error: &anyhow::Error) -> Option<String> {
    error.chain().find_map(|cause| {
        if let Some(refusal) = cause.downcast_ref::<Refusal>() {
            return Some(refusal.hint.clone());
        }
        if let Some(BenchError::Endpoint { url, .. }) = cause.downcast_ref::<BenchError>() {
            return Some(format!("check host and port, and that an OpenAI-compatible server answers: curl {url}"));
        }
        if let Some(error) = cause.downcast_ref::<CrossCheckError>() {
            return error.hint();
        }
        let store = cause.downcast_ref::<tuner_store::StoreError>().and_then(|e| e.hint()).map(str::to_owned);
        store.or_else(|| cause.downcast_ref::<tuner_app::AppError>().and_then(tuner_app::AppError::hint))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_like_speech() {
        assert_eq!(duration(59.4), "59 s");
        assert_eq!(duration(61.0), "1 min 01 s");
        assert_eq!(duration(7260.0), "2 h 01 min");
    }

    #[test]
    fn percentages_carry_a_real_minus_sign() {
        assert_eq!((percent(0.9), percent(1.25)), ("−10.0 %".to_owned(), "+25.0 %".to_owned()));
    }
}
