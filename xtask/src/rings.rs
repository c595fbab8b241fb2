//! The rings of `ARCHITECTURE.md`, checked on what cargo resolved: edges run downwards, ring 1 reaches nothing that
//! could do more than compute.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::process::ExitCode;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::{report, shell};

/// Every crate and its ring. A new crate is a new line here.
const RINGS: &[(&str, u8)] = &[
    ("tuner-core", 1),
    ("tuner-search", 1),
    ("tuner-engines", 1),
    ("tuner-policy", 1),
    ("tuner-wire", 1),
    ("tuner-deploy", 2),
    ("tuner-bench", 2),
    ("tuner-store", 2),
    ("tuner-sim", 2),
    ("tuner-llm", 2),
    ("tuner-hub", 2),
    ("tuner-runner", 3),
    ("tuner-app", 3),
    ("tuner-agent", 3),
    ("tuner-mcp", 4),
    ("tuner-server", 4),
    ("tuner-cli", 4),
];

/// Crates that only tests may depend on.
const TESTS_ONLY: &[&str] = &["tuner-testkit"];

/// Crates outside the rings: nobody depends on them, they depend on no ring.
const CHORES: &[&str] = &["xtask"];

/// The only edges within a ring.
const SIDEWAYS: &[(&str, &str)] = &[
    ("tuner-search", "tuner-core"),
    ("tuner-engines", "tuner-core"),
    ("tuner-app", "tuner-runner"),
    ("tuner-agent", "tuner-app"),
    ("tuner-agent", "tuner-runner"),
    ("tuner-cli", "tuner-server"),
    ("tuner-cli", "tuner-mcp"),
    ("tuner-server", "tuner-mcp"),
];

/// What ring 1 never reaches, however far down. (`getrandom` is not listed: cargo shows the features of the whole
/// workspace, and `rand` may carry it for an adapter; tidy refuses the calls instead.)
const IMPURE: &[&str] = &["tokio", "hyper", "reqwest", "axum", "sea-orm", "sqlx", "sqlx-core", "rustls", "nix", "mio"];

pub(crate) fn run() -> Result<ExitCode> {
    let mut command = shell::cargo();
    command.args(["metadata", "--format-version", "1", "--filter-platform", "x86_64-unknown-linux-gnu"]);
    let metadata: Value = serde_json::from_str(&shell::capture(&mut command)?)?;
    let graph = Graph::from_metadata(&metadata).context("cargo metadata has an unexpected shape")?;
    Ok(report("rings", &check(&graph)))
}

/// Crates and their normal (and build) dependencies, by name.
#[derive(Debug, Default)]
struct Graph {
    members: BTreeSet<String>,
    edges: BTreeMap<String, BTreeSet<String>>,
}

impl Graph {
    fn from_metadata(metadata: &Value) -> Option<Self> {
        let mut names = BTreeMap::new();
        for package in metadata["packages"].as_array()? {
            names.insert(package["id"].as_str()?, package["name"].as_str()?);
        }
        let mut graph = Self::default();
        for id in metadata["workspace_members"].as_array()? {
            graph.members.insert((*names.get(id.as_str()?)?).to_owned());
        }
        for node in metadata["resolve"]["nodes"].as_array()? {
            let from = *names.get(node["id"].as_str()?)?;
            // Two versions of one crate share a node: stricter, and a path through either is a path.
            let edges = graph.edges.entry(from.to_owned()).or_default();
            for dependency in node["deps"].as_array()? {
                let kinds = dependency["dep_kinds"].as_array()?;
                if kinds.iter().any(|kind| kind["kind"].as_str() != Some("dev")) {
                    edges.insert((*names.get(dependency["pkg"].as_str()?)?).to_owned());
                }
            }
        }
        Some(graph)
    }

