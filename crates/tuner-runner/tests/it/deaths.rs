//! Engines that end by themselves.

use std::collections::BTreeMap;
use std::sync::Arc;

use tuner_core::engine::EngineName;
use tuner_core::{FailureClass, Outcome};
use tuner_deploy::{LocalBackend, Proxies};
use tuner_engines::{ExitPhase, ExitReport, engine};
use tuner_runner::{Clock, Lab, RealLab, RealLabSettings};
use tuner_sim::ServerArgs;
use tuner_store::Store;

use crate::world::World;

/// An engine that says why it dies, and much more after that.
const TASK: &str = "
name: dying
model: {id: llama-3.1-8b}
engine:
  name: simulated
  command: [sh, -c, 'echo \"ERROR torch.OutOfMemoryError: CUDA out of memory.\"; seq 100; exit 1']
backend: {kind: local}
search_space: {parameters: {}}
workload: {scenario: 'D(16,4)'}
load: {levels: [{concurrency: 1}], requests: 4}
budget: {experiments: 1}
verification: {blocks: 0}
";

// R14.7
#[tokio::test(flavor = "multi_thread")]
async fn a_cause_that_stands_far_above_the_end_of_the_log_is_found_and_kept() {
    let dir = tempfile::tempdir().unwrap();
    let settings = RealLabSettings {
        datasets: dir.path().join("datasets"),
        logs: dir.path().join("logs"),
        launchers: BTreeMap::new(),
        proxies: Proxies::default(),
        egress: tuner_deploy::Egress::open(),
        ambient: BTreeMap::new(),
        api_key: None,
        hub_cache: None,
        gpus: Vec::new(),
        hardware: None,
    };
    let lab = Lab::Real(Box::new(RealLab::new(LocalBackend::new(dir.path()).unwrap(), settings)));
    let world = World::new(TASK, Store::in_memory().await.unwrap(), lab, Arc::new(Clock::Real)).await;
    world.run().await.unwrap();
    let experiments = world.experiments().await;
    let Some(Outcome::Infeasible { failure, .. }) = &experiments[0].outcome else { panic!("{experiments:?}") };
    assert_eq!(failure.class, FailureClass::OomLoad);
    assert_eq!(failure.message, "torch.OutOfMemoryError: CUDA out of memory.");
    assert_eq!(failure.log_tail[..3], ["ERROR torch.OutOfMemoryError: CUDA out of memory.", "…", "61"]);
}

#[test]
fn a_simulated_engine_that_is_a_process_dies_of_the_same_class_as_in_virtual_time() {
    let cases = [
        "",
        "llama-3.1-8b --max-num-seq 8",
        "llama-3.1-8b --kv-cache-dtype int3",
        "llama-3.1-8b --gpu h900",
        "llama-3.1-8b --tensor-parallel-size 2",
        "llama-3.1-8b --gpu-count 8 --tensor-parallel-size 5",
        "llama-3.1-8b --gpu-count 64 --pipeline-parallel-size 64",
        "llama-3.1-8b --tensor-parallel-size 1 --tp-size 2",
        "llama-3.1-8b --max-model-len 200000",
        "llama-3.1-8b --max-num-batched-tokens 64 --max-num-seqs 128",
        "llama-3.1-8b --enable-chunked-prefill false --max-num-batched-tokens 8192",
        "llama-3.1-8b --block-size 8",
        "llama-3.1-8b --kv-cache-dtype fp8_e5m2 --quantization fp8",
        "llama-3.3-70b",
        "llama-3.1-8b --gpu l4-24g",
        "gpt-17",
    ];
    for case in cases {
        let words: Vec<&str> = case.split_whitespace().collect();
        let error = ServerArgs::parse(&words).and_then(|args| args.engine()).expect_err(case);
        let report = ExitReport {
            exit_code: Some(error.exit_code()),
            signal: None,
            log_tail: &error.log_lines(),
            phase: ExitPhase::Load,
        };
        let failure = engine(EngineName::Simulated).classify_exit(&report);
        assert_eq!(failure.class, error.failure().class, "{case}: {}", failure.message);
    }
}
