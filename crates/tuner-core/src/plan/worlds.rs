//! Text-scripted worlds: a script says how each configuration behaves, the golden file shows every step that the
//! planner takes in it.
//!
//! Script lines: `experiments N`, `blocks N`, `attempts N`, `wall N`, `slo SPEC`, `losing BOOL`, `try x`, and `x: EVENTS` where
//! events (one per attempt at `x`, the last repeats) are `TPUT@TTFT` per level joined by `,`, `die CLASS`, `TPUT@TTFT die
//! CLASS` (the rest of the levels is missing), `invalid`, `busy` (invalid, by the client's processor), `killed`;
//! `impossible` is known before anything is started.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use chrono::{DateTime, TimeDelta, Utc};

use super::*;
use crate::measure::{
    CLIENT_THREADS, CLIENT_THREADS_MOST, Figure, Measurement, Metric, RequestCounts, Summary, Validity,
};
use crate::sampler::{Ask, Sampler, SuggestError};
use crate::score::score;
use crate::space::{Configuration, Domain, Parameter, SearchSpace};
use crate::task::{Level, SloSpec, TaskSpec};
use crate::{Failure, FailureClass, Outcome, Percentile, StopRule, Stopped, Value};

struct InOrder(Vec<i64>);
impl Sampler for InOrder {
    fn suggest(&self, ask: &Ask<'_>) -> Result<Configuration, SuggestError> {
        let taken = |x: i64| {
            let c = point(x);
            ask.finished.iter().any(|f| f.configuration == c) || ask.running.contains(&c)
        };
        self.0.iter().find(|x| !taken(**x)).map(|x| point(*x)).ok_or(SuggestError::Exhausted)
    }
}

fn point(x: i64) -> Configuration {
    Configuration::from([("x", Value::Int(x))])
}

#[derive(Debug)]
struct World {
    spec: TaskSpec,
    space: SearchSpace,
    order: Vec<i64>,
    script: BTreeMap<i64, Vec<String>>,
    cancel_between: Option<(usize, usize)>,
}

impl Forecast for World {
    fn impossible(&self, flags: &Configuration) -> Option<Failure> {
        let events = self.script.get(&flags.get("x")?.as_i64()?)?;
        (events[0] == "impossible").then(|| Failure::new(FailureClass::OomLoad, "too large for any device here"))
    }
}

impl World {
    fn parse(text: &str) -> Self {
        let minimal = serde_json::json!({
            "name": "world", "model": {"path": "m"}, "engine": {"name": "simulated"}, "search_space": {},
            "baseline": {"x": 0}, "load": {"levels": [{"concurrency": 1}, {"concurrency": 8}]},
            "verification": {"blocks": 0}, "retries": {"max_attempts": 3, "backoff_s": 10.0}
        });
        let mut spec: TaskSpec = serde_json::from_value(minimal).unwrap();
        let (mut order, mut script, mut cancel_between) = (vec![], BTreeMap::new(), None);
        for line in text.lines().map(str::trim).filter(|l| !l.is_empty()) {
            if line.starts_with(|c: char| c.is_ascii_digit()) {
                let (x, events) = line.split_once(':').unwrap();
                script.insert(x.parse().unwrap(), events.split('|').map(|e| e.trim().to_owned()).collect());
                continue;
            }
            let (word, rest) = line.split_once(' ').unwrap();
            match word {
                "experiments" => spec.budget.experiments = rest.parse().unwrap(),
                "blocks" => spec.verification.blocks = rest.parse().unwrap(),
                "wall" => spec.budget.wall_time_s = Some(rest.parse().unwrap()),
                "objective" => spec.objectives = vec![serde_json::from_value(rest.into()).unwrap()],
                "slo" => spec.slos.push(serde_json::from_str::<SloSpec>(rest).unwrap()),
                "losing" => spec.load.stop_when_losing = rest.parse().unwrap(),
                "repeats" => spec.repeats = rest.parse().unwrap(),
                "one-level" => spec.load.levels = vec![Level::closed(rest.parse().unwrap())],
                "cancel-between" => {
                    let (from, to) = rest.split_once(' ').unwrap();
                    cancel_between = Some((from.parse().unwrap(), to.parse().unwrap()));
                }
                "try" => order = rest.split(' ').map(|x| x.parse().unwrap()).collect(),
                _ => panic!("unknown line {line:?}"),
            }
        }
        let values = (0..10).map(Value::Int).collect();
        let parameter = Parameter { name: "x".into(), domain: Domain::Ordinal { values }, when: None };
        let space = SearchSpace { parameters: vec![parameter], ..SearchSpace::default() };
        Self { spec, space, order, script, cancel_between }
    }

