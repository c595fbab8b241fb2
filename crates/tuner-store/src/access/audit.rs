//! The audit log: who did what, when, from where, and how it went.
//!
//! *Invariant*: the row is written before the change is tried, so no change is without one; one that still says `begun`
//! was cut off.

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveValue::{NotSet, Set},
    ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
};
use serde::Serialize;

use super::entity::audit;
use crate::{Store, StoreError};

/// What is going to be tried.
#[derive(Clone, Debug)]
pub struct NewAudit {
    /// `local`, or the token's role and name.
    pub actor: String,
    /// The token's id.
    pub token: Option<String>,
    /// Address it came from.
    pub peer: String,
    /// The action's word.
    pub action: String,
    /// What it is done to.
    pub target: String,
    /// The request.
    pub request_id: String,
}

/// One change, or the try at one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AuditRow {
    /// Its number.
    pub seq: i64,
    /// When it began.
    pub at: DateTime<Utc>,
    /// Who.
    pub actor: String,
    /// With which token.
    pub token: Option<String>,
    /// From where.
    pub peer: String,
    /// What.
    pub action: String,
    /// To what.
    pub target: String,
    /// In which request.
    pub request_id: String,
    /// `begun`, `done`, or why not.
    pub outcome: String,
}

/// Part of the log, newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditPage {
    /// The rows.
    pub rows: Vec<AuditRow>,
    /// Give this to [`Store::audit_log`] for the next part; `None` at the end.
    pub next: Option<i64>,
}

impl Store {
    /// Writes down what is going to be tried; gives its number.
    ///
    /// # Errors
    /// [`StoreError::Database`]: then it must not be tried.
    pub async fn audit_begin(&self, new: NewAudit) -> Result<i64, StoreError> {
        let write = self.write().await?;
        let row = audit::ActiveModel {
            seq: NotSet,
            at: Set(write.at),
            actor: Set(new.actor),
            token: Set(new.token),
            peer: Set(new.peer),
            action: Set(new.action),
            target: Set(new.target),
            request_id: Set(new.request_id),
            outcome: Set("begun".to_owned()),
        };
        let seq = audit::Entity::insert(row).exec(write.rows()).await?.last_insert_id;
        write.commit_quietly().await?;
        Ok(seq)
    }

    /// Writes down how it went, and to what it was done if only the end could tell.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn audit_end(&self, seq: i64, outcome: &str, target: Option<&str>) -> Result<(), StoreError> {
        let write = self.write().await?;
        let target = target.map_or(NotSet, |target| Set(target.to_owned()));
        let change = audit::ActiveModel { outcome: Set(outcome.to_owned()), target, ..Default::default() };
        audit::Entity::update_many().set(change).filter(audit::Column::Seq.eq(seq)).exec(write.rows()).await?;
        write.commit_quietly().await
    }

    /// At most `limit` rows, newest first, that are older than `before`.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn audit_log(&self, before: Option<i64>, limit: u32) -> Result<AuditPage, StoreError> {
        let read = self.read().await?;
        let mut query = audit::Entity::find().order_by_desc(audit::Column::Seq).limit(u64::from(limit) + 1);
        if let Some(before) = before {
            query = query.filter(audit::Column::Seq.lt(before));
        }
        let found = query.all(read.rows()).await?;
        let more = found.len() > limit as usize;
        let rows: Vec<AuditRow> = found.into_iter().take(limit as usize).map(AuditRow::from).collect();
        Ok(AuditPage { next: rows.last().filter(|_| more).map(|row| row.seq), rows })
    }
}

impl From<audit::Model> for AuditRow {
    fn from(row: audit::Model) -> Self {
        Self {
            seq: row.seq,
            at: row.at,
            actor: row.actor,
            token: row.token,
            peer: row.peer,
            action: row.action,
            target: row.target,
            request_id: row.request_id,
            outcome: row.outcome,
        }
    }
}
