//! Deployments that may still run, for those who clean up after a crash.
//!
//! A deployment is written down before it is launched, so whatever runs is in this list; it leaves the list only when
//! somebody has seen that it is gone, or that nobody of its host was there for long. These calls need no lease: that a process
//! is gone is a fact, whoever saw it.

use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect};

use crate::entity::{deployments, held_gpus};
use crate::row::{DeploymentRow, DeploymentState};
use crate::store::Scope;
use crate::{Store, StoreError};

impl Store {
    /// Every deployment that is not known to be gone, oldest first, of every task and host.
    ///
    /// # Errors
    /// [`StoreError::Database`], [`StoreError::Corrupt`].
    pub async fn live_deployments(&self) -> Result<Vec<DeploymentRow>, StoreError> {
        let read = self.read().await?;
        let alive = deployments::Entity::find()
            .filter(deployments::Column::State.ne(DeploymentState::Stopped.word()))
            .order_by_asc(deployments::Column::CreatedAt)
            .order_by_asc(deployments::Column::Id);
        alive.all(read.rows()).await?.into_iter().map(DeploymentRow::try_from).collect()
    }

    /// Records that a deployment is gone and frees its port and its GPUs. Doing it again changes nothing.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn deployment_stopped(&self, id: &str) -> Result<(), StoreError> {
        let write = self.write().await?;
        let row = deployments::Entity::find_by_id(id.to_owned()).lock_exclusive().one(write.rows()).await?;
        let row = row.ok_or_else(|| StoreError::not_found(format!("deployment {id:?}")))?;
        let seen = DeploymentRow::try_from(row.clone())?;
        if seen.state == DeploymentState::Stopped {
            return Ok(());
        }
        let mut change = row.into_active_model();
        change.state = Set(DeploymentState::Stopped.word().to_owned());
        change.held_port = Set(None);
        change.stopped_at = Set(Some(write.at));
        deployments::Entity::update(change).exec_without_returning(write.rows()).await?;
        let held = held_gpus::Entity::delete_many().filter(held_gpus::Column::DeploymentId.eq(id));
        held.exec(write.rows()).await?;
        write.commit(Scope::experiment(seen.task, seen.experiment), seen.stopped_event()).await
    }
}