    /// Runs the planner to the end and writes down every step.
    fn play(&self) -> String {
        let sampler = InOrder(self.order.clone());
        let start: DateTime<Utc> = "2026-01-01T00:00:00Z".parse().unwrap();
        let (mut now, mut experiments, mut out) = (start, Vec::<ExperimentView>::new(), String::new());
        let mut seen = BTreeMap::new();
        for steps in 0..500 {
            let cancel_requested = self.cancel_between.is_some_and(|(from, to)| (from..to).contains(&steps));
            let view = TaskView {
                spec: &self.spec,
                space: &self.space,
                experiments: &experiments,
                proposed: &[],
                started_at: start,
                cancel_requested,
                forecast: self,
                places: Places::ALONE,
            };
            match next_step(&view, &sampler, now) {
                Step::Create { number, role, configuration } => {
                    writeln!(out, "create {number} {} {configuration}", role_word(role)).unwrap();
                    experiments.push(ExperimentView { number, role, configuration, outcome: None, attempts: vec![] });
                }
                Step::Run { number, attempt } => {
                    let at = experiments.iter().position(|e| e.number == number).unwrap();
                    let best = to_beat(&self.spec, &experiments, experiments[at].role);
                    let experiment = &mut experiments[at];
                    let view = self.attempt(&experiment.configuration, attempt, best, &mut seen, now);
                    now = view.ended_at.unwrap();
                    writeln!(out, "  run {number}.{attempt}: {}", describe(&view)).unwrap();
                    experiment.attempts.push(view);
                }
                Step::Wait { until, .. } => {
                    writeln!(out, "  wait {} s", (until - now).num_seconds()).unwrap();
                    now = until;
                }
                Step::End { number, outcome } => {
                    let experiment = experiments.iter_mut().find(|e| e.number == number).unwrap();
                    experiment.outcome = Some(outcome.clone());
                    let score = score(&self.spec, experiment);
                    let text = score.map_or("no score".into(), |s| {
                        format!("{:?} {:?} at level {:?}", s.class, s.objectives, s.level)
                    });
                    let when = match &outcome {
                        Outcome::Infeasible { predicted: true, .. } => " (predicted)".to_owned(),
                        Outcome::Pruned { reason } => format!(" ({reason})"),
                        _ => String::new(),
                    };
                    writeln!(out, "  end {number} {}{when}: {text}", outcome.word()).unwrap();
                }
                Step::Await { .. } => panic!("nothing runs between steps"),
                Step::Finish { status, verdict } => {
                    writeln!(out, "finish {status:?}: {} ({:?})", verdict.decision.describe(), verdict.search_end)
                        .unwrap();
                    writeln!(
                        out,
                        "  baseline {:?} best {:?} recommended {:?}",
                        verdict.baseline, verdict.best, verdict.recommended
                    )
                    .unwrap();
                    writeln!(out, "  {}", verdict.reason).unwrap();
                    if let Some(Comparison { baseline_level, best_level, pairs }) = verdict.comparison {
                        writeln!(out, "  level {baseline_level} against level {best_level}: {pairs:?}").unwrap();
                    }
                    if status == FinalStatus::Cancelled && self.cancel_between.is_some_and(|(_, to)| to < 500) {
                        writeln!(out, "(taken up again)").unwrap();
                        continue;
                    }
                    return out;
                }
            }
        }
        panic!("the planner does not end:\n{out}");
    }

    fn attempt(
        &self,
        configuration: &Configuration,
        attempt: u32,
        best: Option<f64>,
        seen: &mut BTreeMap<i64, usize>,
        now: DateTime<Utc>,
    ) -> AttemptView {
        let x = configuration.get("x").and_then(Value::as_i64).unwrap();
        let events = self.script.get(&x).unwrap_or_else(|| panic!("the script says nothing of {x}"));
        let occurrence = seen.entry(x).or_default();
        let event = events.get(*occurrence).or(events.last()).unwrap();
        *occurrence += 1;
        let mut view = AttemptView {
            number: attempt,
            state: AttemptState::Running,
            failure: None,
            started_at: now,
            ended_at: Some(now + TimeDelta::seconds(60)),
            measurements: vec![],
            evidence: AttemptEvidence::default(),
        };
        let (levels, death) = event.split_once("die ").map_or((event.as_str(), None), |(a, b)| (a.trim(), Some(b)));
        let mut levels =
            levels.split(',').map(str::trim).filter(|l| !l.is_empty()).collect::<Vec<_>>().into_iter().cycle();
        let values: Vec<&str> =
            event.split("die").next().unwrap().split(',').map(str::trim).filter(|l| !l.is_empty()).collect();
        if event == "killed" {
            view.state = AttemptState::Interrupted;
            return view;
        }
        while let LevelStep::Measure { level, repeat, client_threads, bar } = next_level(&self.spec, &view, best) {
            if death.is_some() && view.measurements.len() >= values.len() {
                break;
            }
            let mut measured = measurement(level, repeat, client_threads, levels.next().unwrap());
            if let Some(bar) =
                bar.filter(|bar| measured.stat(bar.metric, bar.stat).is_some_and(|x| bar.is_missed_by(x)))
            {
                let reason = format!("certain loser: {} beyond {}", bar.metric, bar.limit());
                measured.stopped = Some(Stopped { rule: StopRule::Loser, after_s: 5.0, reason, surplus: None });
            }
            view.measurements.push(measured);
        }
        view.state = if death.is_some() { AttemptState::Failed } else { AttemptState::Succeeded };
        view.failure = death.map(|class| {
            let class: FailureClass = serde_json::from_value(class.into()).unwrap();
            Failure::new(class, "as scripted")
        });
        view
    }
}

