//! Tasks as a library that is kept, searched and revised: filters and cursors, the archive, revisions, counts.

mod entity;
mod experiments;
mod full;
mod health;
mod revise;
mod search;
mod typical;

pub use experiments::{ExperimentPage, ExperimentQuery, ExperimentSort};
pub use full::{FullExperiment, FullTask};
pub use health::Counts;
pub use revise::{Revised, RevisionRow};
pub use search::{Archived, TaskQuery};
pub use typical::Typical;
