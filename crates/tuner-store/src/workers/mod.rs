//! Who works: what each worker has, how busy it is, whether it lives, and what it is asked to do.
//!
//! Doors write what is asked, the worker reads it with each heartbeat. A worker that was removed, or whose program is
//! older than one that has used the store, learns of it there too, and must stop.

mod event;
mod row;

pub use event::WorkerChange;
pub use row::{Asked, Load, WORKER_EXPIRY, WorkerId, WorkerRow};

use sea_orm::{ActiveModelTrait, EntityTrait, IntoActiveModel, QueryOrder, QuerySelect};

use crate::dialect::Transaction;
use crate::entity::workers;
use crate::json::encode;
use crate::store::Scope;
use crate::{Capabilities, Event, Owner, PROTOCOL, Store, StoreError, facts, machines};

/// A worker that begins. The id is chosen by the caller, once for each process.
#[derive(Clone, Debug, PartialEq)]
pub struct NewWorker {
    /// Its id.
    pub id: WorkerId,
    /// The process.
    pub owner: Owner,
    /// Version of its program.
    pub version: String,
    /// How many jobs it runs at once.
    pub slots: u32,
    /// What its host has.
    pub capabilities: Capabilities,
}

impl Store {
    /// Makes a worker known, asked to run. Doing it again updates what it has and leaves what it is asked.
    ///
    /// # Errors
    /// [`StoreError::StaleVersion`] if a newer version of the program has used the store.
    pub async fn register_worker(&self, new: NewWorker) -> Result<WorkerRow, StoreError> {
        let write = self.write().await?;
        facts::must_be_current(write.rows()).await?;
        let known = workers::Entity::find_by_id(new.id.to_string()).lock_exclusive().one(write.rows()).await?;
        let change = WorkerChange::Registered { owner: new.owner.clone(), version: new.version.clone() };
        let mut row = workers::Model {
            id: new.id.to_string(),
            owner: encode("owner", &new.owner)?,
            version: new.version,
            protocol: PROTOCOL,
            slots: i64::from(new.slots),
            capabilities: encode("capabilities", &new.capabilities)?,
            load: encode("load", &Load::default())?,
            asked: Asked::Run.word().to_owned(),
            registered_at: write.at,
            heartbeat_at: write.at,
        };
        let at = write.at;
        match known {
            None => {
                let insert = workers::Entity::insert(row.clone().into_active_model());
                insert.exec_without_returning(write.rows()).await?;
            }
            Some(known) => {
                row =
                    workers::Model { load: known.load, asked: known.asked, registered_at: known.registered_at, ..row };
                let update = workers::Entity::update(row.clone().into_active_model().reset_all());
                update.exec_without_returning(write.rows()).await?;
            }
        }
        write.commit(Scope::default(), Event::Worker { worker: new.id, change }).await?;
        WorkerRow::seen(row, at)
    }

    /// A sign of life with the load. Gives what the worker is asked to do. Costs one row and no event.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if the worker was removed, [`StoreError::StaleVersion`] if a newer version of the
    /// program has used the store since it began: either way it must stop.
    pub async fn worker_heartbeat(&self, id: WorkerId, load: &Load) -> Result<Asked, StoreError> {
        let beat = self.beat().await?;
        let mut row = locked(beat.rows(), id).await?;
        facts::must_be_current(beat.rows()).await?;
        let asked = Asked::read(&row.asked)?;
        row.load = encode("load", load)?;
        row.heartbeat_at = self.time(beat.rows()).await?;
        let update = workers::Entity::update(row.into_active_model().reset_all());
        update.exec_without_returning(beat.rows()).await?;
        beat.commit().await?;
        Ok(asked)
    }

    /// Asks a worker for something; it obeys with its next heartbeat.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn ask_worker(&self, id: WorkerId, asked: Asked) -> Result<(), StoreError> {
        let write = self.write().await?;
        let mut row = locked(write.rows(), id).await?;
        if row.asked == asked.word() {
            return Ok(());
        }
        asked.word().clone_into(&mut row.asked);
        let update = workers::Entity::update(row.into_active_model().reset_all());
        update.exec_without_returning(write.rows()).await?;
        write.commit(Scope::default(), Event::Worker { worker: id, change: WorkerChange::Asked { asked } }).await
    }

    /// Every worker that is known, oldest first, dead ones included.
    ///
    /// # Errors
    /// [`StoreError::Database`], [`StoreError::Corrupt`].
    pub async fn list_workers(&self) -> Result<Vec<WorkerRow>, StoreError> {
        let read = self.read().await?;
        let at = self.time(read.rows()).await?;
        let rows = workers::Entity::find().order_by_asc(workers::Column::Id).all(read.rows()).await?;
        let machines = if rows.is_empty() { Vec::new() } else { machines::all(read.rows()).await? };
        rows.into_iter().map(|row| Ok(WorkerRow::seen(row, at)?.named(&machines))).collect()
    }

    /// A worker.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::Corrupt`].
    pub async fn worker(&self, id: WorkerId) -> Result<WorkerRow, StoreError> {
        let read = self.read().await?;
        let at = self.time(read.rows()).await?;
        let row = workers::Entity::find_by_id(id.to_string()).one(read.rows()).await?;
        let machines = machines::all(read.rows()).await?;
        Ok(WorkerRow::seen(row.ok_or_else(|| no_worker(id))?, at)?.named(&machines))
    }

    /// What a worker is asked to do. Costs one row.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::Corrupt`].
    pub async fn asked_of(&self, id: WorkerId) -> Result<Asked, StoreError> {
        let read = self.read().await?;
        let row = workers::Entity::find_by_id(id.to_string()).one(read.rows()).await?;
        Asked::read(&row.ok_or_else(|| no_worker(id))?.asked)
    }

    /// Forgets a worker: it does so itself when it ends, and doors do so with one that died. One that lives learns of it
    /// with its next heartbeat. Its jobs are others' to claim when their leases expire.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn remove_worker(&self, id: WorkerId) -> Result<(), StoreError> {
        let write = self.write().await?;
        locked(write.rows(), id).await?;
        workers::Entity::delete_by_id(id.to_string()).exec(write.rows()).await?;
        write.commit(Scope::default(), Event::Worker { worker: id, change: WorkerChange::Removed }).await
    }
}

/// A worker's row, locked until the end of the transaction.
async fn locked(rows: &Transaction, id: WorkerId) -> Result<workers::Model, StoreError> {
    let row = workers::Entity::find_by_id(id.to_string()).lock_exclusive().one(rows).await?;
    row.ok_or_else(|| no_worker(id))
}

fn no_worker(id: WorkerId) -> StoreError {
    StoreError::not_found(format!("worker {id}"))
}