fn measurement(level: u32, repeat: u32, client_threads: Option<u32>, text: &str) -> Measurement {
    let client_bound = text == "busy";
    let invalid = text == "invalid" || client_bound;
    // A machine that takes two threads as a rule and can spare eight.
    let threads = [(CLIENT_THREADS, client_threads.unwrap_or(2)), (CLIENT_THREADS_MOST, 8)];
    let (tput, ttft) = text.split_once('@').unwrap_or(("1", "1"));
    let ttft: f64 = ttft.parse().unwrap();
    let percentiles = [(Percentile::P50, ttft / 2.0), (Percentile::P99, ttft)].into();
    let ttft = Summary { n: 10, mean: ttft / 2.0, percentiles, ..Summary::default() };
    let tput: f64 = tput.parse().unwrap();
    Measurement {
        level,
        repeat,
        window_s: 10.0,
        elapsed_s: 12.0,
        requests: RequestCounts { planned: 10, completed: 10, ..RequestCounts::default() },
        errors: BTreeMap::new(),
        metrics: [
            (Metric::OutputThroughput, Figure::Scalar(tput)),
            (Metric::Ttft, Figure::Distribution(ttft)),
            (Metric::ErrorRate, Figure::Scalar(0.0)),
        ]
        .into(),
        validity: if invalid { Validity::Invalid { reasons: vec!["client was late".into()] } } else { Validity::Valid },
        client_bound,
        evidence: threads.map(|(name, n)| (name.to_owned(), f64::from(n))).into(),
        ..Measurement::default()
    }
}

fn role_word(role: Role) -> String {
    match role {
        Role::Baseline => "baseline".into(),
        Role::Search => "search".into(),
        Role::Verify { block, arm } => format!("verify block {block} {arm:?}"),
    }
}

fn describe(attempt: &AttemptView) -> String {
    let levels: Vec<String> = attempt
        .measurements
        .iter()
        .map(|m| {
            let valid = if m.is_valid() { "" } else { " invalid" };
            let ended = if m.stopped.is_some() { " ended early" } else { "" };
            let threads = m.evidence[CLIENT_THREADS];
            let threads = if threads == 2.0 { String::new() } else { format!(" with {threads} threads") };
            format!("level {} repeat {}{threads}{valid}{ended}", m.level, m.repeat)
        })
        .collect();
    let failure = attempt.failure.as_ref().map(|f| format!(", {:?}", f.class)).unwrap_or_default();
    format!("{:?} [{}]{failure}", attempt.state, levels.join(", "))
}

