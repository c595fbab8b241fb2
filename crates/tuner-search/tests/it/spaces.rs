//! Random search spaces with conditions and constraints, small enough to enumerate.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use proptest::collection::vec;
use proptest::prelude::*;
use tuner_core::space::expr::Expr;
use tuner_core::space::{Configuration, Domain, Parameter, SearchSpace};
use tuner_core::value::Value;
use tuner_search::explore::{Order, generator, neighbours, walk};

pub(crate) fn parameter(name: &str, domain: Domain, when: Option<&str>) -> Parameter {
    Parameter { name: name.into(), domain, when: when.map(|w| Expr::parse(w).expect("it parses")) }
}

pub(crate) fn int(low: i64, high: i64) -> Domain {
    Domain::Int { low, high, step: 1, log: false }
}

pub(crate) fn words(values: &[&str]) -> Domain {
    Domain::Categorical { values: values.iter().map(|&v| v.into()).collect() }
}

pub(crate) fn space(parameters: Vec<Parameter>, constraints: &[&str]) -> SearchSpace {
    let constraints = constraints.iter().map(|c| Expr::parse(c).expect("it parses")).collect();
    SearchSpace { parameters, constraints, fixed: Configuration::default() }
}

/// Every valid configuration of a finite space.
pub(crate) fn all(space: &SearchSpace) -> BTreeSet<Configuration> {
    let mut found = BTreeSet::new();
    walk(space, Order::Declared, 1_000_000, |c| {
        assert!(found.insert(c.clone()), "{c} was visited twice");
        ControlFlow::Continue(())
    });
    found
}

fn finite_domain() -> impl Strategy<Value = Domain> {
    prop_oneof![
        Just(Domain::Bool),
        (1usize..4).prop_map(|n| words(&["a", "b", "c"][..n])),
        (1i64..4, 0i64..4, 1i64..3, any::<bool>()).prop_map(|(low, width, step, log)| Domain::Int {
            low,
            high: low + width,
            step,
            log
        }),
        vec(1i64..50, 1..4).prop_map(|mut v| {
            v.sort_unstable();
            v.dedup();
            Domain::Ordinal { values: v.into_iter().map(Value::Int).collect() }
        }),
        (1usize..4).prop_map(|n| Domain::Float { low: 0.5, high: 0.5 + 0.1 * n as f64, step: Some(0.1), log: false }),
    ]
}

/// Up to four finite parameters; later ones may depend on the first, and a constraint may tie two of them.
pub(crate) fn finite_space() -> impl Strategy<Value = SearchSpace> {
    let conditions = vec(prop_oneof![2 => Just(false), 1 => Just(true)], 4);
    (vec(finite_domain(), 1..5), conditions, 0usize..4).prop_map(|(domains, conditional, constraint)| {
        let first = domains[0].nth(0).map(|v| match v {
            Value::Text(t) => format!("p0 == \"{t}\""),
            other => format!("p0 == {other}"),
        });
        let parameters = domains
            .into_iter()
            .enumerate()
            .map(|(i, domain)| {
                let when = first.as_deref().filter(|_| i > 0 && conditional[i]);
                parameter(&format!("p{i}"), domain, when)
            })
            .collect();
        let constraints = ["p0 <= p1", "p1 != p2", "p0 + p1 > 3"];
        space(parameters, &constraints[..constraint.min(3)])
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn walks_visit_exactly_the_canonical_configurations(space in finite_space()) {
        // The product of all domains, filtered by the core's own definition of validity.
        let mut product = vec![Configuration::default()];
        for p in &space.parameters {
            let n = p.domain.cardinality().unwrap();
            product = product.iter().flat_map(|c| (0..n).map(move |i| {
                let mut c = c.clone();
                c.set(&p.name, p.domain.nth(i).unwrap());
                c
            })).collect();
        }
        let valid: BTreeSet<Configuration> = product.iter().filter_map(|c| space.canonical(c)).collect();
        prop_assert_eq!(all(&space), valid);
    }

    #[test]
    fn neighbours_are_valid_and_differ(space in finite_space(), seed in 0u64..100) {
        let valid = all(&space);
        for c in valid.iter().take(5) {
            for n in neighbours(&space, c, &mut generator(seed, 0, "test")) {
                prop_assert!(&n != c && valid.contains(&n), "{} -> {}", c, n);
            }
        }
    }
}
