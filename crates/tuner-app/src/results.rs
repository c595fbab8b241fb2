//! What a task found: gathered from the store for a report.

use std::path::Path;

use chrono::Utc;
use serde::Serialize;
use tuner_core::engine::EngineName;
use tuner_core::plan::Verdict;
use tuner_core::task::{BackendSpec, ModelSpec, yaml_of};
use tuner_core::{Configuration, TaskSpec};
use tuner_deploy::Proxies;
use tuner_deploy::host::HostFacts;
use tuner_engines::{LaunchRequest, LaunchSpec, engine, manifest};
use tuner_store::{Store, TaskId, TaskState};

use crate::error::AppError;
use crate::home::Home;
use crate::report::{self, Format, Report, ReportData, render};
use crate::tune::{Surroundings, launchers};

/// Port of the command that a person pastes.
const PASTE_PORT: u16 = 8080;

/// Gathers everything that a report of the task shows.
pub async fn gather(home: &Home, store: &Store, task: TaskId, around: &Surroundings) -> Result<Report, AppError> {
    let state = store.load(task).await?;
    Ok(report_of(home, &state, around))
}

/// The report of a task that is loaded already.
pub(crate) fn report_of(home: &Home, state: &TaskState, around: &Surroundings) -> Report {
    let verdict: Option<Verdict> = state.row.verdict.clone().and_then(|v| serde_json::from_value(v).ok());
    let recommended = verdict.as_ref().and_then(|v| v.recommended);
    let configuration = state.experiments.iter().find(|e| Some(e.number) == recommended).map(|e| &e.configuration);
    let command = configuration.and_then(|c| paste_command(home, &state.spec, c, around));
    Report::new(&ReportData {
        spec: &state.spec,
        experiments: &state.experiments,
        verdict: verdict.as_ref(),
        host: host(&HostFacts::gather(home.root(), &Proxies::default())),
        command,
        generated_at: Utc::now(),
    })
}

/// The command that starts this configuration, on a port of its own choice; none where nothing is launched.
pub fn paste_command(
    home: &Home,
    spec: &TaskSpec,
    configuration: &Configuration,
    around: &Surroundings,
) -> Option<String> {
    let mut installed =
        launchers(home, around).remove(&spec.engine.name).map(|(command, _)| command).unwrap_or_default();
    if let (EngineName::Simulated, Some(program), Some(called)) =
        (spec.engine.name, installed.first_mut(), &around.called)
    {
        program.clone_from(called);
    }
    let launcher = if spec.engine.command.is_empty() { &installed } else { &spec.engine.command };
    launch(spec, &spec.model, configuration, launcher, "127.0.0.1").map(|launch| launch.paste_command())
}

/// What starts this configuration, where something is launched and its flags can be written.
fn launch(
    spec: &TaskSpec,
    model: &ModelSpec,
    configuration: &Configuration,
    launcher: &[String],
    host: &str,
) -> Option<LaunchSpec> {
    if matches!(spec.backend, BackendSpec::Attached { .. }) {
        return None;
    }
    let request = LaunchRequest {
        model,
        engine: &spec.engine,
        configuration: &spec.effective_flags(configuration),
        launcher,
        host,
        port: PASTE_PORT,
        gpus: &[],
        ambient: &Default::default(),
        catalogue: None,
    };
    engine(spec.engine.name).launch_spec(&request).ok()
}

/// Files that start a configuration elsewhere.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LaunchFiles {
    /// The image that they name; `IMAGE` where the engine's project publishes none by a plain name.
    pub image: String,
    /// For Compose.
    pub compose: String,
    /// For Kubernetes: a Deployment and a Service.
    pub kubernetes: String,
}

/// Files that start this configuration in a container or a cluster; none where nothing is launched.
pub fn launch_files(spec: &TaskSpec, configuration: &Configuration) -> Option<LaunchFiles> {
    let mut model = spec.model.clone();
    model.path = model.path.as_deref().map(manifest::model_inside);
    let launch = launch(spec, &model, configuration, &[], "0.0.0.0")?;
    let engine = engine(spec.engine.name);
    let version = spec.engine.version.clone().unwrap_or_else(|| engine.catalogue().version.clone());
    let image = manifest::image(spec.engine.name, &version).unwrap_or_else(|| "IMAGE".to_owned());
    let name: String = spec.name.to_ascii_lowercase().replace(|c: char| !c.is_ascii_alphanumeric(), "-");
    let of = manifest::Deployment {
        name: name.trim_matches('-'),
        image: &image,
        launch: &launch,
        port: PASTE_PORT,
        model: spec.model.path.as_deref(),
        gpus: spec.engine.gpus.unwrap_or_else(|| engine.gpus_needed(&spec.effective_flags(configuration))),
    };
    let [deployment, service] = of.kubernetes().map(|object| yaml_of(&object));
    let (compose, kubernetes) = (yaml_of(&of.compose()), format!("{deployment}---\n{service}"));
    Some(LaunchFiles { image, compose, kubernetes })
}

/// The facts of a machine that a report shows.
pub(crate) fn host(facts: &HostFacts) -> report::HostFacts {
    let gib = |bytes: u64| (bytes as f64 / f64::from(1 << 30) * 10.0).round() / 10.0;
    let gpus = facts.gpus.list().iter().map(|g| format!("{}, {} GiB", g.name, (g.memory_total_mib + 512) / 1024));
    report::HostFacts {
        cpu: facts.cpu.clone(),
        cores: Some(facts.cores as u32),
        memory_gib: facts.memory_total_bytes.map(gib),
        gpus: gpus.collect(),
        os: facts.os.clone(),
    }
}

/// Renders a report.
pub fn rendered(report: &Report, format: Format) -> Result<String, AppError> {
    render(report, format).map_err(|error| AppError::Render(Box::new(error)))
}

/// Writes a file, making its folder if it is missing; a half-written file is never left.
pub fn write(path: &Path, text: &str) -> Result<(), AppError> {
    let failed = |source| AppError::Write { path: path.to_owned(), source };
    if let Some(folder) = path.parent().filter(|f| !f.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    let beside = path.with_added_extension(format!("{}.tmp", std::process::id()));
    std::fs::write(&beside, text).map_err(failed)?;
    std::fs::rename(&beside, path).map_err(failed)
}
