//! Configurations that somebody wants tried before what the search would try.
//!
//! *Invariant*: a configuration is proposed for a task once, however often it is sent.

use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use tuner_core::Configuration;

use super::entity::proposals;
use crate::dialect::Transaction;
use crate::event::{Event, Severity};
use crate::json::{decode, encode};
use crate::row::{TaskId, TaskStatus};
use crate::store::Scope;
use crate::tasks::locked;
use crate::{Store, StoreError};

impl Store {
    /// Proposes configurations for a task that waits or runs; gives those that were not proposed before.
    ///
    /// # Errors
    /// [`StoreError::NoSuchTask`]; [`StoreError::WrongState`] once it has ended or is to stop.
    pub async fn propose_configurations(
        &self,
        task: TaskId,
        configurations: &[Configuration],
    ) -> Result<Vec<Configuration>, StoreError> {
        let write = self.write().await?;
        let row = locked(&write, task).await?;
        let status = TaskStatus::read(&row.status)?;
        if !matches!(status, TaskStatus::Pending | TaskStatus::Running) {
            let what = format!("task {:?}", row.name);
            return Err(StoreError::WrongState { what, state: status.to_string(), wanted: "pending or running" });
        }
        let known = proposals::Entity::find().filter(proposals::Column::TaskId.eq(task.to_string()));
        let known = known.all(write.rows()).await?;
        let mut place = known.iter().map(|row| row.place).max().unwrap_or(0);
        let mut keys: Vec<String> = known.into_iter().map(|row| row.configuration_key).collect();
        let mut new = Vec::new();
        for configuration in configurations {
            let key = configuration.key();
            if keys.contains(&key) {
                continue;
            }
            place += 1;
            let row = proposals::ActiveModel {
                task_id: Set(task.to_string()),
                place: Set(place),
                configuration_key: Set(key.clone()),
                configuration: Set(encode("configuration", configuration)?),
                at: Set(write.at),
            };
            proposals::Entity::insert(row).exec_without_returning(write.rows()).await?;
            keys.push(key);
            new.push(configuration.clone());
        }
        if new.is_empty() {
            return Ok(new);
        }
        let listed: Vec<String> = new.iter().map(Configuration::to_string).collect();
        let text = format!("to be tried next, on somebody's wish: {}", listed.join("; "));
        write.commit(Scope::task(task), Event::Note { severity: Severity::Info, text }).await?;
        Ok(new)
    }
}

/// What was proposed for a task, in order.
pub(crate) async fn proposed(rows: &Transaction, task: TaskId) -> Result<Vec<Configuration>, StoreError> {
    let found = proposals::Entity::find().filter(proposals::Column::TaskId.eq(task.to_string()));
    let found = found.order_by_asc(proposals::Column::Place).all(rows).await?;
    found.iter().map(|row| decode(|| format!("a proposal for task {task}"), &row.configuration)).collect()
}
