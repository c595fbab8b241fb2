//! Read-back against logs and pages recorded from real engines.

use std::collections::BTreeMap;
use std::fmt::Write;

use tuner_core::engine::EngineName;
use tuner_core::space::Configuration;
use tuner_engines::{EngineReport, engine};

fn table(name: EngineName, asked: &str, log: &str, pages: &[(&str, &str)]) -> String {
    let configuration: Configuration = serde_json::from_str(asked).unwrap();
    let pages: BTreeMap<String, serde_json::Value> =
        pages.iter().map(|(path, text)| ((*path).to_owned(), serde_json::from_str(text).unwrap())).collect();
    let mut out = String::new();
    for row in engine(name).read_back(&configuration, &EngineReport { log, pages: &pages }) {
        let verdict = serde_json::to_value(row.verdict).unwrap();
        let reported = row.reported.as_deref().unwrap_or("-");
        writeln!(out, "{:<28} asked {:<10} reported {reported:<12} {}", row.name, row.asked, verdict.as_str().unwrap())
            .unwrap();
    }
    out
}

// B9: vLLM 0.32.0 started with max-num-seqs 16, max-num-batched-tokens 512, block-size 32, no prefix caching.
#[test]
fn vllm_reports_its_arguments_in_its_log() {
    let asked = r#"{"max-num-seqs": 16, "max_num_batched_tokens": 512, "enable-prefix-caching": false,
        "block-size": 32, "gpu-memory-utilization": 0.90, "served-model-name": "smol", "max-model-len": "2k",
        "enforce-eager": true, "kv-cache-dtype": "auto", "dtype": "bfloat16", "tensor-parallel-size": 2,
        "enable-chunked-prefill": true, "stream-interval": 1, "swap-space": 4}"#;
    let text = table(EngineName::Vllm, asked, include_str!("../logs/vllm-ready.log"), &[]);
    insta::assert_snapshot!(text);
}

// B9: SGLang 0.5.23 started with max-running-requests 16, chunked-prefill-size 512, schedule-policy lpm, …
#[test]
fn sglang_reports_its_arguments_on_a_page_and_in_its_log() {
    let asked = r#"{"max-running-requests": 16, "chunked_prefill_size": 512, "schedule-policy": "lpm",
        "mem-fraction-static": 0.80, "schedule-conservativeness": 0.7, "tensor-parallel-size": 1,
        "disable-overlap-schedule": true, "disable-radix-cache": false, "max-total-tokens": 8192,
        "num-continuous-decode-steps": 1, "no-such-flag": 1}"#;
    let page = include_str!("../pages/sglang-server_info.json");
    let log = include_str!("../logs/sglang-ready.log");
    let from_log = table(EngineName::Sglang, asked, log, &[]);
    insta::assert_snapshot!(from_log);
    assert_eq!(table(EngineName::Sglang, asked, "", &[("/server_info", page)]), from_log);
    assert_eq!(table(EngineName::Sglang, asked, "", &[("/get_server_info", page)]), from_log);
}

// B9: llama.cpp's server started with -c 2048 -np 2 -b 256 -ub 64 -t 1 -fa on -ctk q8_0 --no-cont-batching …
#[test]
fn llama_cpp_reports_its_arguments_on_pages_and_in_its_log() {
    let asked = r#"{"ctx-size": 2048, "np": 2, "batch-size": 256, "ubatch-size": 64, "threads": 1, "threads-batch": 1,
        "flash-attn": true, "cache-type-k": "q8_0", "cache-type-v": "f16", "cont-batching": false, "metrics": true,
        "alias": "smol", "poll": 0, "cache-reuse": 64, "load-mode": "none", "no-kv-unified": true,
        "slot-prompt-similarity": 0.25, "cache-ram": 4096, "props": false, "no-slots": false}"#;
    let pages = [
        ("/props", include_str!("../pages/llama.cpp-props.json")),
        ("/slots", include_str!("../pages/llama.cpp-slots.json")),
    ];
    let log = include_str!("../logs/llama.cpp-ready.log");
    insta::assert_snapshot!("llama_cpp_with_our_launcher", table(EngineName::LlamaCpp, asked, log, &pages));
    let native: String = log.lines().filter(|l| !l.starts_with("autotuner:")).map(|l| format!("{l}\n")).collect();
    insta::assert_snapshot!("llama_cpp_native", table(EngineName::LlamaCpp, asked, &native, &pages));
}

#[test]
fn what_is_left_to_the_engine_is_not_a_difference() {
    let asked = r#"{"parallel": -1, "ctx-size": 1900, "flash-attn": "auto", "gpu-layers": 99}"#;
    let log =
        format!("{}\n0.1 I load_tensors: offloaded 31/31 layers to GPU\n", include_str!("../logs/llama.cpp-ready.log"));
    let text = table(EngineName::LlamaCpp, asked, &log, &[]);
    insta::assert_snapshot!(text);
}

#[test]
fn an_engine_that_says_nothing_proves_nothing() {
    for name in EngineName::ALL {
        let rows = table(name, r#"{"max-num-seqs": 1}"#, "", &[]);
        assert!(rows.ends_with("not_reported\n"), "{name}: {rows}");
    }
}
