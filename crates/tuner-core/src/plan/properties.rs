//! Properties of the planner in random worlds: it ends, it keeps the order of its phases and its budget, and asking
//! again changes nothing.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;

use super::*;
use crate::measure::{Figure, Measurement, Metric, RequestCounts, Validity};
use crate::sampler::{Ask, Sampler, SuggestError};
use crate::score::score;
use crate::space::{Configuration, Domain, Parameter, SearchSpace};
use crate::task::TaskSpec;
use crate::{Failure, FailureClass, Value};

/// What an attempt does.
#[derive(Clone, Copy, Debug)]
enum Fate {
    Measured { value: f64, valid: bool },
    Dies { class: FailureClass, measured: bool },
    Killed,
    Cancelled,
}

fn fate() -> impl Strategy<Value = Fate> {
    let class = prop::sample::select(vec![
        FailureClass::OomLoad,
        FailureClass::OomRun,
        FailureClass::Connection,
        FailureClass::PortConflict,
        FailureClass::ModelMissing,
        FailureClass::QualityGuard,
        FailureClass::NoAnswers,
    ]);
    prop_oneof![
        6 => (0.0f64..1000.0, prop::bool::weighted(0.9)).prop_map(|(value, valid)| Fate::Measured { value, valid }),
        3 => (class, any::<bool>()).prop_map(|(class, measured)| Fate::Dies { class, measured }),
        1 => Just(Fate::Killed),
        1 => Just(Fate::Cancelled),
    ]
}

struct Next;
impl Sampler for Next {
    fn suggest(&self, ask: &Ask<'_>) -> Result<Configuration, SuggestError> {
        let taken = |c: &Configuration| ask.finished.iter().any(|f| f.configuration == *c) || ask.running.contains(c);
        let mut free = (0..6).map(|x| Configuration::from([("x", Value::Int(x))])).filter(|c| !taken(c));
        free.next().ok_or(SuggestError::Exhausted)
    }
}

fn play(experiments: u32, blocks: u32, levels: usize, fates: &[Fate]) -> (Vec<ExperimentView>, Verdict) {
    let level = serde_json::json!({"concurrency": 1});
    let spec: TaskSpec = serde_json::from_value(serde_json::json!({
        "name": "p", "model": {"path": "m"}, "engine": {"name": "simulated"}, "search_space": {},
        "load": {"levels": vec![level; levels]}, "budget": {"experiments": experiments},
        "verification": {"blocks": blocks}
    }))
    .unwrap();
    let values = (0..6).map(Value::Int).collect();
    let x = Parameter { name: "x".into(), domain: Domain::Ordinal { values }, when: None };
    let space = SearchSpace { parameters: vec![x], ..SearchSpace::default() };
    let start: DateTime<Utc> = "2026-01-01T00:00:00Z".parse().unwrap();
    let (mut now, mut all, mut fates) = (start, Vec::<ExperimentView>::new(), fates.iter().cycle());
    for _ in 0..5000 {
        let view = TaskView {
            spec: &spec,
            space: &space,
            experiments: &all,
            proposed: &[],
            started_at: start,
            cancel_requested: false,
            forecast: &NoForecast,
            places: Places::ALONE,
        };
        let step = next_step(&view, &Next, now);
        assert_eq!(step, next_step(&view, &Next, now), "the same question has the same answer");
        match step {
            Step::Create { number, role, configuration } => {
                all.push(ExperimentView { number, role, configuration, outcome: None, attempts: vec![] });
            }
            Step::Run { number, attempt } => {
                now += TimeDelta::seconds(30);
                let fate = *fates.next().unwrap();
                let experiment = all.iter_mut().find(|e| e.number == number).unwrap();
                assert_eq!(attempt as usize, experiment.attempts.len() + 1);
                experiment.attempts.push(run(&spec, attempt, fate, now));
            }
            Step::Wait { until, .. } => {
                assert!(until > now, "a wait is in the future");
                now = until;
            }
            Step::End { number, outcome } => {
                let experiment = all.iter_mut().find(|e| e.number == number).unwrap();
                assert_eq!(experiment.outcome.replace(outcome), None, "an experiment ends once");
            }
            Step::Await { .. } => panic!("nothing runs between steps"),
            Step::Finish { verdict, .. } => return (all, *verdict),
        }
    }
    panic!("the planner does not end");
}

