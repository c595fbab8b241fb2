//! Bringing a process up under an id, or finding that it is up.

use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use tuner_engines::proxies::overlay;

use super::look::running;
use super::procfs::{self, DEPLOYMENT_VAR, HOME_VAR};
use super::record::{First, Record};
use super::{Inner, cgroup};
use crate::{DeployError, DeploymentId, Launch, Running, Status, logs};

/// Under memory pressure the kernel ends the engine, not the tuner (range -1000..1000).
const OOM_SCORE: &str = "500";

impl Inner {
    pub(super) fn launch(&self, id: &DeploymentId, launch: &Launch, log: &Path) -> Result<Running, DeployError> {
        let _lock = self.records.lock()?;
        match self.status(id)? {
            Status::Running(running) => return Ok(Running { adopted: true, ..running }),
            // Children of a first process that ended would hold its port and memory.
            Status::Exited(_) | Status::Absent => self.end(id, Duration::ZERO)?,
        };
        let mut command = self.command(id, launch, log)?;
        let mut record = Record {
            id: id.clone(),
            boot_id: procfs::boot_id(),
            first: None,
            log: log.to_owned(),
            ports: launch.ports.clone(),
            gpu_memory: self.gpu_memory(&launch.gpus),
            cgroup: cgroup::planned(&self.home, id.as_str()),
            exit: None,
        };
        self.records.write(&record)?;
        if let Some(lifeline) = &self.lifeline {
            lifeline.hold(id);
        }
        let child = match command.spawn() {
            Ok(child) => child,
            Err(source) => {
                self.forget(id)?;
                return Err(DeployError::spawn(&launch.program, source));
            }
        };
        let pid = child.id();
        // Not yet waited for, so even if it died already it is still in the table.
        let process = procfs::read(pid);
        self.children().insert(id.clone(), child);
        record.cgroup = record.cgroup.filter(|group| cgroup::enter(group, pid));
        record.first = process.as_ref().map(|p| First { pid, start_ticks: p.identity.start_ticks });
        self.records.write(&record)?;
        let _ = std::fs::write(format!("/proc/{pid}/oom_score_adj"), OOM_SCORE);
        match running(process, false) {
            Status::Running(running) => Ok(running),
            Status::Absent | Status::Exited(_) => Ok(Running { pid, start_ticks: 0, pgid: pid, adopted: false }),
        }
    }

    fn command(&self, id: &DeploymentId, launch: &Launch, log: &Path) -> Result<Command, DeployError> {
        let out = logs::begin(log, id.as_str(), launch)?;
        let err: File = match &launch.stderr {
            Some(path) => logs::append(path)?,
            None => out.try_clone().map_err(DeployError::file("write", log))?,
        };
        let mut command = Command::new(&launch.program);
        command
            .args(&launch.args)
            // Python programs that set their title overwrite their environment, and with it the mark, unless told.
            .env("SPT_NOENV", "1")
            .envs(overlay(&self.proxies, &launch.env))
            .env(DEPLOYMENT_VAR, id.as_str())
            .env(HOME_VAR, &self.home)
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(err)
            // Out of our group, so that Ctrl-C reaches us alone and the end is ours to order.
            .process_group(0);
        if let Some(cwd) = &launch.cwd {
            if !cwd.is_dir() {
                return Err(DeployError::NoWorkingDirectory { path: cwd.clone() });
            }
            command.current_dir(cwd);
        }
        Ok(command)
    }
}
