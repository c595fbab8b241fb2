//! Configurations that somebody wants tried before what the search would try.

use tuner_core::{Configuration, SearchSpace};
use tuner_policy::Action;

use super::Service;
use crate::access::Permit;
use crate::error::AppError;
use crate::tasks::space_of;

/// The most that are taken at once.
pub const MOST: usize = 20;

impl Service {
    /// Has configurations of its search space tried next in a task that waits or runs, within its budget. What is tried or
    /// proposed already stays as it is; gives what is new.
    ///
    /// # Errors
    /// [`AppError::Invalid`]: which one is no configuration of the task, and why; [`AppError::Store`]: no such task, or it
    /// has ended.
    pub async fn propose(
        &self,
        permit: &Permit,
        wanted: &str,
        configurations: &[Configuration],
    ) -> Result<Vec<Configuration>, AppError> {
        permit.must_be_for(Action::TaskPropose)?;
        let invalid = |message| AppError::Invalid { field: "configurations", message };
        if configurations.is_empty() || configurations.len() > MOST {
            return Err(invalid(format!("1 to {MOST} configurations at once")));
        }
        let row = self.find(wanted).await?;
        let state = self.store().load(row.id).await?;
        let space = space_of(&state.spec)?;
        for (at, configuration) in configurations.iter().enumerate() {
            check(&space, configuration).map_err(|why| invalid(format!("number {}: {why}", at + 1)))?;
        }
        let tried = |c: &&Configuration| {
            state.experiments.iter().any(|e| space.canonical(&e.configuration).as_ref() == Some(c))
        };
        let canonical: Vec<Configuration> = configurations.iter().filter_map(|c| space.canonical(c)).collect();
        let new: Vec<Configuration> = canonical.iter().filter(|c| !tried(c)).cloned().collect();
        Ok(self.store().propose_configurations(row.id, &new).await?)
    }
}

/// Why it is no configuration of the space.
fn check(space: &SearchSpace, configuration: &Configuration) -> Result<(), String> {
    let known = || space.parameters.iter().map(|p| p.name.as_str()).collect::<Vec<_>>().join(", ");
    if let Some((name, _)) = configuration.iter().find(|(name, _)| space.parameter(name).is_none()) {
        return Err(format!("the task does not vary {name:?}; it varies {}", known()));
    }
    for parameter in space.parameters.iter().filter(|p| space.is_active(p, configuration)) {
        match configuration.get(&parameter.name) {
            None => return Err(format!("{:?} is missing; give {}", parameter.name, known())),
            Some(value) if !parameter.domain.contains(value) => {
                return Err(format!("{value} is no value of {:?} in this task", parameter.name));
            }
            Some(_) => {}
        }
    }
    match space.first_violation(configuration) {
        Some(broken) => Err(format!("it breaks the constraint {broken}")),
        None if space.canonical(configuration).is_none() => {
            Err("it is no configuration of the search space".to_owned())
        }
        None => Ok(()),
    }
}
