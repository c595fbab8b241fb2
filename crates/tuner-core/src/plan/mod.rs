//! The planner: from what is known to what is to be done.
//!
//! [`next_step`] is pure and total: it looks at the rows and says what comes next. Resume is the same path as start.

mod attempt;
mod budget;
mod client;
mod forecast;
mod help;
mod losing;
#[cfg(test)]
mod properties;
mod step;
#[cfg(test)]
mod together;
mod verdict;
mod verify;
mod view;
#[cfg(test)]
mod worlds;

pub use attempt::{LevelStep, next_level};
pub use budget::{Progress, SearchEnd, progress};
pub use forecast::{Forecast, NoForecast};
pub use help::{Help, next_help, wants_help};
pub use losing::to_beat;
pub use step::{Step, finished, leader, next_step, suggestion};
pub use verdict::{Comparison, Decision, FinalStatus, Verdict};
pub use view::{Arm, AttemptEvidence, AttemptState, AttemptView, ExperimentView, Places, Role, TaskView};
