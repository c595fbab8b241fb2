//! Ending a deployment: ask, wait, kill, and look again until two looks in a row find nobody.

use std::collections::BTreeSet;
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::procfs::{self, Identity};
use super::{Inner, cgroup, signal, tree};
use crate::{DeployError, DeploymentId, Stopped, ports};

/// Between two looks.
const LOOK: Duration = Duration::from_millis(20);
/// A killed process that stays longer is held by the kernel.
const KILL_LIMIT: Duration = Duration::from_secs(30);
/// How long a port may linger after the last process that held it.
const PORT_LIMIT: Duration = Duration::from_secs(3);

impl Inner {
    pub(super) fn stop(&self, id: &DeploymentId, grace: Duration) -> Result<Stopped, DeployError> {
        self.pending.wait_for(id);
        if self.records.read(id).is_some_and(|r| r.first.is_none()) {
            self.settle()?;
        }
        let mut stopped = self.end(id, grace)?;
        for other in self.records.ids().iter().filter(|other| *other != id && other.belongs_to(id)) {
            let beside = self.end(other, grace)?;
            stopped.took += beside.took;
            stopped.processes += beside.processes;
            stopped.killed += beside.killed;
            stopped.busy_ports.extend(beside.busy_ports);
        }
        Ok(stopped)
    }

    /// Waits until no launch of this data directory is under way. A process between fork and exec shows no mark yet,
    /// but it holds the launcher's lock until it does, even when the launcher was killed.
    pub(super) fn settle(&self) -> Result<(), DeployError> {
        self.records.lock().map(drop)
    }

    /// [`Inner::stop`] for whoever holds the lock.
    pub(super) fn end(&self, id: &DeploymentId, grace: Duration) -> Result<Stopped, DeployError> {
        let began = Instant::now();
        let record = self.records.read(id);
        let group = self.group(id, record.as_ref());
        let mut seen = self.roots(id);
        let mut asked = BTreeSet::new();
        let mut killed = BTreeSet::new();
        let mut clean_looks = 0;
        // One look may miss a process that was forked while the table was read.
        while clean_looks < 2 {
            let alive = self.look(id, &mut seen);
            self.bury(id, &seen);
            if alive.is_empty() {
                clean_looks += 1;
                continue;
            }
            clean_looks = 0;
            if began.elapsed() < grace {
                for target in alive.difference(&asked) {
                    signal::send(*target, Signal::TERM);
                    // A stopped process would not hear it.
                    signal::send(*target, Signal::CONT);
                }
                asked.extend(&alive);
            } else if began.elapsed() > grace + KILL_LIMIT {
                let pids = alive.iter().map(|i| i.pid).collect();
                return Err(DeployError::Unstoppable { id: id.to_string(), pids });
            } else {
                if let Some(group) = group.as_ref().filter(|g| !cgroup::pids(g).contains(&std::process::id())) {
                    cgroup::kill(group);
                }
                for target in &alive {
                    signal::send(*target, Signal::KILL);
                }
                killed.extend(&alive);
            }
            sleep(LOOK);
        }
        if let Some(group) = &group {
            cgroup::leave(group);
        }
        let busy_ports = wait_for_ports(record.map(|r| r.ports).unwrap_or_default());
        self.forget(id)?;
        asked.extend(&killed);
        Ok(Stopped { took: began.elapsed(), processes: asked.len(), killed: killed.len(), busy_ports })
    }

    /// Drops everything that is kept about an id.
    pub(super) fn forget(&self, id: &DeploymentId) -> Result<(), DeployError> {
        self.children().remove(id);
        self.records.remove(id)?;
        if let Some(lifeline) = &self.lifeline {
            lifeline.release(id);
        }
        Ok(())
    }

    /// Who lives now. Everyone ever seen stays in `seen`: children of the dead are found through them no more, but
    /// groups and sessions they lead are.
    fn look(&self, id: &DeploymentId, seen: &mut BTreeSet<Identity>) -> BTreeSet<Identity> {
        seen.extend(self.roots(id));
        let alive = tree::members(&procfs::table(), &self.home, id.as_str(), seen, std::process::id());
        seen.extend(&alive);
        alive
    }

    /// Collects the dead that are ours to collect.
    fn bury(&self, id: &DeploymentId, seen: &BTreeSet<Identity>) {
        let mut children = self.children();
        let first = children.get_mut(id).map(|child| {
            let _ = child.try_wait();
            child.id()
        });
        drop(children);
        for target in seen.iter().filter(|t| Some(t.pid) != first) {
            signal::bury(*target);
        }
    }
}

/// Waits until the ports can be bound; names those that cannot.
fn wait_for_ports(mut busy: Vec<u16>) -> Vec<u16> {
    let began = Instant::now();
    loop {
        busy.retain(|port| !ports::is_free(*port));
        if busy.is_empty() || began.elapsed() > PORT_LIMIT {
            return busy;
        }
        sleep(LOOK);
    }
}
