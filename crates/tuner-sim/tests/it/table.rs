//! A table of figures that a person who knows these machines can check at a glance.

use std::fmt::Write;

use tuner_core::Value;
use tuner_sim::{Drive, SimEngine, run_level};

use crate::support::{closed, throughput, try_engine};

fn row(out: &mut String, name: &str, engine: &SimEngine) {
    write!(out, "{name:<34}").unwrap();
    for concurrency in [1u32, 16, 64, 256] {
        let drive = Drive { concurrency: Some(concurrency), ..Drive::default() };
        let plan = closed(u64::from(concurrency) * 3, 0, 512, 128);
        let run = run_level(engine, &mut plan.into_iter(), &drive, 0);
        let mut ttft: Vec<f64> = run.records.iter().map(|r| r.first_token_s().unwrap() - r.sent_s.unwrap()).collect();
        let mut tpot: Vec<f64> =
            run.records.iter().map(|r| (r.last_token_s().unwrap() - r.first_token_s().unwrap()) / 127.0).collect();
        ttft.sort_by(f64::total_cmp);
        tpot.sort_by(f64::total_cmp);
        let middle = ttft.len() / 2;
        write!(out, " | {:>6.0} {:>6.1} {:>6.0}", ttft[middle] * 1e3, tpot[middle] * 1e3, throughput(&run)).unwrap();
    }
    writeln!(out, " | {:>4.0} s | {:>7}", engine.startup().as_secs_f64(), engine.plan().cache_tokens()).unwrap();
}

/// Name of the row, model, GPU, GPUs, flags.
type Machine<'a> = (&'a str, &'a str, &'a str, u32, &'a [(&'a str, Value)]);

#[test]
fn known_machines_show_plausible_figures() {
    let mut out = String::from(
        "512 in, 128 out; per concurrency 1, 16, 64, 256: median TTFT ms, median TPOT ms, output tok/s; start-up; cache\n",
    );
    let short = ("max-model-len", Value::Int(8192));
    let cases: &[Machine] = &[
        ("8B h100", "llama-3.1-8b", "h100-80g", 1, &[]),
        ("8B h100 fp8", "llama-3.1-8b", "h100-80g", 1, &[("quantization", Value::from("fp8"))]),
        ("8B h100 awq", "llama-3.1-8b", "h100-80g", 1, &[("quantization", Value::from("awq"))]),
        ("8B h100 sglang", "llama-3.1-8b", "h100-80g", 1, &[("chunked-prefill-size", Value::Int(8192))]),
        ("8B a100", "llama-3.1-8b", "a100-80g", 1, &[]),
        ("8B l4", "llama-3.1-8b", "l4-24g", 1, &[]),
        ("8B rtx4090 fp8 kv", "llama-3.1-8b", "rtx4090-24g", 1, &[("kv-cache-dtype", Value::from("fp8"))]),
        ("1B h100", "llama-3.2-1b", "h100-80g", 1, &[]),
        ("32B h100 tp 2", "qwen2.5-32b", "h100-80g", 2, &[("tensor-parallel-size", Value::Int(2))]),
        ("70B h100 tp 4", "llama-3.3-70b", "h100-80g", 4, &[("tensor-parallel-size", Value::Int(4))]),
        (
            "70B h200 tp 2 pp 2",
            "llama-3.3-70b",
            "h200-141g",
            4,
            &[("tensor-parallel-size", Value::Int(2)), ("pipeline-parallel-size", Value::Int(2))],
        ),
        ("mixtral h100 tp 2", "mixtral-8x7b", "h100-80g", 2, &[("tensor-parallel-size", Value::Int(2))]),
        ("deepseek-v2-lite h100", "deepseek-v2-lite", "h100-80g", 1, &[]),
        ("135M cpu", "smollm2-135m", "cpu-small", 1, &[]),
    ];
    for (name, model, gpu, count, flags) in cases {
        let mut flags = flags.to_vec();
        flags.push(short.clone());
        row(&mut out, name, &try_engine(model, gpu, *count, &flags).unwrap().without_noise());
    }
    insta::assert_snapshot!("machines", out);
}

#[test]
fn an_8b_model_on_an_h100_decodes_as_fast_as_people_measure() {
    let engine = try_engine("llama-3.1-8b", "h100-80g", 1, &[]).unwrap().without_noise();
    let single = run_level(&engine, &mut closed(1, 0, 512, 128).into_iter(), &Drive::default(), 0);
    let record = &single.records[0];
    let tpot_ms = (record.last_token_s().unwrap() - record.first_token_s().unwrap()) / 127.0 * 1e3;
    assert!((6.0..9.0).contains(&tpot_ms), "{tpot_ms}");
    let drive = Drive { concurrency: Some(256), ..Drive::default() };
    let many = throughput(&run_level(&engine, &mut closed(1024, 0, 512, 256).into_iter(), &drive, 0));
    assert!((4000.0..16_000.0).contains(&many), "{many}");
}
