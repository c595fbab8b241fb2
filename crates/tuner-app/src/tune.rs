//! Tuning: from a stored task to a worker that does it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tuner_core::engine::EngineName;
use tuner_core::task::{BackendSpec, Environment, TaskSpec};
use tuner_deploy::host::{self, Gpus};
use tuner_deploy::local::Lifeline;
use tuner_deploy::{Egress, LocalBackend, Proxies};
use tuner_runner::{
    Activity, Clock, HelpEnd, Lab, RealLab, RealLabSettings, RunEnd, RunError, VirtualLab, Worker, is_dead,
    this_process,
};
use tuner_store::{Resource, Store, TaskId, TaskRow, TaskState, TaskStatus};

use crate::error::AppError;
use crate::forecast;
use crate::home::Home;
use crate::queue;
use crate::tasks::{is_virtual, space_of};

/// What a door knows of its environment.
#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    /// Proxy variables as they were set.
    pub proxies: BTreeMap<String, String>,
    /// From where data sets may be fetched.
    pub egress: Egress,
    /// Secrets by the names that task files may mention.
    pub secrets: BTreeMap<String, String>,
    /// Where Hugging Face is; none: where it always is.
    pub hub_endpoint: Option<String>,
    /// The repository of known issues, `OWNER/NAME`.
    pub github_repo: Option<String>,
    /// Where GitHub's API is; none: where it always is.
    pub github_url: Option<String>,
    /// The hub's cache of this user.
    pub hub_cache: Option<PathBuf>,
    /// The `PATH` that programs are looked up in.
    pub path: Option<std::ffi::OsString>,
    /// `CUDA_VISIBLE_DEVICES` as it was set.
    pub visible_gpus: Option<String>,
    /// This program, to start a lifeline with; none: engines are ended at the next start only.
    pub program: Option<PathBuf>,
    /// What a person types to run this program; none: its path.
    pub called: Option<String>,
}

impl Surroundings {
    /// A client for addresses outside, by the proxies that are set.
    pub(crate) fn client(&self) -> Result<reqwest::Client, AppError> {
        let mut builder = reqwest::Client::builder().connect_timeout(std::time::Duration::from_secs(10)).no_proxy();
        let near = reqwest::NoProxy::from_string("localhost,127.0.0.0/8,::1");
        let proxies = self.proxies();
        for (url, is_https) in [(&proxies.http, false), (&proxies.https, true), (&proxies.all, true)] {
            let Some(url) = url else { continue };
            let proxy = if is_https { reqwest::Proxy::https(url) } else { reqwest::Proxy::http(url) };
            let Ok(proxy) = proxy else { continue };
            builder = builder.proxy(proxy.no_proxy(near.clone()));
        }
        let built = builder.build();
        built.map_err(|error| AppError::Invalid { field: "proxies", message: error.without_url().to_string() })
    }

    /// The way to addresses outside.
    pub(crate) fn proxies(&self) -> Proxies {
        Proxies::from_vars(self.proxies.clone())
    }
}

/// Opens the store of a data directory.
pub async fn open_store(home: &Home) -> Result<Store, AppError> {
    Ok(match home.database_url() {
        Some(url) => Store::open_url(url).await?,
        None => Store::open(&home.database()).await?,
    })
}

/// Works on a task until it has ended or `stop` is cancelled.
#[tracing::instrument(level = "error", name = "task", skip_all, fields(task = %task))]
pub async fn run(
    home: &Home,
    store: &Store,
    task: TaskId,
    surroundings: &Surroundings,
    stop: &CancellationToken,
    activity: watch::Sender<Activity>,
) -> Result<RunEnd, AppError> {
    let state = store.load(task).await?;
    let space = space_of(&state.spec)?;
    let sampler = tuner_search::sampler(&state.spec.sampler);
    let worker = worker(home, store, &state, surroundings, activity)?;
    // Large, and moved about: on the heap it overflows no thread's stack.
    Ok(Box::pin(worker.run(task, &space, sampler.as_ref(), stop)).await?)
}

/// Helps with a task that another worker plans, until nothing more of it is to be done here or the first of `ends` is
/// cancelled; once the second is, until the end of what is run now.
#[tracing::instrument(level = "error", name = "task", skip_all, fields(task = %task))]
pub async fn help(
    home: &Home,
    store: &Store,
    task: TaskId,
    surroundings: &Surroundings,
    ends: [&CancellationToken; 2],
    activity: watch::Sender<Activity>,
) -> Result<HelpEnd, AppError> {
    let state = store.load(task).await?;
    let space = space_of(&state.spec)?;
    let worker = worker(home, store, &state, surroundings, activity)?;
    Ok(Box::pin(worker.help(task, &space, ends)).await?)
}

