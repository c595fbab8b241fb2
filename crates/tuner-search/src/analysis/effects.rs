//! What each value did: plain means over the experiments that had it.
//!
//! These are marginal means of what was tried, not causes: a sampler tries good values together with other good values.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use tuner_core::sampler::{Finished, Observation};
use tuner_core::space::SearchSpace;
use tuner_core::value::Value;

use super::scored;

/// Outcomes at one value of one parameter.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ValueEffect {
    /// The value; `None` where the parameter was inactive or not set.
    pub value: Option<Value>,
    /// Experiments measured with it.
    pub measured: u32,
    /// Experiments with it that turned out infeasible.
    pub infeasible: u32,
    /// Mean of the objective over those measured (smaller is better).
    pub mean: Option<f64>,
    /// Best of them.
    pub best: Option<f64>,
}

/// One parameter's values, in ascending order (not set first).
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ParameterEffect {
    /// Flag name.
    pub parameter: String,
    /// Its values as tried.
    pub values: Vec<ValueEffect>,
}

/// Effects of every parameter on the objective of this position, in declaration order.
pub fn effects(space: &SearchSpace, finished: &[Finished], objective: usize) -> Vec<ParameterEffect> {
    let measured = scored(finished, objective);
    let effect = |name: &str| {
        let mut by_value: BTreeMap<Option<Value>, (Vec<f64>, u32)> = BTreeMap::new();
        for (experiment, y) in &measured {
            by_value.entry(experiment.configuration.get(name).cloned()).or_default().0.push(*y);
        }
        for experiment in finished.iter().filter(|f| f.observation == Observation::Infeasible) {
            by_value.entry(experiment.configuration.get(name).cloned()).or_default().1 += 1;
        }
        let row = |(value, (ys, infeasible)): (Option<Value>, (Vec<f64>, u32))| ValueEffect {
            value,
            measured: ys.len() as u32,
            infeasible,
            mean: (!ys.is_empty()).then(|| ys.iter().sum::<f64>() / ys.len() as f64),
            best: ys.iter().copied().reduce(f64::min),
        };
        ParameterEffect { parameter: name.to_owned(), values: by_value.into_iter().map(row).collect() }
    };
    space.parameters.iter().map(|p| effect(&p.name)).collect()
}

#[cfg(test)]
mod tests {
    use tuner_core::space::{Configuration, Domain, Parameter};

    use super::*;

    #[test]
    fn means_and_crashes_are_counted_per_value() {
        let parameter = Parameter { name: "x".into(), domain: Domain::Bool, when: None };
        let space = SearchSpace { parameters: vec![parameter], ..SearchSpace::default() };
        let finished = |x: bool, y: Option<f64>| Finished {
            configuration: Configuration::from([("x", Value::Bool(x))]),
            observation: y.map_or(Observation::Infeasible, |y| Observation::Scored {
                objectives: vec![y],
                violations: Vec::new(),
                noise: None,
            }),
        };
        let all = [finished(true, Some(1.0)), finished(true, Some(3.0)), finished(false, None)];
        let values = &effects(&space, &all, 0)[0].values;
        assert_eq!((values[0].measured, values[0].infeasible, values[0].mean), (0, 1, None));
        assert_eq!((values[1].measured, values[1].mean, values[1].best), (2, Some(2.0), Some(1.0)));
    }
}
