//! Pre-flight checks: what can be known before anything is deployed (R14.8).

mod gpus;

use std::fmt;
use std::path::Path;

use serde::Serialize;
use tuner_bench::dataset::Dataset;
use tuner_core::engine::EngineName;
use tuner_core::task::{BackendSpec, DatasetSpec, EngineSpec, ModelSpec};
use tuner_core::{Configuration, TaskSpec, with_causes};
use tuner_deploy::Proxies;
use tuner_deploy::host::{self, HostFacts};
use tuner_engines::install::InstallTarget;
use tuner_engines::{LaunchRequest, engine};
use tuner_store::Store;

use crate::error::AppError;
use crate::files;
use crate::forecast;
use crate::home::Home;
use crate::tasks::{is_virtual, space_of};
use crate::tune::{Surroundings, launchers};

/// Disk space below which a warning is given, GiB.
const LOW_DISK_GIB: f64 = 2.0;

/// How a check went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// As it should be.
    Good,
    /// Worth knowing.
    Warning,
    /// Nothing can work before this is repaired.
    Failed,
}

/// One check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What was looked at.
    pub name: &'static str,
    /// How it is.
    pub status: Status,
    /// What was seen.
    pub detail: String,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.status {
            Status::Good => "ok     ",
            Status::Warning => "warning",
            Status::Failed => "FAILED ",
        };
        write!(f, "{word}  {}: {}", self.name, self.detail)?;
        match &self.hint {
            Some(hint) if self.status != Status::Good => write!(f, "\n         hint: {hint}"),
            _ => Ok(()),
        }
    }
}

fn check(name: &'static str, status: Status, detail: impl Into<String>) -> Check {
    Check { name, status, detail: detail.into(), hint: None }
}

impl Check {
    fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}

/// Checks this machine.
pub fn check_machine(home: &Home, around: &Surroundings) -> Vec<Check> {
    let facts = facts(home, around);
    let mut checks = vec![
        check("machine", Status::Good, crate::results::host(&facts).describe()),
        data_dir(home),
        disk(home, &facts),
        gpus::found(&facts.gpus),
        match &facts.python {
            Some(version) => check("python", Status::Good, version.clone()),
            None => check("python", Status::Warning, "python3 is not on the PATH")
                .hint("engines that `autotuner engines install` provides need it: apt-get install python3-venv"),
        },
    ];
    let installed = launchers(home, around);
    for name in InstallTarget::ALL.into_iter().filter_map(InstallTarget::engine) {
        checks.push(match installed.get(&name) {
            Some((command, version)) => {
                let version = version.as_deref().unwrap_or("unknown version");
                check("engine", Status::Good, format!("{name} {version} ({})", command.join(" ")))
            }
            None => {
                check("engine", Status::Warning, format!("{name} is not installed")).hint(engine(name).how_to_provide())
            }
        });
    }
    checks.push(check("proxies", Status::Good, proxies(&facts.proxies)));
    checks
}

fn proxies(proxies: &Proxies) -> String {
    if !proxies.any() {
        return "none".to_owned();
    }
    let proxies = proxies.redacted();
    let kinds = [("http", &proxies.http), ("https", &proxies.https), ("other", &proxies.all)];
    let mut parts: Vec<String> =
        kinds.iter().filter_map(|(kind, url)| Some(format!("{kind} {}", url.as_ref()?))).collect();
    parts.push(format!("direct {}", proxies.no_proxy()));
    parts.join(", ")
}

/// Whether the data directory can be written, or made. Leaves nothing behind.
pub(crate) fn data_dir(home: &Home) -> Check {
    let root = home.root();
    let there = root.ancestors().find(|folder| folder.exists()).unwrap_or(root);
    let probe = there.join(format!(".autotuner-probe-{}", std::process::id()));
    let tried = std::fs::write(&probe, "").and_then(|()| std::fs::remove_file(&probe));
    match tried {
        Ok(()) if there == root => check("data directory", Status::Good, root.display().to_string()),
        Ok(()) => check("data directory", Status::Good, format!("{}, not made yet", root.display())),
        Err(error) => {
            check("data directory", Status::Failed, format!("{} cannot be written: {error}", there.display()))
                .hint("choose another with --data-dir or AUTOTUNER_DATA_DIR")
        }
    }
}

