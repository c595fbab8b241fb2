//! The run queue: durable jobs that workers claim, under a lease, by what they need.
//!
//! *Invariants*: a job is claimed by one worker at a time, each claim under a larger fence; a claim counts as an
//! attempt, so a job that kills its workers ends after [`NewJob::max_attempts`] of them; of two jobs with one unique
//! key, one is live. Expiry only decides who may claim: a worker that comes back late and was not replaced goes on.

mod backoff;
mod claim;
mod claimed;
mod control;
mod event;
mod list;
mod needs;
mod row;
mod task;

pub use claim::JobAsk;
pub use claimed::{AfterFailure, Again, ClaimedJob};
pub use event::JobChange;
pub use list::{JobFilter, JobPage, QueueDepth};
pub use needs::{Capabilities, Gpu, Needs};
pub use row::{JobId, JobKind, JobRow, JobStatus};
pub(crate) use task::{cancel_with_task, end_help, runner};

use chrono::{DateTime, SubsecRound, Utc};
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QuerySelect};
use serde_json::Value as Json;

use crate::dialect::Transaction;
use crate::entity::jobs;
use crate::json::encode;
use crate::row::TaskId;
use crate::store::{Scope, Write};
use crate::{Event, Store, StoreError};

/// A job to queue. The id is chosen by the caller, so that queueing it twice equals queueing it once.
#[derive(Clone, Debug, PartialEq)]
pub struct NewJob {
    /// Its id.
    pub id: JobId,
    /// What is to be done.
    pub kind: JobKind,
    /// The task it is for.
    pub task: Option<TaskId>,
    /// The particulars, as the kind wants them.
    pub payload: Json,
    /// Larger ones are claimed first.
    pub priority: i32,
    /// Not before this time; `None`: now.
    pub run_after: Option<DateTime<Utc>>,
    /// How often it may be claimed, at least 1.
    pub max_attempts: u32,
    /// While a job with this key is live, no other one is queued.
    pub unique_key: Option<String>,
    /// What its worker must have.
    pub needs: Needs,
}

impl NewJob {
    /// A job that any worker may do at once, tried three times.
    pub fn new(kind: JobKind, payload: Json) -> Self {
        Self {
            id: JobId::new(),
            kind,
            task: None,
            payload,
            priority: 0,
            run_after: None,
            max_attempts: 3,
            unique_key: None,
            needs: Needs::default(),
        }
    }
}

impl Store {
    /// Queues a job. If one with its unique key is live, gives that one and queues none.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if the id is known with another kind or payload; [`StoreError::NoSuchTask`].
    pub async fn enqueue(&self, new: NewJob) -> Result<JobRow, StoreError> {
        let write = self.write().await?;
        let (row, told) = enqueue(&write, new).await?;
        if let Some(told) = told {
            write.commit_scoped(told, Vec::new()).await?;
        }
        row.try_into()
    }

    /// A job.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn job(&self, id: JobId) -> Result<JobRow, StoreError> {
        let read = self.read().await?;
        let row = jobs::Entity::find_by_id(id.to_string()).one(read.rows()).await?;
        row.ok_or_else(|| no_job(id))?.try_into()
    }
}

/// Queues a job together with whatever else is written. The event is the caller's to commit; there is none if nothing
/// was queued.
async fn enqueue(write: &Write, new: NewJob) -> Result<(jobs::Model, Option<(Scope, Event)>), StoreError> {
    let payload = encode("payload", &new.payload)?;
    if let Some(known) = jobs::Entity::find_by_id(new.id.to_string()).one(write.rows()).await? {
        if known.kind == new.kind.word() && known.payload == payload {
            return Ok((known, None));
        }
        return Err(StoreError::Conflict { what: format!("job {}", new.id) });
    }
    if let Some(key) = &new.unique_key
        && let Some(live) = live(write.rows(), key).await?
    {
        return Ok((live, None));
    }
    if let Some(task) = new.task {
        crate::tasks::locked(write, task).await?;
    }
    let run_after = new.run_after.map_or(write.at, |at| at.trunc_subsecs(6));
    let row = jobs::Model {
        id: new.id.to_string(),
        kind: new.kind.word().to_owned(),
        task_id: new.task.map(|task| task.to_string()),
        payload,
        needs: encode("needs", &new.needs)?,
        priority: i64::from(new.priority),
        run_after,
        status: JobStatus::Queued.word().to_owned(),
        attempts: 0,
        max_attempts: i64::from(new.max_attempts.max(1)),
        fence: 0,
        worker: None,
        lease_until: None,
        heartbeat_at: None,
        progress: None,
        cancel_requested: false,
        live_key: new.unique_key.clone(),
        unique_key: new.unique_key,
        result: None,
        last_error: None,
        created_at: write.at,
        claimed_at: None,
        ended_at: None,
    };
    jobs::Entity::insert(row.clone().into_active_model()).exec_without_returning(write.rows()).await?;
    let change = JobChange::Queued { job_kind: new.kind, priority: new.priority, run_after };
    let told = told(&row, change)?;
    Ok((row, Some(told)))
}

/// The job that holds a unique key now.
async fn live(rows: &Transaction, key: &str) -> Result<Option<jobs::Model>, StoreError> {
    Ok(jobs::Entity::find().filter(jobs::Column::LiveKey.eq(key)).one(rows).await?)
}

/// A job's row, locked until the end of the transaction.
async fn locked(rows: &Transaction, id: JobId) -> Result<jobs::Model, StoreError> {
    let row = jobs::Entity::find_by_id(id.to_string()).lock_exclusive().one(rows).await?;
    row.ok_or_else(|| no_job(id))
}

fn no_job(id: JobId) -> StoreError {
    StoreError::not_found(format!("job {id}"))
}

/// The event of a change, about the job's task if it has one.
fn told(row: &jobs::Model, change: JobChange) -> Result<(Scope, Event), StoreError> {
    let task = row.task_id.as_deref().map(crate::row::read_id).transpose()?;
    Ok((Scope { task, ..Scope::default() }, Event::Job { job: row::read_job(&row.id)?, change }))
}

/// Writes a changed row.
async fn update(write: &Write, row: jobs::Model) -> Result<(), StoreError> {
    jobs::Entity::update(row.into_active_model().reset_all()).exec_without_returning(write.rows()).await?;
    Ok(())
}

/// Ends a row: its unique key is free again, and its lease is over.
fn end(row: &mut jobs::Model, status: JobStatus, at: DateTime<Utc>) {
    row.status = status.word().to_owned();
    row.live_key = None;
    row.lease_until = None;
    row.ended_at = Some(at);
}
