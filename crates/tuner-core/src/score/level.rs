//! One level's class, penalty and objective values.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Class;
use crate::task::{Bound, SloSpec};
use crate::{Measurement, Metric, Stat, StopRule, TaskSpec};

/// Largest penalty of one SLO: far past any real objective, far from overflow.
const PENALTY_CAP: f64 = 1e6;

/// One SLO at one level.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SloResult {
    /// The SLO in words.
    pub label: String,
    /// What was measured; `None` where it could not be determined (the SLO then does not apply).
    pub actual: Option<f64>,
    /// `(actual − limit) / limit`, turned so that positive is a violation.
    pub violation: Option<f64>,
    /// What it means for the level.
    pub class: Class,
    /// Its penalty.
    pub penalty: f64,
}

/// One level, scored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LevelScore {
    /// Position of the level in the task's list.
    pub level: u32,
    /// Its class.
    pub class: Class,
    /// One value per objective, where it could be determined; per GPU where the objective says so.
    pub objectives: Vec<Option<f64>>,
    /// Every SLO of the task.
    pub slos: Vec<SloResult>,
    /// Sum of the SLOs' penalties.
    pub penalty: f64,
    /// Sum of the positive relative violations, the error limit and the surplus of an over-saturated level included.
    pub violation: f64,
    /// Relative standard error of the first objective over repeats.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub noise: Option<f64>,
}

/// One figure of a level: the median over its valid measurements.
pub(crate) fn level_value(measurements: &[Measurement], level: u32, metric: Metric, stat: Stat) -> Option<f64> {
    let repeats: Vec<&Measurement> = measurements.iter().filter(|m| m.level == level && m.is_valid()).collect();
    over_repeats(&repeats, metric, stat)
}

/// Scores every level that has a valid measurement, in the order of the levels.
pub(super) fn score_levels<'a>(
    spec: &TaskSpec,
    measurements: impl Iterator<Item = &'a Measurement>,
    gpus: u32,
) -> Vec<LevelScore> {
    let mut by_level: BTreeMap<u32, Vec<&Measurement>> = BTreeMap::new();
    for measurement in measurements.filter(|m| m.is_valid()) {
        by_level.entry(measurement.level).or_default().push(measurement);
    }
    by_level.into_iter().map(|(level, repeats)| score_level(spec, level, &repeats, gpus)).collect()
}

fn score_level(spec: &TaskSpec, level: u32, repeats: &[&Measurement], gpus: u32) -> LevelScore {
    let objectives: Vec<Option<f64>> = spec
        .objectives
        .iter()
        .map(|o| {
            let o = o.resolve();
            let share = if o.per_gpu { f64::from(gpus) } else { 1.0 };
            over_repeats(repeats, o.metric, o.stat).map(|x| x / share)
        })
        .collect();
    let slos: Vec<SloResult> = spec.slos.iter().map(|slo| check(slo, repeats)).collect();
    let errors = over_repeats(repeats, Metric::ErrorRate, Stat::Mean).unwrap_or(0.0);
    let over = (errors - spec.max_error_rate) / spec.max_error_rate.max(0.001);
    let mut class = slos.iter().map(|s| s.class).max().unwrap_or(Class::Feasible);
    let surplus = if asks_for_times(spec) { surplus(repeats) } else { 0.0 };
    if over > 0.0 || surplus > 0.0 {
        class = class.max(Class::HardViolation);
    }
    LevelScore {
        level,
        class,
        penalty: slos.iter().map(|s| s.penalty).sum(),
        violation: slos.iter().filter_map(|s| s.violation).chain([over, surplus]).map(|v| v.max(0.0)).sum(),
        noise: spec.objectives.first().and_then(|o| relative_error(repeats, o.resolve().metric, o.resolve().stat)),
        objectives,
        slos,
    }
}

/// Whether the task asks how long requests take, in whatever form. Times of a level that was stopped because it was
/// over-saturated grow for as long as one measures, so that none of them is a figure of the engine: an SLO could even be
/// met because the level was stopped. Such a level does not hold, and what piled up says by how much. Throughput is
/// what a full engine gives, whenever one looks; where only that is asked for, the level counts as any other.
fn asks_for_times(spec: &TaskSpec) -> bool {
    let of_time = |metric: Metric| metric.is_time() || matches!(metric, Metric::Attainment | Metric::Goodput);
    let slos = spec.slos.iter().chain(spec.workload.classes.iter().flat_map(|class| &class.slos));
    slos.map(|slo| slo.metric).chain(spec.objectives.iter().map(|o| o.resolve().metric)).any(of_time)
}

/// The share of the arrivals that piled up where the level was stopped for it, the median over repeats; 0 where it was not.
fn surplus(repeats: &[&Measurement]) -> f64 {
    let of = |m: &&Measurement| {
        let stopped = m.stopped.as_ref().filter(|stopped| stopped.rule == StopRule::Saturated);
        stopped.and_then(|stopped| stopped.surplus).unwrap_or(0.0)
    };
    median(repeats.iter().map(of).collect()).unwrap_or(0.0)
}

