//! A task's events, folded into what people want to read while it runs.
//!
//! *Invariant*: a pure function of the events, so a screen that starts late shows the same as one that watched.

use std::collections::BTreeMap;

use tuner_core::engine::EngineName;
use tuner_core::plan::{AttemptState, Role, Verdict};
use tuner_core::score::{Class, Score, improvement};
use tuner_core::task::ResolvedObjective;
use tuner_core::{Configuration, Failure, Outcome, TaskSpec};
use tuner_store::{Event, EventRow, LevelFigures, Phase, Severity};

use super::words;

/// What has happened so far.
#[derive(Debug)]
pub(crate) struct Fold {
    engine: EngineName,
    objective: ResolvedObjective,
    levels: Vec<String>,
    experiments: BTreeMap<u32, Shown>,
    baseline: Option<f64>,
    best: Option<(u32, Score)>,
    /// Seconds of the attempts that ran to their end, by their stored times.
    spent_s: f64,
    /// When the attempts that run now began, by experiment.
    began: BTreeMap<u32, chrono::DateTime<chrono::Utc>>,
    blocks: u32,
    /// Who plans the task.
    planner: String,
    /// Experiments that have ended.
    pub(crate) done: u32,
    /// What runs now, in words.
    pub(crate) current: String,
    /// With which configuration.
    pub(crate) configuration: String,
    /// The verdict, once there is one.
    pub(crate) verdict: Option<Verdict>,
}

#[derive(Debug)]
struct Shown {
    role: Role,
    configuration: Configuration,
    started: Option<chrono::DateTime<chrono::Utc>>,
}

impl Fold {
    /// Nothing has happened yet.
    pub(crate) fn new(spec: &TaskSpec) -> Option<Self> {
        Some(Self {
            engine: spec.engine.name,
            objective: spec.objectives.first()?.resolve(),
            levels: spec.load.levels.iter().map(tuner_core::task::Level::label).collect(),
            experiments: BTreeMap::new(),
            baseline: None,
            best: None,
            spent_s: 0.0,
            began: BTreeMap::new(),
            blocks: spec.verification.blocks,
            planner: String::new(),
            done: 0,
            current: String::new(),
            configuration: String::new(),
            verdict: None,
        })
    }

    /// The best so far and its gain, in words; empty before the first result.
    pub(crate) fn best(&self) -> String {
        let Some((number, score)) = &self.best else { return String::new() };
        let value = score.primary().map(|x| words::figure(self.objective.metric, x)).unwrap_or_default();
        let gain = self.gain(score).map(|g| format!(" ({g} over the baseline)")).unwrap_or_default();
        format!("best #{number} {value}{gain}")
    }

    /// Experiments that there will be, given the number that was planned: a search that ended early has fewer.
    pub(crate) fn total(&self, planned: u32) -> u32 {
        let verifies = |s: &&Shown| matches!(s.role, Role::Verify { .. });
        let verifying = self.experiments.values().filter(verifies).count();
        let all = self.experiments.len() as u32;
        if verifying == 0 { planned.max(all) } else { (all - verifying as u32 + 2 * self.blocks).max(all) }
    }

    /// Seconds left until `total` experiments have ended, if each takes as long as those before; `None` before one
    /// has ended.
    pub(crate) fn left_s(&self, total: u32, now: chrono::DateTime<chrono::Utc>) -> Option<f64> {
        let mean = (self.done > 0).then(|| self.spent_s / f64::from(self.done))?;
        let running = self.began.values().map(|began| (now - *began).as_seconds_f64().clamp(0.0, mean));
        let left = mean * f64::from(total.saturating_sub(self.done)) - running.sum::<f64>();
        // As many go on side by side as do now.
        Some((left / self.began.len().max(1) as f64).max(0.0))
    }

