//! From rows to the report: scores come from `tuner-core`, everything else is selection and order.

use std::collections::BTreeMap;

use tuner_core::engine::EngineName;
use tuner_core::plan::{Arm, AttemptEvidence, ExperimentView, Role, leader};
use tuner_core::score::{Class, Score, measured, score};
use tuner_core::task::{Goal, ResolvedObjective};
use tuner_core::{Configuration, Failure, Measurement, Outcome, TaskSpec, Validity, Value};

use super::columns::columns;
use super::headline::{self, Facts};
use super::model::{Change, Column, ExperimentReport, FailureReport, LevelReport, Report, Tone};
use super::{ReportData, method};

impl Report {
    /// The report of a task as it stands.
    pub fn new(data: &ReportData<'_>) -> Self {
        let spec = data.spec;
        let objective = first_objective(spec);
        let columns = columns(spec);
        let baseline = data.experiments.iter().find(|e| e.role == Role::Baseline);
        let best = match data.verdict {
            Some(verdict) => verdict.best.and_then(|n| data.experiments.iter().find(|e| e.number == n)),
            None => leader(spec, data.experiments).map(|(e, _)| e).filter(|e| e.role != Role::Baseline),
        };
        let recommended = match data.verdict {
            Some(verdict) => verdict.recommended.and_then(|n| data.experiments.iter().find(|e| e.number == n)),
            None => best,
        };
        let mut experiments: Vec<ExperimentReport> =
            data.experiments.iter().map(|e| experiment(spec, e, &columns, best.map(|b| b.number))).collect();
        let reference = experiments.iter().find(|e| e.role == "baseline").and_then(|e| e.objective);
        for experiment in &mut experiments {
            experiment.improvement = headline::gain(&objective, reference, experiment.objective);
        }
        let row = |view: Option<&ExperimentView>| view.and_then(|v| experiments.iter().find(|e| e.number == v.number));
        let verdict = headline::headline(&Facts {
            spec,
            objective,
            verdict: data.verdict,
            baseline: row(baseline),
            best: row(best),
            experiments: &experiments,
        });
        let mut outcomes = BTreeMap::new();
        for experiment in &experiments {
            *outcomes.entry(experiment.outcome).or_default() += 1;
        }
        let unit = objective.metric.unit();
        let kept = best.is_none_or(|best| recommended.is_some_and(|r| r.number == best.number));
        let changes_title = match best {
            Some(best) if !kept => format!("What experiment {} would change (not kept)", best.number),
            _ => "What the best changes".to_owned(),
        };
        let runs_baseline = recommended.is_some_and(|r| r.role == Role::Baseline);
        Self {
            format: 1,
            tuner_version: env!("CARGO_PKG_VERSION"),
            generated_at: data.generated_at,
            task: spec.name.clone(),
            description: spec.description.clone(),
            finished: data.verdict.is_some(),
            engine: method::engine(data),
            model: method::model(data),
            verdict,
            objectives: spec.objectives.iter().map(|o| o.resolve().label()).collect(),
            unit: if objective.per_gpu && !unit.is_empty() { format!("{unit}/GPU") } else { unit.to_owned() },
            smaller_is_better: objective.goal == Goal::Minimize,
            slos: spec.slos.iter().map(|slo| slo.label()).collect(),
            baseline: baseline.map(|b| b.number),
            best: best.map(|b| b.number),
            changes_title,
            changes: best.map_or_else(Vec::new, |best| changes(spec, best)),
            recommended: recommended.map(|e| e.number),
            command_title: if runs_baseline { "Run it: the baseline" } else { "Run it" },
            command: data.command.clone().or_else(|| command(recommended?)),
            columns,
            outcomes,
            experiments,
            method: method::facts(data),
            axes: super::trade_off::Axes::of(spec),
        }
    }
}

pub(super) fn first_objective(spec: &TaskSpec) -> ResolvedObjective {
    let named = tuner_core::task::Objective::Named(tuner_core::task::ObjectiveName::MaximizeThroughput);
    spec.objectives.first().unwrap_or(&named).resolve()
}

fn command(experiment: &ExperimentView) -> Option<String> {
    evidence(experiment)?.command.clone()
}

/// Evidence of the attempt that counts: the last one that launched something.
fn evidence(experiment: &ExperimentView) -> Option<&AttemptEvidence> {
    let launched = experiment.attempts.iter().rev().find(|a| a.evidence.command.is_some());
    launched.or(experiment.last_attempt()).map(|a| &a.evidence)
}

fn changes(spec: &TaskSpec, best: &ExperimentView) -> Vec<Change> {
    let before = spec.effective_flags(&spec.baseline);
    let after = spec.effective_flags(&best.configuration);
    let shown =
        |flags: &Configuration, name: &str| flags.get(name).filter(|v| **v != Value::Null).map(Value::to_string);
    let mut names: Vec<&str> = before.iter().chain(after.iter()).map(|(name, _)| name).collect();
    names.sort_unstable();
    names.dedup();
    names
        .into_iter()
        .map(|name| Change { name: name.to_owned(), baseline: shown(&before, name), best: shown(&after, name) })
        .filter(|change| change.baseline != change.best)
        .collect()
}

