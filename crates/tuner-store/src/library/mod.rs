//! Tasks as a library that is kept, searched and revised: filters and cursors, the archive, revisions, counts.

mod ended;
pub(crate) mod entity;
mod experiments;
mod full;
mod health;
pub(crate) mod outcomes;
mod page;
pub(crate) mod proposals;
mod revise;
mod search;
mod sql;
mod typical;

pub use ended::ShownExperiment;
pub use experiments::{ExperimentQuery, ExperimentSort};
pub use full::{FullExperiment, FullTask};
pub use health::Counts;
pub use page::{EXPERIMENT_FIELDS, JsonPage};
pub use revise::{Revised, RevisionRow};
pub use search::{Archived, TaskQuery};
pub use typical::Typical;
