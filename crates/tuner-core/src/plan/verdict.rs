//! What a task found, and how sure it is.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::budget::{SearchEnd, live};
use super::verify::{Sides, sides};
use super::{Arm, ExperimentView, Role, TaskView};
use crate::failure::Failure;
use crate::score::paired::{RatioInterval, ratio_interval};
use crate::score::{Class, pooled, score};
use crate::task::Goal;

/// How a task ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FinalStatus {
    /// At least one experiment succeeded.
    Completed,
    /// None did.
    Failed,
    /// A person stopped it.
    Cancelled,
}

/// The best configuration against the baseline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// The interval lies above 1 and the gain is worth having, or the best meets SLOs that the baseline misses.
    Better,
    /// The interval contains 1, the difference is within the task's indifference, or nothing came close to the baseline.
    NoSignificantDifference,
    /// The interval lies below 1, by more than the task's indifference: the search was fooled by noise.
    Worse,
    /// It was not compared; the reason says why.
    NotVerified,
}

impl Decision {
    /// Words for people.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Better => "better",
            Self::NoSignificantDifference => "no significant difference",
            Self::Worse => "worse",
            Self::NotVerified => "not verified",
        }
    }
}

/// The pairs of verification, each side at the one level that decides for all of its runs together: a level chosen
/// anew in each run would compare different loads wherever an SLO lies close to a level.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Comparison {
    /// Level of the baseline.
    pub baseline_level: u32,
    /// Level of the best.
    pub best_level: u32,
    /// First objective of (baseline, best) in order of the blocks, in the metric's own unit.
    pub pairs: Vec<(f64, f64)>,
}

/// What a task found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Verdict {
    /// The baseline's experiment.
    pub baseline: Option<u32>,
    /// The best experiment of the search, when it ranks above the baseline or was close enough to be run against it.
    pub best: Option<u32>,
    /// The experiment whose configuration should be used: the best when it is better, else the baseline.
    pub recommended: Option<u32>,
    /// The best against the baseline.
    pub decision: Decision,
    /// Why, in one sentence.
    pub reason: String,
    /// How many times better the best is on the first objective (1.2: 20 % better), from verification only.
    pub improvement: Option<RatioInterval>,
    /// What the interval rests on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comparison: Option<Comparison>,
    /// Confidence of that interval.
    pub confidence: f64,
    /// Why the search ended; `None` when it was cut off.
    pub search_end: Option<SearchEnd>,
    /// What stopped a task that could not try its baseline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
}

impl Verdict {
    /// The verdict that the rows support now.
    pub fn of(view: &TaskView<'_>, search_end: Option<SearchEnd>) -> Self {
        let baseline = live(view).find(|e| e.role == Role::Baseline);
        let runs = |e: &ExperimentView| score(view.spec, e).is_some_and(|s| s.primary().is_some());
        let mut verdict = Self {
            baseline: baseline.map(|b| b.number),
            best: None,
            recommended: baseline.filter(|b| runs(b)).map(|b| b.number),
            decision: Decision::NoSignificantDifference,
            reason: "nothing came close to the baseline".to_owned(),
            improvement: None,
            comparison: None,
            confidence: view.spec.verification.confidence,
            search_end,
            failure: None,
        };
        match sides(view) {
            Some(sides) => verdict.compare(view, &sides),
            None if verdict.recommended.is_none() => {
                verdict.decision = Decision::NotVerified;
                verdict.reason = "no configuration could be measured".to_owned();
                verdict.failure = view.experiments.iter().find_map(|e| e.outcome.as_ref()?.failure().cloned());
            }
            None => {}
        }
        verdict
    }

    fn compare(&mut self, view: &TaskView<'_>, sides: &Sides<'_>) {
        self.best = Some(sides.best.number);
        self.recommended = Some(sides.best.number);
        let best = arm(view, Arm::Best);
        let planned = view.spec.verification.blocks as usize;
        if planned == 0 {
            return self.decide(Decision::NotVerified, "verification is switched off".to_owned());
        }
        if best.len() < planned {
            let text = format!("verification is not finished: {} of {planned} repeats of the best", best.len());
            return self.decide(Decision::NotVerified, text);
        }
        let works = |e: &&&ExperimentView| score(view.spec, e).is_some_and(|s| s.class < Class::Infeasible);
        let failed = planned - best.iter().filter(works).count();
        if failed > 0 {
            let text = format!("the best configuration failed in {failed} of {planned} verification runs");
            self.recommended = self.baseline.filter(|_| sides.comparable);
            return self.decide(Decision::NotVerified, text);
        }
        if !sides.comparable {
            let text = format!("the baseline does not run; the best ran in all {planned} repeats");
            return self.decide(Decision::Better, text);
        }
        let baseline = arm(view, Arm::Baseline);
        self.judge(view, &baseline, &best);
    }

