//! Finding tasks by what is known of them.

use sea_orm::sea_query::Query;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use super::entity::{archived, revisions};
use crate::entity::tasks;
use crate::row::{TaskId, TaskStatus};
use crate::tasks::page;
use crate::{Store, StoreError, TaskPage};

/// Whether tasks that are put away are listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Archived {
    /// No.
    #[default]
    Without,
    /// Only they.
    Only,
    /// With the others.
    With,
}

/// Which tasks to list; what is empty does not matter.
#[derive(Clone, Debug, Default)]
pub struct TaskQuery {
    /// Of these statuses.
    pub statuses: Vec<TaskStatus>,
    /// Of these engines, by word.
    pub engines: Vec<String>,
    /// With this in its name.
    pub name_contains: Option<String>,
    /// Put away or not.
    pub archived: Archived,
    /// Revisions that were replaced by an edit too.
    pub replaced: bool,
}

impl Store {
    /// At most `limit` tasks, newest first, that are older than `after`.
    ///
    /// # Errors
    /// [`StoreError::Database`], [`StoreError::Corrupt`].
    pub async fn find_tasks(
        &self,
        wanted: &TaskQuery,
        after: Option<TaskId>,
        limit: u32,
    ) -> Result<TaskPage, StoreError> {
        let read = self.read().await?;
        let replaced = Query::select()
            .column(revisions::Column::TaskId)
            .from(revisions::Entity)
            .and_where(revisions::Column::ReplacedBy.is_not_null())
            .take();
        let away = Query::select().column(archived::Column::TaskId).from(archived::Entity).take();
        let mut query = tasks::Entity::find();
        if !wanted.replaced {
            query = query.filter(tasks::Column::Id.not_in_subquery(replaced));
        }
        match wanted.archived {
            Archived::Without => query = query.filter(tasks::Column::Id.not_in_subquery(away)),
            Archived::Only => query = query.filter(tasks::Column::Id.in_subquery(away)),
            Archived::With => {}
        }
        if !wanted.engines.is_empty() {
            query = query.filter(tasks::Column::Engine.is_in(wanted.engines.iter().cloned()));
        }
        if let Some(part) = &wanted.name_contains {
            query = query.filter(tasks::Column::Name.contains(part));
        }
        page(read.rows(), query, &wanted.statuses, after, limit).await
    }
}
