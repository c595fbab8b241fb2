//! The pen of the worker that holds a lease.
//!
//! *Invariants*: a write is refused with [`StoreError::LeaseLost`] once another claim of the same resource was won,
//! and nothing of it is committed. Every write done twice equals the write done once, and tells of itself once: after
//! a crash the worker repeats its last step without asking whether it had happened. (Notes are said as often as asked.)

mod attempt;
mod deployment;
mod experiment;

pub use attempt::AttemptEnd;
pub use deployment::{NewDeployment, Running};

use sea_orm::{ActiveValue::Set, EntityTrait};
use serde_json::Value as Json;

use crate::entity::tasks as task_rows;
use crate::json::encode_option;
use crate::row::{TaskId, TaskStatus};
use crate::store::{Scope, Write};
use crate::tasks::{change, locked};
use crate::{Event, Lease, Severity, Store, StoreError, jobs, lease, tasks};

/// A task, as the worker that holds a lease may write it: the lease on the task to plan and to end it, a lease on one
/// of its experiments to run that.
#[derive(Clone, Debug)]
pub struct Claimed {
    store: Store,
    task: TaskId,
    lease: Lease,
}

/// How a task ends.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskEnd {
    /// `completed`, `failed` or `cancelled`.
    pub status: TaskStatus,
    /// The final comparison, as the report shows it.
    pub verdict: Option<Json>,
    /// Why it could not go on.
    pub failure: Option<String>,
}

impl Store {
    /// The pen for a task under a lease that was won.
    pub fn claimed(&self, task: TaskId, lease: Lease) -> Claimed {
        Claimed { store: self.clone(), task, lease }
    }
}

impl Claimed {
    /// The task that is written.
    pub fn task(&self) -> TaskId {
        self.task
    }

    /// The lease under which it is written.
    pub fn lease(&self) -> &Lease {
        &self.lease
    }

    /// The store it is written to.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// A transaction in which our fence is the newest, and stays it.
    async fn write(&self) -> Result<Write, StoreError> {
        let write = self.store.write().await?;
        lease::check(&write, &self.lease).await?;
        Ok(write)
    }

    /// Begins with a pending task, or goes on with one that was left running. Gives the status afterwards: it stays
    /// `cancelling` if a person asked to stop it in the meantime.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`]; [`StoreError::WrongState`] if it has ended ([`Claimed::reopen_task`] comes first).
    pub async fn start_task(&self) -> Result<TaskStatus, StoreError> {
        let write = self.write().await?;
        let row = locked(&write, self.task).await?;
        let status = TaskStatus::read(&row.status)?;
        let next = match status {
            TaskStatus::Pending => TaskStatus::Running,
            TaskStatus::Running | TaskStatus::Cancelling => status,
            TaskStatus::Completed | TaskStatus::Failed | TaskStatus::Cancelled => {
                return Err(self.wrong_state(status, "start it"));
            }
        };
        if next == status && row.fence == self.lease.fence {
            return Ok(status);
        }
        let resumed = row.started_at.is_some();
        let started_at = row.started_at.unwrap_or(write.at);
        let mut change = change(row);
        change.status = Set(next.word().to_owned());
        change.started_at = Set(Some(started_at));
        change.fence = Set(self.lease.fence);
        task_rows::Entity::update(change).exec_without_returning(write.rows()).await?;
        let event = Event::TaskStarted { resumed, worker: self.lease.owner.to_string() };
        write.commit(Scope::task(self.task), event).await?;
        Ok(next)
    }

    /// Makes an ended task that was not completed pending again, its cancellation forgotten. One that has not ended,
    /// or was asked to stop by a worker that died, is made ready in the same way.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`]; [`StoreError::WrongState`] if it was completed.
    pub async fn reopen_task(&self) -> Result<(), StoreError> {
        let write = self.write().await?;
        let row = locked(&write, self.task).await?;
        match tasks::reopen(&write, row).await? {
            Some(told) => write.commit_scoped(told, Vec::new()).await,
            None => Ok(()),
        }
    }

    /// Ends a task.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`]; [`StoreError::WrongState`] if it has ended otherwise, or if `end` is no end;
    /// [`StoreError::Conflict`] if it has ended so, with another verdict or failure.
    pub async fn finish_task(&self, end: TaskEnd) -> Result<(), StoreError> {
        let verdict = encode_option("verdict", end.verdict.as_ref())?;
        let write = self.write().await?;
        let row = locked(&write, self.task).await?;
        let status = TaskStatus::read(&row.status)?;
        if status.is_end() && status == end.status {
            if row.verdict == verdict && row.failure == end.failure {
                return Ok(());
            }
            return Err(StoreError::Conflict { what: format!("the end of task {}", self.task) });
        }
        if status.is_end() || !end.status.is_end() {
            return Err(self.wrong_state(status, "end it"));
        }
        let at = write.at;
        let mut change = change(row);
        change.status = Set(end.status.word().to_owned());
        change.verdict = Set(verdict);
        change.failure = Set(end.failure.clone());
        change.ended_at = Set(Some(at));
        task_rows::Entity::update(change).exec_without_returning(write.rows()).await?;
        let event = Event::TaskEnded { status: end.status, verdict: end.verdict, failure: end.failure };
        let helpers = jobs::end_help(&write, self.task).await?;
        write.commit_scoped((Scope::task(self.task), event), helpers).await
    }

    /// Takes helpers that nobody has become yet out of the queue: no more help is wanted.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`].
    pub async fn end_help(&self) -> Result<(), StoreError> {
        let write = self.write().await?;
        let helpers = jobs::end_help(&write, self.task).await?;
        write.commit_any(helpers).await
    }

    /// Tells people something about the task or one of its experiments.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`].
    pub async fn note(
        &self,
        experiment: Option<u32>,
        severity: Severity,
        text: impl Into<String>,
    ) -> Result<(), StoreError> {
        let write = self.write().await?;
        let scope = Scope { task: Some(self.task), experiment, session: None };
        write.commit(scope, Event::Note { severity, text: text.into() }).await
    }

    fn wrong_state(&self, status: TaskStatus, wanted: &'static str) -> StoreError {
        StoreError::WrongState { what: format!("task {}", self.task), state: status.to_string(), wanted }
    }
}
