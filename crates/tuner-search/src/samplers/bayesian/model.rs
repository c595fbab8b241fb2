//! The two densities of TPE over a space with conditions: one pair per group of parameters.

use std::collections::BTreeSet;

use tuner_core::sampler::{Ask, Observation};
use tuner_core::space::{Configuration, SearchSpace};
use tuner_core::value::Value;

use super::groups::decompose;
use super::parzen::{Dimension, Parzen, Point, weights};
use super::split::split;
use crate::explore::{Rng, Seen, snapped};

/// Draws per wanted candidate before a group gives up on finding more.
const PATIENCE: usize = 10;

/// Good and other densities for every group.
pub(super) struct Model<'a> {
    space: &'a SearchSpace,
    groups: Vec<Group<'a>>,
    good: Vec<Configuration>,
}

struct Group<'a> {
    /// Parameter indices, ascending.
    members: Vec<usize>,
    dimensions: Vec<Dimension<'a>>,
    below: Observations,
    above: Observations,
}

struct Observations {
    points: Vec<Point>,
    weights: Vec<f64>,
}

/// A candidate for one group, with ln l − ln g.
pub(super) struct Draw {
    pub(super) values: Vec<(String, Value)>,
    pub(super) score: f64,
}

impl<'a> Model<'a> {
    pub(super) fn of(ask: &Ask<'a>) -> Self {
        let space = ask.space;
        let finished = ask.finished.iter().map(|f| &f.configuration);
        let trials: Vec<Configuration> = finished.chain(ask.running).map(|c| snapped(space, c)).collect();
        let split = split(ask.finished, ask.running.len());
        let several = ask
            .finished
            .iter()
            .any(|f| matches!(&f.observation, Observation::Scored { objectives, .. } if objectives.len() > 1));

        // A baseline that names a few flags must not split the joint model, so only complete trials form groups.
        let mut used: Vec<usize> = split.below.iter().chain(&split.above).copied().collect();
        used.sort_unstable();
        let sets: Vec<BTreeSet<usize>> =
            used.iter().filter(|&&i| is_complete(space, &trials[i])).map(|&i| present(space, &trials[i])).collect();
        let groups = decompose(sets.iter())
            .into_iter()
            .map(|members| {
                let members: Vec<usize> = members.into_iter().collect();
                let dimensions: Vec<_> = members.iter().map(|&p| Dimension::of(&space.parameters[p])).collect();
                let observe = |side: &[usize], flat: bool| {
                    let points: Vec<Point> =
                        side.iter().filter_map(|&i| encode(space, &members, &dimensions, &trials[i])).collect();
                    let weights = if flat { vec![1.0; points.len()] } else { weights(points.len()) };
                    Observations { points, weights }
                };
                let (below, above) = (observe(&split.below, several), observe(&split.above, false));
                Group { members, dimensions, below, above }
            })
            .collect();
        let good = split.below.iter().map(|&i| trials[i].clone()).filter(|c| is_complete(space, c)).collect();
        Self { space, groups, good }
    }

    /// Complete configurations on the good side, in the order of their experiments.
    pub(super) fn good(&self) -> impl Iterator<Item = &Configuration> {
        self.good.iter()
    }

    /// `candidates` draws from the good density of every group, best first, without those that break a constraint by
    /// themselves. Repeated draws and, where the group is the whole configuration, tried ones are dropped but counted:
    /// insisting on more would move the choice to the rim of the density, where the ratio is large and means little.
    pub(super) fn draws(&self, candidates: usize, seen: &Seen, rng: &mut Rng) -> Vec<Vec<Draw>> {
        self.groups.iter().map(|group| group.draws(self.space, candidates, seen, rng)).collect()
    }

    /// ln l − ln g of a configuration, summed over the groups it contains.
    pub(super) fn score(&self, configuration: &Configuration) -> f64 {
        let of = |group: &Group<'_>| {
            let point = encode(self.space, &group.members, &group.dimensions, configuration)?;
            let (below, above) = group.densities();
            Some(below.log_density(&point) - above.log_density(&point))
        };
        self.groups.iter().filter_map(of).sum()
    }
}

impl<'a> Group<'a> {
    fn densities(&self) -> (Parzen<'_, 'a>, Parzen<'_, 'a>) {
        let fit = |o: &Observations| Parzen::fit(&self.dimensions, &o.points, &o.weights);
        (fit(&self.below), fit(&self.above))
    }

    fn draws(&self, space: &SearchSpace, candidates: usize, seen: &Seen, rng: &mut Rng) -> Vec<Draw> {
        let (below, above) = self.densities();
        let (mut points, mut valid): (Vec<Point>, usize) = (Vec::new(), 0);
        let mut out: Vec<Draw> = Vec::new();
        for _ in 0..candidates * PATIENCE {
            if valid >= candidates && !out.is_empty() {
                break;
            }
            let point = below.sample(rng);
            let Some(values) = self.decode(space, &point) else { continue };
            let part = Configuration(values.iter().cloned().collect());
            if !space.satisfies_constraints(&part) {
                continue;
            }
            valid += 1;
            if !points.contains(&point) && !seen.contains(&part) {
                out.push(Draw { values, score: below.log_density(&point) - above.log_density(&point) });
                points.push(point);
            }
        }
        out.sort_by(|a, b| b.score.total_cmp(&a.score));
        out
    }

    fn decode(&self, space: &SearchSpace, point: &Point) -> Option<Vec<(String, Value)>> {
        let coordinates = self.members.iter().zip(&self.dimensions).zip(point);
        coordinates.map(|((&p, d), &x)| Some((space.parameters[p].name.clone(), d.decode(x)?))).collect()
    }
}

/// Parameters that a trial has.
fn present(space: &SearchSpace, trial: &Configuration) -> BTreeSet<usize> {
    (0..space.parameters.len()).filter(|&i| trial.get(&space.parameters[i].name).is_some()).collect()
}

fn is_complete(space: &SearchSpace, trial: &Configuration) -> bool {
    space.parameters.iter().all(|p| trial.get(&p.name).is_some() || !space.is_active(p, trial))
}

/// The trial's coordinates in a group; `None` where it lacks one of the parameters.
fn encode(
    space: &SearchSpace,
    members: &[usize],
    dimensions: &[Dimension<'_>],
    trial: &Configuration,
) -> Option<Point> {
    members.iter().zip(dimensions).map(|(&p, d)| d.encode(trial.get(&space.parameters[p].name)?)).collect()
}
