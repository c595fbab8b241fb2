//! Where the answer can be written down, the simulation must give it.

use tuner_core::Value;
use tuner_sim::cost::Work;
use tuner_sim::{Drive, run_level};

use crate::support::{closed, llama};

fn prefill(tokens: u32, before: u32) -> Work {
    let mut work = Work::default();
    work.prefill(tokens, before);
    work
}

fn decode(context: u32) -> Work {
    let mut work = Work::default();
    work.decode(context);
    work
}

#[test]
fn one_stream_waits_for_its_prefill_and_then_for_one_decode_step_per_token() {
    let engine = llama(&[]);
    let run = run_level(&engine, &mut closed(1, 0, 512, 64).into_iter(), &Drive::default(), 0);
    let record = &run.records[0];
    let times: Vec<f64> = record.reads.iter().map(|r| r.at_s).collect();
    assert_eq!(times.len(), 64);
    let mut expected = engine.step_s(&prefill(512, 0));
    assert!((times[0] - expected).abs() < 1e-12);
    for (i, at) in times.iter().enumerate().skip(1) {
        expected += engine.step_s(&decode(512 + i as u32));
        assert!((at - expected).abs() < 1e-9, "token {i}");
    }
    assert_eq!((record.input_tokens, record.output_tokens), (Some(512), Some(64)));
}

#[test]
fn a_long_prompt_is_prefilled_in_chunks_of_the_token_budget() {
    let engine = llama(&[("max-num-batched-tokens", Value::Int(1024))]);
    let run = run_level(&engine, &mut closed(1, 0, 2500, 1).into_iter(), &Drive::default(), 0);
    let expected: f64 =
        [(1024, 0), (1024, 1024), (452, 2048)].iter().map(|(n, before)| engine.step_s(&prefill(*n, *before))).sum();
    assert!((run.records[0].reads[0].at_s - expected).abs() < 1e-9);
}

#[test]
fn without_mixing_a_prompt_stops_decoding_and_with_mixing_it_does_not() {
    let longest_gap = |flags: &[(&str, Value)]| {
        let mut plan = closed(2, 0, 64, 200);
        plan[1].input_tokens = 8192;
        plan[0].planned_s = Some(0.0);
        plan[1].planned_s = Some(0.3);
        let drive = Drive { concurrency: None, ..Drive::default() };
        let run = run_level(&llama(flags), &mut plan.into_iter(), &drive, 0);
        let reads = &run.records[0].reads;
        reads.windows(2).map(|w| w[1].at_s - w[0].at_s).fold(0.0, f64::max)
    };
    let chunk = Value::Int(512);
    let mixed = longest_gap(&[("max-num-batched-tokens", chunk.clone()), ("max-num-seqs", Value::Int(64))]);
    let apart = longest_gap(&[("chunked-prefill-size", chunk)]);
    assert!(apart > 8.0 * mixed, "{apart} {mixed}");
}

#[test]
fn a_shared_prefix_is_computed_once() {
    let drive = Drive { shared_prefix_tokens: 480, ..Drive::default() };
    let on = run_level(&llama(&[]), &mut closed(3, 0, 512, 4).into_iter(), &drive, 0);
    let cached: Vec<_> = on.records.iter().map(|r| r.cached_tokens).collect();
    assert_eq!(cached, [Some(0), Some(480), Some(480)]);
    let off = llama(&[("enable-prefix-caching", Value::Bool(false))]);
    let off = run_level(&off, &mut closed(3, 0, 512, 4).into_iter(), &drive, 0);
    assert!(off.records.iter().all(|r| r.cached_tokens == Some(0)));
    assert!(on.elapsed_s < off.elapsed_s);
}

#[test]
fn tensor_parallel_ranks_halve_the_weights_and_pay_for_the_exchange() {
    let one = crate::support::try_engine("llama-3.1-8b", "h100-80g", 2, &[]).unwrap();
    let two = crate::support::try_engine("llama-3.1-8b", "h100-80g", 2, &[("tp-size", Value::Int(2))]).unwrap();
    let ratio = two.step_s(&decode(512)) / one.step_s(&decode(512));
    assert!((0.5..0.75).contains(&ratio), "{ratio}");
    let l4 = |tp| {
        let flags = [("tensor-parallel-size", Value::Int(tp)), ("max-model-len", Value::Int(4096))];
        crate::support::try_engine("llama-3.1-8b", "l4-24g", 4, &flags).unwrap().step_s(&prefill(2048, 0))
    };
    assert!(l4(4) > l4(1) / 3.0, "slow links make four ranks less than three times as fast");
}

#[test]
fn eager_mode_costs_most_where_the_model_is_small() {
    let cost = |model: &str, eager: bool| {
        let flags = [("enforce-eager", Value::Bool(eager)), ("max-model-len", Value::Int(4096))];
        crate::support::try_engine(model, "h100-80g", 1, &flags).unwrap().step_s(&decode(256))
    };
    let penalty = |model| cost(model, true) / cost(model, false);
    assert!(penalty("llama-3.2-1b") > 1.5);
    assert!((1.02..1.4).contains(&penalty("llama-3.1-8b")));
}

#[test]
fn guessed_tokens_come_out_several_at_a_time_and_none_too_many() {
    let engine = llama(&[("num-speculative-tokens", Value::Int(4))]);
    let run = run_level(&engine, &mut closed(4, 0, 100, 50).into_iter(), &Drive::default(), 3);
    for record in &run.records {
        assert_eq!(record.output_tokens, Some(50));
        assert_eq!(record.reads.iter().filter_map(|r| r.tokens).sum::<u32>(), 50);
        assert!(record.reads.len() < 45);
    }
}
