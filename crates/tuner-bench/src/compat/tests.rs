//! Every tool's figures for four requests worked out by hand.

use serde_json::Value;
use tuner_core::record::{Fate, PlannedRequest, RequestRecord, TokenRead};
use tuner_core::task::{Api, Level as Arrivals, SloSpec};

use super::*;

fn record(index: u64, start: f64, reads: &[(f64, u32)], ended: f64, output: Option<u32>) -> RequestRecord {
    let planned = PlannedRequest { index, ..planned() };
    RequestRecord {
        sent_s: Some(start),
        first_event_s: reads.first().map(|r| r.0),
        first_answer_s: reads.first().map(|r| r.0),
        reads: reads.iter().map(|&(at_s, events)| TokenRead { at_s, events, tokens: None }).collect(),
        ended_s: Some(ended),
        output_tokens: output,
        fate: Fate::Completed,
        ..RequestRecord::unsent(&planned, start)
    }
}

fn planned() -> PlannedRequest {
    let json = r#"{"index": 0, "warmup": false, "planned_s": null, "input_tokens": 10, "output_tokens": 20}"#;
    serde_json::from_str(json).unwrap()
}

fn failed(class: &str, record: RequestRecord) -> RequestRecord {
    RequestRecord { fate: Fate::Failed { class: class.to_owned(), message: "why".to_owned() }, ..record }
}

/// A role chunk, then 5 tokens in 4 events, then usage 200 ms late; 2 tokens over a new connection; an answer without
/// an end; an HTTP error; a warm-up and a request that the end of the run cut off.
fn records() -> Vec<RequestRecord> {
    let mut roles = record(1, 0.0, &[(0.5, 1), (0.6, 1), (0.7, 2)], 0.9, Some(5));
    roles.first_event_s = Some(0.1);
    let mut connected = record(2, 1.02, &[(1.2, 1), (1.4, 1)], 1.4, Some(2));
    connected.connect_s = Some(0.02);
    connected.input_tokens = Some(20);
    let mut warmup = record(0, 0.0, &[(9.0, 1)], 9.0, Some(1));
    warmup.warmup = true;
    let cut = RequestRecord { fate: Fate::Cancelled, ..record(5, 3.0, &[(3.05, 1)], 3.05, None) };
    vec![
        warmup,
        roles,
        connected,
        failed("truncated", record(3, 2.0, &[(2.3, 1), (2.5, 1)], 2.5, None)),
        failed("http_500", record(4, 3.0, &[], 3.1, None)),
        cut,
    ]
}

fn slo(text: &str) -> SloSpec {
    serde_json::from_str(text).unwrap()
}

fn documents(tool: Tool, records: &[RequestRecord], slos: &[SloSpec]) -> Vec<ResultFile> {
    let arrival = Arrivals::closed(2);
    let level = Level { arrival: &arrival, records, zero_unix_s: 1_700_000_000.0 };
    let run = Run {
        model: "org/tiny",
        url: "http://127.0.0.1:8000",
        api: Api::Chat,
        tokenizer: Some("/tokenize"),
        scenario: Some("D(10,20)"),
        slos,
        levels: &[level],
    };
    emit(tool, &run)
}

fn document(tool: Tool, slos: &[SloSpec]) -> Value {
    documents(tool, &records(), slos).pop().unwrap().document
}

#[track_caller]
fn has(document: &Value, expected: &[(&str, f64)]) {
    for (pointer, value) in expected {
        let found = document.pointer(pointer).and_then(Value::as_f64);
        assert!(
            found.is_some_and(|x| (x - value).abs() < 1e-6 * value.abs().max(1.0)),
            "{pointer}: {found:?}, {value}"
        );
    }
}

