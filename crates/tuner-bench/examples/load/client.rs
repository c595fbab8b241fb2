//! The client's process: one level, then what it cost and how far its times were off, as JSON.

use std::process::ExitCode;
use std::sync::Arc;

use nix::sys::resource::{UsageWho, getrusage};
use serde_json::{Value, json};
use tokio::sync::watch;
use tuner_bench::tokens::LocalTokenizer;
use tuner_bench::{LevelRun, Live, PreparedWorkload, Seeds, Target, TokenSource, run_level};
use tuner_core::record::{Fate, RequestRecord};
use tuner_core::task::{Arrival, Level, LoadSpec, Prompts, WorkloadSpec};

use crate::{number, pin};

/// CPU time of this process so far: user, system; seconds.
pub(crate) fn cpu() -> (f64, f64) {
    let usage = getrusage(UsageWho::RUSAGE_SELF).expect("a process has its usage");
    let seconds = |t: nix::sys::time::TimeVal| t.tv_sec() as f64 + t.tv_usec() as f64 / 1e6;
    (seconds(usage.user_time()), seconds(usage.system_time()))
}

/// A line of `/proc/self/status` in mebibytes.
fn memory(name: &str) -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|l| l.trim_matches([':', ' ', '\t']).split(' ').next()?.parse::<f64>().ok()).unwrap_or(0.0) / 1024.0
}

pub(crate) fn run(words: &[String]) -> ExitCode {
    pin(words);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let said = runtime.block_on(measure(words));
    println!("{said}");
    ExitCode::SUCCESS
}

async fn measure(words: &[String]) -> Value {
    let text = |name: &str| words.iter().position(|w| w == name).and_then(|at| words.get(at + 1)).cloned();
    let url = text("--url").expect("--url");
    let tokenizer = text("--tokenizer").expect("--tokenizer");
    let n = |name, default: f64| number(words, name).unwrap_or(default);
    let tokens = n("--tokens", 100.0) as u32;
    let tokenizer = LocalTokenizer::load(tokenizer.as_ref()).expect("a tokenizer");
    let source = Arc::new(TokenSource::Local(Box::new(tokenizer)));
    let prompts = Prompts { scenario: Some(format!("D(8,{tokens})")), ..Prompts::default() };
    let workload = WorkloadSpec { prompts, ..WorkloadSpec::default() };
    let rate = number(words, "--rate");
    let level = match rate {
        Some(rate) => {
            let concurrency = number(words, "--cap").map(|n| n as u32);
            Level { rate: Some(rate), arrival: Some(Arrival::Constant), concurrency, ..Level::default() }
        }
        None => Level::closed(n("--streams", 50.0) as u32),
    };
    let load = LoadSpec {
        levels: vec![level],
        requests: Some(n("--requests", 100.0) as u32),
        duration_s: None,
        warmup_requests: number(words, "--warmup").map(|n| n as u32),
        ..LoadSpec::default()
    };
    let prepared = PreparedWorkload::new(&workload, Some(&source)).await.expect("words");
    let plan = prepared.plan(&load, 0, 0, Seeds::default()).expect("a plan");
    let target = Target { base_url: url.clone(), model: "closed-form".to_owned(), ..Target::default() };
    let (live, seen) = watch::channel(Live::default());
    let (_keep, cancel) = watch::channel(false);
    let before = memory("VmRSS");
    let level = run_level(&target, &plan, &prepared.prompts, Some(source), live, cancel);
    tokio::pin!(level);
    let (mut most, mut tick) = (0, tokio::time::interval(std::time::Duration::from_millis(500)));
    let run = loop {
        tokio::select! {
            run = &mut level => break run.expect("a level"),
            _ = tick.tick() => most = most.max(seen.borrow().in_flight),
        }
    };
    let (user, system) = cpu();
    let (peak, events) = (memory("VmHWM"), run.evidence.events.get("token").copied().unwrap_or(0));
    let measurement = run.measurement(&plan, &[], &[]);
    let mut said = json!({
        "user_s": user, "system_s": system, "events": events, "peak_mib": peak, "before_mib": before,
        "in_flight": most, "completed": measurement.requests.completed, "failed": measurement.requests.failed,
        "errors": measurement.errors, "validity": measurement.validity, "evidence": measurement.evidence,
    });
    if words.iter().any(|word| word == "--truth") {
        said["truth"] = truth(&url, &run);
    }
    let first_since = |from: fn(&RequestRecord) -> Option<f64>| {
        let measured = run.records.iter().filter(|r| !r.warmup && r.fate == Fate::Completed);
        let times = measured.filter_map(|r| Some((r.first_token_s()? - from(r)?) * 1e3));
        quantiles(times.collect(), &[0.5, 0.9, 0.95, 0.99])
    };
    said["ttft_ms"] = first_since(|r| r.sent_s);
    said["ttft_resp_ms"] = first_since(|r| Some(r.planned_s));
    said
}

/// How far times were from the server's own stamps, milliseconds.
fn truth(url: &str, run: &LevelRun) -> Value {
    let served: Vec<Vec<u64>> = serde_json::from_slice(&fetch(url)).expect("stamps");
    let (mut first, mut gaps) = (Vec::new(), Vec::new());
    for record in run.records.iter().filter(|r| !r.warmup && r.fate == Fate::Completed) {
        let Some(writes) = record.input_tokens.and_then(|n| served.get(n as usize)) else { continue };
        let sent: Vec<f64> = writes.iter().map(|ns| run.clock.seconds(*ns)).collect();
        let read: Vec<f64> = record.reads.iter().map(|r| r.at_s).collect();
        first.extend(read.first().zip(sent.first()).map(|(read, sent)| (read - sent) * 1e3));
        if sent.len() == read.len() {
            let pairs = read.windows(2).zip(sent.windows(2));
            gaps.extend(pairs.map(|(read, sent)| ((read[1] - read[0]) - (sent[1] - sent[0])).abs() * 1e3));
        }
    }
    json!({ "first_ms": quantiles(first, &[0.5, 0.99]), "gap_ms": quantiles(gaps, &[0.5, 0.99]) })
}

fn fetch(url: &str) -> Vec<u8> {
    use std::io::{Read, Write};
    let host = url.trim_start_matches("http://");
    let mut stream = std::net::TcpStream::connect(host).expect("the server");
    write!(stream, "GET /served HTTP/1.1\r\nhost: {host}\r\n\r\n").expect("a request");
    stream.shutdown(std::net::Shutdown::Write).expect("half a farewell");
    let mut all = Vec::new();
    stream.read_to_end(&mut all).expect("an answer");
    let body = all.windows(4).position(|w| w == b"\r\n\r\n").map_or(0, |at| at + 4);
    all.split_off(body)
}

/// Linear between order statistics; null without a sample.
fn quantiles(mut sample: Vec<f64>, at: &[f64]) -> Value {
    sample.sort_by(f64::total_cmp);
    let quantile = |q: f64| {
        let position = q * (sample.len() - 1) as f64;
        let (below, above) = (position.floor() as usize, position.ceil() as usize);
        sample[below] + (sample[above] - sample[below]) * (position - below as f64)
    };
    if sample.is_empty() { Value::Null } else { json!(at.iter().map(|q| quantile(*q)).collect::<Vec<_>>()) }
}
