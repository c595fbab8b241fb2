//! Tasks with several places: who begins what, in scripted worlds and in random ones.
//!
//! Time passes from one end of an attempt to the next; attempt `N` of experiment `M` takes as long as the world says.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;

use super::*;
use crate::sampler::{Ask, Sampler, SuggestError};
use crate::space::{Configuration, Domain, Parameter, SearchSpace};
use crate::task::TaskSpec;
use crate::{Failure, FailureClass, Value};

/// The smallest value that neither was tried nor runs; remembers in its answers how much was pending.
struct Smallest(i64);
impl Sampler for Smallest {
    fn suggest(&self, ask: &Ask<'_>) -> Result<Configuration, SuggestError> {
        let taken = |c: &Configuration| ask.finished.iter().any(|f| f.configuration == *c) || ask.running.contains(c);
        let mut free = (0..self.0).map(|x| Configuration::from([("x", Value::Int(x))])).filter(|c| !taken(c));
        free.next().ok_or(SuggestError::Exhausted)
    }
}

/// What an attempt does, and how long it takes.
#[derive(Clone, Copy, Debug)]
enum Fate {
    Measures(i64),
    Dies(FailureClass, i64),
    Killed(i64),
}

struct Attempting {
    number: u32,
    ends_at: DateTime<Utc>,
    fate: Fate,
    here: bool,
}

struct World<'a> {
    spec: TaskSpec,
    space: SearchSpace,
    now: DateTime<Utc>,
    experiments: Vec<ExperimentView>,
    running: Vec<Attempting>,
    fates: Box<dyn Iterator<Item = Fate> + 'a>,
    /// The most that ran at once.
    most: usize,
    /// Cancelled once this many experiments are written down.
    cancelled_from: usize,
    /// What somebody wants tried.
    proposed: Vec<Configuration>,
    out: String,
}

impl<'a> World<'a> {
    fn new(places: u32, experiments: u32, blocks: u32, fates: impl Iterator<Item = Fate> + 'a) -> Self {
        let spec = serde_json::json!({
            "name": "p", "model": {"path": "m"}, "engine": {"name": "simulated"}, "search_space": {},
            "baseline": {"x": 0}, "budget": {"experiments": experiments, "parallel": places},
            "verification": {"blocks": blocks}, "retries": {"max_attempts": 3, "backoff_s": 100.0}
        });
        let x = Parameter {
            name: "x".into(),
            domain: Domain::Ordinal { values: (0..9).map(Value::Int).collect() },
            when: None,
        };
        Self {
            spec: serde_json::from_value(spec).unwrap(),
            space: SearchSpace { parameters: vec![x], ..SearchSpace::default() },
            now: "2026-01-01T00:00:00Z".parse().unwrap(),
            experiments: vec![],
            running: vec![],
            fates: Box::new(fates),
            most: 0,
            cancelled_from: usize::MAX,
            proposed: vec![],
            out: String::new(),
        }
    }

    fn view<'b>(&'b self, claimed: &'b [u32], free: bool) -> TaskView<'b> {
        TaskView {
            spec: &self.spec,
            space: &self.space,
            experiments: &self.experiments,
            proposed: &self.proposed,
            started_at: self.now,
            cancel_requested: self.experiments.len() >= self.cancelled_from,
            forecast: &NoForecast,
            places: Places { most: self.spec.budget.parallel, free, claimed },
        }
    }

    fn of(&mut self, number: u32) -> &mut ExperimentView {
        self.experiments.iter_mut().find(|e| e.number == number).unwrap()
    }

    fn begin(&mut self, number: u32, attempt: u32, here: bool) {
        let fate = self.fates.next().unwrap();
        let (Fate::Measures(s) | Fate::Dies(_, s) | Fate::Killed(s)) = fate;
        let (now, who) = (self.now, if here { "here" } else { "helper" });
        writeln!(self.out, "  {:>4} s  {who} begins {number}.{attempt}", self.seconds()).unwrap();
        let experiment = self.of(number);
        assert_eq!(attempt as usize, experiment.attempts.len() + 1);
        experiment.attempts.push(AttemptView {
            number: attempt,
            state: AttemptState::Running,
            failure: None,
            started_at: now,
            ended_at: None,
            measurements: vec![],
            evidence: AttemptEvidence::default(),
        });
        self.running.push(Attempting { number, ends_at: now + TimeDelta::seconds(s), fate, here });
        self.most = self.most.max(self.running.len());
    }

