//! Data sets by name: what is known of their files.

use chrono::{DateTime, Utc};
use sea_orm::sea_query::Query;
use sea_orm::{ColumnTrait, Condition, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect};
use serde::Serialize;
use uuid::Uuid;

use super::entity::datasets;
use super::{ShelfChange, ShelfKind};
use crate::entity::tasks;
use crate::json::{number, whole};
use crate::library::entity::revisions;
use crate::row::TaskStatus;
use crate::store::{Scope, Write};
use crate::{Event, Store, StoreError};

/// A data set whose file is in its place.
#[derive(Clone, Debug)]
pub struct NewDataset {
    /// What tasks call it.
    pub name: String,
    /// The machine that has the file.
    pub host: String,
    /// The file.
    pub path: String,
    /// Its size.
    pub bytes: u64,
    /// Its SHA-256, in hexadecimal.
    pub sha256: String,
    /// What its content was found to be.
    pub format: String,
    /// Requests in it.
    pub rows: u64,
    /// `upload`, or the address it came from.
    pub origin: String,
    /// The request that it comes by; made by the same one twice, it is made once.
    pub made_by: Option<Uuid>,
}

/// A data set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DatasetRow {
    /// What tasks call it.
    pub name: String,
    /// The machine that has the file.
    pub host: String,
    /// The file.
    pub path: String,
    /// Its size.
    pub bytes: u64,
    /// Its SHA-256, in hexadecimal.
    pub sha256: String,
    /// What its content was found to be.
    pub format: String,
    /// Requests in it.
    pub rows: u64,
    /// `upload`, or the address it came from.
    pub origin: String,
    /// When it came.
    pub created_at: DateTime<Utc>,
}

impl TryFrom<datasets::Model> for DatasetRow {
    type Error = StoreError;
    fn try_from(row: datasets::Model) -> Result<Self, StoreError> {
        Ok(Self {
            bytes: number("size", row.bytes)?,
            rows: number("rows", row.rows)?,
            name: row.name,
            host: row.host,
            path: row.path,
            sha256: row.sha256,
            format: row.format,
            origin: row.origin,
            created_at: row.created_at,
        })
    }
}

impl Store {
    /// Notes a data set. One that was made by the same request is given as it is.
    ///
    /// # Errors
    /// [`StoreError::Taken`] if its name belongs to another.
    pub async fn create_dataset(&self, new: NewDataset) -> Result<DatasetRow, StoreError> {
        let write = self.write().await?;
        let made_by = new.made_by.map(|id| id.to_string());
        if let Some(known) = datasets::Entity::find_by_id(&new.name).one(write.rows()).await? {
            if made_by.is_some() && known.made_by == made_by {
                return known.try_into();
            }
            return Err(StoreError::Taken { what: "data set", name: new.name });
        }
        let row = datasets::Model {
            made_by,
            bytes: whole(new.bytes),
            rows: whole(new.rows),
            name: new.name,
            host: new.host,
            path: new.path,
            sha256: new.sha256,
            format: new.format,
            origin: new.origin,
            created_at: write.at,
        };
        datasets::Entity::insert(row.clone().into_active_model()).exec_without_returning(write.rows()).await?;
        write.commit_scoped(told(&row.name, ShelfChange::Stored), Vec::new()).await?;
        row.try_into()
    }

    /// Every data set, by name.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn datasets(&self) -> Result<Vec<DatasetRow>, StoreError> {
        let read = self.read().await?;
        let rows = datasets::Entity::find().order_by_asc(datasets::Column::Name).all(read.rows()).await?;
        rows.into_iter().map(DatasetRow::try_from).collect()
    }

    /// A data set.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn dataset(&self, name: &str) -> Result<DatasetRow, StoreError> {
        let read = self.read().await?;
        let row = datasets::Entity::find_by_id(name).one(read.rows()).await?;
        row.ok_or_else(|| absent(name))?.try_into()
    }

    /// A data set of this name, if it was made by this request.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn made_dataset(&self, name: &str, by: Uuid) -> Result<Option<DatasetRow>, StoreError> {
        let read = self.read().await?;
        let row = datasets::Entity::find_by_id(name).one(read.rows()).await?;
        row.filter(|row| row.made_by == Some(by.to_string())).map(DatasetRow::try_from).transpose()
    }

    /// Forgets a data set; its file is the caller's to remove afterwards.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::InUse`] while a task names its file that may still run.
    pub async fn delete_dataset(&self, name: &str) -> Result<DatasetRow, StoreError> {
        let write = self.write().await?;
        let row = datasets::Entity::find_by_id(name).one(write.rows()).await?.ok_or_else(|| absent(name))?;
        if let Some(task) = user_of(&write, &row.path).await? {
            return Err(StoreError::InUse { what: format!("data set {name:?}"), holder: format!("task {task:?}") });
        }
        datasets::Entity::delete_by_id(name).exec(write.rows()).await?;
        write.commit_scoped(told(name, ShelfChange::Deleted), Vec::new()).await?;
        row.try_into()
    }
}

/// The name of a task that names the file and is not done with it.
async fn user_of(write: &Write, path: &str) -> Result<Option<String>, StoreError> {
    // As it stands in the specification: a text of JSON, quotes included.
    let quoted = serde_json::to_string(path).unwrap_or_default();
    let replaced = Query::select()
        .column(revisions::Column::TaskId)
        .from(revisions::Entity)
        .and_where(revisions::Column::ReplacedBy.is_not_null())
        .take();
    let may_run = Condition::all()
        .add(tasks::Column::Status.ne(TaskStatus::Completed.word()))
        .add(tasks::Column::Id.not_in_subquery(replaced));
    let named = tasks::Entity::find()
        .select_only()
        .columns([tasks::Column::Name, tasks::Column::Spec])
        .filter(may_run)
        .filter(tasks::Column::Spec.contains(&quoted))
        .order_by_asc(tasks::Column::Id);
    let found = named.into_tuple::<(String, String)>().all(write.rows()).await?;
    // The database compares letters as it likes.
    Ok(found.into_iter().find(|(_, spec)| spec.contains(&quoted)).map(|(name, _)| name))
}

fn absent(name: &str) -> StoreError {
    StoreError::not_found(format!("data set {name:?}"))
}

fn told(name: &str, change: ShelfChange) -> (Scope, Event) {
    (Scope::default(), Event::Shelf { item: ShelfKind::Dataset, name: name.to_owned(), change })
}
