//! `bench` against a simulated engine: its files, what can be computed from them again, comparisons, sweeps.

use std::sync::Arc;

use serde_json::Value as Json;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tuner_sim::{ServerArgs, server};

use super::World;

/// An engine that lives as long as this does.
struct Engine {
    _runtime: Runtime,
    server: server::Server,
}

impl Engine {
    fn start() -> Self {
        let runtime = Runtime::new().unwrap();
        let server = runtime.block_on(async {
            let engine = ServerArgs::parse(&["llama-3.1-8b"]).unwrap().engine().unwrap().without_startup();
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            server::serve(engine, listener, server::Clock { speed: 1.0 }, 1, Arc::new(|_: &str| ())).unwrap()
        });
        Self { _runtime: runtime, server }
    }

    fn url(&self) -> String {
        self.server.base_url()
    }
}

fn bench(world: &World, more: &[&str]) -> Json {
    let arguments: Vec<&str> = ["--json", "bench"].into_iter().chain(more.iter().copied()).collect();
    world.json(&arguments)
}

const LOAD: [&str; 8] = ["--scenario", "D(32,8)", "-c", "2", "-n", "6", "--slo", "ttft<=60000"];

// W8, W9
#[test]
fn what_was_measured_can_be_kept_computed_again_and_compared() {
    let (world, engine) = (World::new(), Engine::start());
    let url = engine.url();
    let files =
        ["--results", "kept", "--save-log", "--emit", "vllm", "--emit", "genai-bench", "-o", "a.json", "-o", "a.csv"];
    let run: Vec<&str> = [url.as_str(), "--repeats", "2"].into_iter().chain(LOAD).chain(files).collect();
    let report = bench(&world, &run);
    let measured = report["measurements"].as_array().unwrap();
    assert_eq!(measured.len(), 2, "{report:#}");

    let again = bench(&world, &["recompute", "kept/log/c2-0.jsonl", "kept/log/c2-1.jsonl"]);
    for (before, after) in measured.iter().zip(again.as_array().unwrap()) {
        assert_eq!(before["metrics"], after["metrics"]);
        assert_eq!(before["requests"]["completed"], 6);
    }
    let vllm = std::fs::read_dir(world.path("kept/vllm")).unwrap().next().unwrap().unwrap().path();
    let vllm: Json = serde_json::from_str(&std::fs::read_to_string(vllm).unwrap()).unwrap();
    assert_eq!((vllm["completed"].as_u64(), vllm["max_concurrency"].as_u64()), (Some(6), Some(2)), "{vllm:#}");
    assert_eq!(std::fs::read_to_string(world.path("a.csv")).unwrap().lines().count(), 3);

    let same = bench(&world, &["compare", "a.json", "a.json"]);
    let verdicts: Vec<&Json> = same["levels"][0]["figures"].as_array().unwrap().iter().map(|f| &f["verdict"]).collect();
    assert!(!verdicts.is_empty() && verdicts.iter().all(|v| **v == "equivalent"), "{same:#}");
}

#[test]
fn two_endpoints_are_measured_in_turn() {
    let (world, engine) = (World::new(), Engine::start());
    let url = engine.url();
    let sides = ["compare", &url, &url, "--rounds", "3"];
    let compared = bench(&world, &sides.into_iter().chain(LOAD).collect::<Vec<_>>());
    assert_eq!(compared["levels"][0]["pairs"], 3, "{compared:#}");
    let figures = compared["levels"][0]["figures"].as_array().unwrap();
    let throughput = figures.iter().find(|f| f["metric"] == "output_throughput").unwrap();
    let ratio = throughput["ratio"]["estimate"].as_f64().unwrap();
    assert!((0.5..2.0).contains(&ratio), "the same engine, {ratio}");
}

#[test]
fn a_sweep_doubles_up_to_its_limit_and_ends_where_not_even_one_stream_is_within_it() {
    let (world, engine) = (World::new(), Engine::start());
    let url = engine.url();
    let load = ["--scenario", "D(32,8)", "-n", "8", "--sweep", "4"];
    let report = bench(&world, &[url.as_str()].into_iter().chain(load).collect::<Vec<_>>());
    let streams: Vec<u64> =
        report["levels"].as_array().unwrap().iter().map(|l| l["concurrency"].as_u64().unwrap()).collect();
    assert!(streams.starts_with(&[1, 2]) && streams.iter().all(|n| *n <= 4), "{streams:?}");
    let strict = [url.as_str()].into_iter().chain(load).chain(["--slo", "ttft<=0.001"]).collect::<Vec<_>>();
    let report = bench(&world, &strict);
    assert_eq!((report["levels"].as_array().unwrap().len(), &report["sweep"]), (1, &Json::Null), "{report:#}");
}

#[test]
fn comparing_what_cannot_be_compared_is_refused_with_the_way_out() {
    let world = World::new();
    world.write("text.json", "hello");
    let wrong: [&[&str]; 4] = [
        &["bench", "compare", "a.json", "b.json"],
        &["bench", "compare", "text.json", "text.json"],
        &["bench", "compare", "http://127.0.0.1:9", "text.json"],
        &["bench", "recompute", "text.json"],
    ];
    let texts: Vec<String> = wrong.iter().map(|arguments| world.says(arguments)).collect();
    insta::assert_snapshot!(texts.join("\n════\n"));
}