    /// Lets time pass until something ends or `until` has come.
    fn pass(&mut self, until: Option<DateTime<Utc>>) {
        let next = self.running.iter().map(|a| a.ends_at).chain(until).min().expect("somebody is waited for");
        self.now = next.max(self.now);
        let (over, on): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.running).into_iter().partition(|a| a.ends_at <= self.now);
        self.running = on;
        let (now, spec) = (self.now, self.spec.clone());
        for Attempting { number, fate, .. } in over {
            let attempt = self.of(number).attempts.last_mut().unwrap();
            attempt.ended_at = Some(now);
            match fate {
                Fate::Measures(_) => {
                    attempt.state = AttemptState::Succeeded;
                    while let LevelStep::Measure { level, repeat, .. } = next_level(&spec, attempt, None) {
                        let value = f64::from(number) * 100.0;
                        attempt.measurements.push(super::properties::measured(level, repeat, value, true));
                    }
                }
                Fate::Dies(class, _) => {
                    attempt.state = AttemptState::Failed;
                    attempt.failure = Some(Failure::new(class, "died"));
                }
                Fate::Killed(_) => attempt.state = AttemptState::Interrupted,
            }
            let what = format!("{:?}", attempt.state);
            writeln!(self.out, "  {:>4} s  {number} {what}", self.seconds()).unwrap();
        }
    }

    fn seconds(&self) -> i64 {
        (self.now - "2026-01-01T00:00:00Z".parse::<DateTime<Utc>>().unwrap()).num_seconds()
    }

    /// Plays to the end; what must hold at every step is checked at every step.
    fn play(&mut self) -> Verdict {
        let sampler = Smallest(9);
        for _ in 0..2000 {
            // Who helps looks as soon as there is something to see.
            while self.running.iter().filter(|a| !a.here).count() + 1 < self.spec.budget.parallel as usize {
                let Help::Run { number, attempt } = next_help(&self.view(&[], true), self.now) else { break };
                self.begin(number, attempt, false);
            }
            let free = self.running.iter().all(|a| !a.here);
            let step = next_step(&self.view(&[], free), &sampler, self.now);
            let claimed: Vec<u32> = self.running.iter().map(|a| a.number).collect();
            let seen = next_step(&self.view(&claimed, free), &sampler, self.now);
            assert_eq!(step, seen, "what runs and what is claimed are the same");
            match step {
                Step::Create { number, role, configuration } => {
                    writeln!(self.out, "create {number} {role:?} {configuration}").unwrap();
                    self.experiments.push(ExperimentView {
                        number,
                        role,
                        configuration,
                        outcome: None,
                        attempts: vec![],
                    });
                    self.check();
                }
                Step::Run { number, attempt } => self.begin(number, attempt, true),
                Step::Wait { until, .. } => self.pass(Some(until)),
                Step::Await { .. } => self.pass(None),
                Step::End { number, outcome } => {
                    writeln!(self.out, "end {number} {}", outcome.word()).unwrap();
                    assert_eq!(self.of(number).outcome.replace(outcome), None, "an experiment ends once");
                }
                Step::Finish { status, verdict } => {
                    assert!(self.running.is_empty(), "nothing runs at the end");
                    assert_eq!(next_help(&self.view(&[], true), self.now), Help::Leave);
                    writeln!(self.out, "finish {status:?} ({:?})", verdict.search_end).unwrap();
                    return *verdict;
                }
            }
        }
        panic!("it does not end:\n{}", self.out);
    }

    fn check(&self) {
        let open: Vec<_> = self.experiments.iter().filter(|e| e.outcome.is_none()).collect();
        assert!(open.len() <= self.spec.budget.parallel as usize, "{open:?}");
        // The baseline may set what no suggestion equals; two suggestions are never the same.
        let searched = open.iter().filter(|e| e.role == Role::Search);
        let distinct: BTreeSet<String> = searched.clone().map(|e| e.configuration.key()).collect();
        assert_eq!(distinct.len(), searched.count(), "two open experiments try the same");
        if open.iter().any(|e| matches!(e.role, Role::Verify { .. })) {
            assert_eq!(open.len(), 1, "verification is done alone");
        }
    }
}

