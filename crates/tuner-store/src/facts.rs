//! What all programs that share a store must agree on.

use sea_orm::{ActiveModelTrait, EntityTrait, IntoActiveModel, QuerySelect};

use crate::dialect::Transaction;
use crate::entity::facts;
use crate::{Store, StoreError};

/// Raised when an older program would misunderstand what a newer one wrote, though it knows every table. A store
/// remembers the highest that ever opened it; workers that speak a lower one are refused.
///
/// 2: attempts run under leases on their experiments, and workers help with tasks.
pub const PROTOCOL: i64 = 2;

const NAME: &str = "protocol";

impl Store {
    /// Makes our protocol the store's, unless a higher one is.
    pub(crate) async fn raise_protocol(&self) -> Result<(), StoreError> {
        let read = self.read().await?;
        if protocol(read.rows()).await? >= PROTOCOL {
            return Ok(());
        }
        drop(read);
        let beat = self.beat().await?;
        let row = facts::Entity::find_by_id(NAME.to_owned()).lock_exclusive().one(beat.rows()).await?;
        if let Some(mut row) = row.filter(|row| row.value < PROTOCOL) {
            row.value = PROTOCOL;
            let update = facts::Entity::update(row.into_active_model().reset_all());
            update.exec_without_returning(beat.rows()).await?;
            beat.commit().await?;
        }
        Ok(())
    }
}

/// Refuses a program that is older than one that has used the store.
pub(crate) async fn must_be_current(rows: &Transaction) -> Result<(), StoreError> {
    let store = protocol(rows).await?;
    if store > PROTOCOL { Err(StoreError::StaleVersion { ours: PROTOCOL, store }) } else { Ok(()) }
}

async fn protocol(rows: &Transaction) -> Result<i64, StoreError> {
    let row = facts::Entity::find_by_id(NAME.to_owned()).one(rows).await?;
    Ok(row.map_or(0, |row| row.value))
}
