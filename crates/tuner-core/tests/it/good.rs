//! Files that must be accepted, and what they come to.

use std::fs;

use proptest::prelude::*;
use serde_json::{Map, Value as Json, json};
use tuner_core::task::{ReadContext, TaskSpec, check, read, render_all, schema, to_yaml};
use tuner_core::{Domain, Value};

use crate::malformed_files::files;

pub(crate) const MINIMAL: &str = "\
name: demo
model: {id: organisation/name}
engine: {name: vllm}
search_space: {parameters: {max-num-seqs: [64, 128]}}
";

fn context() -> ReadContext<'static> {
    ReadContext::default()
}

fn spec(text: &str) -> TaskSpec {
    read(text, &context()).unwrap_or_else(|f| panic!("{}", render_all(&f, "task.yaml", text))).spec
}

#[test]
fn every_example_is_a_good_task_without_notes() {
    let files = files("../../examples");
    assert!(files.len() >= 4);
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let task = read(&text, &context());
        let task = task.unwrap_or_else(|f| panic!("{}", render_all(&f, &file.to_string_lossy(), &text)));
        assert!(task.notes.is_empty(), "{}", render_all(&task.notes, &file.to_string_lossy(), &text));
        assert_eq!(spec(&to_yaml(&task.spec)), task.spec);
    }
}

// R10.1
#[test]
fn a_task_with_the_required_fields_only_has_every_default() {
    let spec = spec(MINIMAL);
    assert_eq!(spec.timeouts.experiment_s, 1800.0);
    insta::assert_snapshot!(to_yaml(&spec));
}

#[test]
fn the_defaults_of_absent_objects_are_those_of_absent_fields() {
    let text = format!(
        "{MINIMAL}backend: {{kind: local}}\nworkload: {{}}\nload: {{}}\nsampler: {{kind: bayesian}}\nbudget: {{}}\n\
         verification: {{}}\ntimeouts: {{}}\nretries: {{}}\nbaseline: {{}}\nslos: []\n"
    );
    assert_eq!(spec(&text), spec(MINIMAL));
}

#[test]
fn requests_alone_have_no_hidden_time_limit_and_a_prompts_file_no_hidden_scenario() {
    let spec = spec(&format!("{MINIMAL}load: {{requests: 100}}\nworkload: {{prompts_file: chat.jsonl}}\n"));
    assert_eq!((spec.load.requests, spec.load.duration_s), (Some(100), None));
    assert_eq!(spec.workload.prompts.scenario, None);
    let stored: TaskSpec = serde_json::from_value(serde_json::to_value(&spec).unwrap()).unwrap();
    assert_eq!(stored, spec);
}

#[test]
fn json_with_tabs_and_escapes_is_read_like_yaml() {
    let json = "{\n\t\"name\": \"demo\",\n\t\"model\": {\"id\":\"organisation/name\"},\n\t\"engine\": {\"name\": \"vllm\"},\r\n\t\"search_space\": {\"parameters\": {\"max-num-seqs\": [64,128]}}\n}\n";
    assert_eq!(spec(json), spec(MINIMAL));
    assert_eq!(spec(&json.replace("\t\"name\"", "\"$schema\": \"task.schema.json\", \"name\"")), spec(MINIMAL));
    let compact = serde_json::to_string(&spec(MINIMAL)).unwrap();
    assert_eq!(spec(&compact), spec(MINIMAL));
    let described =
        json.replace("\"demo\",", "\"demo\", \"description\": \"caf\\u00e9 \\\"x\\\" \\/ \\ud83d\\ude00\",");
    assert_eq!(spec(&described).description.as_deref(), Some("café \"x\" / 😀"));
}

#[test]
fn what_looks_like_a_number_is_a_text_where_a_text_belongs() {
    let text = MINIMAL.replace(
        "engine: {name: vllm}",
        "engine: {name: vllm, version: 0.30, env: {CUDA_VISIBLE_DEVICES: 0, DEBUG: true}}",
    );
    let spec = spec(&text);
    assert_eq!(spec.engine.version.as_deref(), Some("0.30"));
    assert_eq!(spec.engine.env["CUDA_VISIBLE_DEVICES"], "0");
    assert_eq!(spec.engine.env["DEBUG"], "true");
}

