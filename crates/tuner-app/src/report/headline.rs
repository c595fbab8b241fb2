//! The answer in words: one title and one sentence for someone who pays for the GPUs, numbers for someone who checks.
//!
//! *Invariant*: a gain is called proven only where `tuner-core` decided so; what was measured once is called that.

use tuner_core::TaskSpec;
use tuner_core::plan::{Comparison, Decision, Verdict};
use tuner_core::score::improvement;
use tuner_core::score::paired::RatioInterval;
use tuner_core::task::{Goal, ResolvedObjective};

use super::build::level_label;
use super::columns::noun;
use super::model::{ExperimentReport, Headline, Tone};
use super::numbers::{change, count, figure, percent};

/// Ends of an interval this many times apart say nothing that is worth a percentage.
const HOPELESS: f64 = 4.0;

/// What the words are made from.
pub(super) struct Facts<'a> {
    pub(super) spec: &'a TaskSpec,
    pub(super) objective: ResolvedObjective,
    pub(super) verdict: Option<&'a Verdict>,
    pub(super) baseline: Option<&'a ExperimentReport>,
    pub(super) best: Option<&'a ExperimentReport>,
    pub(super) experiments: &'a [ExperimentReport],
}

pub(super) fn headline(facts: &Facts<'_>) -> Headline {
    let Some(verdict) = facts.verdict else { return running(facts) };
    let mut out = match (verdict.decision, facts.best) {
        (Decision::Better, Some(best)) => better(facts, verdict, best),
        (Decision::NoSignificantDifference, Some(best)) => no_difference(facts, verdict, best),
        (Decision::NoSignificantDifference | Decision::Better, None) => stands(facts),
        (Decision::Worse, best) => worse(facts, verdict, best),
        (Decision::NotVerified, Some(best)) => not_verified(facts, verdict, best),
        (Decision::NotVerified, None) => nothing(facts, verdict),
    };
    out.numbers = numbers(facts, verdict);
    out.improvement = verdict.improvement;
    out
}

fn running(facts: &Facts<'_>) -> Headline {
    let done = facts.experiments.iter().filter(|e| e.outcome != "running").count();
    let sentence = match facts.best.map(|best| (best, best.improvement)) {
        Some((best, Some(ratio))) => {
            format!("So far experiment {} leads: {}, measured once.", best.number, shift(facts, ratio))
        }
        Some((best, None)) => format!("So far experiment {} leads.", best.number),
        None if facts.baseline.is_some_and(|b| b.objective.is_some()) => {
            format!("So far nothing ranks above {}.", baseline_words(facts))
        }
        None => "Nothing has been measured yet.".to_owned(),
    };
    Headline {
        decision: "running",
        tone: Tone::Neutral,
        title: format!("Not finished: {} done", count(done, "experiment")),
        sentence,
        numbers: Vec::new(),
        improvement: None,
        advice: "A task that was stopped goes on with: autotuner tune --resume.".to_owned(),
    }
}

fn better(facts: &Facts<'_>, verdict: &Verdict, best: &ExperimentReport) -> Headline {
    let proven = verdict.improvement.filter(|interval| interval.low > 1.0);
    let (title, sentence) = match proven {
        Some(interval) => (
            shift(facts, interval.estimate),
            format!(
                "Run side by side {} times, experiment {} gave {} than {}. With {} confidence the true figure lies \
                 between {}.",
                interval.pairs,
                best.number,
                shift(facts, interval.estimate),
                baseline_words(facts),
                percent(verdict.confidence),
                bounds(facts, &interval),
            ),
        ),
        None => (
            format!("Experiment {} does what {} cannot", best.number, baseline_words(facts)),
            format!("Experiment {} is better: {}.", best.number, verdict.reason),
        ),
    };
    Headline {
        decision: "better",
        tone: Tone::Good,
        title: capitalised(&title),
        sentence,
        numbers: Vec::new(),
        improvement: None,
        advice: format!("Use the configuration of experiment {}; its command is below.", best.number),
    }
}