fn story(places: u32, experiments: u32, blocks: u32, fates: &[Fate]) -> String {
    let mut world = World::new(places, experiments, blocks, fates.iter().copied().cycle());
    world.play();
    world.out
}

/// Issue 4, point 2.
#[test]
fn two_places_are_kept_busy_and_verification_is_done_by_one() {
    insta::assert_snapshot!(story(2, 4, 2, &[Fate::Measures(60), Fate::Measures(90)]));
}

#[test]
fn with_three_places_a_retry_waits_beside_the_others() {
    let fates = [
        Fate::Measures(60),
        Fate::Dies(FailureClass::Connection, 10),
        Fate::Measures(45),
        Fate::Killed(20),
        Fate::Measures(50),
        Fate::Dies(FailureClass::OomLoad, 30),
        Fate::Measures(40),
    ];
    insta::assert_snapshot!(story(3, 6, 0, &fates));
}

#[test]
fn a_cancelled_task_waits_for_what_runs_elsewhere_and_begins_nothing() {
    let mut world = World::new(3, 9, 2, [Fate::Measures(60), Fate::Measures(90)].into_iter().cycle());
    world.cancelled_from = 3;
    world.play();
    insta::assert_snapshot!(world.out);
}

/// Issue 5, point 5.
#[test]
fn what_somebody_wants_tried_comes_first_and_once_and_within_the_budget() {
    let x = |value| Configuration::from([("x", Value::Int(value))]);
    let searched = |world: &World<'_>| -> Vec<Configuration> {
        world.experiments.iter().filter(|e| e.role == Role::Search).map(|e| e.configuration.clone()).collect()
    };
    let mut world = World::new(1, 4, 0, std::iter::repeat(Fate::Measures(10)));
    // One was tried, one is no point of the space, one is there twice.
    world.proposed = vec![x(0), x(7), x(99), x(7), x(5)];
    world.play();
    assert_eq!(searched(&world), [x(7), x(5), x(1)]);
    let mut world = World::new(2, 3, 0, std::iter::repeat(Fate::Measures(10)));
    world.proposed = (1..9).rev().map(x).collect();
    world.play();
    assert_eq!(searched(&world), [x(8), x(7)], "wishes do not make the budget larger");
}

fn fate() -> impl Strategy<Value = Fate> {
    let class = prop::sample::select(vec![
        FailureClass::OomLoad,
        FailureClass::Connection,
        FailureClass::ModelMissing,
        FailureClass::NoAnswers,
    ]);
    prop_oneof![
        6 => (1i64..200).prop_map(Fate::Measures),
        3 => (class, 1i64..200).prop_map(|(class, s)| Fate::Dies(class, s)),
        1 => (1i64..200).prop_map(Fate::Killed),
    ]
}

proptest! {
    #[test]
    fn however_many_work_the_task_ends_within_its_budget_and_its_places(
        places in 1u32..5, experiments in 1u32..9, blocks in prop_oneof![Just(0u32), 2u32..4],
        fates in prop::collection::vec(fate(), 1..30), wishes in prop::collection::vec(0i64..12, 0..6),
    ) {
        let mut world = World::new(places, experiments, blocks, fates.iter().copied().cycle());
        world.proposed = wishes.into_iter().map(|x| Configuration::from([("x", Value::Int(x))])).collect();
        world.play();
        let all = &world.experiments;
        prop_assert_eq!(all[0].role, Role::Baseline);
        prop_assert!(all.iter().map(|e| e.number).eq(1..=all.len() as u32), "numbers without gaps");
        prop_assert!(all.iter().all(|e| e.outcome.is_some()), "nothing is left open");
        prop_assert!(world.most <= places as usize);
        let searched: Vec<_> = all.iter().filter(|e| e.role == Role::Search).collect();
        prop_assert!(searched.len() < experiments as usize);
        let distinct: BTreeSet<_> = searched.iter().map(|e| e.configuration.key()).collect();
        prop_assert_eq!(distinct.len(), searched.len(), "no configuration is searched twice");
        let first_verify = all.iter().position(|e| matches!(e.role, Role::Verify { .. })).unwrap_or(all.len());
        let only_verify = all[first_verify..].iter().all(|e| matches!(e.role, Role::Verify { .. }));
        prop_assert!(only_verify, "verification comes last");
    }
}
