//! Random search: each parameter uniform in its domain (log domains in the logarithm), whatever is valid and new.
//!
//! Rejection keeps that distribution exact; a branch of a condition is as likely as its parent's value, however many
//! children it opens. Only where rejection finds nothing does a shuffled walk over the whole space take over, which is
//! also how exhaustion is proven.

use std::ops::ControlFlow;

use rand::RngExt;
use tuner_core::sampler::{Ask, Sampler, SuggestError};
use tuner_core::space::{Configuration, SearchSpace};

use crate::explore::{Order, Rng, Seen, draw, generator, walk};

/// Uniform random search without repetition.
#[derive(Clone, Copy, Debug)]
pub struct Random;

impl Sampler for Random {
    fn suggest(&self, ask: &Ask<'_>) -> Result<Configuration, SuggestError> {
        let mut rng = generator(ask.seed, u64::from(ask.index), "random");
        pick(ask.space, &Seen::of(ask), &mut rng)
    }
}

/// Draws before the walk.
const DRAWS: usize = 512;
/// Steps of the walk: all of any space that a person could exhaust, a bounded search of the others.
const STEPS: usize = 500_000;

/// A valid configuration that was not seen.
///
/// # Errors
/// `Exhausted` where valid configurations were met but none is new, `NothingValid` where none was met. Exact for spaces
/// of up to some hundred thousand branches; beyond, the walk ends before it has seen all.
pub fn pick(space: &SearchSpace, seen: &Seen, rng: &mut Rng) -> Result<Configuration, SuggestError> {
    for _ in 0..DRAWS {
        if let Some(found) = draw(space, |_| rng.random::<f64>()).filter(|c| !seen.contains(c)) {
            return Ok(found);
        }
    }
    let (mut found, mut valid) = (None, 0usize);
    walk(space, Order::Shuffled(rng), STEPS, |c| {
        valid += 1;
        if seen.contains(c) {
            return ControlFlow::Continue(());
        }
        found = Some(c.clone());
        ControlFlow::Break(())
    });
    found.ok_or(if valid > 0 { SuggestError::Exhausted } else { SuggestError::NothingValid })
}

#[cfg(test)]
mod tests {
    use tuner_core::space::{Domain, Parameter};
    use tuner_core::value::Value;

    use super::*;

    #[test]
    fn first_suggestions_are_uniform_over_the_values() {
        let domain = Domain::Int { low: 0, high: 4, step: 1, log: false };
        let parameter = Parameter { name: "x".into(), domain, when: None };
        let space = SearchSpace { parameters: vec![parameter], ..SearchSpace::default() };
        let mut counts = [0u32; 5];
        for seed in 0..1000 {
            let ask = Ask { space: &space, finished: &[], running: &[], budget: 5, index: 0, seed };
            let Some(Value::Int(x)) = Random.suggest(&ask).unwrap().get("x").cloned() else { panic!("not an int") };
            counts[x as usize] += 1;
        }
        // 200 expected each, standard deviation 12.6.
        assert!(counts.iter().all(|&n| (150..=250).contains(&n)), "{counts:?}");
    }
}
