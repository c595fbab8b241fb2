//! AIPerf's `profile_export_aiperf.json` (0.13, schema 1.4): TTFT and latency from sending to the first and last
//! content; its "inter token latency" is what others call TPOT; rates over the span of the successful requests.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::attempt::{Attempt, Limits};
use super::numbers::{self, Sample};
use super::{Level, ResultFile, Run, Tool};

const PERCENTILES: [u32; 9] = [1, 5, 10, 25, 50, 75, 90, 95, 99];

/// Values of one request: tag, unit, value in that unit.
fn values(attempt: &Attempt<'_>) -> Vec<(&'static str, &'static str, f64)> {
    let mut values = vec![("input_sequence_length", "tokens", f64::from(attempt.input_tokens()))];
    let (Some(ttft), Some(latency)) = (attempt.ttft(), attempt.last_token()) else { return values };
    values.push(("time_to_first_token", "ms", ttft * 1000.0));
    if let [first, second, ..] = attempt.tokens_s[..] {
        values.push(("time_to_second_token", "ms", (second - first) * 1000.0));
    }
    if let Some(at) = attempt.record.first_answer_s {
        values.push(("time_to_first_output_token", "ms", (at - attempt.start_s) * 1000.0));
    }
    values.push(("request_latency", "ms", latency * 1000.0));
    if ttft > 0.0 {
        let rate = f64::from(attempt.input_tokens()) / ttft;
        values.push(("prefill_throughput_per_user", "tokens/sec/user", rate));
    }
    if let Some(output) = attempt.record.output_tokens {
        values.push(("output_sequence_length", "tokens", f64::from(output)));
        values.push(("output_token_count", "tokens", f64::from(output)));
        if let Some(itl) = inter_token_s(attempt, output) {
            values.push(("inter_token_latency", "ms", itl * 1000.0));
            if itl > 0.0 {
                values.push(("output_token_throughput_per_user", "tokens/sec/user", 1.0 / itl));
            }
        }
    }
    values
}

/// (latency − TTFT) / (tokens − tokens of the first chunk), the latter 1 where the engine does not say.
fn inter_token_s(attempt: &Attempt<'_>, output: u32) -> Option<f64> {
    let first = attempt.record.reads.first()?;
    // Their count is of the first event; a read of several events does not tell how many were in the first.
    let in_first = first.tokens.filter(|n| first.events <= 1 && (1..output).contains(n)).unwrap_or(1);
    let after = output.checked_sub(in_first).filter(|_| output >= 2)?;
    Some((attempt.last_token()? - attempt.ttft()?) / f64::from(after))
}

fn distribution(unit: &str, sample: &Sample) -> Value {
    let mut out = Map::new();
    out.insert("unit".to_owned(), json!(unit));
    out.insert("avg".to_owned(), json!(sample.mean()));
    for p in PERCENTILES {
        out.insert(format!("p{p}"), json!(sample.percentile(f64::from(p))));
    }
    out.insert("min".to_owned(), json!(sample.min()));
    out.insert("max".to_owned(), json!(sample.max()));
    out.insert("std".to_owned(), json!(sample.std()));
    out.insert("count".to_owned(), json!(sample.len()));
    out.insert("sum".to_owned(), json!(sample.sum()));
    out.into()
}

fn scalar(unit: &str, value: f64) -> Value {
    json!({ "unit": unit, "avg": value })
}

