//! Machines that workers are deployed to, each with a name; and the names of workers that were started otherwise.
//!
//! *Invariant*: a name stands for one machine. How a machine is reached holds no secret.

pub(crate) mod entity;
mod event;

pub use event::MachineChange;

use chrono::{DateTime, Utc};
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use self::entity::machines;
use crate::dialect::Transaction;
use crate::json::{decode, encode};
use crate::store::{Scope, Write};
use crate::workers::WorkerRow;
use crate::{Event, Store, StoreError};

/// The label by which a worker says that it was deployed, and to which machine: the machine's id. A host's name would not
/// do: containers share it, and so do a server and a worker of one machine.
pub const MACHINE_LABEL: &str = "autotuner-machine";

/// A machine to remember.
#[derive(Clone, Debug, PartialEq)]
pub struct NewMachine {
    /// Its id. Stored under the same id twice it is stored once.
    pub id: Uuid,
    /// What people call it and its worker.
    pub name: String,
    /// Its host as its worker registers it, where that is known.
    pub host: Option<String>,
    /// Where it is reached, for people; none: nothing is deployed to it, it only has a name.
    pub target: Option<String>,
    /// How it is reached and what is started there, as whoever deploys writes it.
    pub options: Value,
}

/// A machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MachineRow {
    /// Its id.
    pub id: Uuid,
    /// What people call it and its worker.
    pub name: String,
    /// Its host as its worker registered it last.
    pub host: Option<String>,
    /// Where it is reached, for people.
    pub target: Option<String>,
    /// How it is reached and what is started there.
    pub options: Value,
    /// When it was stored.
    pub created_at: DateTime<Utc>,
    /// When a worker was last deployed to it.
    pub deployed_at: Option<DateTime<Utc>>,
}

impl MachineRow {
    /// Whether a worker is this machine's: it says so, or it says nothing and this is only a name for its host.
    pub fn has(&self, worker: &WorkerRow) -> bool {
        match worker.capabilities.labels.get(MACHINE_LABEL) {
            Some(mark) => *mark == self.id.to_string(),
            None => self.target.is_none() && self.host.as_deref() == Some(worker.owner.host.as_str()),
        }
    }
}

impl TryFrom<machines::Model> for MachineRow {
    type Error = StoreError;
    fn try_from(row: machines::Model) -> Result<Self, StoreError> {
        let of = |what: &str| format!("{what} of machine {:?}", row.name);
        let id =
            row.id.parse().map_err(|e: uuid::Error| StoreError::Corrupt { what: of("id"), source: Box::new(e) })?;
        Ok(Self {
            id,
            options: decode(|| of("options"), &row.options)?,
            name: row.name,
            host: row.host,
            target: row.target,
            created_at: row.created_at,
            deployed_at: row.deployed_at,
        })
    }
}

impl Store {
    /// Remembers a machine. One that is known under this id is given as it is.
    ///
    /// # Errors
    /// [`StoreError::Taken`] if its name belongs to another.
    pub async fn create_machine(&self, new: NewMachine) -> Result<MachineRow, StoreError> {
        let write = self.write().await?;
        if let Some(known) = machines::Entity::find_by_id(new.id.to_string()).one(write.rows()).await? {
            return known.try_into();
        }
        free(&write, &new.name).await?;
        let row = machines::Model {
            id: new.id.to_string(),
            options: encode("options", &new.options)?,
            name: new.name,
            host: new.host,
            target: new.target,
            created_at: write.at,
            deployed_at: None,
        };
        machines::Entity::insert(row.clone().into_active_model()).exec_without_returning(write.rows()).await?;
        write.commit_scoped(told(&row, MachineChange::Stored), Vec::new()).await?;
        row.try_into()
    }