fn no_difference(facts: &Facts<'_>, verdict: &Verdict, best: &ExperimentReport) -> Headline {
    let sentence = match &verdict.improvement {
        Some(interval) if interval.high / interval.low > HOPELESS => format!(
            "Run side by side {} times, experiment {} and {} cannot be told apart: runs of the same configuration \
             differ too much among themselves.",
            interval.pairs,
            best.number,
            baseline_words(facts),
        ),
        Some(interval) => {
            let conclusion = if interval.low > 1.0 {
                format!(
                    "less than the {} that the task calls worth having",
                    percent(facts.spec.verification.indifference)
                )
            } else if interval.high < 1.0 {
                format!(
                    "behind, by less than the {} that the task calls a difference",
                    percent(facts.spec.verification.indifference)
                )
            } else {
                "nothing the measurements can prove".to_owned()
            };
            format!(
                "Run side by side {} times, experiment {} lies between {} {} than {}: {conclusion}.",
                interval.pairs,
                best.number,
                bounds(facts, interval),
                noun(facts.objective.metric),
                baseline_words(facts),
            )
        }
        None => format!("Experiment {} was not proven better: {}.", best.number, verdict.reason),
    };
    Headline {
        decision: "no_significant_difference",
        tone: Tone::Neutral,
        title: "No significant difference".to_owned(),
        sentence,
        numbers: Vec::new(),
        improvement: None,
        advice: if verdict.improvement.is_some_and(|interval| interval.low > 1.0) {
            format!("Keep {}, or lower verification.indifference.", baseline_words(facts))
        } else {
            format!("Keep {}. More pairs (verification.blocks) can resolve smaller differences.", baseline_words(facts))
        },
    }
}

fn stands(facts: &Facts<'_>) -> Headline {
    let tried = facts.experiments.iter().filter(|e| e.role == "search" && e.outcome != "running").count();
    Headline {
        decision: "no_significant_difference",
        tone: Tone::Neutral,
        title: "Nothing came close to the baseline".to_owned(),
        sentence: format!(
            "The search tried {}; none came close to {}.",
            count(tried, "configuration"),
            baseline_words(facts)
        ),
        numbers: Vec::new(),
        improvement: None,
        advice: format!("Keep {}, or widen the search space.", baseline_words(facts)),
    }
}

fn worse(facts: &Facts<'_>, verdict: &Verdict, best: Option<&ExperimentReport>) -> Headline {
    let led = best.and_then(|best| best.improvement).is_none_or(|ratio| ratio > 1.0);
    let who = if led {
        "The leader of the search did not keep its lead when it was run again side by side with"
    } else {
        "What came closest in the search was run again side by side with"
    };
    let end = if led { "" } else { " and stayed behind" };
    Headline {
        decision: "worse",
        tone: Tone::Warn,
        title: "The baseline stays ahead".to_owned(),
        sentence: format!("{who} {}{end}: {}.", baseline_words(facts), verdict.reason),
        numbers: Vec::new(),
        improvement: None,
        advice: format!(
            "Keep {}. Longer windows or more repeats make the search harder to fool.",
            baseline_words(facts)
        ),
    }
}

fn not_verified(facts: &Facts<'_>, verdict: &Verdict, best: &ExperimentReport) -> Headline {
    let lead = match best.improvement {
        Some(ratio) => format!(
            "Measured once, experiment {} gave {} than {}",
            best.number,
            shift(facts, ratio),
            baseline_words(facts)
        ),
        None => format!("Experiment {} leads", best.number),
    };
    Headline {
        decision: "not_verified",
        tone: Tone::Warn,
        title: format!("Experiment {} leads, not verified", best.number),
        sentence: format!("{lead}; {}.", verdict.reason),
        numbers: Vec::new(),
        improvement: None,
        advice: "Treat the lead as a hint until it has been verified.".to_owned(),
    }
}

fn nothing(facts: &Facts<'_>, verdict: &Verdict) -> Headline {
    let hint = verdict.failure.as_ref().map(|failure| tuner_engines::hint(failure.class, facts.spec.engine.name));
    let advice = hint.map_or("Read the failures below.".to_owned(), |hint| capitalised(hint) + ".");
    let sentence = verdict.failure.as_ref().map_or_else(
        || format!("{}.", capitalised(&verdict.reason)),
        |failure| format!("{}: {}.", capitalised(&verdict.reason), failure.message),
    );
    Headline {
        decision: "no_result",
        tone: Tone::Bad,
        title: "No result".to_owned(),
        sentence,
        numbers: Vec::new(),
        improvement: None,
        advice,
    }
}