    fn below<'a>(&'a self, from: &str) -> impl Iterator<Item = &'a str> {
        self.edges.get(from).into_iter().flatten().map(String::as_str)
    }

    /// Shortest path from a crate to one of `targets`, both ends included.
    fn path_to(&self, from: &str, target: &str) -> Option<Vec<String>> {
        let mut came_from: BTreeMap<&str, &str> = BTreeMap::new();
        let mut queue: VecDeque<&str> = self.below(from).collect();
        for first in self.below(from) {
            came_from.insert(first, "");
        }
        while let Some(at) = queue.pop_front() {
            if at == target {
                let mut path = vec![at.to_owned()];
                let mut cursor = at;
                while let Some(before) = came_from.get(cursor).filter(|name| !name.is_empty()) {
                    path.push((*before).to_owned());
                    cursor = before;
                }
                path.push(from.to_owned());
                path.reverse();
                return Some(path);
            }
            for next in self.below(at) {
                if !came_from.contains_key(next) {
                    came_from.insert(next, at);
                    queue.push_back(next);
                }
            }
        }
        None
    }
}

fn ring(name: &str) -> Option<u8> {
    RINGS.iter().find(|(crate_name, _)| *crate_name == name).map(|(_, ring)| *ring)
}

fn check(graph: &Graph) -> Vec<String> {
    let mut findings = Vec::new();
    for member in &graph.members {
        let outside = TESTS_ONLY.contains(&member.as_str()) || CHORES.contains(&member.as_str());
        let Some(own) = ring(member) else {
            if !outside {
                findings.push(format!("{member}: in no ring; add it to RINGS in xtask/src/rings.rs"));
            }
            if CHORES.contains(&member.as_str()) {
                for target in graph.below(member).filter(|name| graph.members.contains(*name)) {
                    findings.push(format!("{member} -> {target}: chores look at the product from outside"));
                }
            }
            continue;
        };
        for target in graph.below(member) {
            if TESTS_ONLY.contains(&target) || CHORES.contains(&target) {
                findings.push(format!("{member} -> {target}: make it a dev-dependency; {target} is not for products"));
            }
            let Some(other) = ring(target) else { continue };
            let sideways = other == own && SIDEWAYS.contains(&(member.as_str(), target));
            if other >= own && !sideways {
                findings.push(format!(
                    "{member} (ring {own}) -> {target} (ring {other}): edges run downwards; move the shared part \
                     down, or hand it in as data"
                ));
            }
        }
        if own == 1 {
            for impure in IMPURE {
                if let Some(path) = graph.path_to(member, impure) {
                    findings.push(format!(
                        "{}: ring 1 must stay pure; drop the dependency or turn its feature off",
                        path.join(" -> ")
                    ));
                }
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(edges: &[(&str, &str)]) -> Graph {
        let mut graph = Graph::default();
        for (from, to) in edges {
            graph.members.insert((*from).to_owned());
            graph.edges.entry((*from).to_owned()).or_default().insert((*to).to_owned());
        }
        graph
    }

    #[test]
    fn edges_downwards_and_listed_edges_sideways_are_clean() {
        let found =
            check(&graph(&[("tuner-cli", "tuner-app"), ("tuner-search", "tuner-core"), ("tuner-app", "serde")]));
        assert_eq!(found, Vec::<String>::new());
    }

    #[test]
    fn an_edge_upwards_or_between_adapters_is_named() {
        let found = check(&graph(&[("tuner-core", "tuner-store"), ("tuner-bench", "tuner-sim")]));
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].starts_with("tuner-bench (ring 2) -> tuner-sim (ring 2)"), "{found:?}");
        assert!(found[1].starts_with("tuner-core (ring 1) -> tuner-store (ring 2)"), "{found:?}");
    }

    #[test]
    fn a_hidden_way_from_ring_one_to_a_runtime_is_named_step_by_step() {
        let mut graph = graph(&[("tuner-core", "a")]);
        graph.edges.insert("a".into(), ["b".to_owned()].into());
        graph.edges.insert("b".into(), ["tokio".to_owned(), "a".to_owned()].into());
        let found = check(&graph);
        assert_eq!(found.len(), 1);
        assert!(found[0].starts_with("tuner-core -> a -> b -> tokio:"), "{found:?}");
    }

    #[test]
    fn a_crate_without_a_ring_and_a_product_on_the_testkit_are_refused() {
        let found = check(&graph(&[("tuner-new", "serde"), ("tuner-bench", "tuner-testkit")]));
        assert!(found[0].contains("tuner-testkit") && found[1].contains("tuner-new: in no ring"), "{found:?}");
    }
}