fn run(spec: &TaskSpec, number: u32, fate: Fate, at: DateTime<Utc>) -> AttemptView {
    let mut view = AttemptView {
        number,
        state: AttemptState::Succeeded,
        failure: None,
        started_at: at,
        ended_at: Some(at),
        measurements: vec![],
        evidence: AttemptEvidence::default(),
    };
    let (value, valid) = match fate {
        Fate::Killed => {
            view.state = AttemptState::Interrupted;
            return view;
        }
        Fate::Cancelled => {
            view.state = AttemptState::Cancelled;
            return view;
        }
        Fate::Dies { class, measured } => {
            view.state = AttemptState::Failed;
            view.failure = Some(Failure::new(class, "died"));
            if !measured {
                return view;
            }
            (1.0, true)
        }
        Fate::Measured { value, valid } => (value, valid),
    };
    while let LevelStep::Measure { level, repeat, .. } = next_level(spec, &view, None) {
        view.measurements.push(measured(level, repeat, value, valid));
        if view.failure.is_some() {
            break;
        }
    }
    view
}

pub(super) fn measured(level: u32, repeat: u32, value: f64, valid: bool) -> Measurement {
    Measurement {
        level,
        repeat,
        window_s: 1.0,
        elapsed_s: 1.0,
        requests: RequestCounts::default(),
        errors: Default::default(),
        metrics: [(Metric::OutputThroughput, Figure::Scalar(value))].into(),
        validity: if valid { Validity::Valid } else { Validity::Invalid { reasons: vec!["late".into()] } },
        evidence: Default::default(),
        ..Measurement::default()
    }
}

proptest! {
    #[test]
    fn every_task_ends_in_order_and_within_its_budget(
        experiments in 1u32..9, blocks in prop_oneof![Just(0u32), 2u32..4], levels in 1usize..4,
        fates in prop::collection::vec(fate(), 1..40),
    ) {
        // A world in which nothing but cancellation happens never ends, as it should: each start is a person's.
        prop_assume!(fates.iter().any(|f| !matches!(f, Fate::Cancelled)));
        let (all, verdict) = play(experiments, blocks, levels, &fates);
        prop_assert_eq!(all[0].role, Role::Baseline);
        prop_assert!(all.iter().map(|e| e.number).eq(1..=all.len() as u32), "numbers without gaps");
        prop_assert!(all.iter().all(|e| e.outcome.is_some()), "nothing is left open");
        let searched: Vec<_> = all.iter().filter(|e| e.role == Role::Search).collect();
        prop_assert!(searched.len() < experiments as usize);
        let distinct: BTreeSet<_> = searched.iter().map(|e| e.configuration.key()).collect();
        prop_assert_eq!(distinct.len(), searched.len(), "no configuration is searched twice");
        let first_verify = all.iter().position(|e| matches!(e.role, Role::Verify { .. })).unwrap_or(all.len());
        let only_verify = all[first_verify..].iter().all(|e| matches!(e.role, Role::Verify { .. }));
        prop_assert!(only_verify, "verification comes last");
        prop_assert!(all.len() - first_verify <= 2 * blocks as usize);
        let attempts = |e: &ExperimentView| e.attempts.iter().filter(|a| a.state == AttemptState::Failed).count();
        prop_assert!(all.iter().all(|e| attempts(e) <= 3), "retries have a limit");
        if let Some(recommended) = verdict.recommended {
            let experiment = all.iter().find(|e| e.number == recommended).unwrap();
            let spec: TaskSpec = serde_json::from_value(serde_json::json!({
                "name": "p", "model": {"path": "m"}, "engine": {"name": "simulated"}, "search_space": {}
            })).unwrap();
            prop_assert!(score(&spec, experiment).is_some(), "what is recommended was tried");
        }
        if verdict.decision == Decision::Better && blocks > 0 {
            prop_assert!(verdict.best.is_some() && all.len() > first_verify, "better is never said unverified");
        }
    }
}
