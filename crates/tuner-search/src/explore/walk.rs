//! All valid configurations, one by one.

use std::ops::ControlFlow;

use rand::RngExt;
use tuner_core::space::{Configuration, Domain, SearchSpace};
use tuner_core::value::Value;

use super::{Rng, value_at};

/// In which order the values of a parameter are visited.
#[derive(Debug)]
pub enum Order<'r> {
    /// As declared, ascending; the last parameter changes fastest.
    Declared,
    /// In an order drawn anew at each branch.
    Shuffled(&'r mut Rng),
}

/// How a walk ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Everything was visited (of a continuum: a sample).
    Complete,
    /// The visitor had enough.
    Stopped,
    /// The limit of steps was reached.
    Limited,
}

/// Values tried of a continuum, per branch.
const CONTINUUM: u64 = 8;

/// Visits valid configurations depth first. A branch is cut as soon as a constraint is false whatever comes, so spaces
/// that constraints thin out are walked quickly. `limit` bounds the steps (branches entered).
pub fn walk(
    space: &SearchSpace,
    order: Order<'_>,
    limit: usize,
    visit: impl FnMut(&Configuration) -> ControlFlow<()>,
) -> Ended {
    let mut walker = Walker { space, order, left: limit, visit };
    match walker.descend(0, &mut Configuration::default()) {
        ControlFlow::Continue(()) => Ended::Complete,
        ControlFlow::Break(ended) => ended,
    }
}

struct Walker<'a, F> {
    space: &'a SearchSpace,
    order: Order<'a>,
    left: usize,
    visit: F,
}

impl<F: FnMut(&Configuration) -> ControlFlow<()>> Walker<'_, F> {
    fn descend(&mut self, depth: usize, so_far: &mut Configuration) -> ControlFlow<Ended> {
        self.left = match self.left.checked_sub(1) {
            Some(left) => left,
            None => return ControlFlow::Break(Ended::Limited),
        };
        if !self.space.satisfies_constraints(so_far) {
            return ControlFlow::Continue(());
        }
        let space = self.space;
        let Some(parameter) = space.parameters.get(depth) else {
            return (self.visit)(so_far).map_break(|()| Ended::Stopped);
        };
        if !space.is_active(parameter, so_far) {
            return self.descend(depth + 1, so_far);
        }
        let count = parameter.domain.cardinality().unwrap_or(CONTINUUM);
        let (start, stride) = match &mut self.order {
            Order::Declared => (0, 1),
            Order::Shuffled(rng) => shuffle(count, rng),
        };
        for i in 0..count {
            let index = ((u128::from(start) + u128::from(i) * u128::from(stride)) % u128::from(count)) as u64;
            if let Some(value) = self.value(&parameter.domain, index, count) {
                so_far.set(&parameter.name, value);
                self.descend(depth + 1, so_far)?;
            }
        }
        so_far.0.remove(&parameter.name);
        ControlFlow::Continue(())
    }

    fn value(&mut self, domain: &Domain, index: u64, count: u64) -> Option<Value> {
        if domain.cardinality().is_some() {
            return domain.nth(index);
        }
        let within = match &mut self.order {
            Order::Declared => 0.5,
            Order::Shuffled(rng) => rng.random::<f64>(),
        };
        value_at(domain, (index as f64 + within) / count as f64)
    }
}

/// Start and stride of a cyclic permutation of `0..count`: any order will do, a table of a large range will not.
fn shuffle(count: u64, rng: &mut Rng) -> (u64, u64) {
    if count < 2 {
        return (0, 1);
    }
    let start = rng.random_range(0..count);
    let stride = (0..64).map(|_| rng.random_range(1..count)).find(|s| gcd(*s, count) == 1);
    (start, stride.unwrap_or(1))
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use tuner_core::space::Parameter;

    use super::*;
    use crate::explore::generator;

    fn space() -> SearchSpace {
        let int = |name: &str, high| Parameter {
            name: name.into(),
            domain: Domain::Int { low: 1, high, step: 1, log: false },
            when: None,
        };
        SearchSpace { parameters: vec![int("a", 2), int("b", 6)], ..SearchSpace::default() }
    }

    fn all(order: Order<'_>, limit: usize) -> (Vec<String>, Ended) {
        let mut found = Vec::new();
        let ended = walk(&space(), order, limit, |c| {
            found.push(c.to_string());
            ControlFlow::Continue(())
        });
        (found, ended)
    }

    #[test]
    fn the_last_parameter_changes_fastest() {
        let (found, ended) = all(Order::Declared, 1000);
        assert_eq!(found[..3], ["a=1 b=1", "a=1 b=2", "a=1 b=3"]);
        assert_eq!((found.len(), ended), (12, Ended::Complete));
    }

    #[test]
    fn a_shuffled_walk_visits_everything_once() {
        let (found, _) = all(Order::Shuffled(&mut generator(7, 0, "t")), 1000);
        assert_eq!(found.iter().collect::<BTreeSet<_>>().len(), 12);
        assert_ne!(found, all(Order::Declared, 1000).0);
    }

    #[test]
    fn the_limit_ends_a_walk() {
        assert_eq!(all(Order::Declared, 5).1, Ended::Limited);
    }
}
