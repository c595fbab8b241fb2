//! Engines: what is known, what is installed, how to install.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;
use tuner_core::engine::EngineName;
use tuner_deploy::install;
use tuner_engines::{Catalogue, engine};

pub use tuner_deploy::install::{Installed, Progress};
pub use tuner_engines::install::InstallTarget;

use crate::doctor;
use crate::error::AppError;
use crate::home::Home;
use crate::tune::Surroundings;

/// An engine in the list.
#[derive(Clone, Debug, Serialize)]
pub struct EngineRow {
    /// Which.
    pub engine: EngineName,
    /// Version whose flags are known.
    pub catalogue_version: String,
    /// How many.
    pub flags: usize,
    /// Version installed in the data directory.
    pub installed_version: Option<String>,
    /// Program and leading arguments of that.
    pub launcher: Vec<String>,
}

/// Every engine.
pub fn list(home: &Home) -> Vec<EngineRow> {
    let installed = install::installed(home.root());
    let row = |name: EngineName| {
        let catalogue = engine(name).catalogue();
        let here = installed.iter().find(|i| i.engine == Some(name));
        EngineRow {
            engine: name,
            catalogue_version: catalogue.version.clone(),
            flags: catalogue.flags().len(),
            installed_version: match name {
                EngineName::Simulated => Some("built in".to_owned()),
                _ => here.map(|i| i.version.clone()),
            },
            launcher: here.map(|i| i.launcher.clone()).unwrap_or_default(),
        }
    };
    EngineName::ALL.into_iter().map(row).collect()
}

/// Engines that can be started here, each with its version.
pub(crate) fn startable(home: &Home, around: &Surroundings) -> BTreeMap<String, String> {
    let found = |name| doctor::is_on_path(name, around).then(|| "found on the PATH".to_owned());
    let known = |row: EngineRow| Some((row.engine.to_string(), row.installed_version.or_else(|| found(row.engine))?));
    list(home).into_iter().filter_map(known).collect()
}

/// The flags that an engine's own `--help` lists.
pub fn catalogue_from_help(name: EngineName, file: &Path) -> Result<Catalogue, AppError> {
    let text = std::fs::read_to_string(file).map_err(|source| AppError::Read { path: file.to_owned(), source })?;
    let version = file.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
    Ok(Catalogue::from_help(name, &version, &text))
}

/// Installs into the data directory.
pub async fn install(home: &Home, what: InstallTarget, progress: impl FnMut(Progress)) -> Result<Installed, AppError> {
    Ok(install::install(what, home.root(), progress).await?)
}

/// The sample model, if it is installed.
pub fn sample_model(home: &Home) -> Option<std::path::PathBuf> {
    let name = InstallTarget::SampleModel.name();
    install::installed(home.root()).into_iter().find(|i| i.name == name)?.models.into_iter().next()
}
