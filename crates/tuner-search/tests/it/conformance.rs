//! What every sampler must do, whatever it thinks. A new sampler is one line in `conformance!` below.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use rand::RngExt;
use tuner_core::sampler::{Ask, Finished, Observation, SuggestError};
use tuner_core::space::{Configuration, Domain, SearchSpace};
use tuner_core::task::SamplerSpec;
use tuner_core::value::Value;
use tuner_search::explore::generator;
use tuner_search::sampler;

use crate::spaces::{all, finite_space, int, parameter, space, words};

/// What an experiment comes back with, by its number.
type World = fn(u64, &Configuration) -> Observation;

fn mixed(number: u64, _: &Configuration) -> Observation {
    let mut rng = generator(11, number, "world");
    match rng.random_range(0..6) {
        0 => Observation::Infeasible,
        1 => Observation::Failed,
        _ => Observation::Scored {
            objectives: vec![rng.random_range(-5.0..5.0)],
            violations: vec![rng.random_range(-1.0..0.3)],
            noise: None,
        },
    }
}

fn two_objectives(number: u64, _: &Configuration) -> Observation {
    let mut rng = generator(12, number, "world");
    Observation::Scored { objectives: vec![rng.random(), rng.random()], violations: vec![], noise: None }
}

fn all_infeasible(_: u64, _: &Configuration) -> Observation {
    Observation::Infeasible
}

fn all_failed(_: u64, _: &Configuration) -> Observation {
    Observation::Failed
}

fn all_equal(_: u64, _: &Configuration) -> Observation {
    Observation::Scored { objectives: vec![0.0], violations: vec![0.0], noise: Some(0.0) }
}

const WORLDS: [World; 5] = [mixed, two_objectives, all_infeasible, all_failed, all_equal];

/// Asks up to `limit` times with `parallel` experiments in flight and checks each answer. Returns what was suggested
/// and how it ended.
fn search(
    spec: &SamplerSpec,
    space: &SearchSpace,
    world: World,
    (limit, parallel): (u32, usize),
    seed: u64,
) -> (Vec<Configuration>, Option<SuggestError>) {
    let sampler = sampler(spec);
    let (mut finished, mut running) = (Vec::new(), Vec::new());
    let mut suggested: Vec<Configuration> = Vec::new();
    for index in 0..limit {
        let ask = Ask { space, finished: &finished, running: &running, budget: limit, index, seed };
        let answer = sampler.suggest(&ask);
        assert_eq!(answer, sampler.suggest(&ask), "the same question got two answers");
        let configuration = match answer {
            Ok(c) => c,
            Err(end) => return (suggested, Some(end)),
        };
        assert!(!suggested.contains(&configuration), "{configuration} was suggested twice");
        assert_eq!(space.canonical(&configuration).as_ref(), Some(&configuration), "{configuration} is not canonical");
        suggested.push(configuration.clone());
        running.push(configuration);
        if running.len() >= parallel {
            let configuration = running.remove(0);
            let observation = world(u64::from(index), &configuration);
            finished.push(Finished { configuration, observation });
        }
    }
    (suggested, None)
}

fn exhausts_exactly(spec: &SamplerSpec, space: &SearchSpace, seed: u64) -> Result<(), TestCaseError> {
    let valid = all(space);
    let world = WORLDS[(seed % 5) as usize];
    let limit = valid.len() as u32 + 2;
    let (suggested, end) = search(spec, space, world, (limit, 1 + (seed % 3) as usize), seed);
    prop_assert_eq!(suggested.iter().cloned().collect::<BTreeSet<_>>(), valid.clone());
    let expected = if valid.is_empty() { SuggestError::NothingValid } else { SuggestError::Exhausted };
    prop_assert_eq!(end, Some(expected));
    Ok(())
}

/// Fifteen parameters of every kind, with conditions and constraints, never exhausted.
fn engine_like() -> SearchSpace {
    let mut parameters = vec![
        parameter("mode", words(&["off", "a", "b"]), None),
        parameter("depth", Domain::Int { low: 1, high: 1 << 40, step: 1, log: true }, Some("mode != \"off\"")),
        parameter("width", int(2, 9), Some("mode == \"b\"")),
        parameter("share", Domain::Float { low: 0.0, high: 1.0, step: None, log: false }, None),
        parameter("rate", Domain::Float { low: 1e-6, high: 1e3, step: None, log: true }, None),
        parameter("only", words(&["one"]), None),
        parameter("point", Domain::Float { low: 2.0, high: 2.0, step: None, log: false }, None),
        parameter("leave-out", Domain::Categorical { values: vec![Value::Null, 4i64.into(), "x".into()] }, None),
    ];
    parameters.extend((0..7).map(|i| parameter(&format!("n{i}"), int(0, 1000 * i), None)));
    space(parameters, &["n3 <= n4", "n5 + n6 > 100"])
}

