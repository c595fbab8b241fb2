//! Is the model worth its name? Fixed seeds, so a pass stays a pass.

use tuner_core::sampler::Sampler;
use tuner_search::samplers::bayesian::Bayesian;
use tuner_search::samplers::random::Random;

use crate::surfaces::{SCENES, Surface};

const TRIALS: u32 = 30;
const SEEDS: u64 = 20;

fn mean_regret(surface: &Surface, sampler: &dyn Sampler) -> f64 {
    (0..SEEDS).map(|seed| surface.regret(sampler, TRIALS, seed)).sum::<f64>() / SEEDS as f64
}

#[test]
fn after_thirty_trials_the_bayesian_sampler_is_clearly_closer_to_the_optimum_than_random() {
    let tpe = Bayesian { initial: None, candidates: 24 };
    let rows: Vec<(f64, f64)> = SCENES
        .iter()
        .map(Surface::of)
        .map(|s| {
            let row = (mean_regret(&s, &tpe), mean_regret(&s, &Random));
            println!("{:24} bayesian {:.3} random {:.3}", s.name, row.0, row.1);
            row
        })
        .collect();
    let mean = |pick: fn(&(f64, f64)) -> f64| rows.iter().map(pick).sum::<f64>() / rows.len() as f64;
    let (bayesian, random) = (mean(|r| r.0), mean(|r| r.1));
    println!("mean: bayesian {bayesian:.3} random {random:.3} ratio {:.3}", bayesian / random);
    assert!(bayesian < 0.85 * random, "bayesian {bayesian:.3}, random {random:.3}");
}