/// Whether the database can be opened; `None` when there is none yet.
pub async fn check_store(home: &Home) -> Option<Check> {
    let place = home.database();
    if !place.exists() {
        return None;
    }
    Some(match Store::open(&place).await {
        Ok(_) => check("database", Status::Good, place.display().to_string()),
        Err(error) => {
            let hint = error.hint().unwrap_or("choose another data directory with --data-dir");
            check("database", Status::Failed, with_causes(&error)).hint(hint)
        }
    })
}

/// Checks a task against this machine.
pub fn check_task(home: &Home, spec: &TaskSpec, around: &Surroundings) -> Vec<Check> {
    let mut checks = Vec::new();
    if matches!(spec.backend, BackendSpec::Local) {
        let facts = facts(home, around);
        checks.push(engine_is_there(home, spec, around));
        checks.push(disk(home, &facts));
        if spec.engine.name != EngineName::Simulated {
            checks.push(model_is_there(spec));
        }
        checks.extend(gpus::suffice(spec, &facts.gpus));
    }
    checks.extend(spec.workload.datasets().iter().flatten().map(dataset));
    if let Some(guard) = spec.quality_guard.as_ref().filter(|_| !is_virtual(spec)) {
        let program = guard.command.first().map(String::as_str).unwrap_or_default();
        if !files::is_executable(program, around.path.as_deref()) {
            let check = check("quality guard", Status::Failed, format!("{program} cannot be executed"));
            checks.push(check.hint("put it on the PATH, or give its path in quality_guard.command"));
        }
    }
    checks.extend(left_out(spec));
    if let Ok(space) = space_of(spec) {
        let forecast = forecast::of(home, spec, around);
        let foretold = forecast::remarks(forecast.as_ref(), spec, &space);
        let hint =
            "they are marked infeasible without being started; more GPUs, or a smaller or quantised model, would help";
        checks.extend(foretold.into_iter().map(|text| check("memory", Status::Warning, text).hint(hint)));
    }
    checks
}

/// What a task in virtual time asks for in vain.
pub(crate) fn left_out(spec: &TaskSpec) -> Option<Check> {
    let asked = spec.quality_guard.is_some() && is_virtual(spec);
    asked.then(|| {
        check("quality guard", Status::Warning, "it is not run in virtual time, where no text is generated")
            .hint("what it would veto counts as good here; only a real engine can be asked")
    })
}

fn dataset(spec: &DatasetSpec) -> Check {
    if spec.is_url() {
        return check("data set", Status::Good, format!("{} is fetched when the task runs", spec.source));
    }
    match Dataset::load(spec) {
        Ok(found) => {
            let text = format!("{} rows in {}, {}", found.rows.len(), spec.source, found.format.name());
            check("data set", Status::Good, text)
        }
        Err(error) => check("data set", Status::Failed, with_causes(&error))
            .hint("the source is relative to the task file; `autotuner dataset inspect FILE` shows what it holds"),
    }
}

/// Refuses when a check failed.
pub fn must_pass(checks: &[Check]) -> Result<(), AppError> {
    let failed: Vec<&Check> = checks.iter().filter(|c| c.status == Status::Failed).collect();
    if failed.is_empty() {
        return Ok(());
    }
    let rendered = failed.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    Err(AppError::Preflight { failed: failed.len(), rendered })
}

fn facts(home: &Home, around: &Surroundings) -> HostFacts {
    let facts = HostFacts::gather(home.root(), &Proxies::from_vars(around.proxies.clone()));
    HostFacts { gpus: facts.gpus.visible(around.visible_gpus.as_deref()), ..facts }
}