fn handles_a_large_space(spec: &SamplerSpec) {
    let space = engine_like();
    for (seed, world) in WORLDS.into_iter().enumerate() {
        for parallel in [1, 8] {
            let (suggested, end) = search(spec, &space, world, (40, parallel), seed as u64);
            assert_eq!((suggested.len(), end), (40, None));
        }
    }
}

fn respects_the_seed(spec: &SamplerSpec) {
    let space = engine_like();
    let run = |seed| search(spec, &space, mixed, (16, 2), seed).0;
    assert_eq!(run(1), run(1));
    assert_ne!(run(1), run(2), "another seed gives another search");
}

fn ends_at_once_where_there_is_nothing(spec: &SamplerSpec) {
    let none = space(vec![parameter("x", int(1, 9), None)], &["x > 9"]);
    assert_eq!(search(spec, &none, mixed, (3, 1), 1), (vec![], Some(SuggestError::NothingValid)));
    let nothing_to_choose = space(vec![], &[]);
    assert_eq!(
        search(spec, &nothing_to_choose, mixed, (3, 1), 1),
        (vec![Configuration::default()], Some(SuggestError::Exhausted))
    );
    let single = space(vec![parameter("x", int(4, 4), None), parameter("y", words(&["one"]), None)], &[]);
    assert_eq!(search(spec, &single, mixed, (3, 1), 1).0.len(), 1);
}

/// Three of eight million combinations are valid.
fn finds_needles(spec: &SamplerSpec) {
    let digits = (0..7).map(|i| parameter(&format!("d{i}"), int(0, 9), None)).collect();
    let constraints = ["d0 == d1", "d1 == d2", "d2 == d3", "d3 == d4", "d4 == d5", "d5 == d6", "d0 < 3"];
    let (suggested, end) = search(spec, &space(digits, &constraints), mixed, (9, 2), 5);
    assert_eq!((suggested.len(), end), (3, Some(SuggestError::Exhausted)));
}

/// A baseline may name a few flags only, in another spelling, or values outside of the space.
fn survives_an_odd_baseline(spec: &SamplerSpec) {
    let space = space(vec![parameter("a", int(1, 3), None), parameter("b", Domain::Bool, None)], &[]);
    let scored = |y: f64| Observation::Scored { objectives: vec![y], violations: vec![], noise: None };
    let baselines = [
        Configuration::default(),
        Configuration::from([("a", Value::Int(99)), ("zzz", true.into())]),
        Configuration::from([("a", Value::Float(2.0)), ("b", true.into())]),
    ];
    let mut finished: Vec<Finished> =
        baselines.map(|configuration| Finished { configuration, observation: scored(-9.0) }).into();
    for index in 0..5 {
        let ask = Ask { space: &space, finished: &finished, running: &[], budget: 5, index, seed: 2 };
        let configuration = sampler(spec).suggest(&ask).unwrap();
        assert_ne!(configuration, Configuration::from([("a", Value::Int(2)), ("b", true.into())]));
        finished.push(Finished { configuration, observation: scored(f64::from(index)) });
    }
    let ask = Ask { space: &space, finished: &finished, running: &[], budget: 9, index: 5, seed: 2 };
    assert_eq!(sampler(spec).suggest(&ask), Err(SuggestError::Exhausted));
}

macro_rules! conformance {
    ($($name:ident: $spec:expr;)*) => {$(
        mod $name {
            use super::*;

            #[test]
            fn suggests_every_valid_configuration_once_and_then_says_exhausted() {
                let mut runner = TestRunner::new(Config { cases: 48, failure_persistence: None, ..Config::default() });
                runner.run(&(finite_space(), 0u64..1000), |(space, seed)| exhausts_exactly(&$spec, &space, seed)).unwrap();
            }
            #[test]
            fn searches_a_large_mixed_space_in_every_kind_of_world() {
                handles_a_large_space(&$spec);
            }
            #[test]
            fn the_seed_decides() {
                respects_the_seed(&$spec);
            }
            #[test]
            fn says_at_once_that_there_is_nothing() {
                ends_at_once_where_there_is_nothing(&$spec);
            }
            #[test]
            fn finds_the_three_valid_of_ten_million() {
                finds_needles(&$spec);
            }
            #[test]
            fn takes_a_baseline_as_the_user_wrote_it() {
                survives_an_odd_baseline(&$spec);
            }
        }
    )*};
}

// R0.4
conformance! {
    grid: SamplerSpec::Grid;
    random: SamplerSpec::Random;
    sobol: SamplerSpec::Sobol;
    bayesian: SamplerSpec::default();
    bayesian_without_a_start: SamplerSpec::Bayesian { initial: Some(0), candidates: 3 };
}
