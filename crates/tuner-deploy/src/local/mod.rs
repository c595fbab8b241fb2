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
pub(crate) mod listen;
mod look;
mod pending;
mod procfs;
mod record;
mod signal;
mod stop;
mod tree;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::future::BoxFuture;
use sha2::{Digest, Sha256};

pub use self::lifeline::Lifeline;
use self::pending::Pending;
use self::record::Records;
use crate::host::gpu;
use crate::{Backend, DeployError, DeploymentId, Found, Launch, Proxies, Running, Status, Stopped};

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
    pending: Pending,
    /// What is asked for the memory of GPUs.
    gpu_tool: String,
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
            pending: Pending::default(),
            gpu_tool: gpu::TOOL.to_owned(),
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

    /// The same with another program that answers like `nvidia-smi`.
    /// To be called before the first launch.
    pub fn with_gpu_tool(self, program: impl Into<String>) -> Self {
        self.rebuilt(|inner| inner.gpu_tool = program.into())
    }

    /// Whether it is a process of `id` that listens on `port`: that the engine measured is the one deployed, and not
    /// another one with the same model (R14.9). `None` when nobody listens. Waits for the process table.
    pub async fn listens(&self, id: &DeploymentId, port: u16) -> Result<Option<bool>, DeployError> {
        let id = id.clone();
        let look = move |inner: &Inner| {
            let sockets = listen::inodes(port);
            let members = inner.members(&procfs::table(), &id);
            Ok((!sockets.is_empty()).then(|| members.iter().any(|m| listen::holds(m.pid, &sockets))))
        };
        self.blocking(look).await
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
        Box::pin(async move {
            // Taken before the work leaves this task: if we are dropped now, a stop knows that it must wait.
            let ticket = self.inner.pending.enter(&id);
            let work = move |inner: &Inner| {
                let _ticket = ticket;
                inner.launch(&id, &launch, &log)
            };
            self.blocking(work).await
        })
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

fn digest(root: &Path) -> String {
    let hash = Sha256::digest(root.as_os_str().as_encoded_bytes());
    tuner_core::hex(&hash[..8])
}

/// Where `root` keeps what it knows of deployments.
pub fn records_folder(root: &Path) -> PathBuf {
    record::folder(root)
}
