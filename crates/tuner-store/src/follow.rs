//! Following events by number: replay from any point, then wait for more.

use std::sync::Arc;
use std::time::Duration;

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use tokio::sync::watch;
use uuid::Uuid;

use crate::entity::events;
use crate::json::{decode, number};
use crate::row::{TaskId, read_id};
use crate::wake::Watching;
use crate::{EventRow, Store, StoreError};

/// How often a follower looks even if nothing woke it: the last resort when the database was out of reach for a while.
const FALLBACK: Duration = Duration::from_secs(1);

/// Whose events are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// All there are.
    All,
    /// Those of a task.
    Task(TaskId),
    /// Those of a conversation.
    Session(Uuid),
}

impl From<Option<TaskId>> for About {
    fn from(task: Option<TaskId>) -> Self {
        task.map_or(Self::All, Self::Task)
    }
}

impl Store {
    /// At most `limit` events after number `seq`, of one task or conversation or of all, in order.
    ///
    /// # Errors
    /// [`StoreError::Database`], [`StoreError::Corrupt`].
    pub async fn events_since(
        &self,
        seq: i64,
        about: impl Into<About>,
        limit: u32,
    ) -> Result<Vec<EventRow>, StoreError> {
        let read = self.read().await?;
        let mut query = events::Entity::find()
            .filter(events::Column::Seq.gt(seq))
            .order_by_asc(events::Column::Seq)
            .limit(u64::from(limit));
        query = match about.into() {
            About::All => query,
            About::Task(task) => query.filter(events::Column::TaskId.eq(task.to_string())),
            About::Session(session) => query.filter(events::Column::SessionId.eq(session.to_string())),
        };
        query.all(read.rows()).await?.into_iter().map(EventRow::try_from).collect()
    }

    /// The newest events, at most `limit`, of one task or of all, in order: what happened last.
    ///
    /// # Errors
    /// [`StoreError::Database`], [`StoreError::Corrupt`].
    pub async fn recent_events(&self, task: Option<TaskId>, limit: u32) -> Result<Vec<EventRow>, StoreError> {
        let read = self.read().await?;
        let mut query = events::Entity::find().order_by_desc(events::Column::Seq).limit(u64::from(limit));
        if let Some(task) = task {
            query = query.filter(events::Column::TaskId.eq(task.to_string()));
        }
        query.all(read.rows()).await?.into_iter().rev().map(EventRow::try_from).collect()
    }

    /// Follows the events after number `seq`.
    pub fn follow(&self, seq: i64, about: impl Into<About>) -> Follower {
        Follower { store: self.clone(), wake: self.watch_events(), watching: None, seq, about: about.into() }
    }
}

/// Reads events in order and waits for more: at once for those of this process, within 100 ms for those of others.
#[derive(Debug)]
pub struct Follower {
    store: Store,
    wake: watch::Receiver<i64>,
    watching: Option<Arc<Watching>>,
    seq: i64,
    about: About,
}

impl Follower {
    /// The next events, at least one and at most `limit`. Dropping the future loses nothing.
    ///
    /// # Errors
    /// [`StoreError::Database`], [`StoreError::Corrupt`].
    pub async fn next(&mut self, limit: u32) -> Result<Vec<EventRow>, StoreError> {
        if self.watching.is_none() {
            self.watching = self.store.watching();
        }
        loop {
            // Before looking, so that an event committed while we look wakes us.
            self.wake.mark_unchanged();
            let found = self.store.events_since(self.seq, self.about, limit.max(1)).await?;
            if let Some(last) = found.last() {
                self.seq = last.seq;
                return Ok(found);
            }
            // The sender lives in our own handle, so the only other end of the wait is the time limit.
            let _ = tokio::time::timeout(FALLBACK, self.wake.changed()).await;
        }
    }

    /// Number of the last event that was given out.
    pub fn seq(&self) -> i64 {
        self.seq
    }
}

impl TryFrom<events::Model> for EventRow {
    type Error = StoreError;
    fn try_from(row: events::Model) -> Result<Self, StoreError> {
        let task = row.task_id.as_deref().map(read_id).transpose()?;
        Ok(Self {
            seq: row.seq,
            task,
            experiment: row.experiment.map(|e| number("experiment", e)).transpose()?,
            at: row.at,
            event: decode(|| format!("event {}", row.seq), &row.payload)?,
        })
    }
}
