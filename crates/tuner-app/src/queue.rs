//! Tasks in the run queue: what they need of a worker, and putting them there.

use tuner_core::TaskSpec;
use tuner_core::engine::EngineName;
use tuner_core::task::BackendSpec;
use tuner_deploy::host;
use tuner_store::{Asked, JobId, JobRow, Needs, NewJob, Store, TaskRow};

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

/// What a task needs of a worker that helps on another host, so that what the two measure can be compared: GPUs of the
/// model that this host has, for an engine that uses any.
pub fn help_needs(spec: &TaskSpec, gpus: &[host::Gpu]) -> Needs {
    let needs = needs(spec);
    let real = spec.backend == BackendSpec::Local && spec.engine.name != EngineName::Simulated;
    match gpus.first().filter(|_| real && spec.engine.gpus != Some(0)) {
        Some(gpu) => Needs { gpus: needs.gpus.max(1), gpu_model: Some(gpu.name.clone()), ..needs },
        None => needs,
    }
}

/// Queues a task for the next worker that has what it needs; one that was cancelled or failed goes on where it was.
/// If it is queued already, or runs, gives the job that does it.
///
/// # Errors
/// It was completed, or is being stopped at this moment.
pub async fn start(store: &Store, row: &TaskRow) -> Result<JobRow, AppError> {
    start_as(store, JobId::new(), row).await
}

/// The same under a chosen id of the job. If that is known, it was done before.
pub(crate) async fn start_as(store: &Store, id: JobId, row: &TaskRow) -> Result<JobRow, AppError> {
    let spec = store.full_task(&row.id.to_string()).await?.spec;
    let needs = Needs { host: host_of_data(store, &spec).await?, ..needs(&spec) };
    let job = NewJob { id, ..NewJob::run_task(row.id, needs) };
    Ok(store.queue_task(row.id, job).await?)
}

/// The machine that has the data set that a task reads, if it is one that is kept by name.
async fn host_of_data(store: &Store, spec: &TaskSpec) -> Result<Option<String>, AppError> {
    let read: Vec<String> = spec.workload.datasets().into_iter().flatten().map(|set| set.source).collect();
    let kept = store.datasets().await?;
    Ok(kept.into_iter().find(|row| read.contains(&row.path)).map(|row| row.host))
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
