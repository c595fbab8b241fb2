//! The final comparison: which repeats of baseline and best are still to be run.

use super::budget::live;
use super::step::{best_of, leader};
use super::{Arm, ExperimentView, Role, TaskView};
use crate::score::{improvement, score};
use crate::space::Configuration;

/// Share of the baseline's objective that a configuration which ranks below it must reach to be run against it all the
/// same: single runs of one configuration differ by as much on a shared machine (`docs/benchmarks.md`, quickstart).
const CLOSE: f64 = 0.9;

/// What verification still needs.
pub(super) enum Verification {
    /// Run this repeat.
    Run {
        /// Block and arm.
        role: Role,
        /// The arm's configuration.
        configuration: Configuration,
    },
    /// Nothing more to run.
    Over,
}

/// The two sides of the comparison.
pub(super) struct Sides<'a> {
    /// Experiment 1.
    pub(super) baseline: &'a ExperimentView,
    /// The best of the search, or a close second to the baseline; never the baseline itself.
    pub(super) best: &'a ExperimentView,
    /// Whether the baseline was measured at all, so that there is something to compare with.
    pub(super) comparable: bool,
}

/// Baseline and best, when the search found something that ranks above the baseline or so close below it that single
/// runs cannot tell.
pub(super) fn sides<'a>(view: &TaskView<'a>) -> Option<Sides<'a>> {
    let baseline = live(view).find(|e| e.role == Role::Baseline)?;
    let (leader, _) = leader(view.spec, view.experiments)?;
    let comparable = score(view.spec, baseline).is_some_and(|s| s.primary().is_some());
    let best = if leader.number == baseline.number { close_second(view, baseline)? } else { leader };
    Some(Sides { baseline, best, comparable })
}

/// The best of the search beside a baseline that leads, if it is in the same class and close.
fn close_second<'a>(view: &TaskView<'a>, baseline: &ExperimentView) -> Option<&'a ExperimentView> {
    let objective = view.spec.objectives.first()?.resolve();
    let reference = score(view.spec, baseline)?;
    let (second, its) = best_of(view.spec, live(view).filter(|e| e.role == Role::Search))?;
    let close = improvement(&objective, reference.primary()?, its.primary()?)? >= CLOSE;
    (view.spec.verification.blocks > 0 && its.class == reference.class && close).then_some(second)
}

/// Blocks of pairs in alternating order (A B, B A, …), so that drift hits both sides alike. A baseline that cannot run
/// is not repeated; the best then proves by its own repeats that it runs.
pub(super) fn next_verification(view: &TaskView<'_>) -> Verification {
    let Some(sides) = sides(view) else { return Verification::Over };
    for block in 0..view.spec.verification.blocks {
        let order = if block % 2 == 0 { [Arm::Baseline, Arm::Best] } else { [Arm::Best, Arm::Baseline] };
        for arm in order.into_iter().filter(|arm| *arm == Arm::Best || sides.comparable) {
            let role = Role::Verify { block, arm };
            if live(view).all(|e| e.role != role) {
                let of = if arm == Arm::Best { sides.best } else { sides.baseline };
                return Verification::Run { role, configuration: of.configuration.clone() };
            }
        }
    }
    Verification::Over
}
