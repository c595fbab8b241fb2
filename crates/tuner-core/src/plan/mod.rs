//! The planner: from what is known to what is to be done.
//!
//! [`next_step`] is pure and total: it looks at the rows and says what comes next. Resume is the same path as start.

mod attempt;
mod budget;
mod client;
mod forecast;
#[cfg(test)]
mod properties;
mod step;
mod verdict;
mod verify;
mod view;
#[cfg(test)]
mod worlds;

pub use attempt::{LevelStep, next_level};
pub use budget::{Progress, SearchEnd, progress};
pub use forecast::{Forecast, NoForecast};
pub use step::{Step, leader, next_step};
pub use verdict::{Comparison, Decision, FinalStatus, Verdict};
pub use view::{Arm, AttemptEvidence, AttemptState, AttemptView, ExperimentView, Role, TaskView};
