//! Tasks in the run queue: what they need of a worker, and putting them there.

use tuner_core::TaskSpec;
use tuner_core::task::BackendSpec;
use tuner_store::{Asked, JobRow, Needs, NewJob, Store, TaskRow};

use crate::error::AppError;

/// What a task needs of the worker that runs it.
pub fn needs(spec: &TaskSpec) -> Needs {
    let backend = match &spec.backend {
        BackendSpec::Local => "local",
        BackendSpec::Docker { .. } => "docker",
        BackendSpec::Kubernetes { .. } => "kubernetes",
        BackendSpec::Attached { .. } => "attached",
        BackendSpec::Virtual => "virtual",
    };
    let local = spec.backend == BackendSpec::Local;
    // A command of the task's own is looked for when it is started.
    let engine = local && spec.engine.command.is_empty();
    let gpus = if local { spec.engine.gpus.unwrap_or(0) } else { 0 };
    Needs {
        backend: Some(backend.to_owned()),
        engine: engine.then(|| spec.engine.name.to_string()),
        gpus,
        ..Needs::default()
    }
}

/// Queues a task for the next worker that has what it needs; one that was cancelled or failed goes on where it was.
/// If it is queued already, or runs, gives the job that does it.
///
/// # Errors
/// It was completed, or is being stopped at this moment.
pub async fn start(store: &Store, row: &TaskRow) -> Result<JobRow, AppError> {
    let spec = store.full_task(&row.id.to_string()).await?.spec;
    Ok(store.queue_task(row.id, NewJob::run_task(row.id, needs(&spec))).await?)
}

/// Why no worker that lives can do a job with these needs, as it stands; `None` if one can.
///
/// # Errors
/// [`AppError::Store`].
pub async fn nobody_can(store: &Store, needs: &Needs) -> Result<Option<String>, AppError> {
    let workers = store.list_workers().await?;
    let mut living = workers.iter().filter(|worker| worker.alive && worker.asked == Asked::Run).peekable();
    if living.peek().is_none() {
        return Ok(Some("no worker runs; start one with: autotuner worker".to_owned()));
    }
    let mut unmet = None;
    for worker in living {
        match needs.unmet_by(&worker.capabilities) {
            None => return Ok(None),
            Some(what) => unmet = Some(what),
        }
    }
    Ok(unmet.map(|what| format!("no worker has {what}")))
}
