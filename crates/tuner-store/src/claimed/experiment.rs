//! Experiments: decided on once, ended once.

use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QuerySelect};
use serde_json::Value as Json;
use tuner_core::plan::{AttemptState, Role};
use tuner_core::{Configuration, Outcome};

use super::Claimed;
use crate::entity::{attempts, experiments};
use crate::json::{encode, encode_option};
use crate::library::outcomes::recount;
use crate::row::attempt_word;
use crate::store::{Scope, Write};
use crate::{Event, StoreError};

impl Claimed {
    /// Writes down that a configuration is going to be tried under this number (from 1).
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`]; [`StoreError::Conflict`] if the number has another role or configuration.
    pub async fn create_experiment(
        &self,
        number: u32,
        role: Role,
        configuration: &Configuration,
    ) -> Result<(), StoreError> {
        let role_text = encode("role", &role)?;
        let configuration_text = encode("configuration", configuration)?;
        let write = self.write().await?;
        let key = (self.task.to_string(), i64::from(number));
        if let Some(row) = experiments::Entity::find_by_id(key.clone()).one(write.rows()).await? {
            if row.role == role_text && row.configuration == configuration_text {
                return Ok(());
            }
            return Err(StoreError::Conflict { what: self.experiment_name(number) });
        }
        let row = experiments::ActiveModel {
            task_id: Set(key.0),
            number: Set(key.1),
            role: Set(role_text),
            configuration: Set(configuration_text),
            key: Set(configuration.key()),
            outcome_word: Set(None),
            outcome: Set(None),
            score: Set(None),
            created_at: Set(write.at),
            ended_at: Set(None),
        };
        experiments::Entity::insert(row).exec_without_returning(write.rows()).await?;
        recount(write.rows(), Some(self.task)).await?;
        let event = Event::ExperimentCreated { role, configuration: configuration.clone() };
        write.commit(Scope::experiment(self.task, number), event).await
    }

    /// Ends an experiment.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`]; [`StoreError::NotFound`]; [`StoreError::Conflict`] if it has ended otherwise;
    /// [`StoreError::WrongState`] while one of its attempts runs.
    pub async fn end_experiment(&self, number: u32, outcome: &Outcome, score: Option<&Json>) -> Result<(), StoreError> {
        let outcome_text = encode("outcome", outcome)?;
        let score_text = encode_option("score", score)?;
        let write = self.write().await?;
        let row = self.experiment(&write, number).await?;
        if row.outcome.is_some() {
            if row.outcome.as_ref() == Some(&outcome_text) && row.score == score_text {
                return Ok(());
            }
            return Err(StoreError::Conflict { what: format!("the end of {}", self.experiment_name(number)) });
        }
        let open = attempts::Entity::find()
            .filter(attempts::Column::TaskId.eq(self.task.to_string()))
            .filter(attempts::Column::Experiment.eq(i64::from(number)))
            .filter(attempts::Column::State.eq(attempt_word(AttemptState::Running)));
        if let Some(open) = open.one(write.rows()).await? {
            return Err(StoreError::WrongState {
                what: format!("attempt {} of {}", open.number, self.experiment_name(number)),
                state: open.state,
                wanted: "end the experiment",
            });
        }
        let mut change = row.into_active_model();
        change.outcome_word = Set(Some(outcome.word().to_owned()));
        change.outcome = Set(Some(outcome_text));
        change.score = Set(score_text);
        change.ended_at = Set(Some(write.at));
        experiments::Entity::update(change).exec_without_returning(write.rows()).await?;
        recount(write.rows(), Some(self.task)).await?;
        let event = Event::ExperimentEnded { outcome: outcome.clone(), score: score.cloned() };
        write.commit(Scope::experiment(self.task, number), event).await
    }

    /// An experiment's row, locked until the end of the transaction.
    pub(super) async fn experiment(&self, write: &Write, number: u32) -> Result<experiments::Model, StoreError> {
        let key = (self.task.to_string(), i64::from(number));
        let row = experiments::Entity::find_by_id(key).lock_exclusive().one(write.rows()).await?;
        row.ok_or_else(|| StoreError::not_found(self.experiment_name(number)))
    }

    pub(super) fn experiment_name(&self, number: u32) -> String {
        format!("experiment {number} of task {}", self.task)
    }
}
