//! Which experiments of a task are listed, and in which order.

/// What experiments are sorted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ExperimentSort {
    /// Their number.
    #[default]
    Number,
    /// The first objective; those without one last, whichever way.
    Objective,
    /// How long they took; open ones last, whichever way.
    Elapsed,
    /// The word of their outcome.
    Outcome,
}

/// Which experiments to list.
#[derive(Clone, Debug, Default)]
pub struct ExperimentQuery {
    /// With one of these outcomes, by word; `open` for those without. Empty: all.
    pub outcomes: Vec<String>,
    /// Run for one of these reasons: `baseline`, `search`, `verify`. Empty: all.
    pub roles: Vec<String>,
    /// The order.
    pub sort: ExperimentSort,
    /// The largest first.
    pub descending: bool,
}
