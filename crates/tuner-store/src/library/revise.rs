//! Revisions and the archive.
//!
//! *Invariant*: what a task asked for never changes. An edit stores another row under the task's name; the one before
//! keeps its id, its experiments and its logs, ends if it had not, and is called `NAME.rN`.

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect,
    sea_query::OnConflict,
};
use serde::Serialize;

use super::entity::{archived, revisions};
use crate::dialect::Transaction;
use crate::entity::tasks;
use crate::json::{encode, number};
use crate::row::{TaskId, TaskRow, TaskStatus, read_id};
use crate::store::{Scope, Write};
use crate::tasks::{change, locked, must_be_free, pending};
use crate::{Event, NewTask, Store, StoreError, jobs};

/// One revision of a task.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RevisionRow {
    /// From 1.
    pub number: u32,
    /// When it was made.
    pub at: DateTime<Utc>,
    /// The task that it is.
    pub task: TaskRow,
}

/// Where a row stands among the revisions of its task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revised {
    /// From 1.
    pub number: u32,
    /// The revision that took its place.
    pub replaced_by: Option<TaskId>,
    /// When it was put away.
    pub archived_at: Option<DateTime<Utc>>,
}

impl Store {
    /// Stores a new revision of a task, pending, under the task's name or the one that the new content gives.
    ///
    /// # Errors
    /// [`StoreError::WrongState`] while it runs or if it was replaced already; [`StoreError::InUse`];
    /// [`StoreError::NameTaken`].
    pub async fn revise_task(&self, old: TaskId, new: NewTask) -> Result<TaskRow, StoreError> {
        let spec = encode("task", &new.spec)?;
        let write = self.write().await?;
        let row = locked(&write, old).await?;
        at_rest(&write, &row, "edit it").await?;
        let known = revisions::Entity::find_by_id(old.to_string()).one(write.rows()).await?;
        if let Some(by) = known.as_ref().and_then(|k| k.replaced_by.as_ref()) {
            let state = format!("replaced by {by}");
            return Err(StoreError::WrongState { what: format!("task {}", row.name), state, wanted: "edit it" });
        }
        let known = known.unwrap_or(revisions::Model {
            task_id: row.id.clone(),
            origin: row.id.clone(),
            number: 1,
            at: row.created_at,
            replaced_by: None,
        });
        let name = new.spec.name.clone();
        let namesake = tasks::Entity::find().filter(tasks::Column::Name.eq(&name)).one(write.rows()).await?;
        if let Some(namesake) = namesake.filter(|other| other.id != row.id) {
            return Err(StoreError::NameTaken { name, id: read_id(&namesake.id)? });
        }
        let was = TaskStatus::read(&row.status)?;
        let mut put_aside = change(row.clone());
        put_aside.name = Set(free_name(&write, &row.name, known.number).await?);
        let mut events = Vec::new();
        if !was.is_end() {
            events.extend(jobs::cancel_with_task(&write, old, TaskStatus::Cancelled).await?);
            put_aside.status = Set(TaskStatus::Cancelled.word().to_owned());
            put_aside.ended_at = Set(Some(write.at));
            let ended = Event::TaskEnded { status: TaskStatus::Cancelled, verdict: None, failure: None };
            events.push((Scope::task(old), ended));
        }
        tasks::Entity::update(put_aside).exec_without_returning(write.rows()).await?;
        let id = new.id;
        let next = pending(&write, new, spec);
        tasks::Entity::insert(next.clone().into_active_model()).exec_without_returning(write.rows()).await?;
        let number_of_next = known.number + 1;
        let lineage = [
            revisions::Model { replaced_by: Some(id.to_string()), ..known.clone() },
            revisions::Model {
                task_id: id.to_string(),
                origin: known.origin,
                number: number_of_next,
                at: write.at,
                replaced_by: None,
            },
        ];
        for row in lineage {
            let again =
                OnConflict::column(revisions::Column::TaskId).update_column(revisions::Column::ReplacedBy).to_owned();
            let insert = revisions::Entity::insert(row.into_active_model()).on_conflict(again);
            insert.exec_without_returning(write.rows()).await?;
        }
        let revised = Event::TaskRevised { name, number: number("revision", number_of_next)?, replaces: old };
        write.commit_scoped((Scope::task(id), revised), events).await?;
        next.try_into()
    }

