//! The machine and this service: health that really checks, facts, settings without secrets.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use serde::Serialize;
use tokio::sync::Mutex;
use tuner_core::with_causes;
use tuner_deploy::Proxies;
pub use tuner_deploy::host::Gpus;
use tuner_deploy::host::{self, HostFacts};
use tuner_policy::Action;
use tuner_runner::this_process;
use tuner_store::{Counts, DeploymentRow, JobKind, QueueDepth};

use super::{Service, apart};
use crate::access::Permit;
use crate::doctor::{Check, Status, data_dir, disk_space};
use crate::error::AppError;

/// A database that answers later than this is ill.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long facts about the machine stay good enough.
const FRESH: Duration = Duration::from_secs(2);

/// What was last seen of the machine: asking the driver takes seconds when it is ill.
#[derive(Debug, Default)]
pub(super) struct Machine {
    facts: Mutex<Option<(Instant, HostFacts)>>,
}

/// How the service is.
#[derive(Clone, Debug, Serialize)]
pub struct Health {
    /// The worst of the checks.
    pub status: Status,
    /// Each.
    pub checks: Vec<Check>,
}

/// How much there is to do, and who does it.
#[derive(Clone, Debug)]
pub struct Queue {
    /// Jobs that wait or run, by kind.
    pub depth: BTreeMap<JobKind, QueueDepth>,
    /// When that was seen.
    pub at: DateTime<Utc>,
    /// Workers that were heard of lately.
    pub alive: usize,
    /// Workers that were not.
    pub silent: usize,
    /// Jobs under way on those that live.
    pub busy_slots: u32,
}

/// What this service is.
#[derive(Clone, Debug, Serialize)]
pub struct Facts {
    /// Its version.
    pub version: &'static str,
    /// Its process.
    pub pid: u32,
    /// Its machine.
    pub host: String,
    /// When it started.
    pub started_at: DateTime<Utc>,
    /// For how long it has run.
    pub uptime_s: f64,
    /// Where everything is kept.
    pub data_dir: String,
}

/// The settings; of secrets only the names.
#[derive(Clone, Debug, Serialize)]
pub struct SettingsShown {
    /// Where everything is kept.
    pub data_dir: String,
    /// Proxies, passwords removed.
    pub proxies: Proxies,
    /// Names of the secrets that task files may mention.
    pub secrets: Vec<String>,
    /// The hub's cache.
    pub hub_cache: Option<String>,
    /// `CUDA_VISIBLE_DEVICES`.
    pub visible_gpus: Option<String>,
}

/// This process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Process {
    /// Memory that is really in use.
    pub memory_bytes: Option<u64>,
    /// Processor time since it started.
    pub cpu_s: Option<f64>,
    /// Its threads.
    pub threads: Option<u64>,
    /// Its open files and sockets.
    pub open_files: Option<u64>,
}

impl Service {
    /// Writes and reads the database, writes into the data directory, looks at the disk.
    ///
    /// # Errors
    /// A wrong permit; what is ill is in the answer.
    pub async fn health(&self, permit: &Permit) -> Result<Health, AppError> {
        permit.must_be_for(Action::HealthRead)?;
        let home = self.home().clone();
        let files = apart(move || vec![data_dir(&home), disk_space(&home)]);
        let mut checks = vec![self.database().await];
        checks.extend(files.await);
        let worst = |a: Status, b: Status| match (a, b) {
            (Status::Failed, _) | (_, Status::Failed) => Status::Failed,
            (Status::Warning, _) | (_, Status::Warning) => Status::Warning,
            _ => Status::Good,
        };
        let status = checks.iter().map(|check| check.status).fold(Status::Good, worst);
        Ok(Health { status, checks })
    }