fn check(slo: &SloSpec, repeats: &[&Measurement]) -> SloResult {
    let actual = over_repeats(repeats, slo.metric, slo.stat());
    let violation = actual.zip(slo.bound()).map(|(actual, bound)| relative_violation(bound, actual));
    let v = violation.unwrap_or(0.0);
    let class = if v <= 0.0 {
        Class::Feasible
    } else if slo.hard_fail && v > slo.fail_ratio {
        Class::HardViolation
    } else {
        Class::SoftViolation
    };
    SloResult { label: slo.label(), actual, violation, class, penalty: penalty(v, slo.weight, slo.steepness) }
}

/// Positive beyond the limit, as a share of it.
fn relative_violation(bound: Bound, actual: f64) -> f64 {
    let (excess, limit) = match bound {
        Bound::AtMost(limit) => (actual - limit, limit),
        Bound::AtLeast(limit) => (limit - actual, limit),
    };
    excess / limit.abs().max(1e-9)
}

/// `weight · (exp(v / steepness) − 1)`: zero at the threshold, continuous there, capped.
fn penalty(violation: f64, weight: f64, steepness: f64) -> f64 {
    if violation <= 0.0 {
        return 0.0;
    }
    let growth = (violation / steepness.max(1e-6)).min(PENALTY_CAP.ln()).exp_m1();
    (weight * growth).clamp(0.0, PENALTY_CAP)
}

/// The median over repeats: a percentile is never averaged.
fn over_repeats(repeats: &[&Measurement], metric: Metric, stat: Stat) -> Option<f64> {
    median(repeats.iter().filter_map(|m| m.stat(metric, stat)).filter(|x| x.is_finite()).collect())
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let n = values.len();
    match n {
        0 => None,
        _ if n % 2 == 1 => Some(values[n / 2]),
        _ => Some((values[n / 2 - 1] + values[n / 2]) / 2.0),
    }
}

fn relative_error(repeats: &[&Measurement], metric: Metric, stat: Stat) -> Option<f64> {
    let values: Vec<f64> = repeats.iter().filter_map(|m| m.stat(metric, stat)).collect();
    if values.len() < 2 {
        return None;
    }
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0);
    (mean != 0.0).then(|| (variance / n).sqrt() / mean.abs())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Figure, Stopped};

    fn saturated(surplus: Option<f64>) -> Measurement {
        let stopped = surplus.map(|surplus| Stopped {
            rule: StopRule::Saturated,
            after_s: 31.0,
            reason: String::new(),
            surplus: Some(surplus),
        });
        Measurement {
            metrics: [(Metric::OutputThroughput, Figure::Scalar(500.0)), (Metric::Ttft, Figure::Scalar(80.0))].into(),
            stopped,
            ..Measurement::default()
        }
    }

    fn scored(objective: &str, slos: serde_json::Value, measurements: &[Measurement]) -> LevelScore {
        let spec = serde_json::json!({
            "name": "s", "model": {"path": "m"}, "engine": {"name": "simulated"}, "search_space": {},
            "load": {"levels": [{"rate": 9.0}]}, "objectives": [{"metric": objective}], "slos": slos,
        });
        let spec: TaskSpec = serde_json::from_value(spec).unwrap();
        score_levels(&spec, measurements.iter(), 1).remove(0)
    }

    #[test]
    fn an_over_saturated_level_does_not_hold_where_times_are_asked_for() {
        // The limit is met only because the level was stopped.
        let slo = serde_json::json!([{"metric": "ttft", "max_ms": 100}]);
        let with = |surplus| scored("output_throughput", slo.clone(), &[saturated(surplus)]);
        assert_eq!((with(None).class, with(None).violation), (Class::Feasible, 0.0));
        assert_eq!((with(Some(0.4)).class, with(Some(0.4)).violation), (Class::HardViolation, 0.4));
        let objective = scored("ttft", serde_json::json!([]), &[saturated(Some(0.4))]);
        assert_eq!(objective.class, Class::HardViolation);
        let one_of_three = [None, Some(0.1), None].map(saturated);
        let median = scored("output_throughput", slo, &one_of_three);
        assert_eq!(median.class, Class::Feasible, "the median over repeats decides, as for every figure");
    }

    #[test]
    fn where_only_throughput_is_asked_for_a_full_engine_is_as_good_as_any() {
        let score = scored("output_throughput", serde_json::json!([]), &[saturated(Some(0.4))]);
        assert_eq!((score.class, score.objectives), (Class::Feasible, vec![Some(500.0)]));
    }

    proptest! {
        #[test]
        fn the_penalty_is_zero_at_the_threshold_continuous_monotone_and_finite(
            v in 0.0f64..1e12, dv in 0.0f64..10.0, weight in 0.0f64..100.0, steepness in 1e-9f64..10.0,
        ) {
            prop_assert_eq!(penalty(0.0, weight, steepness), 0.0);
            prop_assert!(penalty(1e-12, 1.0, 0.1) < 1e-9);
            let (a, b) = (penalty(v, weight, steepness), penalty(v + dv, weight, steepness));
            prop_assert!(a.is_finite() && b.is_finite() && a <= b);
        }

        #[test]
        fn a_violation_is_positive_exactly_beyond_the_limit(limit in 1e-3f64..1e6, actual in 0.0f64..1e6) {
            prop_assert_eq!(relative_violation(Bound::AtMost(limit), actual) > 0.0, actual > limit);
            prop_assert_eq!(relative_violation(Bound::AtLeast(limit), actual) > 0.0, actual < limit);
        }
    }
}
