//! What the measurements let one expect of a value, with every other parameter as in one configuration.
//!
//! Regression trees are fitted to what was measured, each to another sample of the experiments with replacement (bagging,
//! Breiman 1996); how far they differ says how sure that is.

use schemars::JsonSchema;
use serde::Serialize;
use tuner_core::sampler::Finished;
use tuner_core::space::{Configuration, Domain, Parameter, SearchSpace};
use tuner_core::value::Value;

use super::encoded::{encode, fit};
use super::forest::Tried;
use super::{FEWEST, scored};
use crate::explore::{Axis, generator};

/// Values of a parameter that are looked at, at most, where they lie on a line.
const POINTS: usize = 24;
/// Trees below and above the range, as a share of all.
const TAIL: f64 = 0.05;

/// The objective to expect of one value.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ExpectedPoint {
    /// The parameter's value.
    pub value: Value,
    /// Mean of the trees, in the objective's unit.
    pub mean: f64,
    /// Five in a hundred trees say less.
    pub low: f64,
    /// Five in a hundred trees say more.
    pub high: f64,
}

/// One parameter through its values, in ascending order.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ExpectedSlice {
    /// Flag name.
    pub parameter: String,
    /// Valid values alone, and those that leave the same other parameters in use.
    pub points: Vec<ExpectedPoint>,
}

/// The objective of this position to expect as each parameter of `at` alone is changed; `sign` is what its values were
/// multiplied by so that smaller is better. Parameters that `at` does not set are left out. `None` with fewer than four
/// measured experiments.
pub fn expected(
    space: &SearchSpace,
    finished: &[Finished],
    (objective, sign): (usize, f64),
    at: &Configuration,
    seed: u64,
) -> Option<Vec<ExpectedSlice>> {
    let measured = scored(finished, objective);
    if measured.len() < FEWEST {
        return None;
    }
    let (forest, _) = fit(space, Tried::All, &measured, &mut generator(seed, measured.len() as u64, "expected"));
    let in_use = |c: &Configuration| -> Vec<bool> { space.parameters.iter().map(|p| space.is_active(p, c)).collect() };
    let others = in_use(at);
    let point = |parameter: &Parameter, value: Value| {
        let mut changed = at.clone();
        changed.set(&parameter.name, value.clone());
        if in_use(&changed) != others || !space.satisfies_constraints(&changed) {
            return None;
        }
        let mut trees: Vec<f64> = forest.each(&encode(space, &changed)).map(|y| y * sign).collect();
        trees.sort_by(f64::total_cmp);
        let tail = (trees.len() as f64 * TAIL) as usize;
        let mean = trees.iter().sum::<f64>() / trees.len() as f64;
        Some(ExpectedPoint { value, mean, low: trees[tail], high: trees[trees.len() - 1 - tail] })
    };
    let set = space.parameters.iter().filter(|p| at.get(&p.name).is_some());
    let slices = set.map(|p| {
        let points = values(&p.domain).into_iter().filter_map(|value| point(p, value)).collect();
        ExpectedSlice { parameter: p.name.clone(), points }
    });
    Some(slices.collect())
}

/// Every value of a list, or some that are spread evenly over a line.
fn values(domain: &Domain) -> Vec<Value> {
    let Some(axis) = Axis::of(domain) else {
        return (0..domain.cardinality().unwrap_or(0)).filter_map(|n| domain.nth(n)).collect();
    };
    let place = |n: usize| axis.low + (axis.high - axis.low) * n as f64 / (POINTS - 1) as f64;
    let mut values: Vec<Value> = (0..POINTS).filter_map(|n| axis.nearest(place(n))).map(|(value, _)| value).collect();
    values.dedup();
    values
}

#[cfg(test)]
mod tests {
    use rand::RngExt;
    use tuner_core::sampler::Observation;
    use tuner_core::space::expr::Expr;

    use super::*;
    use crate::explore::draw;

    fn space() -> SearchSpace {
        let parameters = [
            ("x", Domain::Float { low: 0.0, high: 1.0, step: None, log: false }, None),
            ("kind", Domain::Categorical { values: ["a", "b"].map(Value::from).to_vec() }, None),
            ("only_b", Domain::Int { low: 1, high: 4, step: 1, log: false }, Some(Expr::parse("kind == 'b'").unwrap())),
        ];
        let parameters = parameters.map(|(name, domain, when)| Parameter { name: name.into(), domain, when });
        SearchSpace { parameters: parameters.into(), ..SearchSpace::default() }
    }

    #[test]
    fn the_expected_objective_follows_what_was_measured_in_its_own_sign() {
        let (space, mut rng) = (space(), generator(4, 0, "data"));
        let finished: Vec<Finished> = (0..120)
            .map(|_| {
                let configuration = draw(&space, |_| rng.random()).unwrap();
                let x = configuration.get("x").and_then(Value::as_f64).unwrap();
                let observation =
                    Observation::Scored { objectives: vec![-10.0 * x], violations: Vec::new(), noise: None };
                Finished { configuration, observation }
            })
            .collect();
        let at = Configuration::from([("x", Value::Float(0.9)), ("kind", "a".into())]);
        let slices = expected(&space, &finished, (0, -1.0), &at, 1).unwrap();
        let names: Vec<&str> = slices.iter().map(|s| s.parameter.as_str()).collect();
        assert_eq!(names, ["x", "kind"], "what is not set is left out");
        assert_eq!(slices[0].points.len(), POINTS);
        for point in &slices[0].points {
            let x = point.value.as_f64().unwrap();
            assert!((point.mean - 10.0 * x).abs() < 1.0, "{point:?}");
            assert!(point.low <= point.mean && point.mean <= point.high, "{point:?}");
        }
        let kinds: Vec<&Value> = slices[1].points.iter().map(|p| &p.value).collect();
        assert_eq!(kinds, [&Value::from("a")], "another kind would bring another parameter with it");
        assert!(expected(&space, &finished[..3], (0, 1.0), &at, 1).is_none());
    }
}
