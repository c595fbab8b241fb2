//! A backend in memory, for tests of whoever uses one. It passes the same conformance suite as the real ones.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::FutureExt;
use futures::future::{BoxFuture, ready};

use crate::{Backend, DeployError, DeploymentId, Exit, Found, Launch, Running, Status, Stopped, logs};

/// Deployments that are only remembered. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct FakeBackend {
    world: Arc<Mutex<World>>,
}

#[derive(Debug, Default)]
struct World {
    next_pid: u32,
    deployments: BTreeMap<DeploymentId, Deployment>,
    launches: Vec<(DeploymentId, Launch)>,
    missing: Vec<String>,
}

#[derive(Debug)]
struct Deployment {
    running: Running,
    exit: Option<Exit>,
}

impl FakeBackend {
    /// An empty host.
    pub fn new() -> Self {
        Self::default()
    }

    /// From now on this program is not installed.
    pub fn without_program(self, program: &str) -> Self {
        self.world().missing.push(program.to_owned());
        self
    }

    /// The deployment's process ends by itself.
    pub fn crash(&self, id: &DeploymentId, exit: Exit) {
        if let Some(deployment) = self.world().deployments.get_mut(id) {
            deployment.exit.get_or_insert(exit);
        }
    }

    /// Every launch that was not an adoption, in order.
    pub fn launches(&self) -> Vec<(DeploymentId, Launch)> {
        self.world().launches.clone()
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn launch_now(&self, id: &DeploymentId, launch: &Launch, log: &Path) -> Result<Running, DeployError> {
        let mut world = self.world();
        if let Some(Deployment { running, exit: None }) = world.deployments.get(id) {
            return Ok(Running { adopted: true, ..running.clone() });
        }
        if world.missing.contains(&launch.program) {
            return Err(DeployError::ProgramMissing { program: launch.program.clone() });
        }
        let mut file = logs::begin(log, id.as_str(), launch)?;
        file.write_all(b"fake engine started\n").map_err(DeployError::file("write", log))?;
        world.next_pid += 1;
        let pid = world.next_pid;
        let running = Running { pid, start_ticks: u64::from(pid), pgid: pid, adopted: false };
        world.launches.push((id.clone(), launch.clone()));
        world.deployments.insert(id.clone(), Deployment { running: running.clone(), exit: None });
        Ok(running)
    }
}

impl Backend for FakeBackend {
    fn launch<'a>(
        &'a self,
        id: &'a DeploymentId,
        launch: &'a Launch,
        log: &'a Path,
    ) -> BoxFuture<'a, Result<Running, DeployError>> {
        async move { self.launch_now(id, launch, log) }.boxed()
    }

    fn status<'a>(&'a self, id: &'a DeploymentId) -> BoxFuture<'a, Result<Status, DeployError>> {
        let status = match self.world().deployments.get(id) {
            None => Status::Absent,
            Some(Deployment { exit: Some(exit), .. }) => Status::Exited(*exit),
            Some(Deployment { running, .. }) => Status::Running(running.clone()),
        };
        ready(Ok(status)).boxed()
    }

    fn stop<'a>(&'a self, id: &'a DeploymentId, _grace: Duration) -> BoxFuture<'a, Result<Stopped, DeployError>> {
        let stop = async move {
            let gone = self.world().deployments.extract_if(.., |other, _| other.belongs_to(id)).collect::<Vec<_>>();
            let processes = gone.iter().filter(|(_, d)| d.exit.is_none()).count();
            Ok(Stopped { processes, ..Stopped::default() })
        };
        stop.boxed()
    }

    fn list(&self) -> BoxFuture<'_, Result<Vec<Found>, DeployError>> {
        let world = self.world();
        let alive = world.deployments.iter().filter(|(_, d)| d.exit.is_none());
        let found = alive.map(|(id, d)| Found { id: id.clone(), pids: vec![d.running.pid] }).collect();
        ready(Ok(found)).boxed()
    }
}