#[test]
fn the_space_keeps_the_order_of_the_file_and_the_kinds_of_its_values() {
    let text = MINIMAL.replace(
        "{parameters: {max-num-seqs: [64, 128]}}",
        "{parameters: {z: [3, 1, 2], on: [on, off], b: bool, a: {low: 1, high: 8, log: true, when: b}, n: [null, 0.5]}}",
    );
    let space = read(&text, &context()).unwrap().space;
    let names: Vec<&str> = space.parameters.iter().map(|p| p.name.as_str()).collect();
    assert_eq!(names, ["z", "on", "b", "a", "n"]);
    assert_eq!(
        space.parameters[0].domain,
        Domain::Ordinal { values: vec![Value::Int(1), Value::Int(2), Value::Int(3)] }
    );
    let words = vec![Value::from("on"), Value::from("off")];
    assert_eq!(space.parameters[1].domain, Domain::Categorical { values: words });
    assert_eq!(space.parameters[3].domain, Domain::Int { low: 1, high: 8, step: 1, log: true });
    assert_eq!(space.parameters[4].domain, Domain::Categorical { values: vec![Value::Null, Value::Float(0.5)] });
}

#[test]
fn a_spec_built_in_memory_is_checked_like_a_file() {
    let mut spec = spec(MINIMAL);
    assert_eq!(check(&spec, &context()).unwrap().spec, spec);
    spec.verification.blocks = 1;
    let findings = check(&spec, &context()).unwrap_err();
    assert_eq!(findings[0].field, "verification.blocks");
}

#[test]
fn the_examples_in_the_documentation_are_good() {
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/task-file.md")).unwrap();
    let blocks: Vec<&str> = page.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert!(blocks.len() >= 6);
    for block in blocks {
        // A fragment completes the smallest task, whose own lines it replaces.
        let starts = |key: &str| block.lines().any(|line| line.starts_with(key));
        let key = |line: &str| line.split_inclusive(':').next().unwrap().to_owned();
        let rest: String = MINIMAL.lines().filter(|l| !starts(&key(l))).map(|l| format!("{l}\n")).collect();
        spec(&format!("{block}{rest}"));
    }
}

#[test]
fn anchors_may_be_used_within_bounds() {
    let text = format!(
        "{MINIMAL}slos:\n  - &slo {{metric: ttft, max_ms: 500}}\nbaseline: {{max-num-seqs: &n 64, block-size: *n}}\n"
    );
    assert_eq!(spec(&text).baseline.get("block-size"), Some(&Value::Int(64)));
}

/// A full task as JSON, from which fields are taken away.
fn full() -> Json {
    json!({
        "name": "demo", "description": "text", "model": {"id": "a/b", "path": "/m", "served_name": "m", "tokenizer": "/t"},
        "engine": {"name": "vllm", "version": "1", "command": ["x"], "fixed": {"dtype": null}, "env": {"A": "b"}, "gpus": 1},
        "backend": {"kind": "local"},
        "search_space": {
            "parameters": {"b": "bool", "a": {"values": [1, 2], "type": "int", "when": "b"}, "c": {"low": 1, "high": 9, "step": 2, "log": true}},
            "constraints": ["a <= c"]
        },
        "baseline": {"a": 1},
        "workload": {"scenario": "D(8,8)", "api": "completions", "ignore_eos": false, "temperature": 0.5, "extra_body": {"k": [1, {}]}},
        "load": {"levels": [{"concurrency": 2}, {"rate": 1.5, "arrival": "constant"}], "requests": 5, "duration_s": 9, "warmup_requests": 0, "request_timeout_s": 10},
        "objectives": ["minimize_ttft", {"metric": "tpot", "stat": "p99", "goal": "minimize", "across": {"level": 1}, "per_gpu": true}],
        "slos": [{"metric": "ttft", "stat": "p99", "max_ms": 100, "weight": 2, "hard_fail": false, "fail_ratio": 0.5, "steepness": 0.2}],
        "max_error_rate": 0.02, "sampler": {"kind": "bayesian", "initial": 3, "candidates": 5},
        "budget": {"experiments": 9, "wall_time_s": 100, "gpu_seconds": 100},
        "verification": {"blocks": 2, "confidence": 0.9, "indifference": 0.01},
        "timeouts": {"provision_s": 1, "ready_s": 2, "ready_limit_s": 1000, "measure_s": 400, "stop_s": 5, "experiment_s": 700},
        "retries": {"max_attempts": 2, "backoff_s": 1, "max_backoff_s": 200}, "repeats": 2,
        "quality_guard": {"command": ["q"], "min": 0.1, "max": 0.9, "timeout_s": 3}, "seed": 18446744073709551615u64
    })
}

const KEPT: [&str; 8] = ["name", "model", "engine", "search_space", "metric", "kind", "command", "max_ms"];

