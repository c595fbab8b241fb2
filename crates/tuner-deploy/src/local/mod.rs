//! Engines as processes of this host.
//!
//! *Invariant*: every process of a deployment carries its id in the environment it inherits, so it is found and ended
//! whatever group, session or parent it moved to, by any later process of the same data directory, as root or as a
//! user, with or without cgroups.
//!
//! No parent-death signal is set: Linux sends it when the *thread* that launched ends, which in an asynchronous
//! program is not the end of the program. A [`Lifeline`] does that work, and the next start reaps the rest.

mod cgroup;
mod launch;
pub mod lifeline;
mod procfs;
mod record;
mod signal;
mod stop;
mod tree;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::future::BoxFuture;
use sha2::{Digest, Sha256};

pub use self::lifeline::Lifeline;
use self::procfs::{Identity, Process};
use self::record::{Record, Records};
use crate::{Backend, DeployError, DeploymentId, Exit, Found, Launch, Proxies, Running, Status, Stopped};

/// Runs engines as local processes of one data directory.
#[derive(Clone, Debug)]
pub struct LocalBackend {
    inner: Arc<Inner>,
}

#[derive(Debug)]
pub(crate) struct Inner {
    /// Digest of the data directory: two of them never touch each other's processes.
    home: String,
    records: Records,
    proxies: Proxies,
    lifeline: Option<Lifeline>,
    /// First processes launched by this one, until they are stopped: only a parent learns an exit status.
    children: Mutex<BTreeMap<DeploymentId, Child>>,
}

impl LocalBackend {
    /// A backend for the data directory `root`, which is created if missing.
    pub fn new(root: impl AsRef<Path>) -> Result<Self, DeployError> {
        let root = root.as_ref();
        fs::create_dir_all(root).map_err(DeployError::file("create", root))?;
        let root = root.canonicalize().map_err(DeployError::file("read", root))?;
        let records = Records::open(record::folder(&root))?;
        let inner = Inner {
            home: digest(&root),
            records,
            proxies: Proxies::default(),
            lifeline: None,
            children: Mutex::default(),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The same with proxy settings that every engine gets, unless its own variables say otherwise (R14.2).
    /// To be called before the first launch.
    pub fn with_proxies(self, proxies: Proxies) -> Self {
        self.rebuilt(|inner| inner.proxies = proxies)
    }

    /// The same with a process that ends the engines when this one dies, however it dies.
    /// To be called before the first launch.
    pub fn with_lifeline(self, lifeline: Lifeline) -> Self {
        self.rebuilt(|inner| inner.lifeline = Some(lifeline))
    }

    /// Lets a deployment outlive this process, for a successor to adopt.
    pub fn hand_over(&self, id: &DeploymentId) {
        if let Some(lifeline) = &self.inner.lifeline {
            lifeline.release(id);
        }
    }

    /// The digest that stands in `AUTOTUNER_HOME` of every process launched here.
    pub fn home(&self) -> &str {
        &self.inner.home
    }

    /// Ids in this host's process table that belong to other data directories: digest, id, processes.
    pub fn strangers(&self) -> Vec<(String, String, usize)> {
        let mut count = BTreeMap::new();
        for mark in procfs::table().into_values().filter(|p| !p.is_dead()).filter_map(|p| p.mark) {
            if mark.home != self.inner.home {
                *count.entry((mark.home, mark.id)).or_insert(0) += 1;
            }
        }
        count.into_iter().map(|((home, id), n)| (home, id, n)).collect()
    }

    fn rebuilt(mut self, change: impl FnOnce(&mut Inner)) -> Self {
        match Arc::get_mut(&mut self.inner) {
            Some(inner) => change(inner),
            None => tracing::error!("a backend that is already shared keeps its settings"),
        }
        self
    }

    fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Inner) -> Result<T, DeployError> + Send + 'static,
    ) -> BoxFuture<'_, Result<T, DeployError>> {
        let inner = Arc::clone(&self.inner);
        let task = async move { tokio::task::spawn_blocking(move || work(&inner)).await };
        Box::pin(async move { task.await.unwrap_or(Err(DeployError::Lost)) })
    }
}

