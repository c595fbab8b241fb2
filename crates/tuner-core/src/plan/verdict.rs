//! What a task found, and how sure it is.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::budget::{SearchEnd, live};
use super::verify::{Sides, sides};
use super::{Arm, ExperimentView, Role, TaskView};
use crate::failure::Failure;
use crate::score::paired::{RatioInterval, ratio_interval};
use crate::score::{Class, Score, score};
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
    /// The interval lies above 1, or the best meets SLOs that the baseline misses.
    Better,
    /// The interval contains 1, or nothing ranked above the baseline.
    NoSignificantDifference,
    /// The interval lies below 1: the search was fooled by noise.
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

/// What a task found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Verdict {
    /// The baseline's experiment.
    pub baseline: Option<u32>,
    /// The best experiment of the search, when it ranks above the baseline.
    pub best: Option<u32>,
    /// The experiment whose configuration should be used: the best when it is better, else the baseline.
    pub recommended: Option<u32>,
    /// The best against the baseline.
    pub decision: Decision,
    /// Why, in one sentence.
    pub reason: String,
    /// How many times better the best is on the first objective (1.2: 20 % better), from verification only.
    pub improvement: Option<RatioInterval>,
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
            reason: "nothing ranked above the baseline".to_owned(),
            improvement: None,
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
        let failed = best.iter().filter(|s| s.class >= Class::Infeasible).count();
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
    fn judge(&mut self, view: &TaskView<'_>, baseline: &[Score], best: &[Score]) {
        let Some(objective) = view.spec.objectives.first().map(|o| o.resolve()) else { return };
        let pairs: Vec<(f64, f64)> = baseline
            .iter()
            .zip(best)
            .filter_map(|(a, b)| Some((a.primary()?, b.primary()?)))
            .map(|(a, b)| if objective.goal == Goal::Maximize { (a, b) } else { (b, a) })
            .collect();
        self.improvement = ratio_interval(&pairs, self.confidence);
        let (class_baseline, class_best) = (median_class(baseline), median_class(best));
        if class_best < class_baseline {
            let text = format!("it is {} where the baseline is {}", words(class_best), words(class_baseline));
            return self.decide(Decision::Better, text);
        }
        if class_best > class_baseline {
            let text = format!("it is {} where the baseline is {}", words(class_best), words(class_baseline));
            return self.decide(Decision::Worse, text);
        }
        let Some(interval) = self.improvement else {
            let text = format!("only {} of {} pairs could be compared", pairs.len(), view.spec.verification.blocks);
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
        } else if interval.high < 1.0 {
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

/// The scores of one arm in order of the blocks.
fn arm(view: &TaskView<'_>, side: Arm) -> Vec<Score> {
    let mut runs: Vec<(u32, &ExperimentView)> = live(view)
        .filter_map(|e| match e.role {
            Role::Verify { block, arm } if arm == side => Some((block, e)),
            _ => None,
        })
        .collect();
    runs.sort_by_key(|(block, _)| *block);
    runs.into_iter().filter_map(|(_, e)| score(view.spec, e)).collect()
}

fn median_class(scores: &[Score]) -> Class {
    let mut classes: Vec<Class> = scores.iter().map(|s| s.class).collect();
    classes.sort();
    classes.get(classes.len() / 2).copied().unwrap_or(Class::Failed)
}

fn words(class: Class) -> &'static str {
    match class {
        Class::Feasible => "within every SLO",
        Class::SoftViolation => "beyond a soft SLO",
        Class::HardViolation => "beyond a hard SLO",
        Class::Infeasible => "unable to run",
        Class::Failed => "untried",
    }
}
