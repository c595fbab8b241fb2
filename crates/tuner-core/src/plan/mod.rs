//! The planner: from what is known to what is to be done.

mod view;

pub use view::{Arm, AttemptEvidence, AttemptState, AttemptView, ExperimentView, Role, TaskView};