    /// Says how a machine is reached from now on, and what is started there.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn change_machine(&self, id: Uuid, target: &str, options: &Value) -> Result<MachineRow, StoreError> {
        let (target, options) = (target.to_owned(), encode("options", options)?);
        self.edit(id, MachineChange::Changed, |row, _| {
            (row.target, row.options) = (Some(target), options);
        })
        .await
    }

    /// Notes that a worker of this host was deployed.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn machine_deployed(&self, id: Uuid, host: &str) -> Result<MachineRow, StoreError> {
        let host = host.to_owned();
        self.edit(id, MachineChange::Deployed, |row, at| {
            (row.host, row.deployed_at) = (Some(host), Some(at));
        })
        .await
    }

    /// Gives a machine another name. One that has it already is left as it is.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::Taken`] if the name belongs to another.
    pub async fn rename_machine(&self, id: Uuid, name: &str) -> Result<MachineRow, StoreError> {
        let write = self.write().await?;
        let row = of_id(&write, id).await?;
        if row.name == name {
            return row.try_into();
        }
        free(&write, name).await?;
        let row = machines::Model { name: name.to_owned(), ..row };
        self.keep(write, row, MachineChange::Renamed).await
    }

    /// Forgets a machine. A worker that lives there goes on, without a name.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn forget_machine(&self, id: Uuid) -> Result<(), StoreError> {
        let write = self.write().await?;
        let row = of_id(&write, id).await?;
        machines::Entity::delete_by_id(id.to_string()).exec(write.rows()).await?;
        write.commit_scoped(told(&row, MachineChange::Forgotten), Vec::new()).await
    }

    /// Every machine, by name.
    ///
    /// # Errors
    /// [`StoreError::Database`], [`StoreError::Corrupt`].
    pub async fn machines(&self) -> Result<Vec<MachineRow>, StoreError> {
        let read = self.read().await?;
        all(read.rows()).await
    }

    /// The machine of a name, if there is one.
    ///
    /// # Errors
    /// [`StoreError::Database`], [`StoreError::Corrupt`].
    pub async fn machine(&self, name: &str) -> Result<Option<MachineRow>, StoreError> {
        let read = self.read().await?;
        let row = machines::Entity::find().filter(machines::Column::Name.eq(name)).one(read.rows()).await?;
        // The database compares letters as it likes.
        row.filter(|row| row.name == name).map(MachineRow::try_from).transpose()
    }

    async fn edit(
        &self,
        id: Uuid,
        change: MachineChange,
        edit: impl FnOnce(&mut machines::Model, DateTime<Utc>),
    ) -> Result<MachineRow, StoreError> {
        let write = self.write().await?;
        let mut row = of_id(&write, id).await?;
        edit(&mut row, write.at);
        self.keep(write, row, change).await
    }

    async fn keep(&self, write: Write, row: machines::Model, change: MachineChange) -> Result<MachineRow, StoreError> {
        let update = machines::Entity::update(row.clone().into_active_model().reset_all());
        update.exec_without_returning(write.rows()).await?;
        write.commit_scoped(told(&row, change), Vec::new()).await?;
        row.try_into()
    }
}

/// Every machine, by name.
pub(crate) async fn all(rows: &Transaction) -> Result<Vec<MachineRow>, StoreError> {
    let found = machines::Entity::find().order_by_asc(machines::Column::Name).all(rows).await?;
    found.into_iter().map(MachineRow::try_from).collect()
}

async fn of_id(write: &Write, id: Uuid) -> Result<machines::Model, StoreError> {
    let row = machines::Entity::find_by_id(id.to_string()).one(write.rows()).await?;
    row.ok_or_else(|| StoreError::not_found(format!("machine {id}")))
}

async fn free(write: &Write, name: &str) -> Result<(), StoreError> {
    match machines::Entity::find().filter(machines::Column::Name.eq(name)).one(write.rows()).await? {
        None => Ok(()),
        Some(_) => Err(StoreError::Taken { what: "worker", name: name.to_owned() }),
    }
}

fn told(row: &machines::Model, change: MachineChange) -> (Scope, Event) {
    (Scope::default(), Event::Machine { machine: row.id.parse().unwrap_or_default(), name: row.name.clone(), change })
}
