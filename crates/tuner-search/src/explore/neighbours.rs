//! Configurations one move away.

use rand::RngExt;
use tuner_core::space::{Configuration, Domain, SearchSpace};
use tuner_core::value::Value;

use super::{Axis, Rng, value_at};

/// Valid configurations that differ from `from` in one parameter: every other choice of a list without order, one and
/// two steps on a lattice, small and larger random moves on a continuum. Parameters that the move brings to life get
/// random values. Without duplicates, in declaration order.
pub fn neighbours(space: &SearchSpace, from: &Configuration, rng: &mut Rng) -> Vec<Configuration> {
    let mut out: Vec<Configuration> = Vec::new();
    for parameter in &space.parameters {
        let Some(current) = from.get(&parameter.name) else { continue };
        for value in moves(&parameter.domain, current, rng) {
            let mut candidate = from.clone();
            candidate.set(&parameter.name, value);
            if let Some(valid) = completed(space, candidate, rng)
                && !out.contains(&valid)
            {
                out.push(valid);
            }
        }
    }
    out
}

/// `assignment` with missing active parameters drawn at random, in canonical form.
fn completed(space: &SearchSpace, mut assignment: Configuration, rng: &mut Rng) -> Option<Configuration> {
    let mut out = Configuration::default();
    for parameter in &space.parameters {
        let given = assignment.0.remove(&parameter.name);
        if space.is_active(parameter, &out) {
            let value = given.or_else(|| value_at(&parameter.domain, rng.random()))?;
            out.set(&parameter.name, value);
        }
    }
    space.canonical(&out)
}

fn moves(domain: &Domain, current: &Value, rng: &mut Rng) -> Vec<Value> {
    match domain {
        Domain::Bool => current.as_bool().map(|b| Value::Bool(!b)).into_iter().collect(),
        Domain::Categorical { values } => values.iter().filter(|v| *v != current).cloned().collect(),
        Domain::Float { step: None, .. } => {
            let Some((axis, here)) =
                Axis::of(domain).and_then(|a| Some((a.position(current)?, a)).map(|(p, a)| (a, p)))
            else {
                return Vec::new();
            };
            let span = axis.high - axis.low;
            [0.05, 0.05, 0.2, 0.2]
                .into_iter()
                .enumerate()
                .map(|(i, size)| if i % 2 == 0 { size } else { -size })
                .filter_map(|size| axis.nearest(here + size * span * rng.random::<f64>()))
                .map(|(value, _)| value)
                .filter(|v| v != current)
                .collect()
        }
        _ => {
            let Some(here) = domain.index_of(current) else { return Vec::new() };
            [-1i64, 1, -2, 2]
                .into_iter()
                .filter_map(|by| here.checked_add_signed(by))
                .filter_map(|index| domain.nth(index))
                .collect()
        }
    }
}
