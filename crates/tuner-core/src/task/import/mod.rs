//! Task files of the predecessor: recognised, translated field by field, with a note wherever the meaning changes and
//! an error wherever it cannot be kept.

mod benchmark;
mod fields;
mod flags;
mod optimization;
mod parallel;
mod parameters;
mod quant;

use super::diagnostic::{Diagnostic, nearest};
use super::read::ReadContext;
use super::read::tree::{Node, at_path};
use super::read::yaml;
use super::{
    BackendSpec, EngineSpec, LoadSpec, ModelSpec, Retries, SearchSpaceSpec, TaskSpec, Timeouts, Verification,
    WorkloadSpec, check,
};
use crate::engine::EngineName;
use fields::Fields;

/// Top-level keys that only the predecessor's files have.
const OWN_KEYS: [&str; 8] = [
    "task_name",
    "base_runtime",
    "parameters",
    "optimization",
    "benchmark",
    "slo",
    "deployment_mode",
    "runtime_image_tag",
];

/// Every top-level key it knows.
const KEYS: [&str; 17] = [
    "task_name",
    "description",
    "model",
    "base_runtime",
    "runtime_image_tag",
    "parameters",
    "optimization",
    "benchmark",
    "slo",
    "quant_config",
    "parallel_config",
    "clusterbasemodel_config",
    "clusterservingruntime_config",
    "deployment_mode",
    "gpu_type",
    "storage",
    "status",
];

/// What the person decides that the file cannot say.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ImportOptions {
    /// Where the engine runs instead of the file's `deployment_mode` (`--backend local`).
    pub backend: Option<BackendSpec>,
}

/// A translated task.
#[derive(Clone, Debug, PartialEq)]
pub struct Imported {
    /// The task, checked like any other.
    pub spec: TaskSpec,
    /// What changed its meaning on the way, in the order of the file.
    pub notes: Vec<Diagnostic>,
}

/// Whether a file was written for the predecessor: several of its own keys, and none of this project's.
pub(super) fn is_predecessor(root: &Node) -> bool {
    let own = OWN_KEYS.iter().filter(|k| root.get(k).is_some()).count();
    own >= 3 && root.get("engine").is_none() && root.get("search_space").is_none()
}

/// Whether a text is a task file of the predecessor.
pub fn is_predecessor_file(text: &str) -> bool {
    yaml::parse(text).is_ok_and(|(root, _)| is_predecessor(&root))
}

/// Translates a task file of the predecessor (YAML or JSON). All its errors are returned, with the notes.
pub fn import_predecessor(text: &str, options: &ImportOptions) -> Result<Imported, Vec<Diagnostic>> {
    let (root, duplicates) = yaml::parse(text).map_err(|error| vec![*error])?;
    let mut fields = Fields::new(&root);
    fields.found.extend(duplicates);
    if !is_predecessor(&root) {
        let finding = Diagnostic::error("", "this is not a task file of the predecessor");
        fields.found.push(
            finding
                .help("such files have task_name, base_runtime, parameters, optimization and benchmark")
                .at(root.span),
        );
        return Err(fields.found);
    }
    let spec = translate(&mut fields, options);
    let mut found = fields.found;
    found.sort_by_key(|d| (d.line, d.column));
    if found.iter().any(Diagnostic::is_error) {
        return Err(found);
    }
    match check(&spec, &ReadContext::default()) {
        Ok(task) => Ok(Imported { spec: task.spec, notes: found }),
        Err(findings) => {
            // Places of the translation mean nothing in the source: the field has to do.
            found.extend(findings.into_iter().filter(Diagnostic::is_error).map(|mut finding| {
                finding.message = format!("after translation: {}", finding.message);
                finding.at(root.span)
            }));
            Err(found)
        }
    }
}

fn translate(fields: &mut Fields<'_>, options: &ImportOptions) -> TaskSpec {
    for entry in fields.root.entries() {
        if !KEYS.contains(&entry.key.as_str()) {
            let finding = Diagnostic::note("", format!("unknown field `{}` is left out", entry.key));
            fields.report_key(&at_path![entry.key.as_str()], finding.suggest(nearest(&entry.key, KEYS)));
        }
    }
    let engine = engine(fields);
    let mut model = model(fields);
    let backend = backend(fields, options);
    let mut space = SearchSpaceSpec::default();
    let mut fixed = parameters::translate(fields, engine, &mut space.parameters);
    let source = model.source().to_lowercase();
    for group in quant::translate(fields, engine, &source).into_iter().chain(parallel::translate(fields, engine)) {
        group.place(fields, &mut space, &mut fixed);
    }
    let mut load = LoadSpec::default();
    let mut workload = WorkloadSpec::default();
    let mut timeouts = Timeouts::default();
    benchmark::translate(fields, &mut model, &mut workload, &mut load);
    // The window is a cap here: the number of requests usually ends a level first.
    timeouts.measure_s = timeouts.measure_s.max(load.duration_s.unwrap_or_default() + 300.0);
    let (sampler, objectives, budget, seed) = optimization::translate(fields, &mut timeouts);
    let slos = optimization::slos(fields);
    TaskSpec {
        name: name(fields),
        description: fields.text(&at_path!["description"]).filter(|d| !d.is_empty()),
        model,
        engine: EngineSpec {
            name: engine,
            version: version(fields),
            command: Vec::new(),
            fixed,
            env: super::Environment::new(),
            gpus: None,
            hardware: None,
        },
        backend,
        search_space: space,
        baseline: crate::Configuration::default(),
        workload,
        load,
        objectives,
        slos,
        max_error_rate: 0.01,
        sampler,
        budget,
        verification: Verification::default(),
        timeouts,
        retries: Retries::default(),
        repeats: 1,
        quality_guard: None,
        seed,
    }
}

