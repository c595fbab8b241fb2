//! What is checked before anything is deployed.

use super::{World, without};

/// Facts of the machine that runs the test.
const HERE: [&str; 4] = ["ok       machine:", "ok       disk:", "ok       GPUs:", "ok       python:"];

// R14.8
#[test]
fn the_doctor_looks_at_the_machine() {
    let world = World::new();
    let mut command = world.command(&["doctor"]);
    command.env("https_proxy", "http://me:secret@proxy:3128").env("NO_PROXY", "corp");
    insta::assert_snapshot!(without(&world.transcript(&mut command), &HERE));
    assert!(!world.path("data").exists());
}

// R14.8
#[test]
fn a_task_that_cannot_start_is_refused_with_a_hint_for_each_reason() {
    let world = World::new();
    world.write(
        "missing.yaml",
        "name: missing\nmodel: {path: nowhere.gguf}\nengine: {name: llama.cpp, command: [/nowhere/llama-server]}\n\
         search_space: {parameters: {threads: [1, 2]}}\nload: {levels: [{concurrency: 1}], requests: 4}\n\
         workload: {prompts_file: nowhere.jsonl}\nquality_guard: {command: [no-such-guard]}\n",
    );
    insta::assert_snapshot!("doctor_of_a_task", without(&world.says(&["doctor", "missing.yaml"]), &HERE));
    insta::assert_snapshot!("tune_what_is_missing", without(&world.says(&["tune", "missing.yaml"]), &HERE));
    // Nothing was stored.
    assert!(world.says(&["tasks", "list"]).contains("no tasks yet"));
    let mut said = String::new();
    for (engine, flag) in [("sglang", "max-running-requests"), ("tensorrt-llm", "max_batch_size")] {
        let text = format!(
            "name: bare\nmodel: {{id: x}}\nengine: {{name: {engine}}}\n\
             search_space: {{parameters: {{{flag}: [8, 16]}}}}\nload: {{levels: [{{concurrency: 1}}], requests: 4}}\n"
        );
        world.write("engine.yaml", &text);
        said.push_str(&format!("{}\n", without(&world.says(&["tune", "engine.yaml"]), &HERE)));
    }
    insta::assert_snapshot!("tune_without_an_engine", said);
}

#[test]
fn engines_are_listed_with_what_is_installed() {
    let world = World::new();
    // Catalogues grow with their engines.
    let list = world.says(&["engines", "list"]).replace(|c: char| c.is_ascii_digit(), "0");
    insta::assert_snapshot!(list);
    let flags = world.says(&["engines", "params", "vllm", "prefix-caching"]);
    insta::assert_snapshot!("flags_that_hold_a_word", flags);
}
