//! The question a sampler answers. The samplers themselves live in `tuner-search`.

use crate::space::{Configuration, SearchSpace};

/// What one finished experiment taught.
#[derive(Clone, Debug, PartialEq)]
pub enum Observation {
    /// It was measured.
    Scored {
        /// One value per objective, **smaller is better** (throughputs negated), finite.
        objectives: Vec<f64>,
        /// One value per SLO, relative violation: ≤ 0 is met, 0.1 is 10 % over.
        violations: Vec<f64>,
        /// Relative standard error of the first objective, if repeats or intervals gave one.
        noise: Option<f64>,
    },
    /// It was ended early because it could not win: at least this bad.
    Censored {
        /// As of [`Observation::Scored`], over what was measured until then.
        objectives: Vec<f64>,
        /// The same.
        violations: Vec<f64>,
    },
    /// The configuration cannot work (crash, out of memory, vetoed).
    Infeasible,
    /// It could not be tried; it says nothing about the configuration.
    Failed,
}

impl Observation {
    /// Sum of the positive violations; infinite for what cannot work.
    pub fn total_violation(&self) -> f64 {
        match self {
            Self::Scored { violations, .. } | Self::Censored { violations, .. } => {
                violations.iter().map(|v| v.max(0.0)).sum()
            }
            Self::Infeasible | Self::Failed => f64::INFINITY,
        }
    }
}

/// A finished experiment as a sampler sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct Finished {
    /// What was tried.
    pub configuration: Configuration,
    /// What came of it.
    pub observation: Observation,
}

/// Everything a suggestion may depend on. Same question, same answer.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    /// Where to search.
    pub space: &'a SearchSpace,
    /// Finished experiments in order of their numbers; the baseline too where it is a point of the space. All are
    /// canonical configurations of the space.
    pub finished: &'a [Finished],
    /// Configurations that run now.
    pub running: &'a [Configuration],
    /// Experiments the budget allows in total for searching (baseline excluded), for samplers that plan ahead.
    pub budget: u32,
    /// Index of this suggestion, from 0: the number of configurations suggested before.
    pub index: u32,
    /// The task's seed.
    pub seed: u64,
}

/// Why there is no next configuration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SuggestError {
    /// Every valid configuration has been tried or runs now.
    #[error("the search space is exhausted")]
    Exhausted,
    /// No valid configuration was found: conditions and constraints leave nothing.
    #[error("no configuration satisfies the constraints")]
    NothingValid,
}

/// Proposes the next configuration. Stateless: a pure function of the question.
///
/// Contract, checked by the conformance suite in `tuner-search`: never a configuration that was tried or runs; always
/// one that `space.canonical` returns unchanged; `Exhausted` exactly when none is left (finite spaces); same `Ask`,
/// same answer.
pub trait Sampler: Send + Sync {
    /// The next configuration.
    fn suggest(&self, ask: &Ask<'_>) -> Result<Configuration, SuggestError>;
}
