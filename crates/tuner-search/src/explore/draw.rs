//! From coordinates in the unit cube to configurations.

use tuner_core::space::{Configuration, Domain, SearchSpace};
use tuner_core::value::Value;

use super::Axis;

/// The value at `u` in [0, 1): lists and lattices in equal shares, log domains in equal shares of the logarithm.
/// `None` for an empty domain.
pub fn value_at(domain: &Domain, u: f64) -> Option<Value> {
    match domain {
        Domain::Int { log: true, .. } | Domain::Float { log: true, .. } | Domain::Float { step: None, .. } => {
            let axis = Axis::of(domain)?;
            Some(axis.nearest(axis.low + u * (axis.high - axis.low))?.0)
        }
        _ => {
            let n = domain.cardinality()?;
            domain.nth(((u * n as f64) as u64).min(n.checked_sub(1)?))
        }
    }
}

/// The configuration at one point of the unit cube, if it is valid. `coordinate` is asked for every parameter in
/// declaration order, active or not, so that a parameter keeps its dimension whatever its parents are.
pub fn draw(space: &SearchSpace, mut coordinate: impl FnMut(usize) -> f64) -> Option<Configuration> {
    let mut out = Configuration::default();
    for (i, parameter) in space.parameters.iter().enumerate() {
        let u = coordinate(i);
        if space.is_active(parameter, &out) {
            out.set(&parameter.name, value_at(&parameter.domain, u)?);
        }
    }
    space.satisfies_constraints(&out).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_domains_give_each_decade_its_share() {
        let domain = Domain::Float { low: 1.0, high: 1000.0, step: None, log: true };
        let below = |limit: f64| {
            (0..300).filter(|i| value_at(&domain, f64::from(*i) / 300.0).unwrap().as_f64().unwrap() < limit).count()
        };
        assert!((99..=101).contains(&below(10.0)) && (199..=201).contains(&below(100.0)));
    }

    #[test]
    fn lists_are_cut_in_equal_shares() {
        let domain = Domain::Int { low: 3, high: 9, step: 3, log: false };
        let at: Vec<_> = [0.0, 0.33, 0.34, 0.66, 0.67, 0.999_999].map(|u| value_at(&domain, u).unwrap()).into();
        assert_eq!(at, [3, 3, 6, 6, 9, 9].map(Value::Int));
    }
}
