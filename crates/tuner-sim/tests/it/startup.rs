//! What keeps an engine from starting, and in which words.

use std::fmt::Write;

use tuner_core::{FailureClass, Value};

use crate::support::try_engine;

/// Model, GPU, GPUs, flags.
type Case<'a> = (&'a str, &'a str, u32, &'a [(&'a str, Value)]);

#[test]
fn each_way_not_to_start_has_its_class_and_message() {
    let cases: &[Case] = &[
        ("llama-3.1-8b", "h100-80g", 1, &[("max-num-seq", Value::Int(8))]),
        ("llama-3.1-8b", "h100-80g", 1, &[("kv-cache-dtype", Value::from("int3"))]),
        ("llama-3.1-8b", "h100-80g", 1, &[("tensor-parallel-size", Value::Int(2))]),
        ("llama-3.1-8b", "h100-80g", 8, &[("tensor-parallel-size", Value::Int(5))]),
        ("llama-3.1-8b", "h100-80g", 1, &[("max-model-len", Value::Int(200_000))]),
        (
            "llama-3.1-8b",
            "h100-80g",
            1,
            &[("max-num-batched-tokens", Value::Int(64)), ("max-num-seqs", Value::Int(128))],
        ),
        (
            "llama-3.1-8b",
            "h100-80g",
            1,
            &[("enable-chunked-prefill", Value::Bool(false)), ("max-num-batched-tokens", Value::Int(8192))],
        ),
        ("llama-3.1-8b", "h100-80g", 1, &[("block-size", Value::Int(8))]),
        (
            "llama-3.1-8b",
            "h100-80g",
            1,
            &[("kv-cache-dtype", Value::from("fp8_e5m2")), ("quantization", Value::from("fp8"))],
        ),
        (
            "llama-3.1-8b",
            "a100-80g",
            1,
            &[("kv-cache-dtype", Value::from("fp8")), ("attention-backend", Value::from("FLASH_ATTN"))],
        ),
        ("llama-3.3-70b", "h100-80g", 1, &[]),
        ("llama-3.1-8b", "l4-24g", 1, &[]),
        ("llama-3.1-8b", "l4-24g", 1, &[("gpu-memory-utilization", Value::Float(0.99))]),
        ("llama-3.1-8b", "h100-80g", 1, &[("mem-fraction-static", Value::Float(0.15))]),
        ("gpt-17", "h100-80g", 1, &[]),
        ("llama-3.1-8b", "h900", 1, &[]),
    ];
    let mut out = String::new();
    for (model, gpu, count, flags) in cases {
        let error = try_engine(model, gpu, *count, flags).unwrap_err();
        let flags: Vec<String> = flags.iter().map(|(k, v)| format!("--{k} {v}")).collect();
        writeln!(
            out,
            "{model} on {count} x {gpu} {}\n  {:?} (exit {}): {error}",
            flags.join(" "),
            error.class(),
            error.exit_code()
        )
        .unwrap();
        writeln!(out, "  {}", error.failure().log_tail.last().unwrap()).unwrap();
    }
    insta::assert_snapshot!("refusals", out);
}

#[test]
fn other_engines_flags_are_not_simulated() {
    let mut spec = crate::support::spec("h100-80g", 1);
    spec.name = tuner_core::engine::EngineName::LlamaCpp;
    let model = tuner_core::task::ModelSpec { id: Some("llama-3.1-8b".to_owned()), ..Default::default() };
    let error = tuner_sim::SimEngine::new(&model, &spec, &Default::default()).unwrap_err();
    assert_eq!(error.failure().class, FailureClass::EngineArguments);
}

#[test]
fn a_task_for_a_real_engine_knows_only_that_engines_names() {
    let message = |name, flag: &str| {
        let mut spec = crate::support::spec("h100-80g", 1);
        spec.name = name;
        spec.fixed.insert(flag.to_owned(), Value::Int(16));
        let model = tuner_core::task::ModelSpec { id: Some("llama-3.1-8b".to_owned()), ..Default::default() };
        tuner_sim::SimEngine::new(&model, &spec, &Default::default()).map(|_| ()).map_err(|e| e.to_string())
    };
    use tuner_core::engine::EngineName::{Sglang, Vllm};
    assert_eq!(message(Vllm, "block-size"), Ok(()));
    assert_eq!(message(Sglang, "page-size"), Ok(()));
    assert_eq!(
        message(Vllm, "page-size"),
        Err("unrecognized arguments: --page-size (did you mean --block-size?)".to_owned())
    );
    assert_eq!(
        message(Sglang, "max-num-seqs"),
        Err("unrecognized arguments: --max-num-seqs (did you mean --max-running-requests?)".to_owned())
    );
    assert_eq!(message(Vllm, "swap-space"), Ok(()), "known to change nothing");
}

#[test]
fn start_up_takes_longer_for_larger_models_and_shorter_without_compilation() {
    let startup = |model, flags: &[(&str, Value)]| try_engine(model, "h200-141g", 4, flags).unwrap().startup();
    let eager = startup("llama-3.1-8b", &[("enforce-eager", Value::Bool(true))]);
    let small = startup("llama-3.1-8b", &[]);
    let large = startup("llama-3.3-70b", &[("tp-size", Value::Int(4))]);
    let slow = startup("llama-3.1-8b", &[("slow-start", Value::Int(100))]);
    assert!(eager < small && small < large, "{eager:?} {small:?} {large:?}");
    assert_eq!((slow - small).as_secs(), 100);
}

#[test]
fn the_arguments_in_force_are_reported_with_what_was_given() {
    let flags = [("max-num-seqs", Value::Int(64)), ("kv-cache-dtype", Value::from("fp8"))];
    let engine = try_engine("llama-3.1-8b", "h100-80g", 1, &flags).unwrap();
    let lines: Vec<String> = engine.arguments().iter().map(|(name, value)| format!("{name}={value}")).collect();
    insta::assert_snapshot!("arguments", lines.join("\n"));
}
