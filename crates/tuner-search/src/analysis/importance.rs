//! Which parameters matter: shares of the objective's variance over the space (functional ANOVA, Hutter et al. 2014).
//!
//! A random forest is fitted to what was measured; a parameter's share is the variance of the forest's mean prediction
//! as that parameter alone varies, all others averaged over the space. The forest's integrals are taken over drawn
//! configurations (Monte Carlo) instead of leaf boxes, which respects conditions and constraints.

use rand::RngExt;
use schemars::JsonSchema;
use serde::Serialize;
use tuner_core::sampler::Finished;
use tuner_core::space::SearchSpace;

use super::encoded::{encode, fit};
use super::forest::{Forest, Tried};
use super::{FEWEST, scored};
use crate::explore::{Rng, draw, generator};

/// What can be said about the parameters' influence.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Importance {
    /// Share of each parameter, 0 to 1, in declaration order; with `interactions` they sum to 1, or to 0 where the
    /// objective did not vary.
    pub shares: Vec<Share>,
    /// What only combinations of parameters explain.
    pub interactions: f64,
    /// Experiments that were measured.
    pub measured: u32,
    /// Too few experiments for the number of parameters: read as a hint at most.
    pub caution: bool,
}

/// One parameter's share.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Share {
    /// Flag name.
    pub parameter: String,
    /// 0 to 1.
    pub share: f64,
}

/// Configurations averaged over.
const BACKGROUND: usize = 128;
/// Points at which a parameter with many values is looked at.
const LEVELS: usize = 12;
/// Shares of the variance of one objective; `None` with fewer than four measured experiments or no parameters.
pub fn importance(space: &SearchSpace, finished: &[Finished], objective: usize, seed: u64) -> Option<Importance> {
    let measured = scored(finished, objective);
    if measured.len() < FEWEST || space.parameters.is_empty() {
        return None;
    }
    let mut rng = generator(seed, measured.len() as u64, "importance");
    let (forest, rows) = fit(space, Tried::Half, &measured, &mut rng);

    let background = background(space, &rows, &mut rng);
    let total = variance(background.iter().map(|row| forest.predict(row)));
    let main: Vec<f64> = (0..space.parameters.len()).map(|p| main_effect(&forest, &background, p)).collect();
    let whole = total.max(main.iter().sum());
    let share = |v: f64| if whole > 0.0 { v / whole } else { 0.0 };
    let shares: Vec<Share> = space
        .parameters
        .iter()
        .zip(&main)
        .map(|(p, &v)| Share { parameter: p.name.clone(), share: share(v) })
        .collect();
    let interactions = if whole > 0.0 { (1.0 - main.iter().map(|&v| share(v)).sum::<f64>()).max(0.0) } else { 0.0 };
    let caution = measured.len() < 20.max(3 * space.parameters.len());
    Some(Importance { shares, interactions, measured: measured.len() as u32, caution })
}

/// Variance of the mean prediction as one coordinate runs through the background's values of it.
fn main_effect(forest: &Forest, background: &[Vec<f64>], parameter: usize) -> f64 {
    let mut values: Vec<f64> = background.iter().map(|row| row[parameter]).collect();
    values.sort_by(f64::total_cmp);
    let step = values.len().div_ceil(LEVELS).max(1);
    let distinct = {
        let mut d = values.clone();
        d.dedup();
        d
    };
    // Few values: each with its weight. Many: quantiles of equal weight.
    let levels: Vec<(f64, f64)> = if distinct.len() <= LEVELS {
        distinct.iter().map(|v| (*v, values.iter().filter(|x| *x == v).count() as f64)).collect()
    } else {
        values.iter().step_by(step).map(|&v| (v, 1.0)).collect()
    };
    let mean_at = |v: f64| {
        let at = |row: &Vec<f64>| {
            let mut row = row.clone();
            row[parameter] = v;
            forest.predict(&row)
        };
        background.iter().map(at).sum::<f64>() / background.len() as f64
    };
    let points: Vec<(f64, f64)> = levels.iter().map(|&(v, w)| (mean_at(v), w)).collect();
    let weight: f64 = points.iter().map(|p| p.1).sum();
    let mean = points.iter().map(|(m, w)| m * w).sum::<f64>() / weight;
    points.iter().map(|(m, w)| w * (m - mean).powi(2)).sum::<f64>() / weight
}