    /// Both sides have run: classes decide first, then the interval.
    fn judge(&mut self, view: &TaskView<'_>, baseline: &[&ExperimentView], best: &[&ExperimentView]) {
        let Some(objective) = view.spec.objectives.first().map(|o| o.resolve()) else { return };
        let (of_baseline, of_best) = (pooled(view.spec, baseline), pooled(view.spec, best));
        if let (Some(baseline_level), Some(best_level)) = (of_baseline.level, of_best.level) {
            let value = |e: &ExperimentView, level| score(view.spec, e)?.primary_at(level);
            let sides = baseline.iter().zip(best);
            let pairs: Vec<(f64, f64)> =
                sides.filter_map(|(a, b)| Some((value(a, baseline_level)?, value(b, best_level)?))).collect();
            let maximize = objective.goal == Goal::Maximize;
            let gains: Vec<_> = pairs.iter().map(|&(a, b)| if maximize { (a, b) } else { (b, a) }).collect();
            self.improvement = ratio_interval(&gains, self.confidence);
            self.comparison = Some(Comparison { baseline_level, best_level, pairs });
        }
        let (class_baseline, class_best) = (of_baseline.class, of_best.class);
        if class_best < class_baseline {
            let text = format!("it is {} where the baseline is {}", words(class_best), words(class_baseline));
            return self.decide(Decision::Better, text);
        }
        if class_best > class_baseline {
            let text = format!("it is {} where the baseline is {}", words(class_best), words(class_baseline));
            return self.decide(Decision::Worse, text);
        }
        let Some(interval) = self.improvement else {
            let pairs = self.comparison.as_ref().map_or(0, |c| c.pairs.len());
            let text = format!("only {pairs} of {} pairs could be compared", view.spec.verification.blocks);
            return self.decide(Decision::NotVerified, text);
        };
        let percent = |x: f64| format!("{:+.1} %", (x - 1.0) * 100.0);
        let text = format!(
            "{} on {} ({} to {} at {} % confidence, {} pairs)",
            percent(interval.estimate),
            objective.metric,
            percent(interval.low),
            percent(interval.high),
            self.confidence * 100.0,
            interval.pairs
        );
        let worth = 1.0 + view.spec.verification.indifference;
        let decision = if interval.low > 1.0 && interval.estimate >= worth {
            Decision::Better
        } else if interval.high < 1.0 && interval.estimate <= 1.0 / worth {
            Decision::Worse
        } else {
            Decision::NoSignificantDifference
        };
        self.decide(decision, text);
    }

    fn decide(&mut self, decision: Decision, reason: String) {
        if matches!(decision, Decision::Worse | Decision::NoSignificantDifference) {
            self.recommended = self.baseline;
        }
        self.decision = decision;
        self.reason = reason;
    }
}

/// The runs of one arm in order of the blocks, cancelled ones left out.
fn arm<'a>(view: &TaskView<'a>, side: Arm) -> Vec<&'a ExperimentView> {
    let mut runs: Vec<(u32, &ExperimentView)> = live(view)
        .filter_map(|e| match e.role {
            Role::Verify { block, arm } if arm == side && e.outcome.is_some() => Some((block, e)),
            _ => None,
        })
        .collect();
    runs.sort_by_key(|(block, _)| *block);
    runs.into_iter().map(|(_, e)| e).collect()
}

fn words(class: Class) -> &'static str {
    match class {
        Class::Feasible => "within every SLO",
        Class::Pruned => "ended early",
        Class::SoftViolation => "beyond a soft SLO",
        Class::HardViolation => "beyond a hard SLO",
        Class::Infeasible => "unable to run",
        Class::Failed => "untried",
    }
}