    async fn database(&self) -> Check {
        let begun = Instant::now();
        let (status, detail, hint) = match tokio::time::timeout(PATIENCE, self.store().probe("health")).await {
            Ok(Ok(())) => {
                let took = begun.elapsed().as_secs_f64() * 1e3;
                (Status::Good, format!("written and read in {took:.1} ms"), None)
            }
            Ok(Err(error)) => (Status::Failed, with_causes(&error), error.hint().map(str::to_owned)),
            Err(_) => {
                let hint = "another process holds its lock, or the disk is slow".to_owned();
                (Status::Failed, format!("no answer within {} s", PATIENCE.as_secs()), Some(hint))
            }
        };
        Check { name: "database", status, detail, hint }
    }

    /// What this service is.
    ///
    /// # Errors
    /// A wrong permit.
    pub fn facts(&self, permit: &Permit) -> Result<Facts, AppError> {
        permit.must_be_for(Action::SystemRead)?;
        let here = this_process();
        Ok(Facts {
            version: env!("CARGO_PKG_VERSION"),
            pid: here.pid,
            host: here.host,
            started_at: self.0.started_at,
            uptime_s: self.0.started.elapsed().as_secs_f64(),
            data_dir: self.home().root().display().to_string(),
        })
    }

    /// The settings that this process works with.
    ///
    /// # Errors
    /// A wrong permit.
    pub fn settings(&self, permit: &Permit) -> Result<SettingsShown, AppError> {
        permit.must_be_for(Action::SettingsRead)?;
        let around = self.around();
        Ok(SettingsShown {
            data_dir: self.home().root().display().to_string(),
            proxies: Proxies::from_vars(around.proxies.clone()).redacted(),
            secrets: around.secrets.keys().cloned().collect(),
            hub_cache: around.hub_cache.as_ref().map(|path| path.display().to_string()),
            visible_gpus: around.visible_gpus.clone(),
        })
    }

    /// The machine; seconds old at most.
    ///
    /// # Errors
    /// A wrong permit.
    pub async fn machine(&self, permit: &Permit) -> Result<(HostFacts, Process), AppError> {
        permit.must_be_for(Action::SystemRead)?;
        let mut kept = self.0.machine.facts.lock().await;
        let fresh = kept.as_ref().filter(|(at, _)| at.elapsed() < FRESH).map(|(_, facts)| facts.clone());
        let facts = match fresh {
            Some(facts) => facts,
            None => {
                let (root, proxies) = (self.home().root().to_owned(), self.around().proxies.clone());
                let look = move || HostFacts::gather(&root, &Proxies::from_vars(proxies));
                kept.insert((Instant::now(), apart(look).await)).1.clone()
            }
        };
        Ok((facts, process()))
    }

    /// The GPUs of this machine, or why there are none.
    ///
    /// # Errors
    /// A wrong permit.
    pub async fn gpus(&self, permit: &Permit) -> Result<Gpus, AppError> {
        Ok(self.machine(permit).await?.0.gpus)
    }

    /// Engines that workers launched and that are not known to be gone, of every host.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn deployments(&self, permit: &Permit) -> Result<Vec<DeploymentRow>, AppError> {
        permit.must_be_for(Action::SystemRead)?;
        Ok(self.store().live_deployments().await?)
    }

    /// How much there is, for metrics.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn counts(&self, permit: &Permit) -> Result<Counts, AppError> {
        permit.must_be_for(Action::SystemRead)?;
        Ok(self.store().counts().await?)
    }

    /// The run queue by kind, and the workers.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn queue(&self, permit: &Permit) -> Result<Queue, AppError> {
        permit.must_be_for(Action::SystemRead)?;
        let (depth, workers) = (self.store().queue_depth().await?, self.store().list_workers().await?);
        let (alive, silent) = workers.iter().partition::<Vec<_>, _>(|worker| worker.alive);
        let busy_slots = alive.iter().map(|worker| worker.load.busy_slots).sum();
        Ok(Queue { depth, at: Utc::now(), alive: alive.len(), silent: silent.len(), busy_slots })
    }
}

/// This process, by what the kernel says.
pub fn process() -> Process {
    host::process().map_or_else(Process::default, |seen| Process {
        memory_bytes: seen.memory_bytes,
        cpu_s: seen.cpu_s,
        threads: seen.threads,
        open_files: seen.open_files,
    })
}
