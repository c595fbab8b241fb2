//! From measurements to a rank: classes first, the objective within a class.
//!
//! *Invariant*: no infinities, no made-up numbers. What could not be measured has no objective; what cannot work has
//! a class of its own that ranks below everything that ran. Rules: design "Scoring"; the penalty is the
//! predecessor's made continuous, `weight · (exp(v / steepness) − 1)`.

mod level;
pub mod paired;

use std::cmp::Ordering;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(crate) use level::level_value;
pub use level::{LevelScore, SloResult};

use crate::plan::ExperimentView;
use crate::sampler::Observation;
use crate::task::{Across, Goal, ResolvedObjective};
use crate::{Outcome, TaskSpec};

/// How good an experiment is before its objective is looked at. Earlier is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Every SLO is met.
    Feasible,
    /// It was ended early, because it surely could not reach a feasible one; its figures are those until then.
    Pruned,
    /// A soft SLO is missed, or a hard one by less than its `fail_ratio`.
    SoftViolation,
    /// A hard SLO is missed, too many requests failed, or a level that must hold is missing.
    HardViolation,
    /// The configuration cannot work here.
    Infeasible,
    /// It could not be tried.
    Failed,
}

/// The rank of an experiment. Objective and penalty are kept apart.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Score {
    /// Its class.
    pub class: Class,
    /// One value per objective of the task, in the metric's own unit and direction; empty when nothing was measured.
    pub objectives: Vec<f64>,
    /// Penalty of the violations at the deciding level, ≥ 0, relative to the objective.
    pub penalty: f64,
    /// Sum of the positive relative violations at the deciding level.
    pub violation: f64,
    /// The level whose value is the first objective.
    pub level: Option<u32>,
    /// Every level that was measured.
    pub levels: Vec<LevelScore>,
    /// Relative standard error of the first objective over repeats, where there were any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub noise: Option<f64>,
}

impl Score {
    /// The first objective.
    pub fn primary(&self) -> Option<f64> {
        self.objectives.first().copied()
    }

    /// The first objective at one level.
    pub fn primary_at(&self, level: u32) -> Option<f64> {
        *self.levels.iter().find(|l| l.level == level)?.objectives.first()?
    }

    fn unmeasured(class: Class) -> Self {
        Self {
            class,
            objectives: Vec::new(),
            penalty: 0.0,
            violation: 0.0,
            level: None,
            levels: Vec::new(),
            noise: None,
        }
    }

    /// Better first: by class, then within it: feasible by objective, soft violations by penalised objective, hard
    /// violations by how much they violate.
    pub fn compare(&self, other: &Self, objective: &ResolvedObjective) -> Ordering {
        self.class.cmp(&other.class).then_with(|| self.key(objective).total_cmp(&other.key(objective)))
    }

    fn key(&self, objective: &ResolvedObjective) -> f64 {
        let minimised = self.primary().map_or(0.0, |x| objective.minimised(x));
        match self.class {
            Class::Feasible | Class::Pruned => minimised,
            Class::SoftViolation => minimised + self.penalty * minimised.abs(),
            Class::HardViolation => self.violation,
            Class::Infeasible | Class::Failed => 0.0,
        }
    }
}

/// Scores an ended experiment; `None` while it is open or when it was cancelled.
pub fn score(spec: &TaskSpec, experiment: &ExperimentView) -> Option<Score> {
    match experiment.outcome.as_ref()? {
        Outcome::Success { .. } => Some(measured(spec, experiment)),
        Outcome::Pruned { .. } => {
            let score = so_far(spec, &[experiment], true);
            Some(Score { class: score.class.max(Class::Pruned), ..score })
        }
        Outcome::Infeasible { .. } => Some(Score::unmeasured(Class::Infeasible)),
        Outcome::Failed { .. } => Some(Score::unmeasured(Class::Failed)),
        Outcome::Cancelled => None,
    }
}

/// Scores what has been measured so far, whether the experiment has ended or not.
pub fn measured(spec: &TaskSpec, experiment: &ExperimentView) -> Score {
    pooled(spec, &[experiment])
}

/// Scores several experiments with one configuration as if they were repeats of one: each metric of each level is the
/// median over all of them.
pub fn pooled(spec: &TaskSpec, experiments: &[&ExperimentView]) -> Score {
    so_far(spec, experiments, false)
}

/// GPUs of a deployment, where an objective counts them.
pub(crate) fn gpus_of(spec: &TaskSpec, known: Option<u32>) -> u32 {
    known.or(spec.engine.gpus).unwrap_or(1).max(1)
}

