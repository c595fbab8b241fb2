//! Truth bench: measures a server whose latencies are known and compares p50 and p99 with what it really sent.
//!
//! `cargo run --release -p tuner-bench --example truth -- --streams 256`
//!
//! Two truths are printed. *Stamps*: the server's own CLOCK_MONOTONIC stamp of each write, so that its timers do not
//! count against the client; this one decides the exit code (2 ms and 2 %). *Timetable*: what the server was told.
#![allow(clippy::print_stdout, clippy::expect_used, reason = "a program for people at a terminal")]

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tuner_bench::tokens::LocalTokenizer;
use tuner_bench::{Live, PreparedWorkload, Seeds, Target, TokenSource, run_level};
use tuner_core::measure::Stat;
use tuner_core::task::{Arrival, Level, LoadSpec, Prompts, WorkloadSpec};
use tuner_core::{Metric, Percentile};
use tuner_testkit::closed_form::{Case, ClosedForm, Plant, PromptTokens, Timetable, tokenizer_json};

const LIMIT_MS: f64 = 2.0;
const LIMIT_SHARE: f64 = 0.02;

struct Options {
    streams: u32,
    requests: u32,
    tokens: u32,
    first_ms: u64,
    gap_ms: u64,
    rate: Option<f64>,
}

fn options() -> Options {
    let mut options = Options { streams: 256, requests: 1024, tokens: 64, first_ms: 300, gap_ms: 40, rate: None };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let value: f64 = words.next().and_then(|v| v.parse().ok()).expect("each option has a number");
        match word.as_str() {
            "--streams" => options.streams = value as u32,
            "--requests" => options.requests = value as u32,
            "--tokens" => options.tokens = value as u32,
            "--first-ms" => options.first_ms = value as u64,
            "--gap-ms" => options.gap_ms = value as u64,
            "--rate" => options.rate = Some(value),
            other => panic!("{other} is not an option"),
        }
    }
    options
}

fn percentile(sorted: &[f64], q: f64) -> f64 {
    let position = q * (sorted.len() - 1) as f64;
    let (below, above) = (position.floor() as usize, position.ceil() as usize);
    sorted[below] + (sorted[above] - sorted[below]) * (position - below as f64)
}

#[tokio::main]
async fn main() -> ExitCode {
    let o = options();
    let timetable = Timetable {
        case: Case::Clean,
        first: Duration::from_millis(o.first_ms),
        gap: Duration::from_millis(o.gap_ms),
        prompt_tokens: PromptTokens::Number,
        plant: Plant::None,
    };
    let server = ClosedForm::start(timetable).expect("a free port");
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("tokenizer.json");
    std::fs::write(&path, tokenizer_json()).expect("a file");
    let tokens = Arc::new(TokenSource::Local(Box::new(LocalTokenizer::load(&path).expect("a tokenizer"))));
    let scenario = format!("D(64,{})", o.tokens);
    let prompts = Prompts { scenario: Some(scenario), ..Prompts::default() };
    let workload = WorkloadSpec { prompts, ..WorkloadSpec::default() };
    let level = match o.rate {
        Some(rate) => Level { rate: Some(rate), arrival: Some(Arrival::Poisson), ..Level::default() },
        None => Level::closed(o.streams),
    };
    let load = LoadSpec { levels: vec![level], requests: Some(o.requests), duration_s: None, ..LoadSpec::default() };
    let prepared = PreparedWorkload::new(&workload, Some(&tokens)).await.expect("words");
    let plan = prepared.plan(&load, 0, 0, Seeds::default()).expect("a plan");
    let target = Target { base_url: server.url(), model: "closed-form".to_owned(), ..Target::default() };
    let (live, _) = watch::channel(Live::default());
    let (_keep, cancel) = watch::channel(false);
    let run = run_level(&target, &plan, &prepared.prompts, Some(tokens), live, cancel).await.expect("a level");
    let measurement = run.measurement(&plan, &[], &[]);
    let served = server.served();

    let mut truth: [Vec<f64>; 3] = Default::default();
    let mut late = Vec::new();
    for record in run.records.iter().filter(|r| !r.warmup) {
        let (Some(number), Some(sent)) = (record.input_tokens, record.sent_s) else { continue };
        let writes: Vec<f64> = served[number as usize].writes.iter().map(|(ns, _)| run.clock.seconds(*ns)).collect();
        let (first, last) = (writes[0], writes[writes.len() - 1]);
        truth[0].push((first - sent) * 1e3);
        truth[1].push((last - first) * 1e3 / (writes.len() - 1) as f64);
        truth[2].push((last - sent) * 1e3);
        if writes.len() == record.reads.len() {
            late.extend(record.reads.iter().zip(&writes).map(|(read, sent)| (read.at_s - sent) * 1e3));
        }
    }
    let told = [o.first_ms as f64, o.gap_ms as f64, (o.first_ms + o.gap_ms * u64::from(o.tokens - 1)) as f64];
    println!(
        "{} requests, {} completed, mean in flight {:.1}, window {:.1} s, {:.0} tok/s",
        measurement.requests.planned,
        measurement.requests.completed,
        measurement.stat(Metric::Concurrency, Stat::Mean).unwrap_or(0.0),
        measurement.window_s,
        measurement.stat(Metric::OutputThroughput, Stat::Mean).unwrap_or(0.0),
    );
    println!("metric       stat   measured    stamps   error ms  error %   timetable");
    let mut good = measurement.requests.completed == u64::from(o.requests);
    for (i, metric) in [Metric::Ttft, Metric::Tpot, Metric::E2eLatency].into_iter().enumerate() {
        truth[i].sort_by(f64::total_cmp);
        for p in [Percentile::P50, Percentile::P99] {
            let measured = measurement.stat(metric, Stat::Percentile(p)).unwrap_or(f64::NAN);
            let truth = percentile(&truth[i], p.share());
            let error = measured - truth;
            good &= error.abs() < LIMIT_MS && (error / truth).abs() < LIMIT_SHARE;
            println!(
                "{:<12} {:<4} {measured:>10.3} {truth:>9.3} {error:>10.3} {:>7.2} % {:>9.1}",
                metric.name(),
                p.to_string(),
                error / truth * 100.0,
                told[i],
            );
        }
    }
    if !late.is_empty() {
        late.sort_by(f64::total_cmp);
        println!(
            "write to read, each token: p50 {:.3} ms, p99 {:.3} ms, max {:.3} ms (n = {})",
            percentile(&late, 0.5),
            percentile(&late, 0.99),
            late[late.len() - 1],
            late.len()
        );
    }
    for (name, value) in &measurement.evidence {
        println!("  {name} {value:.3}");
    }
    println!("validity: {:?}; within {LIMIT_MS} ms and {} %: {good}", measurement.validity, LIMIT_SHARE * 100.0);
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