/// Valid configurations drawn evenly; the measured ones where the constraints let too few through.
fn background(space: &SearchSpace, measured: &[Vec<f64>], rng: &mut Rng) -> Vec<Vec<f64>> {
    let drawn: Vec<Vec<f64>> = (0..BACKGROUND * 16)
        .filter_map(|_| draw(space, |_| rng.random::<f64>()))
        .take(BACKGROUND)
        .map(|c| encode(space, &c))
        .collect();
    if drawn.len() < BACKGROUND / 4 { measured.to_vec() } else { drawn }
}

fn variance(values: impl Iterator<Item = f64>) -> f64 {
    let values: Vec<f64> = values.collect();
    let n = values.len().max(1) as f64;
    let mean = values.iter().sum::<f64>() / n;
    values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n
}

#[cfg(test)]
mod tests {
    use tuner_core::sampler::Observation;
    use tuner_core::space::{Configuration, Domain, Parameter};
    use tuner_core::value::Value;

    use super::*;

    fn experiment(space: &SearchSpace, rng: &mut Rng, y: impl Fn(&Configuration) -> f64) -> Finished {
        let configuration = draw(space, |_| rng.random()).unwrap();
        let objectives = vec![y(&configuration)];
        let observation = Observation::Scored { objectives, violations: Vec::new(), noise: None };
        Finished { configuration, observation }
    }

    fn space() -> SearchSpace {
        let domain = Domain::Float { low: 0.0, high: 1.0, step: None, log: false };
        let choice = Domain::Categorical { values: ["a", "b", "c"].map(Value::from).to_vec() };
        let parameters = [("big", domain.clone()), ("small", domain.clone()), ("none", domain), ("kind", choice)];
        SearchSpace {
            parameters: parameters.map(|(n, domain)| Parameter { name: n.into(), domain, when: None }).into(),
            ..SearchSpace::default()
        }
    }

    #[test]
    fn shares_order_parameters_by_their_true_variance() {
        let (space, mut rng) = (space(), generator(4, 0, "data"));
        let x = |c: &Configuration, n: &str| c.get(n).and_then(Value::as_f64).unwrap();
        let y = |c: &Configuration| {
            10.0 * x(c, "big") + 3.0 * x(c, "small") + if c.get("kind") == Some(&"b".into()) { 4.0 } else { 0.0 }
        };
        let finished: Vec<_> = (0..80).map(|_| experiment(&space, &mut rng, y)).collect();
        let found = importance(&space, &finished, 0, 1).unwrap();
        let share = |i: usize| found.shares[i].share;
        assert!(share(0) > share(3) && share(3) > share(1) && share(1) > share(2), "{found:?}");
        assert!(share(0) > 0.5 && share(2) < 0.05 && !found.caution, "{found:?}");
        let sum: f64 = found.shares.iter().map(|s| s.share).sum::<f64>() + found.interactions;
        assert!((sum - 1.0).abs() < 1e-9);
        assert_eq!(found, importance(&space, &finished, 0, 1).unwrap());
    }

    #[test]
    fn few_experiments_are_flagged_and_fewer_say_nothing() {
        let (space, mut rng) = (space(), generator(4, 0, "data"));
        let finished: Vec<_> = (0..8).map(|_| experiment(&space, &mut rng, |_| 1.0)).collect();
        assert!(importance(&space, &finished[..3], 0, 1).is_none());
        let found = importance(&space, &finished, 0, 1).unwrap();
        assert!(found.caution && found.shares.iter().all(|s| s.share == 0.0));
    }
}
