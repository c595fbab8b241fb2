//! A whole task in virtual time, in memory.

use std::path::Path;
use std::sync::Arc;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tuner_core::TaskSpec;
use tuner_core::engine::EngineName;
use tuner_core::task::{BackendSpec, HardwareSpec};
use tuner_runner::{Activity, Clock, Lab, RunEnd, VirtualLab, Worker, this_process};
use tuner_store::{EventRow, NewTask, Store, TaskId};

use crate::doctor::left_out;
use crate::error::AppError;
use crate::forecast;
use crate::tasks::{Known, read_file, space_of};

/// What to simulate instead of what the file says.
#[derive(Clone, Debug, Default)]
pub struct Wish {
    /// GPU.
    pub gpu: Option<String>,
    /// How many.
    pub gpu_count: u32,
    /// Model.
    pub model: Option<String>,
    /// Seed.
    pub seed: Option<u64>,
}

/// A simulated task.
#[derive(Debug)]
pub struct Simulated {
    /// The store that holds it, in memory.
    pub store: Store,
    /// The task.
    pub task: TaskId,
    /// What was run.
    pub spec: TaskSpec,
    /// How it ended.
    pub end: RunEnd,
    /// Remarks on the file.
    pub notes: Vec<String>,
    /// Everything that happened.
    pub events: Vec<EventRow>,
}

/// Reads a task file and runs it in virtual time.
pub async fn run(path: &Path, known: &Known, wish: &Wish) -> Result<Simulated, AppError> {
    let file = read_file(path, known)?;
    let mut remarks = file.remarks();
    let mut spec = file.spec;
    if !matches!(spec.engine.name, EngineName::Simulated | EngineName::Vllm | EngineName::Sglang) {
        return Err(AppError::NotSimulated { engine: spec.engine.name });
    }
    spec.backend = BackendSpec::Virtual;
    remarks.extend(left_out(&spec).map(|check| check.to_string()));
    spec.seed = wish.seed.unwrap_or(spec.seed);
    if let Some(model) = &wish.model {
        spec.model.id = Some(model.clone());
        spec.model.path = None;
    }
    if let Some(gpu) = &wish.gpu {
        if !tuner_sim::hardware::GPUS.iter().any(|known| known.name.eq_ignore_ascii_case(gpu)) {
            return Err(AppError::NoSuchGpu { wanted: gpu.clone() });
        }
        spec.engine.hardware = Some(HardwareSpec { gpu: gpu.clone(), count: wish.gpu_count.max(1), speed: 1.0 });
    }
    run_spec(spec, file.source, remarks).await
}

/// Runs a spec in virtual time, in memory.
pub async fn run_spec(spec: TaskSpec, source: String, mut notes: Vec<String>) -> Result<Simulated, AppError> {
    let space = space_of(&spec)?;
    let forecast = forecast::simulated(&spec);
    let foretold = forecast::remarks(forecast.as_ref(), &spec, &space);
    notes.extend(foretold.into_iter().map(|text| format!("note: {text}")));
    let sampler = tuner_search::sampler(&spec.sampler);
    let clock = Arc::new(Clock::starting_at(chrono::Utc::now()));
    let time = clock.clone();
    let store = Store::in_memory().await?.with_clock(Arc::new(move || time.now()));
    let task = TaskId::new();
    store.create_task(NewTask { id: task, spec: spec.clone(), source }).await?;
    let worker = Worker {
        store: store.clone(),
        lab: Lab::Virtual(VirtualLab::new(clock.clone())),
        clock,
        owner: this_process(),
        forecast,
        activity: watch::Sender::new(Activity::default()),
        help: None,
    };
    let end = worker.run(task, &space, sampler.as_ref(), &CancellationToken::new()).await?;
    let mut events = Vec::new();
    loop {
        let from = events.last().map_or(0, |row: &EventRow| row.seq);
        let more = store.events_since(from, Some(task), 1000).await?;
        if more.is_empty() {
            break;
        }
        events.extend(more);
    }
    Ok(Simulated { store, task, spec, end, notes, events })
}
