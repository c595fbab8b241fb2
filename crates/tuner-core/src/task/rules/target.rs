//! Rules on model, engine and backend.

use super::super::diagnostic::{Diagnostic, nearest};
use super::super::read::tree::{Path, at_path};
use super::super::{BackendSpec, TaskSpec};
use super::Rules;
use crate::engine::EngineName;

/// Flags that the tuner sets itself, with what to write instead.
const OWN_FLAGS: [(&str, &str); 5] = [
    ("port", "the tuner picks a free port for every deployment"),
    ("host", "the tuner decides where the engine listens"),
    ("model", "set `model.path` or `model.id`"),
    ("model-path", "set `model.path` or `model.id`"),
    ("served-model-name", "set `model.served_name`"),
];

impl Rules<'_> {
    pub(super) fn target(&mut self) {
        self.model();
        self.engine();
        self.backend();
        self.parallel();
        self.guard();
    }

    /// An endpoint that already runs is one, and gives one answer at a time to the question how fast it is.
    fn parallel(&mut self) {
        let attached = matches!(self.spec.backend, BackendSpec::Attached { .. });
        if attached && self.spec.budget.parallel > 1 {
            let text = "experiments on one endpoint that already runs would disturb each other";
            let finding = Diagnostic::error("", text).help("remove it: they are done one after another");
            self.report(&at_path!["budget", "parallel"], finding);
        }
    }

    fn model(&mut self) {
        let model = &self.spec.model;
        let attached = matches!(self.spec.backend, BackendSpec::Attached { .. });
        if model.path.is_none() && model.id.is_none() && !(attached && model.served_name.is_some()) {
            let help = if attached {
                "give `id` or `served_name`: the name that the endpoint serves"
            } else {
                "give `path` (a GGUF file or a folder) or `id` (organisation/name on the hub)"
            };
            self.report_key(&at_path!["model"], Diagnostic::error("", "the task names no model").help(help));
        }
        for (field, value) in [
            ("path", &model.path),
            ("id", &model.id),
            ("served_name", &model.served_name),
            ("tokenizer", &model.tokenizer),
        ] {
            if value.as_deref().is_some_and(|v| v.trim().is_empty()) {
                let finding =
                    Diagnostic::error("", format!("`{field}` is empty")).help("give a value, or remove the field");
                self.report(&at_path!["model", field], finding);
            }
        }
        if let Some(id) = &model.id
            && (id.starts_with(['/', '.', '~']) || id.ends_with(".gguf"))
        {
            let finding =
                Diagnostic::error("", format!("`{id}` is a path, not a hub id")).help("write it under `path`");
            self.report(&at_path!["model", "id"], finding.allowed("organisation/name"));
        }
        let placeholder = |text: &str| text.contains('<') || text.contains("${");
        if let Some(path) = model.path.as_deref().filter(|p| placeholder(p)) {
            let finding = Diagnostic::error("", format!("`{path}` is a placeholder"))
                .help("write the real path; variables are not expanded in task files");
            self.report(&at_path!["model", "path"], finding);
        }
    }

    fn engine(&mut self) {
        let TaskSpec { engine, search_space, baseline, .. } = self.spec;
        let simulated = engine.name == EngineName::Simulated;
        let known_engine = self.sound(&at_path!["engine", "name"]);
        if let Some(hardware) = &engine.hardware {
            if !simulated && known_engine {
                let finding = Diagnostic::error(
                    "",
                    format!("only the simulated engine pretends to have hardware, {} uses what is there", engine.name),
                );
                self.report_key(&at_path!["engine", "hardware"], finding.help("remove it, or use `name: simulated`"));
            }
            if let Some(gpus) = self.context.known_gpus.filter(|known| !known.contains(&hardware.gpu.as_str())) {
                let finding = Diagnostic::error("", format!("the simulator does not know the GPU `{}`", hardware.gpu));
                let finding = finding.suggest(nearest(&hardware.gpu, gpus.iter().copied())).allowed(gpus.join(", "));
                self.report(&at_path!["engine", "hardware", "gpu"], finding);
            }
        }
        for (i, word) in engine.command.iter().enumerate() {
            if word.is_empty() || word.contains('\0') {
                let finding = Diagnostic::error("", "a part of the command is empty").help("remove it");
                self.report(&at_path!["engine", "command", i], finding);
            }
        }
        for name in engine.env.keys() {
            let good = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
                && name.starts_with(|c: char| !c.is_ascii_digit());
            if !good {
                let finding = Diagnostic::error("", format!("`{name}` cannot be the name of an environment variable"));
                self.report_key(
                    &at_path!["engine", "env", name.as_str()],
                    finding.allowed("letters, digits and `_`, no digit first"),
                );
            }
        }
        let engine_name = engine.name;
        let flags = known_engine.then(|| self.context.known_flags.and_then(|known| known(engine_name))).flatten();
        let varied =
            search_space.parameters.0.iter().map(|(n, _)| (at_path!["search_space", "parameters", n.as_str()], n));
        let fixed = engine.fixed.keys().map(|n| (at_path!["engine", "fixed", n.as_str()], n));
        let base = baseline.0.keys().map(|n| (at_path!["baseline", n.as_str()], n));
        let all: Vec<(Path, String)> = varied.chain(fixed).chain(base).map(|(p, n)| (p, n.clone())).collect();
        for (place, name) in all {
            self.flag(&place, &name, flags.as_deref());
        }
    }

    /// A flag's name, wherever it stands.
    fn flag(&mut self, place: &Path, name: &str, known: Option<&[String]>) {
        let bare = name.trim_start_matches('-');
        if bare.len() < name.len() {
            let finding = Diagnostic::error("", format!("`{name}` has leading dashes")).suggest(Some(bare));
            self.report_key(place, finding.help("flags are named without them"));
            return;
        }
        let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if name.is_empty()
            || !name.chars().all(good)
            || !name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        {
            let finding = Diagnostic::error("", format!("`{name}` cannot be the name of a flag"));
            self.report_key(place, finding.allowed("letters, digits, `-`, `_` and `.`, a letter first"));
            return;
        }
        if let Some((_, instead)) = OWN_FLAGS.iter().find(|(own, _)| *own == name.replace('_', "-")) {
            let finding = Diagnostic::error("", format!("`{name}` is set by the tuner")).help(*instead);
            self.report_key(place, finding);
            return;
        }
        if let Some(known) = known.filter(|known| !known.iter().any(|k| k == name)) {
            let engine = self.spec.engine.name;
            let finding = Diagnostic::note("", format!("`{name}` is not in the catalogue of {engine}"))
                .suggest(nearest(name, known.iter().map(String::as_str)))
                .help("it is handed to the engine as it is");
            self.report_key(place, finding);
        }
    }

    fn backend(&mut self) {
        let simulated = self.spec.engine.name == EngineName::Simulated;
        match &self.spec.backend {
            BackendSpec::Local => {}
            BackendSpec::Docker { .. } | BackendSpec::Kubernetes { .. } => {
                let kind =
                    if matches!(self.spec.backend, BackendSpec::Docker { .. }) { "docker" } else { "kubernetes" };
                let finding = Diagnostic::error("", format!("the {kind} backend arrives with a later version"));
                let finding = finding.allowed("local, attached, virtual");
                self.report(
                    &at_path!["backend", "kind"],
                    finding.help("use `kind: local` to run the engine as a process of this machine"),
                );
            }
            BackendSpec::Virtual if !simulated && self.sound(&at_path!["engine", "name"]) => {
                let finding = Diagnostic::error(
                    "",
                    format!("the virtual backend has no processes, so {} cannot run in it", self.spec.engine.name),
                );
                self.report(
                    &at_path!["backend", "kind"],
                    finding.help("use `engine: {name: simulated}`, or `kind: local`"),
                );
            }
            BackendSpec::Virtual => {}
            BackendSpec::Attached { url, .. } => self.attached(url),
        }
    }

    fn attached(&mut self, url: &str) {
        let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"));
        let place = at_path!["backend", "url"];
        match rest {
            None => {
                let finding =
                    Diagnostic::error("", format!("`{url}` is not an address")).allowed("http://… or https://…");
                self.report(&place, finding);
            }
            Some("" | "/") => self.report(&place, Diagnostic::error("", "the address has no host")),
            Some(rest) if rest.trim_end_matches('/').ends_with("/v1") => {
                let bare = url.trim_end_matches('/').trim_end_matches("/v1");
                self.report(&place, Diagnostic::error("", "the address is given without `/v1`").suggest(Some(bare)));
            }
            Some(_) => {}
        }
        if !self.spec.search_space.parameters.0.is_empty() {
            let finding = Diagnostic::error("", "an attached engine already runs, so its flags cannot vary").help(
                "remove the parameters (`search_space: {}` measures the endpoint as it is), or use `kind: local`",
            );
            self.report_key(&at_path!["search_space", "parameters"], finding);
        }
        if !self.spec.engine.fixed.is_empty() {
            let finding = Diagnostic::note("", "an attached engine already runs: these flags are recorded, not set");
            self.report_key(&at_path!["engine", "fixed"], finding);
        }
    }

    fn guard(&mut self) {
        let Some(guard) = &self.spec.quality_guard else { return };
        if let (Some(min), Some(max)) = (guard.min, guard.max)
            && min > max
        {
            let finding = Diagnostic::error(
                "",
                format!("`min` ({min}) is above `max` ({max}): every configuration would be refused"),
            );
            self.report(&at_path!["quality_guard", "min"], finding.help("swap the two"));
        }
        if guard.command.first().is_some_and(String::is_empty) {
            self.report(&at_path!["quality_guard", "command", 0], Diagnostic::error("", "the program's name is empty"));
        }
    }
}