impl Backend for LocalBackend {
    fn launch<'a>(
        &'a self,
        id: &'a DeploymentId,
        launch: &'a Launch,
        log: &'a Path,
    ) -> BoxFuture<'a, Result<Running, DeployError>> {
        let (id, launch, log) = (id.clone(), launch.clone(), log.to_owned());
        self.blocking(move |inner| inner.launch(&id, &launch, &log))
    }

    fn status<'a>(&'a self, id: &'a DeploymentId) -> BoxFuture<'a, Result<Status, DeployError>> {
        let id = id.clone();
        self.blocking(move |inner| inner.status(&id))
    }

    fn stop<'a>(&'a self, id: &'a DeploymentId, grace: Duration) -> BoxFuture<'a, Result<Stopped, DeployError>> {
        let id = id.clone();
        self.blocking(move |inner| inner.stop(&id, grace))
    }

    fn list(&self) -> BoxFuture<'_, Result<Vec<Found>, DeployError>> {
        self.blocking(|inner| Ok(inner.list()))
    }

    fn reap<'a>(
        &'a self,
        except: &'a [DeploymentId],
        grace: Duration,
    ) -> BoxFuture<'a, Result<Vec<Found>, DeployError>> {
        let except = except.to_vec();
        self.blocking(move |inner| inner.reap(&except, grace))
    }
}

impl Inner {
    fn status(&self, id: &DeploymentId) -> Result<Status, DeployError> {
        let record = self.records.read(id);
        if let Some(child) = self.children().get_mut(id) {
            let pid = child.id();
            return match child.try_wait() {
                Ok(None) => Ok(running(procfs::read(pid), false)),
                Ok(Some(status)) => {
                    let exit = exit(status);
                    if let Some(record) = record.filter(|r| r.exit.is_none()) {
                        self.records.write(&Record { exit: Some(exit), ..record })?;
                    }
                    Ok(Status::Exited(exit))
                }
                Err(_) => Ok(Status::Exited(Exit::default())),
            };
        }
        match record {
            Some(record) if record.exit.is_some() => Ok(Status::Exited(record.exit.unwrap_or_default())),
            Some(Record { first: Some(_), .. }) => {
                let first = self.first_alive(id);
                Ok(first.map_or(Status::Exited(Exit::default()), |p| running(Some(p), true)))
            }
            // Between intent and effect, or the record was lost: the marks know.
            _ => Ok(tree::first(&procfs::table(), &self.home, id.as_str())
                .map_or(Status::Absent, |p| running(Some(p), true))),
        }
    }

    fn first_alive(&self, id: &DeploymentId) -> Option<Process> {
        let identity = self.records.read(id)?.first_identity()?;
        procfs::read(identity.pid).filter(|p| p.identity == identity && !p.is_dead())
    }

    /// Processes known to belong to `id` by other ways than the mark.
    fn roots(&self, id: &DeploymentId) -> BTreeSet<Identity> {
        let record = self.records.read(id);
        let first = record.as_ref().and_then(Record::first_identity);
        let group = record.and_then(|r| r.cgroup).map(|group| cgroup::pids(&group)).unwrap_or_default();
        group.into_iter().filter_map(procfs::read).map(|p| p.identity).chain(first).collect()
    }

    fn list(&self) -> Vec<Found> {
        let table = procfs::table();
        let this = std::process::id();
        let marked = tree::marked_ids(&table, &self.home, this);
        let ids: BTreeSet<DeploymentId> =
            marked.iter().filter_map(|id| id.parse().ok()).chain(self.records.ids()).collect();
        ids.into_iter()
            .filter_map(|id| {
                let members = tree::members(&table, &self.home, id.as_str(), &self.roots(&id), this);
                let pids: Vec<u32> = members.into_iter().map(|i| i.pid).collect();
                (!pids.is_empty()).then_some(Found { id, pids })
            })
            .collect()
    }

    fn reap(&self, except: &[DeploymentId], grace: Duration) -> Result<Vec<Found>, DeployError> {
        self.settle()?;
        let reaped: Vec<Found> = self.list().into_iter().filter(|f| !except.contains(&f.id)).collect();
        for found in &reaped {
            tracing::warn!(id = %found.id, pids = ?found.pids, "ending what an earlier run left");
            self.stop(&found.id, grace)?;
        }
        for id in self.records.ids().iter().filter(|id| !except.contains(id)) {
            self.stop(id, grace)?;
        }
        self.records.sweep();
        Ok(reaped)
    }

    fn children(&self) -> MutexGuard<'_, BTreeMap<DeploymentId, Child>> {
        self.children.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn running(process: Option<Process>, adopted: bool) -> Status {
    process.map_or(Status::Exited(Exit::default()), |p| {
        let Identity { pid, start_ticks } = p.identity;
        Status::Running(Running { pid, start_ticks, pgid: p.pgid, adopted })
    })
}

fn exit(status: ExitStatus) -> Exit {
    Exit { code: status.code(), signal: status.signal() }
}

fn digest(root: &Path) -> String {
    let hash = Sha256::digest(root.as_os_str().as_encoded_bytes());
    hash.iter().take(8).fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Where `root` keeps what it knows of deployments.
pub fn records_folder(root: &Path) -> PathBuf {
    record::folder(root)
}
