//! `python -m sglang.bench_serving` (SGLang of August 2026): TTFT is the first text, latency ends with the stream, and
//! an answer without usage counts as long as was asked for.

use serde_json::{Map, json};
use tuner_core::task::Api;

use super::attempt::{self, Attempt};
use super::numbers::{self, Sample};
use super::openai_style::{self, Answer};
use super::{Level, ResultFile, Run, Tool};

const PERCENTILES: [u32; 3] = [90, 95, 99];

fn answer(attempt: &Attempt<'_>) -> Answer {
    Answer {
        start: attempt.start_s,
        ttft: attempt.ttft().unwrap_or(0.0),
        itl: openai_style::gaps(&attempt.tokens_s),
        latency: attempt.end_s() - attempt.start_s,
        input: attempt.input_tokens(),
        output: attempt.record.output_tokens.unwrap_or(attempt.record.planned_output_tokens),
    }
}

/// Most requests touching any one second counted from the first start: more than were ever in flight at once.
fn busiest_second_by_requests(answers: &[Answer]) -> u64 {
    let start = answers.iter().map(|a| a.start).fold(f64::INFINITY, f64::min);
    let mut seconds = std::collections::BTreeMap::<u64, u64>::new();
    for answer in answers {
        let (from, to) = (answer.start - start, answer.start + answer.latency - start);
        for second in from as u64..=to as u64 {
            *seconds.entry(second).or_insert(0) += 1;
        }
    }
    seconds.values().max().copied().unwrap_or(0)
}

pub(super) fn result(run: &Run<'_>, level: &Level<'_>) -> ResultFile {
    let attempts = Attempt::all(level.records);
    let attempts: Vec<&Attempt<'_>> = attempts.iter().filter(|a| !a.cut_off()).collect();
    let answers: Vec<Answer> = attempts.iter().filter(|a| a.succeeds(Tool::Sglang)).map(|a| answer(a)).collect();
    let duration = attempt::duration_s(attempts.iter().copied());
    let per_second = |count: f64| if duration > 0.0 { count / duration } else { 0.0 };
    let total_input: u64 = answers.iter().map(|a| u64::from(a.input)).sum();
    let total_output: u64 = answers.iter().map(|a| u64::from(a.output)).sum();
    let backend = if matches!(run.api, Api::Chat) { "sglang-oai-chat" } else { "sglang-oai" };
    let itl = Sample::new(answers.iter().flat_map(|a| a.itl.iter().copied()).collect());
    let mut result = Map::new();
    let mut set = |key: &str, value| result.insert(key.to_owned(), value);
    set("tag", json!(super::generator()));
    set("backend", json!(backend));
    set("dataset_name", json!(if run.scenario.is_some() { "random" } else { "custom" }));
    set("request_rate", level.arrival.rate.map_or_else(|| json!("inf"), |rate| json!(rate)));
    set("max_concurrency", json!(level.arrival.concurrency));
    set("duration", json!(duration));
    set("completed", json!(answers.len()));
    set("total_input_tokens", json!(total_input));
    set("total_input_text_tokens", json!(total_input));
    set("total_input_vision_tokens", json!(0));
    set("total_output_tokens", json!(total_output));
    set("request_throughput", json!(per_second(answers.len() as f64)));
    set("input_throughput", json!(per_second(total_input as f64)));
    set("output_throughput", json!(per_second(total_output as f64)));
    set("total_throughput", json!(per_second((total_input + total_output) as f64)));
    set("concurrency", json!(per_second(answers.iter().map(|a| a.latency).sum())));
    set("accept_length", json!(null));
    set("max_output_tokens_per_s", json!(openai_style::busiest_second(&answers)));
    set("max_concurrent_requests", json!(busiest_second_by_requests(&answers)));
    set("max_itl_ms", json!(itl.max() * 1000.0));
    let samples = [
        ("e2e_latency", Sample::new(answers.iter().map(|a| a.latency).collect())),
        ("ttft", Sample::new(answers.iter().map(|a| a.ttft).collect())),
        ("tpot", Sample::new(answers.iter().filter_map(Answer::tpot).collect())),
        ("itl", itl),
    ];
    for (name, sample) in samples {
        openai_style::add(&mut result, name, &sample, &PERCENTILES);
    }
    let date = numbers::moment(level.zero_unix_s).format("%m%d");
    let dataset = if run.scenario.is_some() { "random" } else { "custom" };
    ResultFile { path: format!("{backend}_{date}_{}_{dataset}.jsonl", attempts.len()), document: result.into() }
}
