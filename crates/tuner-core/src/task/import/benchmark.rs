//! `benchmark`: scenario, levels, limits and request fields.

use super::fields::Fields;
use crate::task::diagnostic::Diagnostic;
use crate::task::level::Level;
use crate::task::load::{LoadSpec, WorkloadSpec};
use crate::task::read::tree::{Path, at_path};
use crate::task::scenario::{Mix, SCENARIO_FORMS, Scenario};
use crate::task::target::ModelSpec;

const KNOWN: [&str; 10] = [
    "task",
    "model_name",
    "model_tokenizer",
    "traffic_scenarios",
    "num_concurrency",
    "max_time_per_iteration",
    "max_requests_per_iteration",
    "additional_params",
    "dataset_url",
    "dataset_deduplicate",
];

pub(super) fn translate(
    fields: &mut Fields<'_>,
    model: &mut ModelSpec,
    workload: &mut WorkloadSpec,
    load: &mut LoadSpec,
) {
    let place = at_path!["benchmark"];
    fields.only(&place, &KNOWN);
    if let Some(task) = fields.text(&place.join("task")).filter(|t| t != "text-to-text") {
        let finding = Diagnostic::error("", format!("the benchmark task `{task}` is not supported"));
        fields.report(&place.join("task"), finding.allowed("text-to-text"));
    }
    names(fields, &place, model);
    prompts(fields, &place, workload);
    levels(fields, &place, load);
    request_fields(fields, &place.join("additional_params"), workload);
}

fn names(fields: &mut Fields<'_>, place: &Path, model: &mut ModelSpec) {
    let at = place.join("model_name");
    if let Some(name) = fields.text(&at).filter(|n| n != model.source()) {
        let finding =
            Diagnostic::note("", format!("the engine is started with the served name `{name}`, and asked for it"));
        fields.report(&at, finding);
        model.served_name = Some(name);
    }
    let at = place.join("model_tokenizer");
    match fields.text(&at) {
        None => {
            let finding = Diagnostic::note(
                "",
                "tokens are counted with the model's own tokenizer; without one the predecessor used gpt2",
            );
            fields.report_key(place, finding);
        }
        Some(tokenizer) if tokenizer == model.source() => {}
        Some(tokenizer) if tokenizer.starts_with(['/', '.', '~']) => model.tokenizer = Some(tokenizer),
        Some(tokenizer) => {
            let finding = Diagnostic::note(
                "",
                format!("`{tokenizer}` is left out: tokens are counted with the model's own tokenizer"),
            );
            fields.report(&at, finding.help("a folder with another tokenizer can be given as `model.tokenizer`"));
        }
    }
}

fn prompts(fields: &mut Fields<'_>, place: &Path, workload: &mut WorkloadSpec) {
    let at = place.join("traffic_scenarios");
    let scenarios = fields.values(&at);
    let texts: Vec<String> = scenarios.iter().map(|(_, v)| v.to_string()).collect();
    let dataset = dataset(fields, place);
    if texts.len() > 1 {
        let finding = Diagnostic::error("", format!("{} scenarios: a task here has one workload", texts.len()));
        let help = "the predecessor averaged over them, which hides which one got better; make one task per scenario";
        fields.report_key(&at, finding.help(help));
        return;
    }
    let text = texts.first().cloned().unwrap_or_else(|| "D(100,100)".to_owned());
    if text == "dataset" && dataset.is_none() {
        fields.report_key(&at, Diagnostic::error("", "the scenario `dataset` needs a `dataset_url` that is a file"));
        return;
    }
    let scenario = text.parse::<Mix>();
    if let Err(error) = &scenario
        && text != "dataset"
    {
        fields.report_key(&at, Diagnostic::error("", error.to_string()).allowed(SCENARIO_FORMS));
    }
    if dataset.is_some() {
        if let Some([(_, Scenario::Deterministic { output, .. })]) = scenario.ok().as_ref().map(|m| m.parts.as_slice())
        {
            workload.prompts.output_tokens = Some(*output);
        }
        if text != "dataset" && !texts.is_empty() {
            fields.report_key(
                &at,
                Diagnostic::note("", "prompts come from the file; of the scenario only the answer's length is kept"),
            );
        }
        workload.prompts.scenario = None;
        workload.prompts.prompts_file = dataset;
    } else {
        workload.prompts.scenario = Some(text);
    }
}

fn dataset(fields: &mut Fields<'_>, place: &Path) -> Option<String> {
    let at = place.join("dataset_url");
    if fields.node(&place.join("dataset_deduplicate")).is_some() {
        let finding = Diagnostic::note("", "prompts are used as the file has them; remove duplicates there");
        fields.report_key(&place.join("dataset_deduplicate"), finding);
    }
    let url = fields.text(&at)?;
    let file = url.strip_prefix("file://").unwrap_or(&url);
    if url.starts_with("http://") || url.starts_with("https://") {
        let finding = Diagnostic::error("", "data sets are not downloaded by a task");
        fields.report(&at, finding.help("download it, then import with `dataset_url: /path/to/file.jsonl`"));
        return None;
    }
    if ![".jsonl", ".csv"].iter().any(|end| file.to_lowercase().ends_with(end)) {
        let finding = Diagnostic::error("", format!("`{file}` is neither JSONL nor CSV by its name"));
        fields.report(&at, finding.allowed("a file that ends in .jsonl or .csv"));
        return None;
    }
    Some(file.to_owned())
}

fn levels(fields: &mut Fields<'_>, place: &Path, load: &mut LoadSpec) {
    let at = place.join("num_concurrency");
    let mut levels: Vec<Level> = Vec::new();
    for (at, _) in fields.values(&at) {
        let Some(streams) = fields.count(&at, 100_000) else { continue };
        if levels.contains(&Level::closed(streams)) {
            fields.report(&at, Diagnostic::note("", format!("concurrency {streams} stands there twice; once is kept")));
        } else {
            levels.push(Level::closed(streams));
        }
    }
    load.levels = if levels.is_empty() { vec![Level::closed(1)] } else { levels };
    let at = place.join("max_time_per_iteration");
    let minutes = fields.number(&at);
    let seconds = minutes.unwrap_or(10.0) * 60.0;
    if let Some(minutes) = minutes {
        if !(0.002..=1440.0).contains(&minutes) {
            fields
                .report(&at, Diagnostic::error("", format!("{minutes} minutes per level")).allowed("above 0 to 1440"));
            return;
        }
        let message = format!(
            "{minutes} minutes become `duration_s: {seconds}` per level; the predecessor's page called them seconds"
        );
        fields.report(&at, Diagnostic::note("", message));
    }
    load.duration_s = Some(seconds);
    load.requests = Some(fields.count(&place.join("max_requests_per_iteration"), u32::MAX).unwrap_or(50));
}

fn request_fields(fields: &mut Fields<'_>, place: &Path, workload: &mut WorkloadSpec) {
    for entry in fields.entries(place) {
        let at = place.join(entry.key.as_str());
        match entry.key.as_str() {
            "temperature" => workload.temperature = fields.number(&at).unwrap_or_default(),
            "ignore_eos" => workload.ignore_eos = fields.switch(&at).unwrap_or(true),
            "model" | "messages" | "prompt" | "stream" | "max_tokens" => {
                let finding =
                    Diagnostic::note("", format!("`{}` is set by the tuner in every request and left out", entry.key));
                fields.report_key(&at, finding);
            }
            _ => drop(workload.extra_body.insert(entry.key.clone(), entry.value.to_json())),
        }
    }
}