#[test]
fn vllm_takes_the_role_chunk_for_a_token_and_a_truncated_answer_for_a_success() {
    let slos = [slo(r#"{"metric": "ttft", "max_ms": 250}"#), slo(r#"{"metric": "tpot", "max_ms": 160}"#)];
    let document = document(Tool::Vllm, &slos);
    has(
        &document,
        &[
            ("/completed", 3.0),
            ("/failed", 1.0),
            ("/num_prompts", 4.0),
            ("/duration", 3.1),
            ("/mean_ttft_ms", 200.0),
            ("/median_ttft_ms", 200.0),
            ("/std_ttft_ms", 81.649_658_1),
            ("/mean_tpot_ms", 175.0),
            ("/mean_itl_ms", 1000.0 / 6.0),
            ("/median_itl_ms", 150.0),
            ("/mean_e2el_ms", 1600.0 / 3.0),
            ("/total_input_tokens", 40.0),
            ("/total_output_tokens", 8.0),
            ("/output_throughput", 8.0 / 3.1),
            ("/total_token_throughput", 48.0 / 3.1),
            ("/request_throughput", 3.0 / 3.1),
            ("/request_goodput", 1.0 / 3.1),
            ("/max_output_tokens_per_s", 5.0),
            ("/max_concurrent_requests", 1.0),
            ("/max_concurrency", 2.0),
        ],
    );
    assert_eq!(document["request_rate"], "inf");
    assert_eq!(document["date"], "20231114-221320");
}

#[test]
fn sglang_ends_with_the_stream_and_counts_what_was_asked_for() {
    has(
        &document(Tool::Sglang, &[]),
        &[
            ("/completed", 3.0),
            ("/duration", 3.1),
            ("/mean_ttft_ms", 1000.0 / 3.0),
            ("/mean_e2e_latency_ms", 600.0),
            ("/mean_tpot_ms", (100.0 + 200.0 + 200.0 / 19.0) / 3.0),
            ("/mean_itl_ms", 120.0),
            ("/max_itl_ms", 200.0),
            ("/total_output_tokens", 27.0),
            ("/output_throughput", 27.0 / 3.1),
            ("/concurrency", 1.8 / 3.1),
        ],
    );
}

#[test]
fn guidellm_puts_the_first_token_into_tpot_and_weighs_by_tokens() {
    let slos = [slo(r#"{"metric": "e2e_latency", "max_ms": 450}"#)];
    let document = document(Tool::Guidellm, &slos);
    let metrics = &document["benchmarks"][0]["metrics"];
    has(
        metrics,
        &[
            ("/request_totals/successful", 3.0),
            ("/request_totals/errored", 1.0),
            ("/request_totals/incomplete", 1.0),
            ("/request_latency/successful/mean", 0.6),
            ("/time_to_first_token_ms/successful/mean", 1000.0 / 3.0),
            ("/time_to_first_token_ms/successful/median", 300.0),
            ("/time_per_output_token_ms/successful/mean", 1600.0 / 27.0),
            ("/inter_token_latency_ms/successful/mean", 25.0),
            ("/output_token_count/successful/total_sum", 27.0),
            ("/requests_per_second/successful/mean", 3.0 / 3.1),
            ("/output_tokens_per_second/successful/mean", 27.0 / 3.1),
            ("/prompt_tokens_per_second/successful/mean", 40.0 / 3.1),
            ("/request_concurrency/successful/mean", 1.8 / 3.1),
            ("/slo_attainment", 0.25),
            ("/slo_determined_requests", 4.0),
        ],
    );
    has(&document["benchmarks"][0], &[("/duration", 3.1), ("/start_time", 1_700_000_000.0)]);
    assert_eq!(document["benchmarks"][0]["config"]["strategy"]["type_"], "concurrent");
}

#[test]
fn aiperf_calls_tpot_itl_and_takes_rates_over_the_successful_requests() {
    let slos = [slo(r#"{"metric": "e2e_latency", "max_ms": 600}"#)];
    let document = document(Tool::Aiperf, &slos);
    has(
        &document,
        &[
            ("/request_count/avg", 3.0),
            ("/error_request_count/avg", 1.0),
            ("/benchmark_duration/avg", 2.5),
            ("/time_to_first_token/avg", 1000.0 / 3.0),
            ("/time_to_first_token/p50", 300.0),
            ("/time_to_second_token/avg", 500.0 / 3.0),
            ("/request_latency/avg", 1600.0 / 3.0),
            ("/inter_token_latency/avg", 125.0),
            ("/inter_token_latency/count", 2.0),
            ("/inter_chunk_latency/avg", 120.0),
            ("/output_token_throughput/avg", 2.8),
            ("/request_throughput/avg", 1.2),
            ("/good_request_fraction/avg", 0.5),
            ("/goodput/avg", 0.8),
            ("/error_summary/0/error_details/code", 500.0),
        ],
    );
    assert_eq!(document["time_to_first_token"]["unit"], "ms");
}

#[test]
fn aiperf_subtracts_the_tokens_of_the_first_chunk_where_the_engine_counts_them() {
    let mut counted = record(0, 0.0, &[(0.5, 1), (1.1, 1)], 1.1, Some(7));
    counted.reads[0].tokens = Some(4);
    counted.reads[1].tokens = Some(3);
    let document = documents(Tool::Aiperf, &[counted], &[]).pop().unwrap().document;
    has(&document, &[("/inter_token_latency/avg", 200.0)]);
}

#[test]
fn genai_bench_reports_seconds_and_no_share_of_errors() {
    let files = documents(Tool::GenaiBench, &records(), &[]);
    assert_eq!(files[0].path, "experiment_metadata.json");
    assert_eq!(files[1].path, "D_10_20__text-to-text_num_concurrency_2_time_3s.json");
    has(
        &files[1].document["aggregated_metrics"],
        &[
            ("/num_completed_requests", 3.0),
            ("/num_error_requests", 1.0),
            ("/error_rate", 0.0),
            ("/error_codes_frequency/500", 1.0),
            ("/run_duration", 3.1),
            ("/stats/ttft/mean", 1.0 / 3.0),
            ("/stats/e2e_latency/mean", 0.6),
            ("/stats/tpot/mean", 0.15),
            ("/mean_output_throughput_tokens_per_s", 7.0 / 3.1),
            ("/requests_per_second", 3.0 / 3.1),
        ],
    );
    assert_eq!(files[1].document["individual_request_metrics"].as_array().unwrap().len(), 4);
}

/// Names of the keys down to three levels, arrays as one.
fn keys(value: &Value, prefix: &str, depth: usize, out: &mut Vec<String>) {
    match value {
        Value::Object(map) if depth < 4 => {
            for (key, value) in map {
                keys(value, &format!("{prefix}/{key}"), depth + 1, out);
            }
        }
        Value::Array(items) if items.first().is_some_and(Value::is_object) => keys(&items[0], prefix, depth, out),
        _ => out.push(prefix.to_owned()),
    }
}

#[test]
fn the_names_in_each_file_are_those_of_the_tool() {
    for tool in Tool::ALL {
        let slos = [slo(r#"{"metric": "ttft", "max_ms": 250}"#)];
        let mut names = Vec::new();
        for file in documents(tool, &records(), &slos) {
            names.push(format!("# {}", file.path));
            keys(&file.document, "", 0, &mut names);
        }
        insta::assert_snapshot!(format!("compat_{tool}"), names.join("\n"));
    }
}

#[test]
fn every_tools_file_is_told_by_its_content_and_read_back() {
    for tool in Tool::ALL {
        let (found, headlines) = read(&document(tool, &[])).unwrap();
        assert_eq!(found, tool);
        let headline = headlines[0];
        assert_eq!(headline.completed, Some(3.0), "{tool}");
        let names: Vec<&str> = headline.named().map(|(name, _)| name).collect();
        let missing = if tool == Tool::Sglang { 9 } else { 10 };
        assert_eq!(names.len(), missing, "{tool}: {names:?}");
        assert!((150.0..=340.0).contains(&headline.ttft_mean_ms.unwrap()), "{tool}: in milliseconds");
        assert!((500.0..=610.0).contains(&headline.e2e_mean_ms.unwrap()), "{tool}: in milliseconds");
    }
    assert_eq!(read(&serde_json::json!({"levels": []})), Err(UnknownResult));
}

#[test]
fn a_level_without_a_request_is_written_with_zeros_not_refused() {
    for tool in Tool::ALL {
        let files = documents(tool, &[], &[]);
        let (_, headlines) = read(&files.last().unwrap().document).unwrap();
        assert_eq!(headlines[0].completed, Some(0.0), "{tool}");
    }
}

#[test]
fn repeats_of_a_level_do_not_overwrite_each_other() {
    let (arrival, records) = (Arrivals::closed(2), records());
    let level = Level { arrival: &arrival, records: &records, zero_unix_s: 1_700_000_000.0 };
    let run = Run {
        model: "org/tiny",
        url: "http://127.0.0.1:8000",
        api: Api::Chat,
        tokenizer: None,
        scenario: None,
        slos: &[],
        levels: &[level; 3],
    };
    for tool in Tool::ALL {
        let paths: std::collections::BTreeSet<String> = emit(tool, &run).into_iter().map(|f| f.path).collect();
        let expected = match tool {
            Tool::Guidellm => 1,
            Tool::GenaiBench => 4,
            _ => 3,
        };
        assert_eq!(paths.len(), expected, "{tool}: {paths:?}");
    }
}