    /// Takes one event in and returns the lines it is worth.
    pub(crate) fn apply(&mut self, row: &EventRow) -> Vec<String> {
        let number = row.experiment.unwrap_or_default();
        match &row.event {
            Event::TaskStarted { resumed, worker } => {
                worker.clone_into(&mut self.planner);
                if *resumed { vec!["resumed".to_owned()] } else { vec![] }
            }
            Event::TaskReopened { .. } => {
                self.verdict = None;
                vec!["taken up again".to_owned()]
            }
            Event::CancelRequested => vec!["stopping at a person's request".to_owned()],
            Event::ExperimentCreated { role, configuration } => {
                let line = format!("#{number} {}  {configuration}", words::role(*role));
                self.current = format!("#{number} {}", words::role(*role));
                self.configuration = configuration.to_string();
                let shown = Shown { role: *role, configuration: configuration.clone(), started: None };
                self.experiments.insert(number, shown);
                vec![line]
            }
            Event::AttemptStarted { attempt, worker } => {
                self.began.insert(number, row.at);
                if let Some(shown) = self.experiments.get_mut(&number) {
                    shown.started = Some(row.at);
                    self.current = format!("#{number} {}", words::role(shown.role));
                    self.configuration = shown.configuration.to_string();
                }
                let again = (*attempt > 1).then(|| format!("#{number}   attempt {attempt}"));
                let helps = !self.planner.is_empty() && *worker != self.planner;
                again.into_iter().chain(helps.then(|| format!("#{number}   by {worker}"))).collect()
            }
            Event::Phase { phase, .. } => self.phase(number, *phase, row.at),
            Event::ReadBack { arguments, .. } => {
                words::read_back(arguments).map(|text| vec![format!("#{number}   {text}")]).unwrap_or_default()
            }
            Event::LevelMeasured { figures, .. } => vec![format!("#{number}   {}", self.level(figures))],
            Event::AttemptEnded { state, failure, .. } => {
                let began = self.began.remove(&number);
                // What a killed tuner left was ended long after it had stopped running.
                if let Some(began) = began.filter(|_| *state != AttemptState::Interrupted) {
                    self.spent_s += (row.at - began).as_seconds_f64();
                }
                let failure = failure.as_ref().filter(|_| *state == AttemptState::Failed);
                failure.map(|f| format!("#{number}   {}: {}", words::snake(&f.class), f.message)).into_iter().collect()
            }
            Event::ExperimentEnded { outcome, score } => {
                let score = score.clone().and_then(|s| serde_json::from_value(s).ok());
                self.ended(number, outcome, score)
            }
            Event::Note { severity, text } => {
                let word = if *severity == Severity::Warning { "warning: " } else { "" };
                let place = row.experiment.map(|n| format!("#{n}   ")).unwrap_or_default();
                vec![format!("{place}{word}{text}")]
            }
            Event::TaskEnded { verdict, .. } => {
                self.verdict = verdict.clone().and_then(|v| serde_json::from_value(v).ok());
                vec![]
            }
            _ => vec![],
        }
    }

    fn phase(&mut self, number: u32, phase: Phase, at: chrono::DateTime<chrono::Utc>) -> Vec<String> {
        let Some(shown) = self.experiments.get(&number) else { return vec![] };
        let what = match phase {
            Phase::Provision => "starting".to_owned(),
            Phase::Loading => "loading".to_owned(),
            Phase::Ready => "ready".to_owned(),
            Phase::WarmUp { level, .. } => format!("{} warm-up", self.level_name(level)),
            Phase::Level { level, .. } => self.level_name(level),
            Phase::Stopping => "stopping".to_owned(),
        };
        self.current = format!("#{number} {} · {what}", words::role(shown.role));
        let started = shown.started.filter(|_| phase == Phase::Ready);
        started.map(|s| format!("#{number}   ready in {:.1} s", (at - s).as_seconds_f64())).into_iter().collect()
    }

    fn level_name(&self, level: u32) -> String {
        let name = self.levels.get(level as usize).cloned().unwrap_or_default();
        format!("level {}/{} {name}", level + 1, self.levels.len())
    }

    fn level(&self, figures: &LevelFigures) -> String {
        let ms = |name: &str, p50: Option<f64>, p99: Option<f64>| match (p50, p99) {
            (Some(a), Some(b)) => format!("  {name} p50 {} p99 {}", words::ms(a), words::ms(b)),
            (Some(a), None) => format!("  {name} p50 {}", words::ms(a)),
            _ => String::new(),
        };
        let rate = figures.output_throughput.map_or_else(|| "no tokens".to_owned(), |x| format!("{x:.1} tok/s"));
        let errors = figures.error_rate.filter(|e| *e > 0.0).map(|e| format!("  errors {:.1} %", e * 100.0));
        let invalid = if figures.valid { "" } else { "  INVALID" };
        format!(
            "{}  {rate}{}{}{}{invalid}",
            self.level_name(figures.level),
            ms("TTFT", figures.ttft_p50_ms, figures.ttft_p99_ms),
            ms("TPOT", figures.tpot_p50_ms, None),
            errors.unwrap_or_default()
        )
    }

