//! A store in memory, a task in it, and a worker for it.

use std::sync::Arc;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tuner_core::plan::{ExperimentView, NoForecast};
use tuner_core::task::{self, LoadedTask, ReadContext};
use tuner_runner::{Activity, Clock, Lab, RunEnd, RunError, VirtualLab, Worker, this_process};
use tuner_store::{Event, EventRow, NewTask, Store, TaskId};

/// One task and who works on it.
pub(crate) struct World {
    pub(crate) task: TaskId,
    pub(crate) worker: Worker,
    pub(crate) loaded: LoadedTask,
}

impl World {
    /// A task in virtual time.
    pub(crate) async fn in_virtual_time(yaml: &str) -> Self {
        let clock = Arc::new(Clock::starting_at(chrono::Utc::now()));
        let time = clock.clone();
        let store = Store::in_memory().await.unwrap().with_clock(Arc::new(move || time.now()));
        Self::new(yaml, store, Lab::Virtual(VirtualLab::new(clock.clone())), clock).await
    }

    /// A task in any laboratory.
    pub(crate) async fn new(yaml: &str, store: Store, lab: Lab, clock: Arc<Clock>) -> Self {
        let loaded = task::read(yaml, &ReadContext::default()).unwrap();
        let task = TaskId::new();
        store.create_task(NewTask { id: task, spec: loaded.spec.clone(), source: yaml.to_owned() }).await.unwrap();
        let activity = watch::Sender::new(Activity::default());
        Self {
            task,
            worker: Worker {
                store,
                lab,
                clock,
                owner: this_process(),
                forecast: Box::new(NoForecast),
                activity,
                help: None,
            },
            loaded,
        }
    }

    /// Works on the task until it ends.
    pub(crate) async fn run(&self) -> Result<RunEnd, RunError> {
        self.run_until(&CancellationToken::new()).await
    }

    /// Works on the task until it ends or `stop` is cancelled.
    pub(crate) async fn run_until(&self, stop: &CancellationToken) -> Result<RunEnd, RunError> {
        let sampler = tuner_search::sampler(&self.loaded.spec.sampler);
        self.worker.run(self.task, &self.loaded.space, sampler.as_ref(), stop).await
    }

    pub(crate) async fn experiments(&self) -> Vec<ExperimentView> {
        self.worker.store.load(self.task).await.unwrap().experiments
    }

    pub(crate) async fn events(&self) -> Vec<EventRow> {
        self.worker.store.events_since(0, Some(self.task), 10_000).await.unwrap()
    }
}

/// An event in a few words, without what differs from run to run.
pub(crate) fn line(row: &EventRow) -> String {
    let number = row.experiment.map_or_else(String::new, |n| format!("#{n} "));
    let more = match &row.event {
        Event::Phase { attempt, phase } => format!(" a{attempt} {}", serde_json::to_string(phase).unwrap()),
        Event::ExperimentCreated { role, configuration } => {
            format!(" {} {configuration:?}", serde_json::to_string(role).unwrap())
        }
        Event::AttemptEnded { attempt, state, failure } => {
            format!(" a{attempt} {state:?} {:?}", failure.as_ref().map(|f| f.class))
        }
        Event::LevelMeasured { attempt, figures } => {
            format!(" a{attempt} level {} repeat {}", figures.level, figures.repeat)
        }
        Event::ExperimentEnded { outcome, .. } => format!(" {}", outcome.word()),
        Event::TaskEnded { status, .. } => format!(" {status}"),
        Event::TaskStarted { resumed, .. } => format!(" resumed {resumed}"),
        _ => String::new(),
    };
    format!("{number}{}{more}", row.event.kind())
}
