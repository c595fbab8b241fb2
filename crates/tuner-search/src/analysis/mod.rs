//! What finished experiments taught: trade-offs, which parameters matter, what each value does.
//!
//! *Invariant*: findings are functions of their arguments; where chance is used, its seed is an argument.

pub mod effects;
mod encoded;
pub mod expected;
mod forest;
pub mod importance;
pub mod pareto;

use tuner_core::sampler::{Finished, Observation};

/// Fewer measured experiments say nothing.
const FEWEST: usize = 4;

/// The experiments that were measured, with the value of one objective (smaller is better).
fn scored(finished: &[Finished], objective: usize) -> Vec<(&Finished, f64)> {
    let value = |f: &Finished| match &f.observation {
        // What was ended early is at least this bad, and was measured to be about so.
        Observation::Scored { objectives, .. } | Observation::Censored { objectives, .. } => {
            objectives.get(objective).copied().filter(|y| y.is_finite())
        }
        Observation::Infeasible | Observation::Failed => None,
    };
    finished.iter().filter_map(|f| value(f).map(|y| (f, y))).collect()
}
