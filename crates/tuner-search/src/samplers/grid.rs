//! Every combination. When the budget cannot pay for all, a shuffle by the task's seed decides which, so that the cut
//! falls evenly over the space and not on the last values of the first parameter.

use std::ops::ControlFlow;

use rand::seq::SliceRandom;
use tuner_core::sampler::{Ask, Sampler, SuggestError};
use tuner_core::space::{Configuration, Domain, Parameter, SearchSpace};
use tuner_core::value::Value;

use super::random;
use crate::explore::{Ended, Order, Seen, generator, value_at, walk};

/// Exhaustive search.
#[derive(Clone, Copy, Debug)]
pub struct Grid;

/// Longest list of combinations held at once. Of more, a task sees so small a part that drawing without repetition
/// is the same as shuffling.
const LONGEST: usize = 20_000;
/// Spaces with a larger product of domains are not walked at every suggestion.
const LISTABLE: u128 = 10_000_000;
/// Steps of the walk that lists them.
const STEPS: usize = 400_000;
/// Values taken of a range without a step.
const LEVELS: u32 = 5;

impl Sampler for Grid {
    fn suggest(&self, ask: &Ask<'_>) -> Result<Configuration, SuggestError> {
        let space = discretised(ask.space);
        let seen = Seen::of(ask);
        let listable = space.cardinality_bound().is_some_and(|product| product <= LISTABLE);
        let Some(mut combinations) = listable.then(|| combinations(&space)).flatten() else {
            let mut rng = generator(ask.seed, u64::from(ask.index), "grid");
            return random::pick(&space, &seen, &mut rng);
        };
        if combinations.is_empty() {
            return Err(SuggestError::NothingValid);
        }
        if combinations.len() > ask.budget as usize {
            combinations.shuffle(&mut generator(ask.seed, 0, "grid-order"));
        }
        combinations.into_iter().find(|c| !seen.contains(c)).ok_or(SuggestError::Exhausted)
    }
}

/// What to tell the user about a grid that the budget cuts; `None` when all of it fits.
pub fn note(space: &SearchSpace, budget: u32) -> Option<String> {
    let count = match combinations(&discretised(space)) {
        Some(all) if all.len() <= budget as usize => return None,
        Some(all) => all.len().to_string(),
        None => format!("more than {LONGEST}"),
    };
    Some(format!(
        "The grid has {count} valid combinations and the budget is {budget}: a random choice of them, fixed by the \
         seed, is tried."
    ))
}

/// How ranges without a step are cut, one sentence per parameter.
pub fn discretisation(space: &SearchSpace) -> Vec<String> {
    let cut = |p: &Parameter| match (&p.domain.cardinality(), levels(&p.domain)) {
        (None, Domain::Ordinal { values }) => {
            let list: Vec<_> = values.iter().map(Value::to_string).collect();
            Some(format!(
                "Grid tries {} values of {}: {}; give a step to choose others.",
                values.len(),
                p.name,
                list.join(", ")
            ))
        }
        _ => None,
    };
    space.parameters.iter().filter_map(cut).collect()
}

/// All valid combinations in declaration order, or `None` if there are too many to list.
pub fn combinations(space: &SearchSpace) -> Option<Vec<Configuration>> {
    let mut all = Vec::new();
    let ended = walk(space, Order::Declared, STEPS, |c| {
        all.push(c.clone());
        if all.len() > LONGEST { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    (ended == Ended::Complete).then_some(all)
}

fn discretised(space: &SearchSpace) -> SearchSpace {
    let mut out = space.clone();
    for parameter in &mut out.parameters {
        parameter.domain = levels(&parameter.domain);
    }
    out
}

/// The domain itself if it is finite, else both ends and evenly spaced values between (log: even ratios), to four
/// significant digits.
fn levels(domain: &Domain) -> Domain {
    let Domain::Float { low, high, step: None, .. } = domain else { return domain.clone() };
    let mut values: Vec<Value> = (0..LEVELS)
        .filter_map(|i| value_at(domain, f64::from(i) / f64::from(LEVELS - 1))?.as_f64())
        .map(|x| Value::Float(rounded(x).clamp(*low, *high)))
        .collect();
    values.dedup();
    Domain::Ordinal { values }
}

fn rounded(x: f64) -> f64 {
    format!("{x:.3e}").parse().unwrap_or(x)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn space() -> SearchSpace {
        let list = |name: &str, values: &[i64]| Parameter {
            name: name.into(),
            domain: Domain::Ordinal { values: values.iter().map(|&v| Value::Int(v)).collect() },
            when: None,
        };
        SearchSpace { parameters: vec![list("a", &[1, 2, 3, 4]), list("b", &[1, 2, 3])], ..SearchSpace::default() }
    }

    fn run(space: &SearchSpace, budget: u32, seed: u64) -> Vec<String> {
        let mut running: Vec<Configuration> = Vec::new();
        for index in 0..budget {
            let ask = Ask { space, finished: &[], running: &running, budget, index, seed };
            running.push(Grid.suggest(&ask).unwrap());
        }
        running.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_budget_for_all_goes_in_declaration_order() {
        let all = run(&space(), 12, 5);
        assert_eq!(all[..4], ["a=1 b=1", "a=1 b=2", "a=1 b=3", "a=2 b=1"]);
        assert_eq!(note(&space(), 12), None);
    }

    #[test]
    fn a_smaller_budget_takes_a_seeded_choice_from_the_whole_grid_and_says_so() {
        let chosen: BTreeSet<String> = (0..40).flat_map(|seed| run(&space(), 3, seed)).collect();
        assert_eq!(chosen.len(), 12, "every combination has a chance");
        assert_eq!(run(&space(), 3, 1), run(&space(), 3, 1));
        assert_eq!(
            note(&space(), 3).unwrap(),
            "The grid has 12 valid combinations and the budget is 3: a random choice of them, fixed by the seed, is \
             tried."
        );
    }

    #[test]
    fn a_logarithmic_range_is_cut_at_even_ratios() {
        let domain = Domain::Float { low: 1.0, high: 10_000.0, step: None, log: true };
        let Domain::Ordinal { values } = levels(&domain) else { panic!("not a list") };
        assert_eq!(values, [1.0, 10.0, 100.0, 1000.0, 10_000.0].map(Value::Float));
    }
}
