//! Measures an endpoint from the command line, for people who work on the load generator:
//! `cargo run --release -p tuner-bench --example measure -- URL SCENARIO CONCURRENCY… [rate:R…]`
#![allow(clippy::print_stdout, clippy::expect_used, reason = "a program for people at a terminal")]

use tokio::sync::watch;
use tuner_bench::{BenchRequest, Live, Target, bench_url};
use tuner_core::task::{Level, LoadSpec, Prompts, WorkloadSpec};

#[tokio::main]
async fn main() {
    let mut words = std::env::args().skip(1);
    let url = words.next().expect("a URL");
    let scenario = words.next().expect("a scenario");
    let tokenizer = std::env::var("TOKENIZER").ok();
    let level = |word: String| match word.strip_prefix("rate:") {
        Some(rate) => Level::poisson(rate.parse().expect("a rate")),
        None => Level::closed(word.parse().expect("a concurrency")),
    };
    let load = LoadSpec { levels: words.map(level).collect(), duration_s: Some(10.0), ..LoadSpec::default() };
    let prompts = Prompts { scenario: Some(scenario), ..Prompts::default() };
    let request = BenchRequest {
        target: Target { base_url: url, ..Target::default() },
        tokenizer,
        workload: WorkloadSpec { prompts, ..WorkloadSpec::default() },
        load,
        ..BenchRequest::default()
    };
    let (live, _) = watch::channel(Live::default());
    let (_keep, cancel) = watch::channel(false);
    let report = bench_url(&request, live, cancel, &mut |_, _| ()).await.expect("an endpoint that answers");
    println!("{}", serde_json::to_string_pretty(&report).expect("JSON"));
}
