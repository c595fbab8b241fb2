//! What is certain of a task's configurations before any of them is tried: whose weights cannot fit, and whose context is
//! too short for everything that the workload asks (B5).
//!
//! *Invariant*: where something is not known (the model's files, the GPUs, whether the engine uses them), nothing is
//! foretold.

use std::path::Path;

use tuner_core::engine::EngineName;
use tuner_core::plan::{Forecast, NoForecast};
use tuner_core::task::{BackendSpec, LeastContext};
use tuner_core::{Configuration, Failure, FailureClass, SearchSpace, TaskSpec};
use tuner_deploy::host::{self, Gpus};
use tuner_engines::forecast::{Device, MemoryForecast, TooLarge};
use tuner_engines::memory::ModelShape;
use tuner_sim::SimEngine;

use crate::files;
use crate::home::Home;
use crate::report::count;
use crate::tasks::{TaskFile, is_virtual};
use crate::tune::{Surroundings, launchers};

const MIB: f64 = 1024.0 * 1024.0;

/// What is known of the task's configurations on this machine.
pub fn of(home: &Home, spec: &TaskSpec, around: &Surroundings) -> Box<dyn Forecast> {
    with_context(spec, of_memory(home, spec, around))
}

/// What is known beside `memory` where the workload says how long a context it needs.
fn with_context(spec: &TaskSpec, memory: Box<dyn Forecast>) -> Box<dyn Forecast> {
    match spec.workload.least_context() {
        Some(least) => Box::new(WithContext { spec: spec.clone(), least, memory }),
        None => memory,
    }
}

fn of_memory(home: &Home, spec: &TaskSpec, around: &Surroundings) -> Box<dyn Forecast> {
    if is_virtual(spec) || spec.engine.name == EngineName::Simulated {
        return Box::new(Simulated { spec: spec.clone() });
    }
    // What this program installs of other engines than llama.cpp computes on the CPU.
    let own_build = spec.engine.command.is_empty() && launchers(home, around).contains_key(&spec.engine.name);
    let elsewhere = spec.engine.env.keys().any(|name| name.contains("CPU") || name.contains("DEVICE"));
    if !matches!(spec.backend, BackendSpec::Local) || own_build || elsewhere || spec.engine.gpus == Some(0) {
        return Box::new(NoForecast);
    }
    match model_of(spec) {
        Some((shape, weights_on_disk)) => {
            on_gpus(spec, shape, weights_on_disk, &host::gpus().visible(around.visible_gpus.as_deref()))
        }
        None => Box::new(NoForecast),
    }
}

/// The same where the engine is a model of one.
pub(crate) fn simulated(spec: &TaskSpec) -> Box<dyn Forecast> {
    with_context(spec, Box::new(Simulated { spec: spec.clone() }))
}

/// [`remarks`] on a task file that is only looked at.
pub fn notes(home: &Home, file: &TaskFile, around: &Surroundings) -> Vec<String> {
    let forecast = of(home, &file.spec, around);
    let remarks = remarks(forecast.as_ref(), &file.spec, &file.space);
    remarks.into_iter().map(|text| format!("note: {text}")).collect()
}

/// Remarks for a person who is about to run the task.
pub fn remarks(forecast: &dyn Forecast, spec: &TaskSpec, space: &SearchSpace) -> Vec<String> {
    let foretold = |c: &Configuration| forecast.impossible(&spec.effective_flags(c)).map(|failure| failure.message);
    let mut remarks = Vec::new();
    if let Some(why) = foretold(&spec.baseline) {
        remarks.push(format!("the baseline cannot run: {why}"));
    }
    let listed = tuner_search::samplers::grid::combinations(space).unwrap_or_default();
    let mut cannot = listed.iter().filter_map(|c| Some((c, foretold(c)?)));
    if let Some((first, why)) = cannot.next() {
        let all = count(listed.len(), "configuration");
        remarks.push(format!("{} of {all} cannot run, for example {first}: {why}", cannot.count() + 1));
    }
    remarks
}

fn on_gpus(spec: &TaskSpec, shape: ModelShape, weights_on_disk: u64, gpus: &Gpus) -> Box<dyn Forecast> {
    // Which GPU an engine gets is not decided yet: what the largest cannot hold, none can.
    let Some(gpu) = gpus.list().iter().max_by_key(|gpu| gpu.memory_total_mib) else { return Box::new(NoForecast) };
    let device = Device { name: gpu.name.clone(), memory: gpu.memory_total_mib as f64 * MIB };
    Box::new(MemoryForecast { engine: spec.engine.name, shape, weights_on_disk, device })
}

