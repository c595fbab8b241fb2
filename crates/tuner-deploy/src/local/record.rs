//! What is written down about each launch, so that another process can find, verify and finish it.
//!
//! *Invariant*: the record stands before the process does, and goes only after all of its processes went.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::procfs::{self, Identity};
use crate::{DeployError, DeploymentId, Exit};

/// One deployment, as a file beside others.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) id: DeploymentId,
    /// Start times count from this boot.
    pub(crate) boot_id: String,
    /// First process; absent between intent and effect.
    #[serde(default)]
    pub(crate) first: Option<First>,
    pub(crate) log: PathBuf,
    #[serde(default)]
    pub(crate) ports: Vec<u16>,
    /// Memory in use on its GPUs before it was launched, MiB by index.
    #[serde(default)]
    pub(crate) gpu_memory: BTreeMap<u32, u64>,
    #[serde(default)]
    pub(crate) cgroup: Option<PathBuf>,
    /// How the first process ended, once someone saw it.
    #[serde(default)]
    pub(crate) exit: Option<Exit>,
}

/// The first process of a deployment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct First {
    pub(crate) pid: u32,
    pub(crate) start_ticks: u64,
}

impl Record {
    /// The first process, if it was started since this boot.
    pub(crate) fn first_identity(&self) -> Option<Identity> {
        let first = self.first.filter(|_| self.boot_id == procfs::boot_id())?;
        Some(Identity { pid: first.pid, start_ticks: first.start_ticks })
    }
}

/// The folder of the records of one data directory.
#[derive(Clone, Debug)]
pub(crate) struct Records {
    dir: PathBuf,
}

impl Records {
    pub(crate) fn open(dir: PathBuf) -> Result<Self, DeployError> {
        fs::create_dir_all(&dir).map_err(DeployError::file("create", &dir))?;
        let records = Self { dir };
        records.sweep();
        Ok(records)
    }

    /// Keeps other processes from launching in this data directory until the file is dropped.
    pub(crate) fn lock(&self) -> Result<fs::File, DeployError> {
        let path = self.dir.join("lock");
        let file = fs::OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(DeployError::file("create", &path))?;
        file.lock().map_err(DeployError::file("lock", &path))?;
        Ok(file)
    }

    /// A missing or unreadable record is none: marks find the processes all the same.
    pub(crate) fn read(&self, id: &DeploymentId) -> Option<Record> {
        let record: Record = serde_json::from_slice(&fs::read(self.path(id)).ok()?).ok()?;
        (record.id == *id).then_some(record)
    }

    /// Replaces the record in one step: a reader sees the old one or the new one.
    pub(crate) fn write(&self, record: &Record) -> Result<(), DeployError> {
        let path = self.path(&record.id);
        let fresh = path.with_extension(format!("{}.tmp", std::process::id()));
        let text = serde_json::to_vec_pretty(record).map_err(|e| DeployError::file("write", &path)(e.into()))?;
        fs::write(&fresh, text).map_err(DeployError::file("write", &fresh))?;
        fs::rename(&fresh, &path).map_err(DeployError::file("write", &path))
    }

    pub(crate) fn remove(&self, id: &DeploymentId) -> Result<(), DeployError> {
        let path = self.path(id);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(DeployError::file("remove", &path)(error)),
            _ => Ok(()),
        }
    }

    /// Every id that has a record.
    pub(crate) fn ids(&self) -> Vec<DeploymentId> {
        let Ok(entries) = fs::read_dir(&self.dir) else { return Vec::new() };
        let mut ids: Vec<DeploymentId> =
            entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.strip_suffix(".json")?.parse().ok()).collect();
        ids.sort();
        ids
    }

    /// Removes what a process that died while writing left.
    pub(crate) fn sweep(&self) {
        let Ok(entries) = fs::read_dir(&self.dir) else { return };
        for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
            let writer = path.to_str().and_then(|p| p.strip_suffix(".tmp")?.rsplit('.').next()?.parse().ok());
            if writer.is_some_and(|pid: u32| procfs::read(pid).is_none()) {
                let _ = fs::remove_file(&path);
            }
        }
    }

    fn path(&self, id: &DeploymentId) -> PathBuf {
        self.dir.join(format!("{id}.json"))
    }
}

/// Where the records of a data directory lie.
pub(crate) fn folder(root: &Path) -> PathBuf {
    root.join("deployments")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(id: &str) -> Record {
        Record {
            id: id.parse().unwrap(),
            boot_id: procfs::boot_id(),
            first: Some(First { pid: 5, start_ticks: 6 }),
            log: "x.log".into(),
            ports: vec![20_000],
            gpu_memory: BTreeMap::from([(0, 4)]),
            cgroup: None,
            exit: None,
        }
    }

    #[test]
    fn a_record_survives_and_a_broken_one_is_none() {
        let dir = tempfile::tempdir().unwrap();
        let records = Records::open(folder(dir.path())).unwrap();
        // Ids with dots must not swallow each other's extension.
        for id in ["a", "a.guard", "a.json"] {
            records.write(&record(id)).unwrap();
            assert_eq!(records.read(&id.parse().unwrap()), Some(record(id)));
        }
        assert_eq!(records.ids().len(), 3);
        fs::write(folder(dir.path()).join("a.json"), "{").unwrap();
        assert_eq!(records.read(&"a".parse().unwrap()), None);
        records.remove(&"a".parse().unwrap()).unwrap();
        records.remove(&"a".parse().unwrap()).unwrap();
        assert_eq!(records.ids().len(), 2);
    }

    #[test]
    fn a_record_of_an_earlier_boot_names_no_process() {
        let mut record = record("a");
        assert_eq!(record.first_identity(), Some(Identity { pid: 5, start_ticks: 6 }));
        record.boot_id = "another".into();
        assert_eq!(record.first_identity(), None);
    }

    #[test]
    fn half_written_files_of_dead_writers_are_swept() {
        let dir = tempfile::tempdir().unwrap();
        let records = Records::open(folder(dir.path())).unwrap();
        let (dead, alive) = (format!("a.{}.tmp", u32::MAX), format!("b.{}.tmp", std::process::id()));
        for name in [&dead, &alive] {
            fs::write(folder(dir.path()).join(name), "").unwrap();
        }
        records.sweep();
        assert!(!folder(dir.path()).join(dead).exists());
        assert!(folder(dir.path()).join(alive).exists());
    }
}