macro_rules! worlds {
    ($($name:ident: $script:literal)*) => {
        $(#[test] fn $name() { insta::assert_snapshot!(World::parse($script).play()); })*
    };
}

mod losing;

// B3: every "better" is measured again, interleaved. R14.5: partial results count as such. R14.6: only transient failures
// are tried again, with growing waits. B5: what is certain not to work is not tried.
worlds! {
    the_baseline_comes_first_and_a_better_configuration_is_verified_in_alternating_pairs: "
        experiments 3
        blocks 3
        try 1 2
        0: 100@50, 150@90
        1: 110@50, 180@90
        2: 90@50, 140@90"

    where_nothing_comes_close_to_the_baseline_nothing_is_verified: "
        experiments 3
        blocks 3
        try 1 2
        0: 100@50, 150@90
        1: 90@50, 120@90
        2: 80@50, 130@90"

    a_close_second_is_verified_and_may_win: "
        experiments 3
        blocks 2
        try 1 2
        one-level 8
        0: 150@50 | 140@50 | 141@50
        1: 120@50
        2: 146@50 | 147@50 | 148@50"

    a_win_by_luck_is_no_significant_difference_or_worse_after_verification: "
        experiments 2
        blocks 2
        try 1
        one-level 8
        0: 100@50 | 101@50 | 99@50
        1: 130@50 | 99@50 | 103@50"

    a_crash_is_knowledge_and_is_not_retried: "
        experiments 3
        try 1 2
        0: 100@50, 150@90
        1: die oom_load
        2: 100@50, 160@90"

    what_is_certain_not_to_work_is_neither_started_nor_counted: "
        experiments 3
        try 1 2 3 4 5
        0: 100@50, 150@90
        1: impossible
        2: 100@50, 160@90
        3: impossible
        4: 100@50, 140@90
        5: 100@50, 170@90"

    a_search_among_what_cannot_work_ends: "
        experiments 2
        try 1 2 3 4 5
        0: impossible
        1: impossible
        2: impossible
        3: impossible
        4: 100@50, 140@90
        5: 100@50, 140@90"

    a_transient_failure_is_retried_with_growing_waits_and_a_limit: "
        experiments 3
        try 1 2
        0: 100@50, 150@90
        1: die connection | die connection | 100@50, 170@90
        2: die port_conflict"

    an_engine_that_dies_at_one_level_keeps_the_levels_below: "
        experiments 2
        try 1
        0: 100@50, 150@90
        1: 120@50 die oom_run"

    a_partial_result_does_not_win_where_every_level_counts: "
        experiments 2
        objective minimize_ttft
        try 1
        0: 100@50, 150@90
        1: 120@10 die oom_run"

    a_level_beyond_a_hard_slo_does_not_count: "
        experiments 2
        blocks 2
        slo {\"metric\": \"ttft\", \"max_ms\": 100}
        try 1
        0: 100@50, 150@90
        1: 120@60, 400@250"

    a_configuration_within_the_slos_beats_a_faster_one_beyond_them: "
        experiments 2
        blocks 2
        slo {\"metric\": \"ttft\", \"max_ms\": 100}
        try 1
        0: 200@150, 300@900
        1: 120@60, 180@250"

    pairs_are_compared_at_one_level_where_an_slo_is_missed_now_and_then: "
        experiments 2
        blocks 3
        slo {\"metric\": \"ttft\", \"max_ms\": 100}
        try 1
        0: 100@50, 150@98 | 100@50, 150@98 | 100@50, 151@102 | 100@50, 149@97
        1: 110@50, 165@98 | 110@50, 165@97 | 110@50, 166@99 | 110@50, 164@101"

    a_baseline_that_cannot_run_is_not_compared_but_the_best_proves_itself: "
        experiments 2
        blocks 2
        try 1
        0: die oom_load
        1: 120@60, 180@250"

    a_baseline_that_fails_for_the_environment_ends_the_task_at_once: "
        experiments 9
        try 1 2 3
        0: die model_missing"

    three_experiments_in_a_row_that_cannot_be_tried_end_the_search: "
        experiments 9
        try 1 2 3 4 5
        0: 100@50, 150@90
        1: die wrong_model
        2: die wrong_model
        3: die wrong_model
        4: 100@50, 150@90"

    an_exhausted_space_ends_the_search: "
        experiments 9
        try 1
        0: 100@50, 150@90
        1: 100@50, 140@90"

    a_level_that_kept_the_client_busy_is_repeated_with_more_threads: "
        experiments 2
        try 1
        0: 100@50, 150@90
        1: 110@50, busy, busy, 120@90"

    a_level_that_needs_more_processor_than_there_is_is_given_up_with_the_harder_ones: "
        experiments 3
        try 1 2
        0: 100@50, 150@90
        1: 110@50, busy, busy, busy
        2: busy, busy, busy"

    an_invalid_measurement_is_repeated_once_and_never_scored: "
        experiments 3
        try 1 2
        0: 100@50, 150@90
        1: 999@1, invalid, 120@90
        2: invalid"

    repeats_go_round_the_levels: "
        experiments 1
        repeats 2
        try 1
        0: 100@50, 150@90"

    a_killed_worker_repeats_the_attempt_and_concludes_nothing: "
        experiments 2
        try 1
        0: killed | killed | 100@50, 150@90
        1: 100@50, 160@90"

    a_configuration_that_kills_the_worker_every_time_is_given_up: "
        experiments 2
        try 1
        0: 100@50, 150@90
        1: killed"

    wall_time_ends_the_search_but_not_the_verification: "
        experiments 9
        wall 100
        blocks 2
        try 1 2 3 4
        0: 100@50, 150@90
        1: 100@50, 190@90
        2: 100@50, 190@90"

    a_best_that_fails_its_verification_is_not_recommended_as_proven: "
        experiments 2
        blocks 2
        try 1
        0: 100@50, 150@90
        1: 100@50, 190@90 | die oom_load"

    a_cancelled_task_ends_what_is_open: "
        experiments 9
        cancel-between 4 999
        try 1 2
        0: 100@50, 150@90
        1: 100@50, 150@90"

    a_cancelled_task_that_is_taken_up_again_tries_afresh_what_was_cut_off: "
        experiments 2
        cancel-between 4 6
        try 1
        0: 100@50, 150@90
        1: 100@50, 160@90"
}
