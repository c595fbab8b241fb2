//! What is known of deployments: by the child we hold, else by the record, else by the mark.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, ExitStatus};
use std::sync::{MutexGuard, PoisonError};
use std::time::Duration;

use super::procfs::{self, Identity, Process};
use super::record::Record;
use super::{Inner, cgroup, tree};
use crate::{DeployError, DeploymentId, Exit, Found, Running, Status};

impl Inner {
    pub(super) fn status(&self, id: &DeploymentId) -> Result<Status, DeployError> {
        if let Some(child) = self.children().get_mut(id) {
            let pid = child.id();
            return match child.try_wait() {
                Ok(None) => Ok(running(procfs::read(pid), false)),
                Ok(Some(status)) => {
                    let exit = exit(status);
                    if let Some(record) = self.records.read(id).filter(|r| r.exit.is_none()) {
                        self.records.write(&Record { exit: Some(exit), ..record })?;
                    }
                    Ok(Status::Exited(exit))
                }
                Err(_) => Ok(Status::Exited(Exit::default())),
            };
        }
        match self.records.read(id) {
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
    pub(super) fn roots(&self, id: &DeploymentId) -> BTreeSet<Identity> {
        let record = self.records.read(id);
        let first = record.as_ref().and_then(Record::first_identity);
        let group = self.group(id, record.as_ref()).map(|group| cgroup::pids(&group)).unwrap_or_default();
        group.into_iter().filter_map(procfs::read).map(|p| p.identity).chain(first).collect()
    }

    /// The control group of `id`: as recorded, or where it would be if the record was lost.
    pub(super) fn group(&self, id: &DeploymentId, record: Option<&Record>) -> Option<PathBuf> {
        let lost = || cgroup::planned(&self.home, id.as_str()).filter(|group| group.is_dir());
        record.map_or_else(lost, |r| r.cgroup.clone())
    }

    pub(super) fn members(&self, table: &BTreeMap<u32, Process>, id: &DeploymentId) -> BTreeSet<Identity> {
        tree::members(table, &self.home, id.as_str(), &self.roots(id), std::process::id())
    }

    pub(super) fn list(&self) -> Vec<Found> {
        let table = procfs::table();
        let marked = tree::marked_ids(&table, &self.home, std::process::id());
        let ids: BTreeSet<DeploymentId> =
            marked.iter().filter_map(|id| id.parse().ok()).chain(self.records.ids()).collect();
        ids.into_iter()
            .filter_map(|id| {
                let pids: Vec<u32> = self.members(&table, &id).into_iter().map(|i| i.pid).collect();
                (!pids.is_empty()).then_some(Found { id, pids })
            })
            .collect()
    }

    pub(super) fn reap(&self, except: &[DeploymentId], grace: Duration) -> Result<Vec<Found>, DeployError> {
        self.settle()?;
        let spared = |id: &DeploymentId| except.iter().any(|other| id.belongs_to(other));
        let reaped: Vec<Found> = self.list().into_iter().filter(|f| !spared(&f.id)).collect();
        for found in &reaped {
            tracing::warn!(id = %found.id, pids = ?found.pids, "ending what an earlier run left");
            self.stop(&found.id, grace)?;
        }
        for id in self.records.ids().iter().filter(|id| !spared(id)) {
            self.stop(id, grace)?;
        }
        self.records.sweep();
        Ok(reaped)
    }

    pub(super) fn children(&self) -> MutexGuard<'_, BTreeMap<DeploymentId, Child>> {
        self.children.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) fn running(process: Option<Process>, adopted: bool) -> Status {
    process.map_or(Status::Exited(Exit::default()), |p| {
        let Identity { pid, start_ticks } = p.identity;
        Status::Running(Running { pid, start_ticks, pgid: p.pgid, adopted })
    })
}

fn exit(status: ExitStatus) -> Exit {
    Exit { code: status.code(), signal: status.signal() }
}
