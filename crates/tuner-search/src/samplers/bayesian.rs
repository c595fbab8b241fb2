//! Tree-structured Parzen estimator (Bergstra et al. 2011; Watanabe 2023, arXiv 2304.11127) with Optuna 5's settings:
//! multivariate kernels, one joint model per group of parameters that occur together, 24 candidates.
//!
//! *Invariant*: the model sees objectives, violations and crashes as what they are. Crashes are the worst violations,
//! running experiments count as not good, failures of ours are not seen at all.

mod groups;
mod model;
mod parzen;
mod split;
mod truncated_normal;

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};

use rand::RngExt;
use tuner_core::sampler::{Ask, Sampler, SuggestError};
use tuner_core::space::{Configuration, SearchSpace};

use self::model::{Draw, Model};
use super::random;
use super::sobol::Sobol;
use crate::explore::{Rng, Seen, generator, neighbours, value_at};

/// Model-based search.
#[derive(Clone, Copy, Debug)]
pub struct Bayesian {
    /// Space-filling suggestions before the model is used; default: a quarter of the budget, 4 to 10.
    pub initial: Option<u32>,
    /// Candidates scored per group and suggestion.
    pub candidates: u32,
}

/// Combinations of the groups' candidates that are looked at, best first.
const COMBINATIONS: usize = 2000;

impl Bayesian {
    fn initial(&self, budget: u32) -> u32 {
        self.initial.unwrap_or((budget / 4).clamp(4, 10))
    }
}

impl Sampler for Bayesian {
    fn suggest(&self, ask: &Ask<'_>) -> Result<Configuration, SuggestError> {
        if ask.index < self.initial(ask.budget) {
            return Sobol.suggest(ask);
        }
        let mut rng = generator(ask.seed, u64::from(ask.index), "tpe");
        let seen = Seen::of(ask);
        let model = Model::of(ask);
        let draws = model.draws(self.candidates as usize, &seen, &mut rng);
        best_combination(ask.space, &draws, &seen, &mut rng)
            .or_else(|| best_neighbour(ask.space, &model, &seen, &mut rng))
            .map_or_else(|| random::pick(ask.space, &seen, &mut rng), Ok)
    }
}

/// Puts one candidate of every group together, the best of each first, until the whole is valid and new.
fn best_combination(space: &SearchSpace, draws: &[Vec<Draw>], seen: &Seen, rng: &mut Rng) -> Option<Configuration> {
    if draws.is_empty() || draws.iter().any(Vec::is_empty) {
        return None;
    }
    let loss = |choice: &[usize]| Loss(choice.iter().zip(draws).map(|(&i, d)| d[0].score - d[i].score).sum());
    let start = vec![0; draws.len()];
    let mut known = BTreeSet::from([start.clone()]);
    let mut queue = BinaryHeap::from([Reverse((loss(&start), start))]);
    for _ in 0..COMBINATIONS {
        let Reverse((_, choice)) = queue.pop()?;
        let mut assignment = Configuration::default();
        for (&i, group) in choice.iter().zip(draws) {
            assignment.0.extend(group[i].values.iter().cloned());
        }
        if let Some(whole) = completed(space, &assignment, rng).filter(|c| !seen.contains(c)) {
            return Some(whole);
        }
        for group in 0..choice.len() {
            let mut next = choice.clone();
            next[group] += 1;
            if next[group] < draws[group].len() && known.insert(next.clone()) {
                queue.push(Reverse((loss(&next), next)));
            }
        }
    }
    None
}

/// The best-scored configuration one move away from a good one.
fn best_neighbour(space: &SearchSpace, model: &Model<'_>, seen: &Seen, rng: &mut Rng) -> Option<Configuration> {
    let around: Vec<Configuration> = model.good().flat_map(|c| neighbours(space, c, rng)).collect();
    let scored = around.into_iter().filter(|c| !seen.contains(c)).map(|c| (model.score(&c), c));
    scored.reduce(|a, b| if b.0 > a.0 { b } else { a }).map(|(_, c)| c)
}

/// The assignment as a configuration: inactive parameters dropped, parameters that no model knows drawn at random.
fn completed(space: &SearchSpace, assignment: &Configuration, rng: &mut Rng) -> Option<Configuration> {
    let mut out = Configuration::default();
    for parameter in &space.parameters {
        if space.is_active(parameter, &out) {
            let value = match assignment.get(&parameter.name) {
                Some(value) => value.clone(),
                None => value_at(&parameter.domain, rng.random())?,
            };
            out.set(&parameter.name, value);
        }
    }
    space.satisfies_constraints(&out).then_some(out)
}

/// A score lost against the best, ordered.
#[derive(Clone, Copy, PartialEq)]
struct Loss(f64);

impl Eq for Loss {}
impl PartialOrd for Loss {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Loss {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}
