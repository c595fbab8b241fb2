//! Experiments for doors.

use tuner_core::{Measurement, score};
use tuner_policy::Action;
use tuner_store::{ExperimentQuery, FullExperiment, JsonPage, ShownExperiment};

use super::Service;
use crate::access::Permit;
use crate::error::AppError;

/// A measurement in its place.
#[derive(Clone, Debug)]
pub struct Placed {
    /// The attempt, from 1.
    pub attempt: u32,
    /// The level's label, `c8` or `2.5/s poisson`.
    pub label: String,
    /// What was measured.
    pub measurement: Measurement,
}

impl Service {
    /// The experiments of a task, of each the fields that are named, or all.
    ///
    /// # Errors
    /// [`AppError::Store`]: no such task.
    pub async fn list_experiments(
        &self,
        permit: &Permit,
        task: &str,
        query: &ExperimentQuery,
        fields: &[String],
        after: Option<u32>,
        limit: u32,
    ) -> Result<JsonPage, AppError> {
        permit.must_be_for(Action::ExperimentRead)?;
        Ok(self.store().experiment_page(task, query, fields, after, limit).await?)
    }

    /// One experiment.
    ///
    /// # Errors
    /// [`AppError::Store`]: no such task or experiment.
    pub async fn show_experiment(&self, permit: &Permit, task: &str, number: u32) -> Result<ShownExperiment, AppError> {
        permit.must_be_for(Action::ExperimentRead)?;
        if let Some(ended) = self.store().ended_experiment(task, number).await? {
            return Ok(ended);
        }
        let FullExperiment { task, spec, experiment } = self.store().full_experiment(task, number).await?;
        let score = serde_json::to_string(&score::score(&spec, &experiment));
        Ok(ShownExperiment {
            task_id: task.id.to_string(),
            task_name: task.name,
            experiment: serde_json::to_string(&experiment).unwrap_or_default(),
            score: score.unwrap_or_default(),
        })
    }

    /// What was measured in an experiment, in the order of time.
    ///
    /// # Errors
    /// [`AppError::Store`]: no such task or experiment.
    pub async fn measurements(&self, permit: &Permit, task: &str, number: u32) -> Result<Vec<Placed>, AppError> {
        permit.must_be_for(Action::ExperimentRead)?;
        let FullExperiment { spec, experiment, .. } = self.store().full_experiment(task, number).await?;
        let label = |level: u32| spec.load.levels.get(level as usize).map(|l| l.label()).unwrap_or_default();
        let placed = experiment.attempts.into_iter().flat_map(|attempt| {
            let number = attempt.number;
            attempt.measurements.into_iter().map(move |measurement| (number, measurement))
        });
        let placed =
            placed.map(|(attempt, measurement)| Placed { attempt, label: label(measurement.level), measurement });
        Ok(placed.collect())
    }
}
