//! A task and the job that runs it change together.

use sea_orm::EntityTrait;
use serde_json::json;

use super::control::{cancel, of_task};
use super::{JobChange, JobKind, JobRow, JobStatus, Needs, NewJob, enqueue, told, update};
use crate::entity::{jobs, leases};
use crate::row::{TaskId, TaskStatus};
use crate::store::{Scope, Write};
use crate::{Event, NewTask, Resource, Store, StoreError, TaskRow, lease, tasks};

/// How often a task may kill its worker, or be failed by it, before a person must look.
const ATTEMPTS: u32 = 5;
/// Priority of help.
const HELP: i32 = -1;

impl NewJob {
    /// The job that runs a task. While it is live, no other one for the same task is queued.
    pub fn run_task(task: TaskId, needs: Needs) -> Self {
        Self {
            task: Some(task),
            max_attempts: ATTEMPTS,
            unique_key: Some(Resource::task(task).key().to_owned()),
            needs,
            ..Self::new(JobKind::RunTask, json!({}))
        }
    }

    /// The job of the `place`th helper of a task, from 1. While it is live, no other one for the same place is queued.
    /// Whoever may begin with a task of its own does that first.
    pub fn help_task(task: TaskId, place: u32, needs: Needs) -> Self {
        Self {
            task: Some(task),
            max_attempts: ATTEMPTS,
            priority: HELP,
            unique_key: Some(format!("help:{task}/{place}")),
            needs,
            ..Self::new(JobKind::HelpTask, json!({ "place": place }))
        }
    }
}

impl Store {
    /// Stores a task and queues the job that runs it: both or neither.
    ///
    /// # Errors
    /// Those of [`Store::create_task`] and [`Store::enqueue`].
    pub async fn create_queued_task(&self, new: NewTask, job: NewJob) -> Result<(TaskRow, JobRow), StoreError> {
        let write = self.write().await?;
        let (task, created) = tasks::create(&write, new).await?;
        let (job, queued) = enqueue(&write, job).await?;
        write.commit_any(created.into_iter().chain(queued)).await?;
        Ok((task.try_into()?, job.try_into()?))
    }

    /// Queues the job that runs a task, or goes on with it. One that was cancelled or failed is pending again, its
    /// cancellation forgotten, in the same transaction. If a job for it is live, gives that one; if this one is known,
    /// however far it is, this one.
    ///
    /// # Errors
    /// [`StoreError::NoSuchTask`]; [`StoreError::WrongState`] if it was completed; [`StoreError::InUse`] while a worker
    /// is stopping it; those of [`Store::enqueue`].
    pub async fn queue_task(&self, id: TaskId, job: NewJob) -> Result<JobRow, StoreError> {
        let write = self.write().await?;
        let row = tasks::locked(&write, id).await?;
        if let Some(known) = jobs::Entity::find_by_id(job.id.to_string()).one(write.rows()).await? {
            return known.try_into();
        }
        if TaskStatus::read(&row.status)? == TaskStatus::Cancelling
            && let Some(holder) = holder(&write, id).await?
        {
            return Err(StoreError::InUse { what: format!("task {:?}", row.name), holder });
        }
        let reopened = tasks::reopen(&write, row).await?;
        let (job, queued) = enqueue(&write, job).await?;
        write.commit_any(reopened.into_iter().chain(queued)).await?;
        job.try_into()
    }
}

/// Who works on a task now.
async fn holder(write: &Write, id: TaskId) -> Result<Option<String>, StoreError> {
    let lease = leases::Entity::find_by_id(Resource::task(id).key().to_owned()).one(write.rows()).await?;
    let holder = lease.as_ref().map(lease::holder).transpose()?.flatten();
    Ok(holder.filter(|holder| holder.expires_at > write.at).map(|holder| holder.to_string()))
}

/// A person asked to stop a task: what that means for the jobs that run it. One that is queued for a task that was
/// begun is brought forward, because a worker must see that nothing of it is left running.
pub(crate) async fn cancel_with_task(
    write: &Write,
    task: TaskId,
    status: TaskStatus,
) -> Result<Vec<(Scope, Event)>, StoreError> {
    let mut events = Vec::new();
    for mut row in of_task(write.rows(), task).await? {
        let helps = row.kind == JobKind::HelpTask.word();
        if status.is_end() || helps || row.status != JobStatus::Queued.word() {
            events.extend(cancel(write, row).await?);
        } else if row.run_after > write.at {
            row.run_after = write.at;
            let job = JobRow::try_from(row.clone())?;
            let change = JobChange::Queued { job_kind: job.kind, priority: job.priority, run_after: job.run_after };
            events.push(told(&row, change)?);
            update(write, row).await?;
        }
    }
    Ok(events)
}

/// Takes helpers that nobody has become yet out of the queue: no more help is wanted.
pub(crate) async fn end_help(write: &Write, task: TaskId) -> Result<Vec<(Scope, Event)>, StoreError> {
    let mut events = Vec::new();
    for row in of_task(write.rows(), task).await? {
        if row.kind == JobKind::HelpTask.word() && row.status == JobStatus::Queued.word() {
            events.extend(cancel(write, row).await?);
        }
    }
    Ok(events)
}

/// Who runs a job of a task now, if anybody does.
pub(crate) async fn runner(write: &Write, task: TaskId) -> Result<Option<String>, StoreError> {
    let runs = |row: &jobs::Model| {
        row.status == JobStatus::Running.word() && row.lease_until.is_some_and(|until| until > write.at)
    };
    let running = of_task(write.rows(), task).await?.into_iter().find(runs);
    let running = running.map(JobRow::try_from).transpose()?;
    Ok(running.and_then(|job| job.worker).map(|worker| worker.to_string()))
}