fn experiment(spec: &TaskSpec, view: &ExperimentView, columns: &[Column], best: Option<u32>) -> ExperimentReport {
    let score = match view.outcome {
        Some(_) => score(spec, view),
        None => Some(measured(spec, view)).filter(|s| s.primary().is_some()),
    };
    let launched = evidence(view);
    let mut remarks: Vec<String> = launched.map(|e| e.warnings.clone()).unwrap_or_default();
    for note in view.measurements().iter().flat_map(|m| &m.notes) {
        if !remarks.contains(note) {
            remarks.push(note.clone());
        }
    }
    if let Some(Outcome::Pruned { reason }) = &view.outcome {
        remarks.insert(0, format!("stopped: {reason}"));
    }
    let began = view.attempts.first().map(|a| a.started_at);
    let ended = view.last_attempt().and_then(|a| a.ended_at);
    let last_failure = view.last_attempt().and_then(|a| a.failure.as_ref());
    ExperimentReport {
        number: view.number,
        role: role(view.role),
        verification: matches!(view.role, Role::Verify { .. }),
        is_best: best == Some(view.number),
        configuration_text: view.configuration.to_string(),
        configuration: view.configuration.clone(),
        outcome: view.outcome.as_ref().map_or("running", Outcome::word),
        tone: tone(view.outcome.as_ref(), score.as_ref()),
        objective: score.as_ref().and_then(Score::primary),
        improvement: None,
        class: score.as_ref().map(|s| s.class),
        missed: score.as_ref().map(missed).unwrap_or_default(),
        deciding_level: score.as_ref().and_then(|s| s.level).map(|l| level_label(spec, l)),
        levels: view.measurements().iter().map(|m| level(spec, m, score.as_ref(), columns)).collect(),
        failure: view
            .outcome
            .as_ref()
            .and_then(Outcome::failure)
            .or(last_failure)
            .map(|f| failure(f, spec.engine.name)),
        attempts: view.attempts.len(),
        command: launched.and_then(|e| e.command.clone()),
        read_back: launched.map(|e| e.read_back.clone()).unwrap_or_default(),
        remarks,
        ready_s: launched.and_then(|e| e.ready_s),
        elapsed_s: began.zip(ended).map(|(a, b)| (b - a).as_seconds_f64()),
        log_path: launched.and_then(|e| e.log_path.clone()),
    }
}

fn role(role: Role) -> String {
    match role {
        Role::Baseline => "baseline".to_owned(),
        Role::Search => "search".to_owned(),
        Role::Verify { block, arm } => {
            let side = match arm {
                Arm::Baseline => "baseline",
                Arm::Best => "best",
            };
            format!("verify {side} {}", block + 1)
        }
    }
}

fn tone(outcome: Option<&Outcome>, score: Option<&Score>) -> Tone {
    match outcome {
        Some(Outcome::Success { partial, .. }) => match score.map(|s| s.class) {
            Some(Class::Feasible) if !partial => Tone::Good,
            _ => Tone::Warn,
        },
        Some(Outcome::Infeasible { .. } | Outcome::Failed { .. }) => Tone::Bad,
        Some(Outcome::Pruned { .. } | Outcome::Cancelled) | None => Tone::Neutral,
    }
}

/// SLOs that do not hold at the deciding level: `ttft p99 ≤ 1000 ms: 1240 (24 % over)`.
fn missed(score: &Score) -> Vec<String> {
    let level = score.levels.iter().find(|l| Some(l.level) == score.level);
    let broken = level.into_iter().flat_map(|l| &l.slos).filter(|slo| slo.class > Class::Feasible);
    broken
        .map(|slo| {
            let actual = slo.actual.map_or(String::new(), super::numbers::figure);
            let over = slo.violation.map_or(String::new(), super::numbers::percent);
            format!("{}: {actual} ({over} beyond)", slo.label)
        })
        .collect()
}

fn level(spec: &TaskSpec, m: &Measurement, score: Option<&Score>, columns: &[Column]) -> LevelReport {
    let figures =
        columns.iter().filter_map(|c| Some((c.key.clone(), m.stat(c.metric, c.stat).filter(|x| x.is_finite())?)));
    LevelReport {
        level: m.level,
        label: level_label(spec, m.level),
        repeat: m.repeat,
        valid: m.is_valid(),
        reasons: match &m.validity {
            Validity::Valid => Vec::new(),
            Validity::Invalid { reasons } => reasons.clone(),
        },
        class: score.and_then(|s| s.levels.iter().find(|l| l.level == m.level)).map(|l| l.class),
        window_s: m.window_s,
        requests: m.requests,
        errors: m.errors.clone(),
        figures: figures.collect(),
        server: m.server.as_ref().map(super::server_words),
    }
}

pub(super) fn level_label(spec: &TaskSpec, level: u32) -> String {
    spec.load.levels.get(level as usize).map_or_else(|| format!("level {level}"), |l| l.label())
}

fn failure(failure: &Failure, engine: EngineName) -> FailureReport {
    let class = serde_json::to_value(failure.class).ok().and_then(|v| v.as_str().map(str::to_owned));
    FailureReport {
        class: class.unwrap_or_default(),
        message: failure.message.clone(),
        hint: tuner_engines::hint(failure.class, engine),
        log_tail: failure.log_tail.iter().map(|line| printable(line)).collect(),
    }
}

/// A log line without terminal escapes and control characters.
fn printable(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut letters = line.chars().peekable();
    while let Some(letter) = letters.next() {
        if letter == '\u{1b}' {
            if letters.next_if_eq(&'[').is_some() {
                while letters.next().is_some_and(|c| !c.is_ascii_alphabetic()) {}
            }
        } else if letter == '\t' || !letter.is_control() {
            out.push(letter);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminal_escapes_leave_no_trace_in_log_lines() {
        assert_eq!(printable("\u{1b}[31merror\u{1b}[0m: a\tb\r\u{7}"), "error: a\tb");
        assert_eq!(printable("\u{1b}["), "");
    }
}
