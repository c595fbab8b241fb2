//! Time per suggestion and quality of the search. `cargo bench -p tuner-search [-- SEEDS]`

#![allow(clippy::print_stdout, reason = "a benchmark prints its table")]
#![allow(clippy::expect_used, reason = "no error handling in a benchmark")]

#[path = "../tests/it/surfaces.rs"]
mod surfaces;

use std::time::{Duration, Instant};

use surfaces::{SCENES, Surface};
use tuner_core::sampler::{Ask, Finished};
use tuner_core::task::SamplerSpec;
use tuner_search::sampler;

const TRIALS: u32 = 30;

fn main() {
    let seeds: u64 = std::env::args().filter_map(|a| a.parse().ok()).next().unwrap_or(40);
    let kinds = [("bayesian", SamplerSpec::default()), ("sobol", SamplerSpec::Sobol), ("random", SamplerSpec::Random)];
    let surfaces: Vec<Surface> = SCENES.iter().map(Surface::of).collect();

    println!("Surfaces, by 10,000 random draws");
    for s in &surfaces {
        println!("  {}", s.describe());
    }
    println!("\nTime per suggestion, 15 parameters");
    for (name, spec) in &kinds {
        for count in [50, 200] {
            let mut times = suggestion_times(&surfaces[0], spec, count);
            times.sort_unstable();
            let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
            println!("  {name:10} {count:>4} finished: p50 {:>9.3?}  p95 {:>9.3?}", at(0.5), at(0.95));
        }
    }

    println!("\nMean normalised regret (and crashes) after {TRIALS} experiments, {seeds} seeds");
    println!("  {:24}{}", "surface", kinds.each_ref().map(|(n, _)| format!("{n:>16}")).concat());
    let cell = |[regret, crashes]: [f64; 2]| format!("{regret:9.3} ({crashes:4.1})");
    let mut sums = [[0.0; 2]; 3];
    for surface in &surfaces {
        let row = kinds.each_ref().map(|(_, spec)| surface.mean(&*sampler(spec), TRIALS, seeds));
        println!("  {:24}{}", surface.name, row.map(cell).concat());
        for (sum, mean) in sums.iter_mut().flatten().zip(row.iter().flatten()) {
            *sum += mean / surfaces.len() as f64;
        }
    }
    println!("  {:24}{}", "mean", sums.map(cell).concat());
    println!("  regret, bayesian / random {:.3}", sums[0][0] / sums[2][0]);
}

/// A hundred suggestions on histories of `count`, each of another seed.
fn suggestion_times(surface: &Surface, spec: &SamplerSpec, count: u32) -> Vec<Duration> {
    let (space, sampler) = (&surface.space, sampler(spec));
    let time = |seed: u64| {
        let finished: Vec<Finished> = surface.history(u64::from(count), seed);
        let ask = Ask { space, finished: &finished, running: &[], budget: 2 * count, index: count, seed };
        let start = Instant::now();
        std::hint::black_box(sampler.suggest(&ask)).expect("a space this large is never exhausted");
        start.elapsed()
    };
    (0..100).map(time).collect()
}