fn numbers(facts: &Facts<'_>, verdict: &Verdict) -> Vec<String> {
    let mut lines = vec![format!("objective: {}", facts.objective.label())];
    if let Some(interval) = &verdict.improvement {
        lines.push(format!(
            "improvement ×{:.3}, {} confidence interval ×{:.3} to ×{:.3}, {} interleaved pairs",
            interval.estimate,
            percent(verdict.confidence),
            interval.low,
            interval.high,
            interval.pairs
        ));
    }
    let of = |side: fn(&Comparison) -> (u32, Vec<f64>)| verdict.comparison.as_ref().map(side);
    let sides = [
        ("baseline", facts.baseline, of(|c| (c.baseline_level, c.pairs.iter().map(|p| p.0).collect()))),
        ("best", facts.best, of(|c| (c.best_level, c.pairs.iter().map(|p| p.1).collect()))),
    ];
    for (name, experiment, runs) in sides {
        let Some(experiment) = experiment else { continue };
        let Some(value) = experiment.objective else { continue };
        let again = runs.map_or(String::new(), |(level, values)| {
            let values: Vec<String> = values.into_iter().map(figure).collect();
            format!("; verification at {}: {}", level_label(facts.spec, level), values.join(", "))
        });
        let unit = unit(facts);
        lines.push(format!("{name}: experiment {}, search {}{unit}{again}", experiment.number, figure(value)));
    }
    lines
}

fn unit(facts: &Facts<'_>) -> String {
    match facts.objective.metric.unit() {
        "" => String::new(),
        unit if facts.objective.per_gpu => format!(" {unit}/GPU"),
        unit => format!(" {unit}"),
    }
}

/// `15 % more output tokens per second`, `20 % lower end-to-end latency`.
fn shift(facts: &Facts<'_>, improvement: f64) -> String {
    format!("{} {}", amount(facts.objective.goal, improvement), noun(facts.objective.metric))
}

/// `12 % and 18 % more`, `2.0 % fewer and 3.0 % more`; a decimal more where both ends would read the same.
fn bounds(facts: &Facts<'_>, interval: &RatioInterval) -> String {
    let goal = facts.objective.goal;
    let ends = [interval.low, interval.high].map(|end| turned(goal, end).abs());
    let narrow = (ends[0] - ends[1]).abs() < 0.02;
    let [low, high] = ends.map(|end| if narrow { format!("{:.1} %", end * 100.0) } else { percent(end) });
    if (interval.low > 1.0) == (interval.high > 1.0) {
        return format!("{low} and {high} {}", word(goal, interval.low));
    }
    format!("{low} {} and {high} {}", word(goal, interval.low), word(goal, interval.high))
}

fn amount(goal: Goal, improvement: f64) -> String {
    format!("{} {}", percent(turned(goal, improvement).abs()), word(goal, improvement))
}

/// The change of the value itself: 25 % better latency is 20 % lower latency.
fn turned(goal: Goal, improvement: f64) -> f64 {
    match goal {
        Goal::Maximize => improvement - 1.0,
        Goal::Minimize => 1.0 / improvement - 1.0,
    }
}

fn word(goal: Goal, improvement: f64) -> &'static str {
    match (goal, improvement >= 1.0) {
        (Goal::Maximize, true) => "more",
        (Goal::Maximize, false) => "fewer",
        (Goal::Minimize, true) => "lower",
        (Goal::Minimize, false) => "higher",
    }
}

fn baseline_words(facts: &Facts<'_>) -> &'static str {
    if facts.spec.baseline.is_empty() { "the engine's defaults" } else { "the flags in use today" }
}

/// How an experiment compares with the baseline's single run, with its sign.
pub(super) fn gain(objective: &ResolvedObjective, baseline: Option<f64>, value: Option<f64>) -> Option<f64> {
    improvement(objective, baseline?, value?)
}

/// The change of the objective's own value, for tables: `+15 %`, `−20 %`.
pub(super) fn signed(smaller_is_better: bool, improvement: f64) -> String {
    change(if smaller_is_better { 1.0 / improvement } else { improvement })
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}