    fn ended(&mut self, number: u32, outcome: &Outcome, score: Option<Score>) -> Vec<String> {
        self.done += 1;
        self.current.clear();
        self.configuration.clear();
        let role = self.experiments.get(&number).map(|s| s.role);
        let Some(score) = score.filter(|s| s.primary().is_some()) else {
            let hint = |f: &Failure| tuner_engines::hint(f.class, self.engine);
            let why = outcome.failure().map(|f| format!("  {}\n      hint: {}", f.message, hint(f)));
            return vec![format!("#{number} {}{}", outcome.word(), why.unwrap_or_default())];
        };
        if role == Some(Role::Baseline) {
            self.baseline = score.primary();
        }
        let value = score.primary().map(|x| words::figure(self.objective.metric, x)).unwrap_or_default();
        let at = score.level.map(|l| format!(" at {}", self.levels.get(l as usize).cloned().unwrap_or_default()));
        let class = if score.class == Class::Feasible { "" } else { words::class(score.class) };
        let gain = match role {
            Some(Role::Search) => self.gain(&score).map(|g| format!("  {g}")).unwrap_or_default(),
            _ => String::new(),
        };
        let ranked = matches!(role, Some(Role::Baseline | Role::Search));
        let first = ranked && self.best.as_ref().is_none_or(|(_, b)| score.compare(b, &self.objective).is_lt());
        let star = if first && role == Some(Role::Search) { "  ← best so far" } else { "" };
        let line = format!("#{number} {}  {value}{}{class}{gain}{star}", outcome.word(), at.unwrap_or_default());
        if first {
            self.best = Some((number, score));
        }
        vec![line]
    }

    fn gain(&self, score: &Score) -> Option<String> {
        let ratio = improvement(&self.objective, self.baseline?, score.primary()?)?;
        Some(words::percent(ratio))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{DateTime, TimeDelta, Utc};
    use tuner_core::plan::Arm;

    const FILE: &str = "name: x\nmodel: {id: m}\nengine: {name: simulated}\nsearch_space: {parameters: {a: [1, 2]}}\n\
                        load: {levels: [{concurrency: 1}]}\nverification: {blocks: 2}\n";

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(second)
    }

    fn fold() -> Fold {
        Fold::new(&tuner_core::task::read(FILE, &Default::default()).unwrap().spec).unwrap()
    }

    fn tell(fold: &mut Fold, experiment: u32, second: i64, event: Event) {
        let row = EventRow { seq: second, task: None, experiment: Some(experiment), at: at(second), event };
        fold.apply(&row);
    }

    /// An attempt from `began` to `ended`; a success ends its experiment.
    fn attempt(fold: &mut Fold, experiment: u32, began: i64, ended: i64, state: AttemptState) {
        tell(fold, experiment, began, Event::AttemptStarted { attempt: 1, worker: "w".into() });
        tell(fold, experiment, ended, Event::AttemptEnded { attempt: 1, state, failure: None });
        if state == AttemptState::Succeeded {
            let outcome = Outcome::Success { partial: false, failure: None };
            tell(fold, experiment, ended, Event::ExperimentEnded { outcome, score: None });
        }
    }

    fn create(fold: &mut Fold, experiment: u32, role: Role) {
        tell(fold, experiment, 0, Event::ExperimentCreated { role, configuration: Configuration::default() });
    }

    #[test]
    fn the_time_left_comes_from_what_experiments_took_and_not_from_what_a_pause_took() {
        let mut fold = fold();
        assert_eq!(fold.left_s(5, at(0)), None);
        create(&mut fold, 1, Role::Baseline);
        attempt(&mut fold, 1, 0, 20, AttemptState::Succeeded);
        create(&mut fold, 2, Role::Search);
        // Killed after a moment, found a day later.
        attempt(&mut fold, 2, 20, 90_000, AttemptState::Interrupted);
        attempt(&mut fold, 2, 90_000, 90_010, AttemptState::Succeeded);
        assert_eq!(fold.left_s(5, at(90_010)), Some(45.0));
        tell(&mut fold, 3, 90_010, Event::AttemptStarted { attempt: 1, worker: "w".into() });
        assert_eq!(fold.left_s(5, at(90_016)), Some(39.0));
        // One that takes longer than the mean has not made up for the others.
        assert_eq!(fold.left_s(5, at(90_100)), Some(30.0));
        tell(&mut fold, 4, 90_100, Event::AttemptStarted { attempt: 1, worker: "v".into() });
        assert_eq!(fold.left_s(5, at(90_100)), Some(15.0), "two at once");
    }

    #[test]
    fn a_search_that_ended_early_has_fewer_experiments_than_planned() {
        let mut fold = fold();
        for number in 1..=3 {
            create(&mut fold, number, if number == 1 { Role::Baseline } else { Role::Search });
        }
        assert_eq!(fold.total(10), 10);
        create(&mut fold, 4, Role::Verify { block: 0, arm: Arm::Baseline });
        assert_eq!(fold.total(10), 7);
    }
}
