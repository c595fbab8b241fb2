//! Configurations as rows of numbers, and the forest of what was measured with them.

use tuner_core::sampler::Finished;
use tuner_core::space::{Configuration, Domain, Parameter, SearchSpace};

use super::forest::{Feature, Forest, Tried};
use crate::explore::{Axis, Rng};

/// Fits a forest to measured values; the forest and the row of each experiment.
pub(super) fn fit(
    space: &SearchSpace,
    tried: Tried,
    measured: &[(&Finished, f64)],
    rng: &mut Rng,
) -> (Forest, Vec<Vec<f64>>) {
    let features: Vec<Feature> = space.parameters.iter().map(|p| feature(&p.domain)).collect();
    let rows: Vec<Vec<f64>> = measured.iter().map(|(f, _)| encode(space, &f.configuration)).collect();
    let y: Vec<f64> = measured.iter().map(|(_, y)| *y).collect();
    (Forest::fit(&features, tried, &rows, &y, rng), rows)
}

fn feature(domain: &Domain) -> Feature {
    if Axis::of(domain).is_some() { Feature::Ordered } else { Feature::Category }
}

/// Numbers as shares of their axis, choices as indices, what is not set as −1.
pub(super) fn encode(space: &SearchSpace, configuration: &Configuration) -> Vec<f64> {
    let coordinate = |p: &Parameter| {
        let value = configuration.get(&p.name)?;
        match Axis::of(&p.domain) {
            Some(axis) if axis.high > axis.low => Some((axis.position(value)? - axis.low) / (axis.high - axis.low)),
            Some(_) => Some(0.0),
            None => p.domain.index_of(value).map(|i| i as f64),
        }
    };
    space.parameters.iter().map(|p| coordinate(p).unwrap_or(-1.0)).collect()
}
