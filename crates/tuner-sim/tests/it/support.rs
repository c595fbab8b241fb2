//! Engines and plans that tests share.

use tuner_core::record::{Fate, PlannedRequest, RequestRecord};
use tuner_core::task::{EngineSpec, HardwareSpec, ModelSpec};
use tuner_core::{Configuration, Value};
use tuner_sim::{SimEngine, SimError};

/// A task's engine section for the simulator on `gpu`.
pub(crate) fn spec(gpu: &str, count: u32) -> EngineSpec {
    EngineSpec {
        name: tuner_core::engine::EngineName::Simulated,
        version: None,
        command: Vec::new(),
        fixed: Default::default(),
        env: Default::default(),
        gpus: None,
        hardware: Some(HardwareSpec { gpu: gpu.to_owned(), count, speed: 1.0 }),
    }
}

/// An engine, or why there is none.
pub(crate) fn try_engine(model: &str, gpu: &str, count: u32, flags: &[(&str, Value)]) -> Result<SimEngine, SimError> {
    let model = ModelSpec { id: Some(model.to_owned()), ..ModelSpec::default() };
    let configuration = Configuration(flags.iter().map(|(k, v)| ((*k).to_owned(), v.clone())).collect());
    SimEngine::new(&model, &spec(gpu, count), &configuration)
}

/// Llama-3.1-8B on one H100, without noise.
pub(crate) fn llama(flags: &[(&str, Value)]) -> SimEngine {
    try_engine("meta-llama/Llama-3.1-8B-Instruct", "h100-80g", 1, flags).unwrap().without_noise()
}

/// `n` closed-loop requests of one shape, the first `warmup` of them before the window.
pub(crate) fn closed(n: u64, warmup: u64, input: u32, output: u32) -> Vec<PlannedRequest> {
    (0..n)
        .map(|index| PlannedRequest {
            index,
            warmup: index < warmup,
            planned_s: None,
            input_tokens: input,
            output_tokens: output,
            ..PlannedRequest::default()
        })
        .collect()
}

pub(crate) fn completed(record: &RequestRecord) -> bool {
    record.fate == Fate::Completed
}

/// Output tokens per second over the whole run.
pub(crate) fn throughput(run: &tuner_sim::LevelRun) -> f64 {
    let tokens: u32 = run.records.iter().filter_map(|r| r.output_tokens).sum();
    f64::from(tokens) / run.elapsed_s
}
