//! GuideLLM's `benchmarks.json` (0.8.1, report version 2): one benchmark per level, every figure by status; its "time
//! per output token" includes the first; answers without usage count as long as was asked for.

mod distribution;

use serde_json::{Map, Value, json};
use tuner_core::task::Arrival;

use super::attempt::{Attempt, Limits};
use super::{Level, ResultFile, Run, Tool};
use distribution::{concurrency, rate, summary};

/// Requests by GuideLLM's statuses.
struct Statuses<'a> {
    successful: Vec<&'a Attempt<'a>>,
    incomplete: Vec<&'a Attempt<'a>>,
    errored: Vec<&'a Attempt<'a>>,
}

impl<'a> Statuses<'a> {
    fn of(attempts: &'a [Attempt<'a>]) -> Self {
        let good = |a: &&Attempt<'_>| a.succeeds(Tool::Guidellm);
        Self {
            successful: attempts.iter().filter(good).collect(),
            incomplete: attempts.iter().filter(|a| a.cut_off()).collect(),
            errored: attempts.iter().filter(|a| !a.cut_off() && !good(a)).collect(),
        }
    }

    /// `reduce` over each status and over all.
    fn by_status(&self, reduce: impl Fn(&[&Attempt<'_>]) -> Value) -> Value {
        let all: Vec<&Attempt<'_>> =
            self.successful.iter().chain(&self.incomplete).chain(&self.errored).copied().collect();
        json!({
            "successful": reduce(&self.successful),
            "errored": reduce(&self.errored),
            "incomplete": reduce(&self.incomplete),
            "total": reduce(&all),
        })
    }

    /// Distribution of a value of each request; what a request does not have counts as 0.
    fn values(&self, of: impl Fn(&Attempt<'_>) -> Option<f64>) -> Value {
        self.by_status(|attempts| summary(attempts.iter().map(|a| (of(a).unwrap_or(0.0), 1.0)).collect(), None))
    }

    fn weighted(&self, of: impl Fn(&Attempt<'_>) -> (f64, f64)) -> Value {
        self.by_status(|attempts| summary(attempts.iter().map(|a| of(a)).collect(), None))
    }
}

/// Usage, else what was asked for where the request succeeded, else one per event.
fn output_tokens(attempt: &Attempt<'_>) -> Option<f64> {
    let asked = attempt.succeeds(Tool::Guidellm).then_some(attempt.record.planned_output_tokens);
    let events = (!attempt.tokens_s.is_empty()).then_some(attempt.tokens_s.len() as u32);
    attempt.record.output_tokens.or(asked).or(events).map(f64::from)
}

fn request_latency(attempt: &Attempt<'_>) -> f64 {
    attempt.end_s() - attempt.start_s
}

/// From the start to the last token over all tokens, seconds.
fn time_per_token(attempt: &Attempt<'_>) -> Option<f64> {
    let tokens = output_tokens(attempt).filter(|n| *n > 0.0)?;
    Some(attempt.last_token().unwrap_or_else(|| request_latency(attempt)) / tokens)
}

/// From the first to the last token over the tokens after the first, seconds.
fn inter_token(attempt: &Attempt<'_>) -> Option<f64> {
    let tokens = output_tokens(attempt).filter(|n| *n > 1.0)?;
    Some((attempt.last_token()? - attempt.ttft()?) / (tokens - 1.0))
}

/// When tokens came: one at the first event, the others spread evenly over the span, whatever the events were.
fn token_timings(attempt: &Attempt<'_>) -> Vec<(f64, f64)> {
    let tokens = output_tokens(attempt).unwrap_or(0.0);
    let events = attempt.tokens_s.len();
    let (Some(first), Some(last)) = (attempt.tokens_s.first(), attempt.tokens_s.last()) else {
        return vec![(attempt.end_s(), tokens)];
    };
    if events <= 1 {
        return vec![(*last, tokens)];
    }
    let mut timings = vec![(*first, f64::from(tokens > 0.0))];
    if tokens > 1.0 {
        let each = (tokens - 1.0) / (events - 1) as f64;
        let step = (last - first) / (events - 1) as f64;
        timings.extend((1..events).map(|i| (first + step * i as f64, each)));
    }
    timings
}

fn prompt_timing(attempt: &Attempt<'_>) -> (f64, f64) {
    (attempt.tokens_s.first().copied().unwrap_or_else(|| attempt.end_s()), f64::from(attempt.input_tokens()))
}

/// The verdict of GuideLLM's goodput; `None` where a limit cannot be evaluated.
fn conforms(attempt: &Attempt<'_>, limits: &Limits) -> Option<bool> {
    let mut good = true;
    for (limit, value) in [
        (limits.ttft, attempt.ttft()),
        (limits.tpot, inter_token(attempt)),
        (limits.e2e, Some(request_latency(attempt))),
    ] {
        if let Some(limit) = limit {
            good &= value? <= limit;
        }
    }
    Some(good)
}

fn metrics(statuses: &Statuses<'_>, limits: &Limits, start: f64, end: f64) -> Value {
    let counts = [statuses.successful.len(), statuses.errored.len(), statuses.incomplete.len()];
    let ms = |seconds: Option<f64>| seconds.map(|s| s * 1000.0);
    let rates = |of: &dyn Fn(&Attempt<'_>) -> Vec<(f64, f64)>| {
        statuses.by_status(|attempts| rate(attempts.iter().flat_map(|a| of(a)).collect(), start, end))
    };
    let spans = |attempts: &[&Attempt<'_>]| attempts.iter().map(|a| (a.start_s, a.end_s())).collect();
    let mut out = Map::new();
    let mut set = |key: &str, value| out.insert(key.to_owned(), value);
    set(
        "request_totals",
        json!({
            "successful": counts[0], "errored": counts[1], "incomplete": counts[2], "total": counts.iter().sum::<usize>(),
        }),
    );
    set("requests_per_second", rates(&|a| vec![(a.end_s(), 1.0)]));
    set("request_concurrency", statuses.by_status(|attempts| concurrency(spans(attempts), start, end)));
    set("request_latency", statuses.values(|a| Some(request_latency(a))));
    set("request_streaming_iterations_count", statuses.values(|a| Some(a.tokens_s.len() as f64)));
    set("prompt_token_count", statuses.values(|a| Some(f64::from(a.input_tokens()))));
    set("output_token_count", statuses.values(output_tokens));
    set("total_token_count", statuses.values(|a| Some(f64::from(a.input_tokens()) + output_tokens(a).unwrap_or(0.0))));
    // Only requests that have a first token are in these two.
    let begun = Statuses {
        successful: with_tokens(&statuses.successful),
        incomplete: with_tokens(&statuses.incomplete),
        errored: with_tokens(&statuses.errored),
    };
    set("time_to_first_token_ms", begun.values(|a| ms(a.ttft())));
    set("time_to_first_output_token_ms", begun.values(|a| ms(Some(a.record.first_answer_s? - a.start_s))));
    set(
        "time_per_output_token_ms",
        statuses.weighted(|a| (ms(time_per_token(a)).unwrap_or(0.0), output_tokens(a).unwrap_or(0.0))),
    );
    set(
        "inter_token_latency_ms",
        statuses.weighted(|a| (ms(inter_token(a)).unwrap_or(0.0), (output_tokens(a).unwrap_or(1.0) - 1.0).max(0.0))),
    );
    set("prompt_tokens_per_second", rates(&|a| vec![prompt_timing(a)]));
    set("output_tokens_per_second", rates(&|a| token_timings(a)));
    set(
        "tokens_per_second",
        rates(&|a| {
            let mut all = vec![prompt_timing(a)];
            all.extend(token_timings(a));
            all
        }),
    );
    if limits.any() {
        let verdicts: Vec<(&Attempt<'_>, bool)> =
            statuses.successful.iter().filter_map(|a| Some((*a, conforms(a, limits)?))).collect();
        let good: Vec<(f64, f64)> = verdicts.iter().filter(|(_, ok)| *ok).map(|(a, _)| (a.end_s(), 1.0)).collect();
        let determined = verdicts.len() + statuses.errored.len();
        set("slo_attainment", json!((determined > 0).then(|| good.len() as f64 / determined as f64)));
        set("slo_determined_requests", json!(determined));
        let goodput = rate(good, start, end);
        set("request_goodput", json!({ "successful": goodput.clone(), "total": goodput }));
    }
    out.into()
}

fn with_tokens<'a>(attempts: &[&'a Attempt<'a>]) -> Vec<&'a Attempt<'a>> {
    attempts.iter().copied().filter(|a| !a.tokens_s.is_empty()).collect()
}

fn strategy(arrival: &tuner_core::task::Level) -> Value {
    match (arrival.rate, arrival.arrival.unwrap_or_default()) {
        (Some(rate), Arrival::Constant) => json!({ "type_": "constant", "rate": rate }),
        (Some(rate), _) => json!({ "type_": "poisson", "rate": rate }),
        (None, _) => json!({ "type_": "concurrent", "streams": arrival.concurrency }),
    }
}

fn benchmark(run: &Run<'_>, level: &Level<'_>, index: usize) -> Value {
    let attempts = Attempt::all(level.records);
    let start = attempts.first().map_or(0.0, |a| a.start_s);
    let end = attempts.iter().map(Attempt::end_s).fold(start, f64::max);
    let statuses = Statuses::of(&attempts);
    let unix = |at: f64| level.zero_unix_s + at;
    let limits = Limits::of(run.slos);
    json!({
        "type_": "generative_benchmark",
        "config": { "run_index": index, "strategy": strategy(level.arrival) },
        "scheduler_metrics": {
            "start_time": unix(start),
            "request_start_time": unix(start),
            "measure_start_time": unix(start),
            "measure_end_time": unix(end),
            "request_end_time": unix(end),
            "end_time": unix(end),
            "requests_made": {
                "successful": statuses.successful.len(),
                "errored": statuses.errored.len(),
                "incomplete": statuses.incomplete.len(),
                "total": attempts.len(),
            },
            "strategy_type": strategy(level.arrival)["type_"],
        },
        "metrics": metrics(&statuses, &limits, start, end),
        "start_time": unix(start),
        "end_time": unix(end),
        "duration": end - start,
        "warmup_duration": 0.0,
        "cooldown_duration": 0.0,
    })
}

pub(super) fn report(run: &Run<'_>) -> ResultFile {
    let levels = run.levels.iter().enumerate().map(|(index, level)| benchmark(run, level, index));
    let document = json!({
        "metadata": { "version": 2, "guidellm_version": super::generator() },
        "config": { "target": run.url, "model": run.model, "processor": run.tokenizer, "data": run.scenario },
        "benchmarks": levels.collect::<Vec<_>>(),
        "conclusions": [],
    });
    ResultFile { path: "benchmarks.json".to_owned(), document }
}
