//! Rules on what is asked: one source of prompts per kind of request, classes, shared prefixes, models.

use super::super::diagnostic::Diagnostic;
use super::super::level::Arrival;
use super::super::load::{Api, Prompts};
use super::super::read::tree::{Path, at_path};
use super::super::scenario::{Mix, SCENARIO_FORMS};
use super::super::workload::{ClassSpec, DatasetSpec};
use super::Rules;

impl Rules<'_> {
    pub(super) fn workload(&mut self) {
        let workload = &self.spec.workload;
        let place = at_path!["workload"];
        if workload.classes.is_empty() {
            self.prompts(&place, &workload.prompts, workload.api);
        } else {
            self.classes();
        }
        self.extra_body(&place, &workload.extra_body);
        self.conversations();
        self.shared_prefix();
        self.models();
    }

    /// Exactly one source of prompts, and what belongs to it.
    fn prompts(&mut self, place: &Path, prompts: &Prompts, api: Api) {
        let given: Vec<&str> = [
            ("scenario", prompts.scenario.is_some()),
            ("prompts_file", prompts.prompts_file.is_some()),
            ("dataset", prompts.dataset.is_some()),
        ]
        .into_iter()
        .filter_map(|(name, given)| given.then_some(name))
        .collect();
        if let [first, second, ..] = given.as_slice() {
            let finding = Diagnostic::error("", format!("both `{first}` and `{second}` are given"));
            self.report_key(&place.join(*second), finding.help("keep one of the two"));
        }
        if let Some(text) = &prompts.scenario {
            self.scenario(&place.join("scenario"), text, api);
        }
        if let Some(dataset) = &prompts.dataset {
            self.dataset(&place.join("dataset"), dataset);
        }
        let pictures = prompts.scenario.as_deref().is_some_and(|text| text.contains("I("));
        if prompts.output_tokens.is_some() && prompts.dataset().is_none() && !pictures {
            let finding = Diagnostic::note("", "`output_tokens` is for rows of a data set; the scenario gives its own");
            self.report_key(&place.join("output_tokens"), finding);
        }
    }

    fn scenario(&mut self, place: &Path, text: &str, api: Api) {
        match text.parse::<Mix>() {
            Err(error) => {
                let finding = Diagnostic::error("", error.to_string()).allowed(SCENARIO_FORMS);
                self.report(place, finding.help("lengths are tokens: (prompt,answer)"));
            }
            Ok(mix) => {
                for (_, scenario) in mix.parts.iter().filter(|(_, scenario)| scenario.api(api).is_none()) {
                    let message = format!("`{scenario}` shows pictures, which {} does not take", api.name());
                    let finding = Diagnostic::error("", message);
                    self.report(
                        place,
                        finding.help("set `api` to chat, responses, anthropic, sglang_generate or llamacpp_completion"),
                    );
                }
            }
        }
    }

    fn dataset(&mut self, place: &Path, dataset: &DatasetSpec) {
        if dataset.source.trim().is_empty() {
            let finding = Diagnostic::error("", "the data set has no source");
            self.report(&place.join("source"), finding.allowed("a file, or an http or https address"));
        }
        if let Some(digits) = &dataset.sha256
            && (digits.len() != 64 || !digits.bytes().all(|b| b.is_ascii_hexdigit()))
        {
            let finding = Diagnostic::error("", "this is no SHA-256");
            self.report(&place.join("sha256"), finding.allowed("64 hexadecimal digits, as sha256sum prints them"));
        }
        if let (Some(from), Some(to)) = (dataset.from_s, dataset.to_s)
            && from >= to
        {
            let finding = Diagnostic::error("", format!("no row arrives from second {from} to second {to}"));
            self.report(&place.join("to_s"), finding.help("`to_s` lies after `from_s`"));
        }
    }

    fn classes(&mut self) {
        let workload = &self.spec.workload;
        let place = at_path!["workload"];
        let own = [
            ("scenario", workload.prompts.scenario.is_some()),
            ("prompts_file", workload.prompts.prompts_file.is_some()),
            ("dataset", workload.prompts.dataset.is_some()),
            ("output_tokens", workload.prompts.output_tokens.is_some()),
        ];
        for (field, _) in own.into_iter().filter(|(_, given)| *given) {
            let finding = Diagnostic::error("", format!("`{field}` belongs to a class where there are classes"));
            self.report_key(&place.join(field), finding.help("move it into the class that it is meant for"));
        }
        for (i, class) in workload.classes.iter().enumerate() {
            let at = at_path!["workload", "classes", i];
            self.class_name(&at, i, class);
            if class.scenario.is_none() && class.prompts().dataset().is_none() {
                let finding = Diagnostic::error("", format!("the class `{}` has no prompts", class.name));
                self.report(&at, finding.help("give it a `scenario` or a `dataset`"));
            }
            self.prompts(&at, &class.prompts(), class.api.unwrap_or(workload.api));
            self.extra_body(&at, &class.extra_body);
            self.slos(&at.join("slos"), &class.slos);
        }
        let trace = |level: &super::super::Level| level.arrival == Some(Arrival::Trace);
        if let Some(i) = self.spec.load.levels.iter().position(trace) {
            let finding = Diagnostic::error("", "a trace is replayed alone: it says itself what comes when");
            self.report_key(
                &at_path!["load", "levels", i, "arrival"],
                finding.help("give the data set as `workload.dataset`, without `classes`"),
            );
        }
    }

    fn class_name(&mut self, at: &Path, i: usize, class: &ClassSpec) {
        let sound = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if class.name.is_empty() || class.name.len() > 60 || !class.name.chars().all(sound) {
            let finding = Diagnostic::error("", format!("`{}` is no name of a class", class.name));
            self.report(&at.join("name"), finding.allowed("letters, digits, `-`, `_` and `.`, at most 60"));
        }
        if let Some(first) = self.spec.workload.classes.iter().take(i).position(|c| c.name == class.name) {
            let finding = Diagnostic::error("", format!("classes[{first}] has this name too"));
            self.report(&at.join("name"), finding.help("give each class a name of its own"));
        }
    }

    fn extra_body(&mut self, place: &Path, fields: &serde_json::Map<String, serde_json::Value>) {
        for key in ["model", "messages", "prompt", "stream", "temperature", "ignore_eos", "max_tokens"] {
            if fields.contains_key(key) {
                let finding = Diagnostic::error("", format!("`{key}` is set by the tuner in every request"));
                let help = match key {
                    "temperature" => format!("write it as `{place}.{key}`"),
                    "ignore_eos" => "write it as `workload.ignore_eos`".to_owned(),
                    "max_tokens" => "the scenario or `output_tokens` decides the length".to_owned(),
                    "model" => "the mix of models is `workload.models`".to_owned(),
                    _ => "remove it".to_owned(),
                };
                self.report_key(&place.join("extra_body").join(key), finding.help(help));
            }
        }
    }

    fn shared_prefix(&mut self) {
        let Some(prefix) = &self.spec.workload.shared_prefix else { return };
        let place = at_path!["workload", "shared_prefix"];
        match (prefix.tokens, prefix.hit_rate) {
            (None, None) => {
                let finding = Diagnostic::error("", "the shared prefix has no length");
                self.report_key(&place, finding.help("give `tokens: 1024`, or `hit_rate: 0.5`"));
            }
            (Some(_), Some(_)) => {
                let finding = Diagnostic::error("", "both `tokens` and `hit_rate` are given");
                self.report_key(&place.join("hit_rate"), finding.help("keep one of the two"));
            }
            (None, Some(rate)) if rate >= prefix.share => {
                let message = format!("{} of the prompts cannot give a hit rate of {rate}", prefix.share);
                self.report(&place.join("hit_rate"), Diagnostic::error("", message).help("raise `share`, or lower it"));
            }
            _ => {}
        }
    }

    fn models(&mut self) {
        let models = &self.spec.workload.models;
        for (i, model) in models.iter().enumerate() {
            let at = at_path!["workload", "models", i, "name"];
            if model.name.trim().is_empty() {
                self.report(&at, Diagnostic::error("", "the model has no name"));
            }
            if let Some(first) = models.iter().take(i).position(|m| m.name == model.name) {
                let finding = Diagnostic::error("", format!("models[{first}] has this name too"));
                self.report(&at, finding.help("add up their weights"));
            }
        }
    }
}
