//! What workers left behind that do not live any more: engines, and the ports and GPUs that were set aside for them.
//!
//! *Invariant*: what somebody works on is not touched. Somebody works on a deployment who holds its experiment under the fence
//! that it was launched under, and is not known to be dead. What another machine has is forgotten only where nobody of that
//! machine was heard of for a while in which the database answered; whoever comes back finds that it has lost its claim.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use tuner_deploy::{Backend, DeploymentId, LocalBackend};
use tuner_store::{DeploymentRow, Holder, Resource, Store, StoreError, TaskId};

use crate::error::RunError;
use crate::liveness::{is_dead, lives, this_process};

/// Characters of a task's id.
const TASK_ID_LENGTH: usize = 36;
/// Time that what an earlier run left has to end by itself.
const GRACE: Duration = Duration::from_secs(1);
/// How long nobody of another machine must have been heard of, twice as long as a claim lasts.
const GONE: Duration = Duration::from_secs(60);

/// Stops everything of this host that nobody works on, of whichever task, and gives back what was set aside for it.
/// Rows come first: a process between fork and exec carries no mark yet, but its row and its record stand.
pub(crate) async fn reap(backend: &LocalBackend, store: &Store) -> Result<Vec<DeploymentId>, RunError> {
    let host = this_process().host;
    let mut rows = BTreeMap::new();
    for row in store.live_deployments().await?.into_iter().filter(|row| row.host == host) {
        rows.insert(row.id.parse::<DeploymentId>()?, row);
    }
    let mut ids: BTreeSet<DeploymentId> = backend.list().await?.into_iter().map(|found| found.id).collect();
    ids.extend(rows.keys().cloned());
    let mut reaped = Vec::new();
    for id in ids {
        let Some((task, experiment)) = work_of(&id) else { continue };
        let row = rows.get(&id);
        let holder = store.holder(&Resource::experiment(task, experiment)).await?;
        if holder.is_some_and(|holder| is_worked_on(&holder, row)) {
            continue;
        }
        if backend.stop(&id, GRACE).await?.processes > 0 {
            reaped.push(id.clone());
        }
        // One of another data directory: what stands there is that one's to stop.
        if row.and_then(|row| row.pid.zip(row.start_ticks)).is_some_and(|(pid, ticks)| lives(pid, ticks)) {
            continue;
        }
        forget(store, id.as_str()).await?;
    }
    Ok(reaped)
}

/// The task and the experiment that a deployment of ours belongs to, by its id ([`crate::Job::deployment`]).
fn work_of(id: &DeploymentId) -> Option<(TaskId, u32)> {
    let (task, rest) = id.as_str().split_at_checked(TASK_ID_LENGTH)?;
    let (experiment, _) = rest.strip_prefix("-e")?.split_once("-a")?;
    Some((task.parse().ok()?, experiment.parse().ok()?))
}

fn is_worked_on(holder: &Holder, row: Option<&DeploymentRow>) -> bool {
    row.is_none_or(|row| row.fence == holder.fence) && !is_dead(&holder.owner)
}

async fn forget(store: &Store, id: &str) -> Result<(), StoreError> {
    match store.deployment_stopped(id).await {
        // A guard has no row of its own; a task that was deleted took its rows along.
        Ok(()) | Err(StoreError::NotFound { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Looks after what is left behind, from one look to the next.
#[derive(Debug)]
pub struct Caretaker {
    root: PathBuf,
    /// Nobody has looked here yet.
    new: bool,
    /// Deployments of other hosts that nobody holds and nobody is there for, and since when they were seen so.
    silent: BTreeMap<String, Instant>,
    gone: Duration,
}

impl Caretaker {
    /// Of this host, with engines in this data directory.
    pub fn new(root: PathBuf) -> Self {
        Self { root, new: true, silent: BTreeMap::new(), gone: GONE }
    }

    /// Another time without a sign of life after which a machine counts as gone.
    #[must_use]
    pub fn gone_after(self, gone: Duration) -> Self {
        Self { gone, ..self }
    }

    /// Stops and forgets what is left behind, and says what it was.
    ///
    /// # Errors
    /// [`RunError::Store`]; [`RunError::Reap`].
    pub async fn look(&mut self, store: &Store) -> Result<Vec<String>, RunError> {
        let looked = self.look_now(store).await;
        if looked.is_err() {
            // While the database is away nobody can be heard of.
            self.silent.clear();
        }
        looked
    }

    async fn look_now(&mut self, store: &Store) -> Result<Vec<String>, RunError> {
        let host = this_process().host;
        let (here, elsewhere): (Vec<_>, Vec<_>) =
            store.live_deployments().await?.into_iter().partition(|row| row.host == host);
        let mut left = self.new;
        for row in here.iter().filter(|_| !self.new) {
            let holder = store.holder(&Resource::experiment(row.task, row.experiment)).await?;
            left |= !holder.is_some_and(|holder| is_worked_on(&holder, Some(row)));
        }
        let mut found: Vec<String> = Vec::new();
        if left {
            let backend = LocalBackend::new(&self.root)?;
            found.extend(reap(&backend, store).await?.into_iter().map(|id| id.to_string()));
            self.new = false;
        }
        found.extend(self.look_elsewhere(store, &elsewhere).await?);
        Ok(found)
    }

    async fn look_elsewhere(&mut self, store: &Store, rows: &[DeploymentRow]) -> Result<Vec<String>, StoreError> {
        let mut silent = std::mem::take(&mut self.silent);
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let workers = store.list_workers().await?;
        let alive: BTreeSet<&str> = workers.iter().filter(|w| w.alive).map(|w| w.owner.host.as_str()).collect();
        let now = store.lease_time().await?;
        let mut forgotten = Vec::new();
        for row in rows.iter().filter(|row| !alive.contains(row.host.as_str())) {
            let resource = Resource::experiment(row.task, row.experiment);
            let holder = store.holder(&resource).await?.filter(|holder| holder.fence == row.fence);
            if holder.as_ref().is_some_and(|holder| holder.expires_at > now) {
                continue;
            }
            let since = silent.remove(&row.id).unwrap_or_else(Instant::now);
            if since.elapsed() < self.gone {
                self.silent.insert(row.id.clone(), since);
                continue;
            }
            if let Some(holder) = holder {
                store.break_lease(&resource, holder.fence).await?;
            }
            forget(store, &row.id).await?;
            forgotten.push(format!("{} of {}, where nobody is any more", row.id, row.host));
        }
        Ok(forgotten)
    }
}