fn name(fields: &mut Fields<'_>) -> String {
    let place = at_path!["task_name"];
    let Some(given) = fields.text(&place) else {
        fields.missing("task_name");
        return "x".to_owned();
    };
    let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let clean: String = given.chars().map(|c| if good(c) { c } else { '-' }).take(100).collect();
    let clean = clean.trim_start_matches(|c: char| !c.is_ascii_alphanumeric()).to_owned();
    if clean.is_empty() {
        fields.report(&place, Diagnostic::error("", "the name has neither a letter nor a digit"));
        return "x".to_owned();
    }
    if clean != given {
        fields.report(
            &place,
            Diagnostic::note("", format!("the name becomes `{clean}`: letters, digits, `-`, `_`, `.`")),
        );
    }
    clean
}

fn engine(fields: &mut Fields<'_>) -> EngineName {
    let place = at_path!["base_runtime"];
    let Some(given) = fields.text(&place) else {
        fields.missing("base_runtime");
        return EngineName::Vllm;
    };
    let plain = given.to_lowercase().replace('_', "-");
    let known = [
        ("sglang", EngineName::Sglang),
        ("vllm", EngineName::Vllm),
        ("tensorrt-llm", EngineName::TensorrtLlm),
        ("trtllm", EngineName::TensorrtLlm),
    ];
    match known.into_iter().find(|(word, _)| plain.starts_with(word)) {
        Some((word, engine)) => {
            if plain != word {
                fields.report(&place, Diagnostic::note("", format!("`{given}` is read as the engine {engine}")));
            }
            engine
        }
        None => {
            let finding = Diagnostic::error("", format!("unknown runtime `{given}`"));
            let near = nearest(&plain, known.map(|(word, _)| word));
            fields.report(&place, finding.suggest(near).allowed("sglang, vllm, tensorrt-llm"));
            EngineName::Vllm
        }
    }
}

/// The version in an image tag: `v0.5.2-cu126` is 0.5.2.
fn version(fields: &mut Fields<'_>) -> Option<String> {
    let place = at_path!["runtime_image_tag"];
    let tag = fields.text(&place)?;
    let bare = tag.trim_start_matches('v');
    let version: String = bare.chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
    let version = Some(version.trim_end_matches('.').to_owned()).filter(|v| !v.is_empty());
    let message = match &version {
        Some(version) => format!(
            "an image tag belongs to containers: kept as `engine.version: {version}`, compared with what is installed"
        ),
        None => "an image tag belongs to containers and is left out".to_owned(),
    };
    fields.report(&place, Diagnostic::note("", message));
    version
}

fn model(fields: &mut Fields<'_>) -> ModelSpec {
    let mut model = ModelSpec::default();
    match fields.text(&at_path!["model", "id_or_path"]) {
        Some(given) if given.starts_with(['/', '.', '~']) || given.ends_with(".gguf") => model.path = Some(given),
        Some(given) => model.id = Some(given),
        None => {
            let finding = Diagnostic::error("", "`model.id_or_path` is missing");
            fields.report_key(&at_path!["model"], finding);
            model.id = Some("x".to_owned());
        }
    }
    for entry in fields.entries(&at_path!["model"]) {
        let message = match entry.key.as_str() {
            "id_or_path" => continue,
            "namespace" => "a namespace belongs to Kubernetes and is left out".to_owned(),
            "hf_token" => {
                "a token does not belong in a file and is not copied: set HF_TOKEN in the environment".to_owned()
            }
            other => format!("unknown field `{other}` is left out"),
        };
        fields.report_key(&at_path!["model", entry.key.as_str()], Diagnostic::note("", message));
    }
    model
}

fn backend(fields: &mut Fields<'_>, options: &ImportOptions) -> BackendSpec {
    for key in ["clusterbasemodel_config", "clusterservingruntime_config", "storage", "gpu_type"] {
        if fields.root.get(key).is_some_and(|n| !n.is_null()) {
            let finding = Diagnostic::note("", format!("`{key}` describes a cluster and is left out"));
            fields.report_key(&at_path![key], finding);
        }
    }
    let place = at_path!["deployment_mode"];
    let mode = fields.text(&place);
    if let Some(backend) = &options.backend {
        let same = mode.as_deref() == Some("local") && *backend == BackendSpec::Local;
        if let Some(mode) = mode.filter(|_| !same) {
            fields.report(&place, Diagnostic::note("", format!("`{mode}` is replaced by the backend you chose")));
        }
        return backend.clone();
    }
    match mode.as_deref() {
        Some("local") => {}
        None => {
            let finding = Diagnostic::note("", "no deployment mode: the engine will run as a process of this machine");
            fields.found.push(finding.at(fields.root.span));
        }
        Some(mode @ ("docker" | "ome")) => {
            let finding = Diagnostic::error("", format!("deployment mode `{mode}` arrives with a later version"));
            let help = "import with `--backend local` to run the engine as a process of this machine";
            fields.report(&place, finding.help(help));
        }
        Some(mode) => {
            let finding = Diagnostic::error("", format!("unknown deployment mode `{mode}`"));
            fields.report(&place, finding.suggest(nearest(mode, ["local", "docker", "ome"])).allowed("local"));
        }
    }
    BackendSpec::Local
}