/// Dimensions and stored bytes of a local Hugging Face folder.
fn model_of(spec: &TaskSpec) -> Option<(ModelShape, u64)> {
    let folder = Path::new(spec.model.path.as_deref()?);
    let config = std::fs::read_to_string(folder.join("config.json")).ok()?;
    let shape = ModelShape::from_config(&serde_json::from_str(&config).ok()?)?;
    Some((shape, files::weights_bytes(folder)?))
}

/// Contexts that are too short for every request, or for every conversation before its end.
#[derive(Debug)]
struct WithContext {
    spec: TaskSpec,
    least: LeastContext,
    memory: Box<dyn Forecast>,
}

impl WithContext {
    fn context(&self, flags: &Configuration) -> Option<u64> {
        if !is_virtual(&self.spec) && self.spec.engine.name != EngineName::Simulated {
            return tuner_engines::engine(self.spec.engine.name).context(flags);
        }
        let engine = SimEngine::new(&self.spec.model, &self.spec.engine, flags).ok()?;
        Some(u64::from(engine.plan().max_model_len))
    }
}

impl Forecast for WithContext {
    fn impossible(&self, flags: &Configuration) -> Option<Failure> {
        self.memory.impossible(flags).or_else(|| {
            let LeastContext { tokens, turn } = self.least;
            let context = self.context(flags).filter(|context| *context < tokens)?;
            let what = match turn {
                None => format!("every request has {tokens} tokens or more, prompt and answer together"),
                Some(turn) => {
                    format!(
                        "by turn {turn} every conversation has {tokens} tokens or more, history and answer together"
                    )
                }
            };
            Some(Failure::new(FailureClass::ContextTooShort, format!("{what}; the context has {context}")))
        })
    }
}

/// The simulated engine's own arithmetic.
#[derive(Debug)]
struct Simulated {
    spec: TaskSpec,
}

impl Forecast for Simulated {
    fn impossible(&self, flags: &Configuration) -> Option<Failure> {
        let (weights, share, gpu) = SimEngine::weights(&self.spec.model, &self.spec.engine, flags)?;
        let device = Device { name: gpu.name.to_owned(), memory: gpu.memory_bytes };
        TooLarge::of(weights, share, &device).map(Failure::from)
    }
}

#[cfg(test)]
mod tests {
    use tuner_deploy::host::Gpu;

    use super::*;

    fn spec(json: serde_json::Value) -> TaskSpec {
        serde_json::from_value(json).unwrap()
    }

    fn gpus(memory_total_mib: &[u64]) -> Gpus {
        let gpu = |(index, memory): (usize, &u64)| Gpu {
            index: index as u32,
            uuid: format!("GPU-{index}"),
            name: format!("GPU of {memory} MiB"),
            memory_total_mib: *memory,
            memory_used_mib: 0,
            utilization_percent: None,
            driver: "550".to_owned(),
            compute_capability: None,
        };
        Gpus::Found { gpus: memory_total_mib.iter().enumerate().map(gpu).collect() }
    }