/// Every place of an object field that may be left out, as paths of keys and positions.
fn optional(json: &Json, path: &[String], out: &mut Vec<Vec<String>>) {
    match json {
        Json::Object(members) => {
            for (key, value) in members {
                let mut inner = path.to_vec();
                inner.push(key.clone());
                let free =
                    path.last().is_some_and(|p| ["parameters", "extra_body", "fixed", "env"].contains(&p.as_str()));
                let essential = KEPT.contains(&key.as_str())
                    || free
                    || path.iter().any(|p| p == "parameters" || p == "across" || p == "levels");
                if !essential && (path != ["model"] || key != "id") {
                    out.push(inner.clone());
                }
                optional(value, &inner, out);
            }
        }
        Json::Array(items) => {
            for (i, value) in items.iter().enumerate() {
                let mut inner = path.to_vec();
                inner.push(i.to_string());
                optional(value, &inner, out);
            }
        }
        _ => {}
    }
}

fn remove(json: &mut Json, path: &[String]) {
    let [first, rest @ ..] = path else { return };
    match json {
        Json::Object(members) if rest.is_empty() => drop(members.shift_remove(first)),
        Json::Object(members) => members.get_mut(first).into_iter().for_each(|inner| remove(inner, rest)),
        Json::Array(items) => {
            items.get_mut(first.parse::<usize>().unwrap()).into_iter().for_each(|inner| remove(inner, rest));
        }
        _ => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    // R10.2
    #[test]
    fn any_subset_of_optional_fields_reads_and_comes_back_the_same(keep in proptest::collection::vec(any::<bool>(), 120)) {
        let mut task = full();
        let mut places = Vec::new();
        optional(&task, &[], &mut places);
        prop_assert!(places.len() > 50 && places.len() <= keep.len(), "{} places", places.len());
        for (place, keep) in places.iter().zip(keep) {
            if !keep {
                remove(&mut task, place);
            }
        }
        let text = serde_json::to_string_pretty(&task).unwrap();
        let read_once = match read(&text, &context()) {
            Ok(task) => task,
            Err(findings) => {
                // Fields that only make sense together may be parted; nothing else may go wrong.
                let expected = ["level", "quality", "measure", "initial", "ready_s", "backoff_s", "measures for", "unknown name"];
                let odd = findings.iter().find(|f| f.is_error() && !expected.iter().any(|e| f.message.contains(e)));
                prop_assert!(odd.is_none(), "{}", render_all(&findings, "task.json", &text));
                return Ok(());
            }
        };
        let yaml = to_yaml(&read_once.spec);
        let again = read(&yaml, &context()).unwrap_or_else(|f| panic!("{}", render_all(&f, "task.yaml", &yaml)));
        prop_assert_eq!(&again.spec, &read_once.spec);
        prop_assert_eq!(again.space, read_once.space);
        let stored: TaskSpec = serde_json::from_str(&serde_json::to_string(&read_once.spec).unwrap()).unwrap();
        prop_assert_eq!(stored, again.spec);
    }

    #[test]
    fn any_text_survives_writing_and_reading(text in "\\PC{1,30}|[ -~\\n\\t\\r]{1,30}|.{1,20}", key in "[a-z]{1,8}|\\PC{1,8}") {
        let mut spec = spec(MINIMAL);
        spec.description = Some(text.clone());
        spec.workload.extra_body = Map::from_iter([(format!("k{key}"), json!([text, {"x": 1e300}]))]);
        let yaml = to_yaml(&spec);
        let again = read(&yaml, &context()).unwrap_or_else(|f| panic!("{}", render_all(&f, "task.yaml", &yaml)));
        prop_assert_eq!(again.spec, spec);
    }
}

#[test]
fn the_full_task_uses_every_field_of_the_schema() {
    let properties = schema()["properties"].as_object().unwrap();
    let full = full();
    for name in properties.keys() {
        assert!(full.get(name).is_some(), "{name}");
    }
    let text = full.to_string();
    read(&text, &context()).unwrap_or_else(|f| panic!("{}", render_all(&f, "task.json", &text)));
}

#[test]
fn a_huge_file_is_refused_quickly_instead_of_searched() {
    let huge = |parameters: String| MINIMAL.replace("max-num-seqs: [64, 128]", &parameters);
    let many: Vec<String> = (0..3000).map(|i| format!("p-{i}: [1, 2]")).collect();
    let long: Vec<String> = (0..9000).map(|i| i.to_string()).collect();
    for (text, expected) in [
        (huge(many.join(", ")), "3000 parameters are more than a search can learn about"),
        (huge(format!("p: [{}]", long.join(", "))), "the list has 9000 values, at most 1000 are taken"),
        ("x".repeat(2 << 20), "the file is larger than 1024 KiB"),
    ] {
        assert_eq!(read(&text, &context()).unwrap_err()[0].message, expected);
    }
}
