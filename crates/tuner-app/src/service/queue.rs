//! The run queue and its workers, for doors.

use tuner_policy::Action;
use tuner_store::{Asked, JobFilter, JobId, JobKind, JobPage, JobRow, JobStatus, NewJob, WorkerId, WorkerRow};

use super::Service;
use crate::access::Permit;
use crate::datasets::FetchOrder;
use crate::error::AppError;
use crate::queue;
use crate::work::KINDS;

/// A job, and why it waits.
#[derive(Clone, Debug)]
pub struct Started {
    /// The job that runs the task.
    pub job: JobRow,
    /// Why no worker that lives can do it; none if one can.
    pub waits: Option<String>,
}

impl Service {
    /// Queues a task for a worker, or goes on with it; one that is queued already stays so.
    ///
    /// # Errors
    /// [`tuner_store::StoreError::NoSuchTask`]; [`tuner_store::StoreError::WrongState`] if it was completed.
    pub async fn start_task(&self, permit: &Permit, wanted: &str) -> Result<Started, AppError> {
        permit.must_be_for(Action::TaskStart)?;
        let row = self.find(wanted).await?;
        let job = queue::start_as(self.store(), permit.makes(), &row).await?;
        let waits = match job.status {
            JobStatus::Queued => queue::nobody_can(self.store(), &job.needs).await?,
            _ => None,
        };
        Ok(Started { job, waits })
    }

    /// Queues a job. Tasks have [`Service::start_task`], which changes the task with it.
    ///
    /// # Errors
    /// [`AppError::NoSuchJob`] if no worker of this version does such a job; [`tuner_store::StoreError::NoSuchTask`].
    pub async fn create_job(&self, permit: &Permit, new: NewJob, task: Option<&str>) -> Result<JobRow, AppError> {
        permit.must_be_for(Action::JobCreate)?;
        if matches!(new.kind, JobKind::RunTask | JobKind::HelpTask) || !KINDS.contains(&new.kind) {
            return Err(AppError::NoSuchJob { kind: new.kind.word() });
        }
        if new.kind == JobKind::FetchDataset {
            let order: Result<FetchOrder, _> = serde_json::from_value(new.payload.clone());
            let order = order.map_err(|error| AppError::Invalid { field: "payload", message: error.to_string() })?;
            self.may_fetch(&order.source)?;
        }
        let task = match task {
            Some(wanted) => Some(self.find(wanted).await?.id),
            None => None,
        };
        Ok(self.store().enqueue(NewJob { id: permit.makes(), task, ..new }).await?)
    }

    /// Jobs, newest first.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn list_jobs(
        &self,
        permit: &Permit,
        filter: &JobFilter,
        after: Option<JobId>,
        limit: u32,
    ) -> Result<JobPage, AppError> {
        permit.must_be_for(Action::JobRead)?;
        Ok(self.store().list_jobs(filter, after, limit).await?)
    }

    /// A job.
    ///
    /// # Errors
    /// [`tuner_store::StoreError::NotFound`].
    pub async fn show_job(&self, permit: &Permit, id: JobId) -> Result<JobRow, AppError> {
        permit.must_be_for(Action::JobRead)?;
        Ok(self.store().job(id).await?)
    }

    /// Stops a job: at once if it waits, by its worker if it runs.
    ///
    /// # Errors
    /// [`tuner_store::StoreError::NotFound`].
    pub async fn cancel_job(&self, permit: &Permit, id: JobId) -> Result<JobRow, AppError> {
        permit.must_be_for(Action::JobCancel)?;
        self.store().cancel_job(id).await?;
        Ok(self.store().job(id).await?)
    }

    /// Has a dead or cancelled job tried again.
    ///
    /// # Errors
    /// [`tuner_store::StoreError::NotFound`], [`tuner_store::StoreError::WrongState`],
    /// [`tuner_store::StoreError::Conflict`].
    pub async fn retry_job(&self, permit: &Permit, id: JobId) -> Result<JobRow, AppError> {
        permit.must_be_for(Action::JobRetry)?;
        Ok(self.store().retry_job(id).await?)
    }

    /// Every worker that is known, dead ones included.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn list_workers(&self, permit: &Permit) -> Result<Vec<WorkerRow>, AppError> {
        permit.must_be_for(Action::WorkerRead)?;
        Ok(self.store().list_workers().await?)
    }

    /// A worker.
    ///
    /// # Errors
    /// [`tuner_store::StoreError::NotFound`].
    pub async fn show_worker(&self, permit: &Permit, id: WorkerId) -> Result<WorkerRow, AppError> {
        permit.must_be_for(Action::WorkerRead)?;
        Ok(self.store().worker(id).await?)
    }

    /// Asks a worker for something; it obeys within seconds, whoever started it.
    ///
    /// # Errors
    /// [`tuner_store::StoreError::NotFound`].
    pub async fn ask_worker(&self, permit: &Permit, id: WorkerId, asked: Asked) -> Result<WorkerRow, AppError> {
        permit.must_be_for(Action::WorkerAsk)?;
        self.store().ask_worker(id, asked).await?;
        Ok(self.store().worker(id).await?)
    }

    /// Forgets a worker that died; one that lives ends when it learns of it.
    ///
    /// # Errors
    /// [`tuner_store::StoreError::NotFound`].
    pub async fn remove_worker(&self, permit: &Permit, id: WorkerId) -> Result<(), AppError> {
        permit.must_be_for(Action::WorkerRemove)?;
        Ok(self.store().remove_worker(id).await?)
    }
}