pub(super) fn export(run: &Run<'_>, level: &Level<'_>) -> ResultFile {
    let attempts = Attempt::all(level.records);
    let valid: Vec<&Attempt<'_>> = attempts.iter().filter(|a| a.succeeds(Tool::Aiperf)).collect();
    let failed: Vec<&Attempt<'_>> = attempts.iter().filter(|a| !a.succeeds(Tool::Aiperf) && !a.cut_off()).collect();
    let mut samples: BTreeMap<&'static str, (&'static str, Vec<f64>)> = BTreeMap::new();
    for (tag, unit, value) in valid.iter().flat_map(|a| values(a)) {
        samples.entry(tag).or_insert((unit, Vec::new())).1.push(value);
    }
    let gaps: Vec<f64> = valid.iter().flat_map(|a| a.tokens_s.windows(2)).map(|w| (w[1] - w[0]) * 1000.0).collect();
    if !gaps.is_empty() {
        samples.insert("inter_chunk_latency", ("ms", gaps));
    }
    let first = valid.iter().map(|a| a.start_s).fold(f64::INFINITY, f64::min);
    let last = valid.iter().filter_map(|a| Some(a.start_s + a.last_token()?)).fold(f64::NEG_INFINITY, f64::max);
    let duration = (last - first).max(0.0);
    let total = |tag: &str| samples.get(tag).map_or(0.0, |(_, values)| values.iter().sum::<f64>());
    let (input, output) = (total("input_sequence_length"), total("output_sequence_length"));

    let mut out = Map::new();
    let mut set = |key: &str, value| out.insert(key.to_owned(), value);
    set("schema_version", json!("1.4"));
    set("generator", json!(super::generator()));
    if duration > 0.0 {
        set("request_throughput", scalar("requests/sec", valid.len() as f64 / duration));
        set("output_token_throughput", scalar("tokens/sec", output / duration));
        set("total_token_throughput", scalar("tokens/sec", (input + output) / duration));
        set("benchmark_duration", scalar("sec", duration));
        set("min_request_timestamp", scalar("ns", (level.zero_unix_s + first) * 1e9));
        set("max_response_timestamp", scalar("ns", (level.zero_unix_s + last) * 1e9));
    }
    set("request_count", scalar("requests", valid.len() as f64));
    set("error_request_count", scalar("requests", failed.len() as f64));
    set("total_isl", scalar("tokens", input));
    set("total_osl", scalar("tokens", output));
    set("total_output_tokens", scalar("tokens", total("output_token_count")));
    let limits = Limits::of(run.slos);
    if limits.any() {
        let good = valid.iter().filter(|a| is_good(a, &limits)).count() as f64;
        let asked = (valid.len() + failed.len()) as f64;
        set("good_request_count", scalar("requests", good));
        set("good_request_fraction", scalar("ratio", if asked > 0.0 { good / asked } else { 0.0 }));
        if duration > 0.0 {
            set("goodput", scalar("requests/sec", good / duration));
        }
    }
    let mut errors: BTreeMap<(Option<u16>, String), u64> = BTreeMap::new();
    for attempt in &failed {
        *errors.entry((attempt.status(), attempt.error())).or_insert(0) += 1;
    }
    let errors: Vec<Value> = errors
        .into_iter()
        .map(
            |((code, message), count)| json!({ "error_details": { "code": code, "message": message }, "count": count }),
        )
        .collect();
    set("error_summary", json!(errors));
    let end = attempts.iter().map(Attempt::end_s).fold(0.0, f64::max);
    set("start_time", json!(numbers::moment(level.zero_unix_s).to_rfc3339()));
    set("end_time", json!(numbers::moment(level.zero_unix_s + end).to_rfc3339()));
    set("was_cancelled", json!(attempts.iter().any(Attempt::cut_off)));
    for (tag, (unit, values)) in samples {
        out.insert(tag.to_owned(), distribution(unit, &Sample::new(values)));
    }
    let model = run.model.replace(['/', '\\'], "_");
    let label = level.arrival.label().replace(['/', ' '], "_");
    ResultFile { path: format!("{model}-{label}/profile_export_aiperf.json"), document: out.into() }
}

/// A limit on a value that the request does not have is missed.
fn is_good(attempt: &Attempt<'_>, limits: &Limits) -> bool {
    let within = |limit: Option<f64>, value: Option<f64>| limit.is_none_or(|l| value.is_some_and(|v| v <= l));
    within(limits.ttft, attempt.ttft())
        && within(limits.tpot, attempt.record.output_tokens.and_then(|n| inter_token_s(attempt, n)))
        && within(limits.e2e, attempt.last_token())
}
