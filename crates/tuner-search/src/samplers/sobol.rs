//! Owen-scrambled Sobol points (Burley 2020, Kuo's direction numbers): even coverage from the first experiment on.
//!
//! *Invariant*: a parameter always uses its own dimension, also while it is inactive, so one parameter's condition
//! never shifts another's points. Points that are invalid or already tried are skipped by going on along the sequence.

use sobol_burley::{NUM_DIMENSIONS, sample};
use tuner_core::sampler::{Ask, Sampler, SuggestError};
use tuner_core::space::Configuration;

use super::random;
use crate::explore::{Seen, draw, generator};

/// Quasi-random search without repetition.
#[derive(Clone, Copy, Debug)]
pub struct Sobol;

/// Points looked at beyond those already used, before random search takes over.
const PATIENCE: usize = 4096;
/// Length of the sequence.
const LENGTH: usize = 1 << 16;

impl Sampler for Sobol {
    /// The first point of the task's sequence whose configuration is valid and new. What was tried lies on the sequence
    /// too, so walking it from the start needs no memory of where the last suggestion stood.
    fn suggest(&self, ask: &Ask<'_>) -> Result<Configuration, SuggestError> {
        let seen = Seen::of(ask);
        let points = (PATIENCE + 4 * seen.len()).min(LENGTH);
        for index in 0..points {
            let found = draw(ask.space, |dimension| coordinate(index, dimension, ask.seed));
            if let Some(found) = found.filter(|c| !seen.contains(c)) {
                return Ok(found);
            }
        }
        let mut rng = generator(ask.seed, u64::from(ask.index), "sobol");
        random::pick(ask.space, &seen, &mut rng)
    }
}

/// One coordinate in [0, 1). Beyond 256 dimensions further independent sequences are padded on.
fn coordinate(index: usize, dimension: usize, seed: u64) -> f64 {
    let block = (dimension / NUM_DIMENSIONS as usize) as u64;
    let mixed = seed.wrapping_add(block).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let folded = (mixed ^ (mixed >> 32)) as u32;
    f64::from(sample(index as u32, dimension as u32 % NUM_DIMENSIONS, folded))
}

#[cfg(test)]
mod tests {
    use tuner_core::space::{Domain, Parameter, SearchSpace};

    use super::*;

    fn floats(n: usize) -> SearchSpace {
        let parameters = (0..n).map(|i| Parameter {
            name: format!("p{i}"),
            domain: Domain::Float { low: 0.0, high: 1.0, step: None, log: false },
            when: None,
        });
        SearchSpace { parameters: parameters.collect(), ..SearchSpace::default() }
    }

    #[test]
    fn sixteen_points_fall_into_sixteen_different_sixteenths_of_each_axis() {
        for seed in 0..20 {
            for dimension in 0..12 {
                let mut hit: Vec<_> = (0..16).map(|i| (coordinate(i, dimension, seed) * 16.0) as usize).collect();
                hit.sort_unstable();
                assert_eq!(hit, (0..16).collect::<Vec<_>>(), "seed {seed} dimension {dimension}");
            }
        }
    }

    #[test]
    fn more_than_256_parameters_are_searched_without_repeating_coordinates() {
        let space = floats(300);
        let ask = Ask { space: &space, finished: &[], running: &[], budget: 9, index: 0, seed: 3 };
        let c = Sobol.suggest(&ask).unwrap();
        assert_eq!(c.0.len(), 300);
        assert_ne!(c.get("p0"), c.get("p256"));
    }
}