    /// Puts a task away, or back. Doing it twice changes nothing.
    ///
    /// # Errors
    /// [`StoreError::NoSuchTask`]; [`StoreError::WrongState`] while it runs; [`StoreError::InUse`].
    pub async fn archive_task(&self, id: TaskId, away: bool) -> Result<(), StoreError> {
        let write = self.write().await?;
        let row = locked(&write, id).await?;
        let is_away = archived::Entity::find_by_id(id.to_string()).one(write.rows()).await?.is_some();
        if is_away == away {
            return Ok(());
        }
        if away {
            at_rest(&write, &row, "archive it").await?;
            let mark = archived::Model { task_id: id.to_string(), at: write.at };
            archived::Entity::insert(mark.into_active_model()).exec_without_returning(write.rows()).await?;
        } else {
            archived::Entity::delete_by_id(id.to_string()).exec(write.rows()).await?;
        }
        write.commit(Scope::task(id), if away { Event::TaskArchived } else { Event::TaskUnarchived }).await
    }

    /// Where a task stands among its revisions, and whether it is put away.
    ///
    /// # Errors
    /// [`StoreError::Database`], [`StoreError::Corrupt`].
    pub async fn revised(&self, id: TaskId) -> Result<Revised, StoreError> {
        let read = self.read().await?;
        standing(read.rows(), id).await
    }

    /// Every revision of the task that this is one of, the newest first; empty if it was never edited.
    ///
    /// # Errors
    /// [`StoreError::Database`], [`StoreError::Corrupt`].
    pub async fn revisions(&self, id: TaskId) -> Result<Vec<RevisionRow>, StoreError> {
        let read = self.read().await?;
        let origin = revisions::Entity::find_by_id(id.to_string())
            .select_only()
            .column(revisions::Column::Origin)
            .into_tuple::<String>()
            .one(read.rows())
            .await?;
        let Some(origin) = origin else { return Ok(Vec::new()) };
        let all = revisions::Entity::find().filter(revisions::Column::Origin.eq(origin));
        let mut rows = Vec::new();
        for known in all.order_by_desc(revisions::Column::Number).all(read.rows()).await? {
            let task = tasks::Entity::find_by_id(known.task_id.clone()).one(read.rows()).await?;
            if let Some(task) = task {
                rows.push(RevisionRow {
                    number: number("revision", known.number)?,
                    at: known.at,
                    task: task.try_into()?,
                });
            }
        }
        Ok(rows)
    }
}

/// Where a task stands as [`Store::revised`] says it.
async fn standing(rows: &Transaction, id: TaskId) -> Result<Revised, StoreError> {
    let known = revisions::Entity::find_by_id(id.to_string()).one(rows).await?;
    let away = archived::Entity::find_by_id(id.to_string()).one(rows).await?;
    Ok(Revised {
        number: known.as_ref().map_or(Ok(1), |known| number("revision", known.number))?,
        replaced_by: known.and_then(|known| known.replaced_by).as_deref().map(read_id).transpose()?,
        archived_at: away.map(|mark| mark.at),
    })
}

/// Refuses while something may be done with the task.
async fn at_rest(write: &Write, row: &tasks::Model, wanted: &'static str) -> Result<(), StoreError> {
    let status = TaskStatus::read(&row.status)?;
    if matches!(status, TaskStatus::Running | TaskStatus::Cancelling) {
        let what = format!("task {}", row.name);
        return Err(StoreError::WrongState { what, state: status.word().to_owned(), wanted });
    }
    must_be_free(write, row).await
}

/// `NAME.rN`, with something more if another task is called so.
async fn free_name(write: &Write, name: &str, number: i64) -> Result<String, StoreError> {
    let mut wanted = format!("{name}.r{number}");
    while tasks::Entity::find().filter(tasks::Column::Name.eq(&wanted)).one(write.rows()).await?.is_some() {
        wanted.push('.');
    }
    Ok(wanted)
}
