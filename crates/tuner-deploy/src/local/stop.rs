//! Ending a deployment: ask, wait, kill, and look again until two looks in a row find nobody.

use std::collections::{BTreeMap, BTreeSet};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::procfs::{self, Identity};
use super::{Inner, cgroup, signal, tree};
use crate::host::gpu;
use crate::{DeployError, DeploymentId, Stopped, ports};

/// Between two looks.
const LOOK: Duration = Duration::from_millis(20);
/// A killed process that stays longer is held by the kernel.
const KILL_LIMIT: Duration = Duration::from_secs(30);
/// How long a port may linger after the last process that held it.
const PORT_LIMIT: Duration = Duration::from_secs(3);
/// How long a driver may take to give memory back after the last process that held it.
const GPU_LIMIT: Duration = Duration::from_secs(10);
/// Between two questions to the driver.
const GPU_LOOK: Duration = Duration::from_millis(100);
/// A driver that does not answer is not waited for.
const GPU_ANSWER: Duration = Duration::from_secs(5);
/// What the driver itself takes or gives back now and then; an engine's context alone is several times as much.
const GPU_MEMORY_SLACK_MIB: u64 = 64;

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
            stopped.gpu_memory_held.extend(beside.gpu_memory_held);
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
        let (ports, before) = record.map(|r| (r.ports, r.gpu_memory)).unwrap_or_default();
        let busy_ports = wait_for_ports(ports);
        let gpu_memory_held = self.wait_for_gpu_memory(&before);
        self.forget(id)?;
        asked.extend(&killed);
        Ok(Stopped { took: began.elapsed(), processes: asked.len(), killed: killed.len(), busy_ports, gpu_memory_held })
    }

    /// Memory in use on these GPUs, MiB; those that do not answer are left out.
    pub(super) fn gpu_memory(&self, gpus: &[u32]) -> BTreeMap<u32, u64> {
        if gpus.is_empty() {
            return BTreeMap::new();
        }
        let mut used = gpu::memory_used(&self.gpu_tool, GPU_ANSWER);
        used.retain(|index, _| gpus.contains(index));
        used
    }

    /// Waits until the GPUs have given back what was taken since `before`; names those that have not (R0.2).
    fn wait_for_gpu_memory(&self, before: &BTreeMap<u32, u64>) -> BTreeMap<u32, u64> {
        let gpus: Vec<u32> = before.keys().copied().collect();
        let began = Instant::now();
        loop {
            let held = held(before, self.gpu_memory(&gpus));
            if held.is_empty() || began.elapsed() > GPU_LIMIT {
                return held;
            }
            sleep(GPU_LOOK);
        }
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

/// What is in use beyond `before`, by GPU.
fn held(before: &BTreeMap<u32, u64>, mut now: BTreeMap<u32, u64>) -> BTreeMap<u32, u64> {
    now.retain(|index, used| {
        *used = used.saturating_sub(before.get(index).copied().unwrap_or_default());
        *used > GPU_MEMORY_SLACK_MIB
    });
    now
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

#[cfg(test)]
mod tests {
    use super::*;

    // R0.2
    #[test]
    fn memory_that_a_gpu_has_not_given_back_is_named() {
        let before = BTreeMap::from([(0, 4), (1, 60_000)]);
        assert_eq!(held(&before, BTreeMap::from([(0, 30_000), (1, 60_010)])), BTreeMap::from([(0, 29_996)]));
        assert_eq!(held(&before, BTreeMap::from([(0, 4), (1, 20)])), BTreeMap::new());
        assert_eq!(held(&before, BTreeMap::new()), BTreeMap::new(), "a driver that says nothing is not waited for");
    }
}