/// Who works on a task in this process.
fn worker(
    home: &Home,
    store: &Store,
    state: &TaskState,
    surroundings: &Surroundings,
    activity: watch::Sender<Activity>,
) -> Result<Worker, AppError> {
    let spec = &state.spec;
    let gpus = host::gpus().visible(surroundings.visible_gpus.as_deref());
    let (clock, lab) = if is_virtual(spec) {
        let clock = Arc::new(Clock::starting_at(latest(state)));
        (clock.clone(), Lab::Virtual(VirtualLab::new(clock)))
    } else {
        (Arc::new(Clock::Real), Lab::Real(Box::new(real_lab(home, spec, surroundings, &gpus)?)))
    };
    let store = match *clock {
        Clock::Real => store.clone(),
        Clock::Virtual(_) => {
            let clock = clock.clone();
            store.clone().with_clock(Arc::new(move || clock.now()))
        }
    };
    let forecast = forecast::of(home, spec, surroundings);
    let help = Some(queue::help_needs(spec, gpus.list()));
    Ok(Worker { store, lab, clock, owner: this_process(), forecast, activity, help })
}

/// Makes a cancelled task ready to be worked on again; what was cut off is tried afresh.
pub async fn take_up(store: &Store, row: &TaskRow) -> Result<(), AppError> {
    Ok(tuner_runner::reopen(store, &this_process(), row.id).await?)
}

/// Asks whoever works on the task to stop it for good. Where nobody does, what a dead worker left is stopped and the
/// task ended here and now. Gives the status afterwards.
pub async fn cancel(
    home: &Home,
    store: &Store,
    row: &TaskRow,
    surroundings: &Surroundings,
) -> Result<TaskStatus, AppError> {
    let status = store.request_cancel(row.id).await?;
    let holder = store.holder(&Resource::task(row.id)).await?;
    if status != TaskStatus::Cancelling || holder.is_some_and(|h| !is_dead(&h.owner)) {
        return Ok(status);
    }
    let silent = watch::Sender::new(Activity::default());
    match run(home, store, row.id, surroundings, &CancellationToken::new(), silent).await {
        // Somebody resumed it in this moment, and will see the wish.
        Ok(_) | Err(AppError::Run(RunError::Busy { .. } | RunError::ClaimRace)) => {}
        Err(error) => return Err(error),
    }
    Ok(store.task(&row.id.to_string()).await?.status)
}

/// Now, or where the virtual time of an earlier run ended: time does not go back in a task that is resumed.
fn latest(state: &TaskState) -> DateTime<Utc> {
    let attempts = state.experiments.iter().flat_map(|e| &e.attempts);
    attempts.map(|a| a.ended_at.unwrap_or(a.started_at)).fold(Utc::now(), std::cmp::max)
}

fn real_lab(home: &Home, spec: &TaskSpec, surroundings: &Surroundings, gpus: &Gpus) -> Result<RealLab, AppError> {
    let proxies = surroundings.proxies();
    let mut backend = LocalBackend::new(home.root())?.with_proxies(proxies.clone());
    if let Some(program) = &surroundings.program {
        let root = home.root().display().to_string();
        match Lifeline::start(program, &["lifeline".to_owned(), root], &[]) {
            Ok(lifeline) => backend = backend.with_lifeline(lifeline),
            Err(error) => tracing::warn!(%error, "no lifeline; orphans are ended at the next start only"),
        }
    }
    let api_key = match &spec.backend {
        BackendSpec::Attached { api_key_env: Some(name), .. } => surroundings.secrets.get(name).cloned(),
        _ => None,
    };
    // An endpoint that runs already has its own, which is not known here; a simulated one only pretends.
    let measures_here = spec.backend == BackendSpec::Local && spec.engine.name != EngineName::Simulated;
    let settings = RealLabSettings {
        datasets: home.datasets(),
        logs: home.logs(),
        launchers: launchers(home, surroundings),
        ambient: surroundings.proxies.clone().into_iter().collect::<Environment>(),
        proxies,
        egress: surroundings.egress.clone(),
        api_key,
        hub_cache: surroundings.hub_cache.clone(),
        gpus: gpus.list().iter().map(|g| g.index).collect(),
        hardware: measures_here.then(|| host::hardware(gpus)),
    };
    Ok(RealLab::new(backend, settings))
}

/// How the engines of this data directory are started.
pub(crate) fn launchers(
    home: &Home,
    surroundings: &Surroundings,
) -> BTreeMap<EngineName, (Vec<String>, Option<String>)> {
    let installed = tuner_deploy::install::installed(home.root());
    let mut launchers: BTreeMap<_, _> =
        installed.into_iter().filter_map(|i| Some((i.engine?, (i.launcher, Some(i.version))))).collect();
    if let Some(program) = &surroundings.program {
        let command = vec![program.display().to_string(), "sim-engine".to_owned()];
        launchers.insert(EngineName::Simulated, (command, Some(env!("CARGO_PKG_VERSION").to_owned())));
    }
    launchers
}
