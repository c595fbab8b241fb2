//! Is the model worth its name? Fixed seeds, so a pass stays a pass.

use rand::RngExt;
use tuner_core::sampler::{Ask, Finished, Observation, Sampler};
use tuner_core::space::{Configuration, Domain};
use tuner_core::value::Value;
use tuner_search::analysis::pareto::hypervolume;
use tuner_search::explore::generator;
use tuner_search::samplers::bayesian::Bayesian;
use tuner_search::samplers::random::Random;

use crate::spaces::{parameter, space};
use crate::surfaces::{SCENES, Surface};

const TRIALS: u32 = 30;
const SEEDS: u64 = 20;
const TPE: Bayesian = Bayesian { initial: None, candidates: 24 };

#[test]
fn after_thirty_trials_tpe_is_clearly_closer_to_the_optimum_than_random_and_crashes_less() {
    let mut sums = [0.0; 4];
    let mut won = 0;
    for surface in SCENES.iter().map(Surface::of) {
        let ([tpe, tpe_crashes], [random, random_crashes]) =
            (surface.mean(&TPE, TRIALS, SEEDS), surface.mean(&Random, TRIALS, SEEDS));
        println!(
            "{:24} regret {tpe:.3} against {random:.3}, crashes {tpe_crashes:.1} against {random_crashes:.1}",
            surface.name
        );
        won += usize::from(tpe < random);
        for (sum, x) in sums.iter_mut().zip([tpe, random, tpe_crashes, random_crashes]) {
            *sum += x / SCENES.len() as f64;
        }
    }
    println!("mean {sums:.3?}");
    assert!(sums[0] < 0.85 * sums[1], "regret {:.3} against {:.3}", sums[0], sums[1]);
    assert!(sums[2] < 0.75 * sums[3], "crashes {:.1} against {:.1}", sums[2], sums[3]);
    assert!(won >= 5, "better on {won} of {} surfaces", SCENES.len());
}

/// Two objectives whose best trade-offs lie at `b = c = d = 0` (ZDT1 with four variables, Zitzler 2000).
fn front_after(sampler: &dyn Sampler, seed: u64) -> f64 {
    let unit = Domain::Float { low: 0.0, high: 1.0, step: None, log: false };
    let space = space(["a", "b", "c", "d"].map(|n| parameter(n, unit.clone(), None)).into(), &[]);
    let measure = |c: &Configuration| {
        let x = |n: &str| c.get(n).and_then(Value::as_f64).unwrap();
        let g = 1.0 + 3.0 * (x("b") + x("c") + x("d"));
        vec![x("a"), g * (1.0 - (x("a") / g).sqrt())]
    };
    let mut finished: Vec<Finished> = Vec::new();
    for index in 0..40 {
        let ask = Ask { space: &space, finished: &finished, running: &[], budget: 40, index, seed };
        let configuration = sampler.suggest(&ask).unwrap();
        let objectives = measure(&configuration);
        let observation = Observation::Scored { objectives, violations: vec![], noise: None };
        finished.push(Finished { configuration, observation });
    }
    let points: Vec<Vec<f64>> = finished.iter().map(|f| measure(&f.configuration)).collect();
    hypervolume(&points.iter().map(Vec::as_slice).collect::<Vec<_>>(), &[1.1, 4.0])
}

#[test]
fn tpe_covers_more_of_a_two_objective_front_than_random() {
    let mean = |sampler: &dyn Sampler| (0..SEEDS).map(|seed| front_after(sampler, seed)).sum::<f64>() / SEEDS as f64;
    let (tpe, random) = (mean(&TPE), mean(&Random));
    println!("hypervolume {tpe:.3} against {random:.3}");
    assert!(tpe > 1.1 * random, "{tpe:.3} against {random:.3}");
}

/// With eight experiments in flight the constant liar must keep suggestions apart.
#[test]
fn parallel_suggestions_spread_out() {
    let unit = Domain::Float { low: 0.0, high: 1.0, step: None, log: false };
    let space = space(vec![parameter("x", unit, None)], &[]);
    let mut rng = generator(5, 0, "test");
    let x = |c: &Configuration| c.get("x").and_then(Value::as_f64).unwrap();
    let finished: Vec<Finished> = (0..20)
        .map(|_| {
            let configuration = Configuration::from([("x", Value::Float(rng.random()))]);
            let objectives = vec![(x(&configuration) - 0.3).abs()];
            Finished { configuration, observation: Observation::Scored { objectives, violations: vec![], noise: None } }
        })
        .collect();
    let spread = |liar: bool| {
        let mut running: Vec<Configuration> = Vec::new();
        for index in 20..28 {
            let told = if liar { running.as_slice() } else { &[] };
            let ask = Ask { space: &space, finished: &finished, running: told, budget: 40, index, seed: 1 };
            let next = TPE.suggest(&ask).unwrap();
            running.push(next);
        }
        let mut at: Vec<f64> = running.iter().map(x).collect();
        at.sort_by(f64::total_cmp);
        at[7] - at[0]
    };
    assert!(spread(true) > 1.5 * spread(false), "{} against {}", spread(true), spread(false));
}