fn engine_is_there(home: &Home, spec: &TaskSpec, around: &Surroundings) -> Check {
    let name = spec.engine.name;
    let installed = launchers(home, around);
    let own = (!spec.engine.command.is_empty()).then_some(&spec.engine.command);
    let command = own.or_else(|| installed.get(&name).map(|(command, _)| command));
    let command = command.cloned().unwrap_or_else(|| usual_command(&spec.engine, &spec.model));
    let program = command.first().map(String::as_str).unwrap_or_default();
    let hint = match own {
        Some(_) => "engine.command names it: correct the path, or leave engine.command out",
        None => engine(name).how_to_provide(),
    };
    if !files::is_executable(program, around.path.as_deref()) {
        return check("engine", Status::Failed, format!("{name}: {program} cannot be executed")).hint(hint);
    }
    if let [_, "-m", module, ..] = command.iter().map(String::as_str).collect::<Vec<_>>()[..]
        && !files::has_module(program, module)
    {
        return check("engine", Status::Failed, format!("{name}: {program} has no module {module}")).hint(hint);
    }
    check("engine", Status::Good, format!("{name}: {}", command.join(" ")))
}

/// Whether an engine that is not installed by us is there to be started by its usual name.
pub(crate) fn is_on_path(name: EngineName, around: &Surroundings) -> bool {
    let spec = EngineSpec {
        name,
        version: None,
        command: Vec::new(),
        fixed: Default::default(),
        env: Default::default(),
        gpus: None,
        hardware: None,
    };
    match usual_command(&spec, &ModelSpec::default()).as_slice() {
        [program, flag, module, ..] if flag == "-m" => {
            files::is_executable(program, around.path.as_deref()) && files::has_module(program, module)
        }
        [program, ..] => files::is_executable(program, around.path.as_deref()),
        [] => false,
    }
}

/// Program and leading arguments of the engine's command where nothing is installed and the task names none.
fn usual_command(spec: &EngineSpec, model: &ModelSpec) -> Vec<String> {
    let request = LaunchRequest {
        model,
        engine: spec,
        configuration: &Configuration::default(),
        launcher: &[],
        host: "127.0.0.1",
        port: 0,
        gpus: &[],
        ambient: &Default::default(),
        catalogue: None,
    };
    let Ok(launch) = engine(spec.name).launch_spec(&request) else { return Vec::new() };
    let leading = if launch.args.first().is_some_and(|a| a == "-m") { 2 } else { 0 };
    std::iter::once(launch.program).chain(launch.args.into_iter().take(leading)).collect()
}

fn model_is_there(spec: &TaskSpec) -> Check {
    let Some(path) = &spec.model.path else {
        let id = spec.model.id.clone().unwrap_or_default();
        return check("model", Status::Good, format!("{id}, which the engine fetches or has in its cache"));
    };
    let there = Path::new(path);
    if there.is_file() {
        let mib = there.metadata().map(|m| m.len() >> 20).unwrap_or_default();
        return check("model", Status::Good, format!("{path} ({mib} MiB)"));
    }
    if there.is_dir() {
        let missing = files::missing_shards(there);
        return if missing.is_empty() {
            check("model", Status::Good, path.clone())
        } else {
            check("model", Status::Failed, format!("{path} lacks {}", missing.join(", "))).hint("complete the download")
        };
    }
    check("model", Status::Failed, format!("{path} does not exist"))
        .hint("model.path is relative to the task file; give the path of a GGUF file or of a Hugging Face folder")
}

/// How much room the data directory has.
pub(crate) fn disk_space(home: &Home) -> Check {
    room(home, host::free_bytes(home.root()))
}

fn disk(home: &Home, facts: &HostFacts) -> Check {
    room(home, facts.disk_free_bytes)
}

fn room(home: &Home, free_bytes: Option<u64>) -> Check {
    match free_bytes.map(|bytes| bytes as f64 / f64::from(1 << 30)) {
        Some(free) if free < LOW_DISK_GIB => check("disk", Status::Warning, format!("{free:.1} GiB free"))
            .hint("logs and engines need room; set --data-dir to a larger disk"),
        Some(free) => check("disk", Status::Good, format!("{free:.0} GiB free for {}", home.root().display())),
        None => check("disk", Status::Warning, "the free space is not known"),
    }
}