    // B5
    #[test]
    fn a_folder_whose_weights_are_larger_than_the_largest_gpu_is_foretold() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        let spec = spec(serde_json::json!({
            "name": "t", "model": {"path": folder.path()}, "engine": {"name": "vllm"}, "search_space": {}
        }));
        assert_eq!(model_of(&spec), None, "nothing is known of an empty folder");
        write(
            "config.json",
            r#"{"num_hidden_layers": 80, "num_attention_heads": 64, "num_key_value_heads": 8, "hidden_size": 8192,
                "intermediate_size": 28672, "vocab_size": 128256, "torch_dtype": "bfloat16"}"#,
        );
        write("model.safetensors.index.json", r#"{"metadata": {"total_size": 141107412992}, "weight_map": {}}"#);
        let (shape, bytes) = model_of(&spec).unwrap();
        let on = |memory: &[u64]| on_gpus(&spec, shape, bytes, &gpus(memory)).impossible(&Configuration::default());
        assert!(on(&[15_360, 81_559]).unwrap().message.contains("GPU of 81559 MiB has 79.6 GiB"));
        assert_eq!(on(&[81_559, 183_359]), None, "one that is large enough may be the one");
        assert_eq!(on(&[]), None);
    }

    // B5
    #[test]
    fn a_person_is_told_which_configurations_cannot_run() {
        let spec = spec(serde_json::json!({
            "name": "t", "model": {"id": "llama-3.3-70b"}, "engine": {"name": "vllm", "hardware": {"gpu": "h100-80g", "count": 4}},
            "backend": {"kind": "virtual"},
            "search_space": {"parameters": {"tensor-parallel-size": [1, 2, 4], "max-num-seqs": [64, 128]}}
        }));
        let space = crate::tasks::space_of(&spec).unwrap();
        let forecast = of(&Home::new("nowhere"), &spec, &Surroundings::default());
        insta::assert_snapshot!(remarks(forecast.as_ref(), &spec, &space).join("\n"), @r"
        the baseline cannot run: the weights alone take 131.4 GiB of each GPU, h100-80g has 79.1 GiB
        2 of 6 configurations cannot run, for example max-num-seqs=64 tensor-parallel-size=1: the weights alone take 131.4 GiB of each GPU, h100-80g has 79.1 GiB
        ");
    }

    // B5, issue 3: history and answer together.
    #[test]
    fn a_context_that_every_conversation_outgrows_is_foretold() {
        let of = |json: serde_json::Value| {
            let spec = spec(json);
            let space = crate::tasks::space_of(&spec).unwrap();
            remarks(of(&Home::new("nowhere"), &spec, &Surroundings::default()).as_ref(), &spec, &space).join("\n")
        };
        let task = |engine: serde_json::Value, space: serde_json::Value, scenario: &str| {
            serde_json::json!({
                "name": "t", "model": {"path": "model.gguf"}, "engine": engine, "workload": {"scenario": scenario},
                "search_space": {"parameters": space}
            })
        };
        let llama = |scenario: &str| {
            of(task(
                serde_json::json!({"name": "llama.cpp", "fixed": {"ctx-size": 8192}}),
                serde_json::json!({"ctx-size": [2048, 4000, 8192]}),
                scenario,
            ))
        };
        insta::assert_snapshot!(llama("T(4)+D(825,200)"), @"2 of 3 configurations cannot run, for example ctx-size=2048: by turn 4 every conversation has 4100 tokens or more, history and answer together; the context has 2048");
        insta::assert_snapshot!(llama("T(1,4)+D(824,200)"), @"");
        let vllm = task(
            serde_json::json!({"name": "vllm"}),
            serde_json::json!({"max-model-len": [1024, 4096]}),
            "D(2000,100)",
        );
        insta::assert_snapshot!(of(vllm), @"1 of 2 configurations cannot run, for example max-model-len=1024: every request has 2100 tokens or more, prompt and answer together; the context has 1024");
        let simulated = serde_json::json!({
            "name": "t", "model": {"id": "llama-3.1-8b"}, "engine": {"name": "vllm"}, "backend": {"kind": "virtual"},
            "workload": {"scenario": "T(5)+D(900,100)"}, "search_space": {"parameters": {"max-model-len": [4096, 8192]}}
        });
        insta::assert_snapshot!(of(simulated), @"1 of 2 configurations cannot run, for example max-model-len=4096: by turn 5 every conversation has 5000 tokens or more, history and answer together; the context has 4096");
    }

    // B5: stored with the experiment as predicted; nothing was started for it and nothing spent.
    #[tokio::test]
    async fn what_is_foretold_is_stored_as_predicted_and_not_counted() {
        let spec = spec(serde_json::json!({
            "name": "t", "model": {"id": "llama-3.3-70b"},
            "engine": {"name": "vllm", "hardware": {"gpu": "h100-80g", "count": 4}}, "backend": {"kind": "virtual"},
            "search_space": {"parameters": {"tensor-parallel-size": [1, 2, 4]}}, "baseline": {"tensor-parallel-size": 1},
            "load": {"levels": [{"concurrency": 4}], "requests": 8}, "sampler": {"kind": "grid"},
            "budget": {"experiments": 3}, "verification": {"blocks": 0}
        }));
        let done = crate::simulate::run_spec(spec, String::new(), Vec::new()).await.unwrap();
        let experiments = done.store.load(done.task).await.unwrap().experiments;
        let words = experiments.iter().map(|e| {
            let outcome = e.outcome.as_ref().unwrap();
            let how = if outcome.is_predicted() { "predicted" } else { "tried" };
            format!("{} {} {how}, {} attempts", e.configuration, outcome.word(), e.attempts.len())
        });
        insta::assert_snapshot!(words.collect::<Vec<_>>().join("\n"), @r"
        tensor-parallel-size=1 infeasible predicted, 0 attempts
        tensor-parallel-size=4 success tried, 1 attempts
        tensor-parallel-size=2 infeasible tried, 1 attempts
        ");
        assert!(
            done.notes.iter().any(|note| note.contains("the baseline cannot run: the weights")),
            "{:?}",
            done.notes
        );
    }
}
