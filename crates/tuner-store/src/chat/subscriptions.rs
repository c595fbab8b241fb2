//! Conversations that want to be told when a task ends.

use chrono::{DateTime, Utc};
use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use uuid::Uuid;

use super::entity::subscriptions;
use super::row::read_uuid;
use super::sessions::find;
use crate::entity::tasks;
use crate::json::{decode, encode, plain};
use crate::{Store, StoreError, TaskId, TaskStatus};

/// What a conversation is told of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TaskNews {
    /// It is completed.
    #[serde(rename = "task_completed")]
    Completed,
    /// It failed.
    #[serde(rename = "task_failed")]
    Failed,
    /// It was cancelled.
    #[serde(rename = "task_cancelled")]
    Cancelled,
}

impl TaskNews {
    /// The word on the wire.
    pub fn word(self) -> &'static str {
        match self {
            Self::Completed => "task_completed",
            Self::Failed => "task_failed",
            Self::Cancelled => "task_cancelled",
        }
    }

    /// What there is to tell of a task in this status.
    pub fn of(status: TaskStatus) -> Option<Self> {
        match status {
            TaskStatus::Completed => Some(Self::Completed),
            TaskStatus::Failed => Some(Self::Failed),
            TaskStatus::Cancelled => Some(Self::Cancelled),
            TaskStatus::Pending | TaskStatus::Running | TaskStatus::Cancelling => None,
        }
    }
}

/// A wish to be told.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TaskSubscription {
    /// Its id, which is also that of the message that tells.
    pub id: Uuid,
    /// The conversation.
    pub session: Uuid,
    /// The task's id.
    pub task_id: String,
    /// Of what.
    pub event_types: Vec<TaskNews>,
    /// Who wished it, as the application describes askers.
    #[serde(skip)]
    pub asker: Json,
    /// When.
    pub created_at: DateTime<Utc>,
}

impl TryFrom<subscriptions::Model> for TaskSubscription {
    type Error = StoreError;
    fn try_from(row: subscriptions::Model) -> Result<Self, StoreError> {
        Ok(Self {
            id: read_uuid(&row.id)?,
            session: read_uuid(&row.session_id)?,
            event_types: decode(|| format!("subscription {}", row.id), &row.kinds)?,
            asker: decode(|| format!("asker of subscription {}", row.id), &row.asker)?,
            task_id: row.task_id,
            created_at: row.created_at,
        })
    }
}

impl Store {
    /// Has a conversation told of a task's end; an earlier wish about the same task is replaced.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn subscribe(
        &self,
        session: Uuid,
        task: TaskId,
        kinds: &[TaskNews],
        asker: &Json,
    ) -> Result<TaskSubscription, StoreError> {
        let write = self.write().await?;
        find(write.rows(), session).await?;
        of(session).filter(subscriptions::Column::TaskId.eq(task.to_string())).exec(write.rows()).await?;
        let row = subscriptions::Model {
            id: Uuid::now_v7().to_string(),
            session_id: session.to_string(),
            task_id: task.to_string(),
            kinds: encode("kinds", &kinds.to_vec())?,
            asker: plain("asker", asker)?,
            created_at: write.at,
        };
        subscriptions::Entity::insert(row.clone().into_active_model()).exec_without_returning(write.rows()).await?;
        write.commit_quietly().await?;
        row.try_into()
    }

    /// Takes the wish back.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if there is none.
    pub async fn unsubscribe(&self, session: Uuid, task: TaskId) -> Result<(), StoreError> {
        let write = self.write().await?;
        let gone = of(session).filter(subscriptions::Column::TaskId.eq(task.to_string())).exec(write.rows()).await?;
        write.commit_quietly().await?;
        if gone.rows_affected == 0 {
            return Err(StoreError::not_found(format!("subscription to task {task}")));
        }
        Ok(())
    }

    /// A conversation's wishes, the oldest first.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn subscriptions(&self, session: Uuid) -> Result<Vec<TaskSubscription>, StoreError> {
        let read = self.read().await?;
        let rows = subscriptions::Entity::find().filter(subscriptions::Column::SessionId.eq(session.to_string()));
        let rows = rows.order_by_asc(subscriptions::Column::CreatedAt).all(read.rows()).await?;
        rows.into_iter().map(TaskSubscription::try_from).collect()
    }

    /// Wishes about tasks that have ended, with the task's name and status.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn due_subscriptions(&self) -> Result<Vec<(TaskSubscription, String, TaskStatus)>, StoreError> {
        let read = self.read().await?;
        let rows = subscriptions::Entity::find().all(read.rows()).await?;
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let ids: Vec<String> = rows.iter().map(|row| row.task_id.clone()).collect();
        let known = tasks::Entity::find().filter(tasks::Column::Id.is_in(ids)).all(read.rows()).await?;
        let mut due = Vec::new();
        for row in rows {
            let Some(task) = known.iter().find(|task| task.id == row.task_id) else { continue };
            let status = TaskStatus::read(&task.status)?;
            if status.is_end() {
                due.push((row.try_into()?, task.name.clone(), status));
            }
        }
        Ok(due)
    }

    /// Forgets a wish that was fulfilled.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn end_subscription(&self, id: Uuid) -> Result<(), StoreError> {
        let write = self.write().await?;
        subscriptions::Entity::delete_by_id(id.to_string()).exec(write.rows()).await?;
        write.commit_quietly().await
    }
}

/// Those of a conversation, to be removed.
fn of(session: Uuid) -> sea_orm::DeleteMany<subscriptions::Entity> {
    subscriptions::Entity::delete_many().filter(subscriptions::Column::SessionId.eq(session.to_string()))
}
