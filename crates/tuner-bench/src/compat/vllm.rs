//! `vllm bench serve --save-result` (vLLM of August 2026): TTFT is the first event with `choices`, so a role chunk
//! counts; a gap per event; latency ends at the last event; requests that failed are in no figure.

use serde_json::{Map, json};
use tuner_core::task::Api;

use super::attempt::{self, Attempt, Limits};
use super::numbers::{self, Sample};
use super::openai_style::{self, Answer};
use super::{Level, ResultFile, Run, Tool};

/// Percentiles written; vLLM's default is 99 alone.
const PERCENTILES: [u32; 4] = [50, 90, 95, 99];

fn answer(attempt: &Attempt<'_>) -> Answer {
    let mut events = attempt.tokens_s.clone();
    let first = attempt.record.first_event_s;
    if let Some(at) = first.filter(|at| events.first().is_none_or(|first| at < first)) {
        events.insert(0, at);
    }
    let since = |at: Option<&f64>| at.map_or(0.0, |at| at - attempt.start_s);
    Answer {
        start: attempt.start_s,
        ttft: since(events.first()),
        itl: openai_style::gaps(&events),
        latency: since(events.last()),
        input: attempt.input_tokens(),
        // Without usage and tokenizer vLLM takes 1; an answer without text has none to count.
        output: attempt.record.output_tokens.unwrap_or(u32::from(!attempt.tokens_s.is_empty())),
    }
}

/// Most requests at once; a departure precedes an arrival at the same moment.
fn peak(answers: &[Answer]) -> i64 {
    let mut changes: Vec<(f64, i64)> = answers.iter().flat_map(|a| [(a.start, 1), (a.start + a.latency, -1)]).collect();
    changes.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let mut now = 0;
    changes
        .iter()
        .map(|(_, change)| {
            now += change;
            now
        })
        .max()
        .unwrap_or(0)
}

pub(super) fn result(run: &Run<'_>, level: &Level<'_>) -> ResultFile {
    let attempts = Attempt::all(level.records);
    let attempts: Vec<&Attempt<'_>> = attempts.iter().filter(|a| !a.cut_off()).collect();
    let answers: Vec<Answer> = attempts.iter().filter(|a| a.succeeds(Tool::Vllm)).map(|a| answer(a)).collect();
    let duration = attempt::duration_s(attempts.iter().copied());
    let per_second = |count: f64| if duration > 0.0 { count / duration } else { 0.0 };
    let total_input: u64 = answers.iter().map(|a| u64::from(a.input)).sum();
    let total_output: u64 = answers.iter().map(|a| u64::from(a.output)).sum();
    let limits = Limits::of(run.slos);
    let good = answers
        .iter()
        .filter(|a| {
            let within = |limit: Option<f64>, value: f64| limit.is_none_or(|limit| value <= limit);
            // An answer of one token passes every limit on TPOT here.
            within(limits.ttft, a.ttft) && within(limits.tpot, a.tpot().unwrap_or(0.0)) && within(limits.e2e, a.latency)
        })
        .count();
    let backend = if matches!(run.api, Api::Chat) { "openai-chat" } else { "openai" };
    let date = numbers::moment(level.zero_unix_s).format("%Y%m%d-%H%M%S").to_string();
    let rate = level.arrival.rate.map_or_else(|| json!("inf"), |rate| json!(rate));
    let mut result = Map::new();
    let mut set = |key: &str, value| result.insert(key.to_owned(), value);
    set("date", json!(date));
    set("endpoint_type", json!(backend));
    set("backend", json!(backend));
    set("label", json!(null));
    set("model_id", json!(run.model));
    set("tokenizer_id", json!(run.tokenizer));
    set("num_prompts", json!(attempts.len()));
    set("generator", json!(super::generator()));
    set("request_rate", rate);
    set("burstiness", json!(1.0));
    set("max_concurrency", json!(level.arrival.concurrency));
    set("duration", json!(duration));
    set("completed", json!(answers.len()));
    set("failed", json!(attempts.len() - answers.len()));
    set("total_input_tokens", json!(total_input));
    set("total_output_tokens", json!(total_output));
    set("request_throughput", json!(per_second(answers.len() as f64)));
    set("request_goodput", json!(limits.any().then(|| per_second(good as f64))));
    set("output_throughput", json!(per_second(total_output as f64)));
    set("total_token_throughput", json!(per_second((total_input + total_output) as f64)));
    set("latencies", json!(attempts.iter().map(|a| latency_of(a)).collect::<Vec<_>>()));
    let queued = |a: &&Attempt<'_>| (a.start_s - a.record.planned_s).max(0.0);
    set("queue_times", json!(attempts.iter().map(queued).collect::<Vec<_>>()));
    set("max_output_tokens_per_s", json!(openai_style::busiest_second(&answers)));
    set("max_concurrent_requests", json!(peak(&answers)));
    set("rtfx", json!(0.0));
    let samples = [
        ("ttft", answers.iter().map(|a| a.ttft).collect()),
        ("tpot", answers.iter().filter_map(Answer::tpot).collect()),
        ("itl", answers.iter().flat_map(|a| a.itl.iter().copied()).collect()),
        ("e2el", answers.iter().map(|a| a.latency).collect::<Vec<f64>>()),
    ];
    for (name, sample) in samples {
        openai_style::add(&mut result, name, &Sample::new(sample), &PERCENTILES);
    }
    let model = run.model.rsplit('/').next().unwrap_or(run.model);
    let rate = level.arrival.rate.map_or_else(|| "inf".to_owned(), |rate| rate.to_string());
    let concurrency = level.arrival.concurrency.map_or_else(String::new, |c| format!("-concurrency{c}"));
    ResultFile { path: format!("{backend}-{rate}qps{concurrency}-{model}-{date}.json"), document: result.into() }
}

fn latency_of(attempt: &Attempt<'_>) -> f64 {
    if attempt.succeeds(Tool::Vllm) { answer(attempt).latency } else { 0.0 }
}
