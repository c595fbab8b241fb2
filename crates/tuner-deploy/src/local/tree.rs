//! Which processes belong to a deployment: a pure function of the process table.
//!
//! *Invariant*: whoever is named here carries the mark, is a verified first process, descends from such a one, or is
//! in a group or session that one of them leads. This process and its ancestors are never named, whatever they carry.

use std::collections::{BTreeMap, BTreeSet};

use super::procfs::{Identity, Process};

/// The live processes of deployment `id` of data directory `home`. `roots` are processes known to belong to it;
/// `this` is our own process.
pub(crate) fn members(
    table: &BTreeMap<u32, Process>,
    home: &str,
    id: &str,
    roots: &BTreeSet<Identity>,
    this: u32,
) -> BTreeSet<Identity> {
    let spared = lineage(table, this);
    let mut known: BTreeSet<u32> = table
        .values()
        .filter(|p| !spared.contains(&p.identity.pid))
        .filter(|p| roots.contains(&p.identity) || p.mark.as_ref().is_some_and(|m| m.home == home && m.id == id))
        .map(|p| p.identity.pid)
        .collect();
    loop {
        let next: Vec<u32> = table
            .values()
            .filter(|p| !known.contains(&p.identity.pid) && !spared.contains(&p.identity.pid))
            .filter(|p| [p.ppid, p.pgid, p.sid].iter().any(|n| known.contains(n)))
            .map(|p| p.identity.pid)
            .collect();
        if next.is_empty() {
            break;
        }
        known.extend(next);
    }
    known.iter().filter_map(|pid| table.get(pid)).filter(|p| !p.is_dead()).map(|p| p.identity).collect()
}

/// The first process of a deployment: a live marked one whose parent is not marked alike; the oldest of several.
pub(crate) fn first(table: &BTreeMap<u32, Process>, home: &str, id: &str) -> Option<Process> {
    let ours = |p: &&Process| p.mark.as_ref().is_some_and(|m| m.home == home && m.id == id);
    table
        .values()
        .filter(|p| !p.is_dead())
        .filter(ours)
        .filter(|p| !table.get(&p.ppid).is_some_and(|parent| ours(&parent)))
        .min_by_key(|p| (p.identity.start_ticks, p.identity.pid))
        .cloned()
}

/// Ids of this data directory that live processes carry.
pub(crate) fn marked_ids(table: &BTreeMap<u32, Process>, home: &str, this: u32) -> BTreeSet<String> {
    let spared = lineage(table, this);
    table
        .values()
        .filter(|p| !p.is_dead() && !spared.contains(&p.identity.pid))
        .filter_map(|p| p.mark.as_ref())
        .filter(|m| m.home == home)
        .map(|m| m.id.clone())
        .collect()
}

/// A process and its ancestors.
fn lineage(table: &BTreeMap<u32, Process>, of: u32) -> BTreeSet<u32> {
    let mut line = BTreeSet::new();
    let mut next = Some(of);
    while let Some(pid) = next {
        if pid == 0 || !line.insert(pid) {
            break;
        }
        next = table.get(&pid).map(|p| p.ppid);
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::local::procfs::Mark;
    use proptest::prelude::*;

    const HOME: &str = "h";
    const THIS: u32 = 50;

    fn process(pid: u32, ppid: u32, pgid: u32, sid: u32, id: Option<&str>) -> (u32, Process) {
        let mark = id.map(|id| Mark { home: HOME.into(), id: id.into() });
        let identity = Identity { pid, start_ticks: u64::from(pid) * 10 };
        (pid, Process { identity, state: 'S', threads: 1, ppid, pgid, sid, mark })
    }

    fn pids(table: &BTreeMap<u32, Process>, id: &str, roots: &[Identity]) -> Vec<u32> {
        let roots = roots.iter().copied().collect();
        members(table, HOME, id, &roots, THIS).into_iter().map(|i| i.pid).collect()
    }

    fn host() -> BTreeMap<u32, Process> {
        BTreeMap::from([
            process(1, 0, 1, 1, None),
            process(40, 1, 40, 40, None),
            process(THIS, 40, 50, 40, None),
            process(60, THIS, 60, 40, Some("a")),
            process(61, 60, 60, 40, Some("a")),
            process(62, 1, 62, 62, Some("a")), // double fork, own session
            process(63, 61, 60, 40, None),     // cleared its environment
            process(64, 1, 62, 62, None),      // and has a marked leader
            process(70, THIS, 70, 40, Some("b")),
            process(80, 1, 80, 80, None),
        ])
    }

    #[test]
    fn a_tree_holds_those_who_left_group_session_parent_or_environment() {
        assert_eq!(pids(&host(), "a", &[]), [60, 61, 62, 63, 64]);
        assert_eq!(pids(&host(), "b", &[]), [70]);
        assert_eq!(pids(&host(), "c", &[]), Vec::<u32>::new());
    }

    #[test]
    fn another_data_directory_is_not_ours() {
        assert!(members(&host(), "other", "a", &BTreeSet::new(), THIS).is_empty());
        assert_eq!(marked_ids(&host(), HOME, THIS), BTreeSet::from(["a".to_owned(), "b".to_owned()]));
        assert!(marked_ids(&host(), "other", THIS).is_empty());
    }

    #[test]
    fn a_recycled_number_is_nobody() {
        let stale = Identity { pid: 80, start_ticks: 3 };
        assert_eq!(pids(&host(), "c", &[stale]), Vec::<u32>::new());
        let real = Identity { pid: 80, start_ticks: 800 };
        assert_eq!(pids(&host(), "c", &[real]), [80]);
    }

    #[test]
    fn the_first_process_is_found_after_its_record_was_lost() {
        assert_eq!(first(&host(), HOME, "a").unwrap().identity.pid, 60);
        let mut table = host();
        table.get_mut(&60).unwrap().state = 'Z';
        table.get_mut(&60).unwrap().mark = None;
        assert_eq!(first(&table, HOME, "a").unwrap().identity.pid, 61);
        assert_eq!(first(&table, HOME, "c"), None);
    }

    #[test]
    fn a_tuner_inside_a_deployment_does_not_kill_itself() {
        let mut table = host();
        for pid in [40, THIS] {
            table.get_mut(&pid).unwrap().mark = Some(Mark { home: HOME.into(), id: "a".into() });
        }
        assert_eq!(pids(&table, "a", &[]), [60, 61, 62, 63, 64]);
    }

    proptest! {
        /// Whatever the table looks like, the walk ends, names only live rows of it, and never us or our ancestors.
        #[test]
        fn nobody_is_named_who_must_not_be(
            rows in prop::collection::vec((1u32..30, 0u32..30, 0u32..30, 0u32..30, any::<bool>(), any::<bool>()), 0..30),
            this in 1u32..30,
        ) {
            let table: BTreeMap<u32, Process> = rows
                .into_iter()
                .map(|(pid, ppid, pgid, sid, marked, dead)| {
                    let (pid, mut p) = process(pid, ppid, pgid, sid, marked.then_some("a"));
                    if dead {
                        p.state = 'Z';
                    }
                    (pid, p)
                })
                .collect();
            let named = members(&table, HOME, "a", &BTreeSet::new(), this);
            let spared = lineage(&table, this);
            for identity in &named {
                prop_assert!(!table[&identity.pid].is_dead());
                prop_assert!(!spared.contains(&identity.pid));
            }
            for p in table.values() {
                if p.mark.is_some() && !p.is_dead() && !spared.contains(&p.identity.pid) {
                    prop_assert!(named.contains(&p.identity));
                }
            }
        }
    }
}
