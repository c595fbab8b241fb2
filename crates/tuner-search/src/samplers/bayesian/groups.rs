//! Parameters that occur together: the joint models of a space with conditions.

use std::collections::BTreeSet;

/// Splits parameters into disjoint groups such that every configuration (given as its set of parameters) is a union of
/// groups. Groups are as large as that allows, and keep the order in which they were found.
pub(super) fn decompose<'s>(sets: impl Iterator<Item = &'s BTreeSet<usize>>) -> Vec<BTreeSet<usize>> {
    let mut groups: Vec<BTreeSet<usize>> = Vec::new();
    for set in sets {
        let mut new = set.clone();
        let mut next = Vec::with_capacity(groups.len() + 1);
        for group in groups {
            new.retain(|p| !group.contains(p));
            let (inside, outside): (BTreeSet<usize>, BTreeSet<usize>) =
                group.into_iter().partition(|p| set.contains(p));
            next.extend([inside, outside].into_iter().filter(|g| !g.is_empty()));
        }
        if !new.is_empty() {
            next.push(new);
        }
        groups = next;
    }
    groups
}

#[cfg(test)]
mod tests {
    use proptest::collection::{btree_set, vec};
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_condition_splits_parents_from_children() {
        let sets = [[0, 1].into(), [0, 1, 2, 3].into(), [0, 1, 2].into()];
        assert_eq!(decompose(sets.iter()), [BTreeSet::from([0, 1]), [2].into(), [3].into()]);
    }

    proptest! {
        #[test]
        fn every_set_is_a_union_of_disjoint_groups(sets in vec(btree_set(0usize..8, 0..8), 0..6)) {
            let groups = decompose(sets.iter());
            let members: usize = groups.iter().map(BTreeSet::len).sum();
            let union: BTreeSet<usize> = groups.iter().flatten().copied().collect();
            prop_assert_eq!(members, union.len());
            prop_assert_eq!(&union, &sets.iter().flatten().copied().collect());
            for set in &sets {
                for group in &groups {
                    prop_assert!(group.is_subset(set) || group.is_disjoint(set));
                }
            }
        }
    }
}