/// `partly`: levels may be missing without being held against it.
fn so_far(spec: &TaskSpec, experiments: &[&ExperimentView], partly: bool) -> Score {
    let gpus = gpus_of(spec, experiments.iter().find_map(|e| e.last_attempt()?.evidence.gpus));
    let levels = level::score_levels(spec, experiments.iter().flat_map(|e| e.measurements()), gpus);
    if levels.is_empty() {
        return Score::unmeasured(Class::Failed);
    }
    let all_there = partly || levels.len() == spec.load.levels.len();
    let objectives: Vec<ResolvedObjective> = spec.objectives.iter().map(|o| o.resolve()).collect();
    let mut class = Class::Feasible;
    let mut values = Vec::with_capacity(objectives.len());
    let mut deciding = None;
    for (k, objective) in objectives.iter().enumerate() {
        let Some((level, its_class)) = decide(objective, k, &levels, all_there) else {
            return Score { levels, ..Score::unmeasured(Class::HardViolation) };
        };
        class = class.max(its_class);
        values.extend(level.objectives[k]);
        deciding.get_or_insert(level);
    }
    let Some(level) = deciding else { return Score { levels, ..Score::unmeasured(Class::Failed) } };
    Score {
        class,
        objectives: values,
        penalty: level.penalty,
        violation: level.violation,
        level: Some(level.level),
        noise: level.noise,
        levels: levels.clone(),
    }
}

/// The level that counts for objective `k`, and the class that follows. `None` when no level has a value.
fn decide<'a>(
    objective: &ResolvedObjective,
    k: usize,
    levels: &'a [LevelScore],
    all_there: bool,
) -> Option<(&'a LevelScore, Class)> {
    let valued = || levels.iter().filter_map(|l| l.objectives[k].map(|x| (l, objective.minimised(x))));
    match objective.across {
        Across::Best => valued()
            .min_by(|(a, x), (b, y)| {
                let within = |l: &LevelScore, x: f64| match l.class {
                    Class::SoftViolation => x + l.penalty * x.abs(),
                    Class::HardViolation => l.violation,
                    _ => x,
                };
                a.class.cmp(&b.class).then_with(|| within(a, *x).total_cmp(&within(b, *y)))
            })
            .map(|(l, _)| (l, l.class)),
        Across::Worst => {
            let (worst, _) = valued().max_by(|(_, x), (_, y)| x.total_cmp(y))?;
            let class = levels.iter().map(|l| l.class).max().unwrap_or(Class::Feasible);
            let class = if all_there { class } else { class.max(Class::HardViolation) };
            // The level that violates most is the one to explain a violated class with.
            let shown = if class > Class::SoftViolation {
                valued().max_by(|(a, _), (b, _)| a.violation.total_cmp(&b.violation)).map_or(worst, |(l, _)| l)
            } else {
                worst
            };
            Some((if shown.objectives[k].is_some() { shown } else { worst }, class))
        }
        Across::Level(index) => valued().find(|(l, _)| l.level == index).map(|(l, _)| (l, l.class)),
    }
}

/// What a sampler learns from an ended experiment.
pub fn observe(spec: &TaskSpec, experiment: &ExperimentView) -> Observation {
    let Some(score) = score(spec, experiment) else { return Observation::Failed };
    match score.class {
        Class::Infeasible => Observation::Infeasible,
        Class::Failed => Observation::Failed,
        _ if score.objectives.len() < spec.objectives.len() => Observation::Infeasible,
        _ => {
            let objectives = spec.objectives.iter().zip(&score.objectives);
            let objectives: Vec<f64> = objectives.map(|(o, x)| o.resolve().minimised(*x)).collect();
            let level = score.levels.iter().find(|l| Some(l.level) == score.level);
            let mut violations: Vec<f64> =
                level.map(|l| l.slos.iter().map(|s| s.violation.unwrap_or(0.0)).collect()).unwrap_or_default();
            if score.class == Class::HardViolation && violations.iter().all(|v| *v <= 0.0) {
                violations.push(score.violation.max(1.0));
            }
            if matches!(experiment.outcome, Some(Outcome::Pruned { .. })) {
                return Observation::Censored { objectives, violations };
            }
            Observation::Scored { objectives, violations, noise: score.noise }
        }
    }
}

/// How many times better `value` is than `baseline` on this objective: 1.25 means 25 % better. `None` where a ratio
/// means nothing.
pub fn improvement(objective: &ResolvedObjective, baseline: f64, value: f64) -> Option<f64> {
    let ratio = match objective.goal {
        Goal::Maximize => value / baseline,
        Goal::Minimize => baseline / value,
    };
    (baseline > 0.0 && value > 0.0 && ratio.is_finite()).then_some(ratio)
}
