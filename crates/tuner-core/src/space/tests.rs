use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::Value;

fn finite() -> impl Strategy<Value = Domain> {
    let list = prop::collection::btree_set(-50..50i64, 1..8);
    prop_oneof![
        Just(Domain::Bool),
        list.clone().prop_map(|v| Domain::Ordinal { values: v.into_iter().map(Value::Int).collect() }),
        list.prop_map(|v| Domain::Categorical {
            values: v.into_iter().map(|i| Value::Text(format!("v{i}"))).collect()
        }),
        (-40..40i64, 1..60i64, 1..9i64).prop_map(|(low, span, step)| Domain::Int {
            low,
            high: low + span,
            step,
            log: false
        }),
        (-40..40i64, 1..60i64, prop::sample::select(vec![0.05, 0.1, 0.25, 0.3, 1.5])).prop_map(|(low, span, step)| {
            let low = low as f64 / 10.0;
            Domain::Float { low, high: low + span as f64 / 10.0, step: Some(step), log: false }
        }),
    ]
}

fn space() -> impl Strategy<Value = SearchSpace> {
    let conditions = prop::sample::select(vec![None, Some("p0 == null or p0 != null"), Some("p0"), Some("p1 > 3")]);
    let constraints = prop::sample::select(vec![None, Some("p0 <= p1"), Some("p2 in [1, 2, 'v3'] or p1 > 0")]);
    (prop::collection::vec((finite(), conditions), 1..5), constraints).prop_map(|(parameters, constraint)| {
        SearchSpace {
            parameters: parameters
                .into_iter()
                .enumerate()
                .map(|(i, (domain, when))| Parameter {
                    name: format!("p{i}"),
                    domain,
                    when: when.filter(|_| i > 1).map(|w| Expr::parse(w).unwrap()),
                })
                .collect(),
            constraints: constraint.iter().map(|c| Expr::parse(c).unwrap()).collect(),
            fixed: Configuration::default(),
        }
    })
}

proptest! {
    #[test]
    fn every_value_of_a_finite_domain_has_its_own_position(domain in finite()) {
        let n = domain.cardinality().unwrap();
        let values: Vec<Value> = (0..n).map_while(|i| domain.nth(i)).collect();
        prop_assert_eq!(values.len() as u64, n);
        prop_assert_eq!(values.iter().collect::<BTreeSet<_>>().len() as u64, n);
        for (i, value) in values.iter().enumerate() {
            prop_assert!(domain.contains(value));
            prop_assert_eq!(domain.index_of(value), Some(i as u64), "{:?}", value);
        }
        prop_assert_eq!(domain.nth(n), None);
    }

    #[test]
    fn a_canonical_configuration_is_its_own_canonical_form(space in space(), picks in prop::collection::vec(0..1000u64, 5)) {
        let mut assignment = Configuration::default();
        for (parameter, pick) in space.parameters.iter().zip(picks) {
            let n = parameter.domain.cardinality().unwrap();
            assignment.set(&parameter.name, parameter.domain.nth(pick % n).unwrap());
        }
        if let Some(canonical) = space.canonical(&assignment) {
            prop_assert_eq!(space.canonical(&canonical), Some(canonical.clone()));
            prop_assert!(space.satisfies_constraints(&canonical));
            prop_assert_eq!(space.has_valid_configuration(1_000_000), Some(true));
            prop_assert!(canonical.iter().all(|(name, _)| space.is_active(space.parameter(name).unwrap(), &canonical)));
        }
    }
}
