//! What must hold for every load.

use proptest::prelude::*;
use tuner_core::Value;
use tuner_core::record::{Fate, PlannedRequest};
use tuner_sim::cost::Work;
use tuner_sim::scheduler::{Content, Scheduler, SimRequest, Step};
use tuner_sim::{Drive, SimEngine, run_level};

use crate::support::{completed, llama, try_engine};

/// A small machine on which blocks run out.
fn tight(policy: &str, max_num_seqs: i64, chunked: bool) -> SimEngine {
    let flags = [
        ("max-model-len", Value::Int(1024)),
        ("max-num-seqs", Value::Int(max_num_seqs)),
        ("max-num-batched-tokens", Value::Int(if chunked { 256.max(max_num_seqs) } else { 1024 })),
        ("enable-chunked-prefill", Value::Bool(chunked)),
        ("scheduling-policy", Value::from(policy)),
        ("gpu-memory-utilization", Value::Float(0.71)),
    ];
    let engine = try_engine("llama-3.1-8b", "rtx4090-24g", 1, &flags).unwrap().without_noise();
    assert!(engine.plan().cache_tokens() < 14_000, "{}", engine.plan().cache_tokens());
    engine
}

fn shapes() -> impl Strategy<Value = Vec<(u32, u32)>> {
    proptest::collection::vec((1u32..900, 1u32..120), 1..60)
}

fn submit(scheduler: &mut Scheduler, engine: &SimEngine, shapes: &[(u32, u32)]) {
    for (id, (prompt_tokens, output_tokens)) in shapes.iter().enumerate() {
        let content = Content::Unique { key: id as u64, shared: 40 };
        let request = SimRequest {
            id: id as u64,
            prompt_tokens: *prompt_tokens,
            output_tokens: *output_tokens,
            priority: (id % 3) as i64,
            content,
        };
        scheduler.submit(engine, request);
    }
}

/// Every step until idle; a bound keeps a livelock from hanging the test.
fn drain(scheduler: &mut Scheduler, engine: &SimEngine, mut check: impl FnMut(&Scheduler, &Step)) {
    for _ in 0..200_000 {
        let Some(step) = scheduler.step(engine, 0) else { return };
        assert!(!step.work.is_empty(), "a step that does nothing");
        check(scheduler, &step);
    }
    panic!("no end");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn every_token_asked_for_comes_out_once_and_memory_is_never_overdrawn(
        shapes in shapes(),
        policy in proptest::sample::select(vec!["fcfs", "lpm", "priority"]),
        seqs in 1i64..64,
        chunked in any::<bool>(),
    ) {
        let engine = tight(policy, seqs, chunked);
        let mut scheduler = Scheduler::new(&engine, 0);
        submit(&mut scheduler, &engine, &shapes);
        let mut tokens = vec![0u32; shapes.len()];
        drain(&mut scheduler, &engine, |scheduler, step| {
            for emission in &step.emissions {
                tokens[emission.id as usize] += emission.tokens;
            }
            let gauges = scheduler.gauges();
            assert!(gauges.blocks_used <= gauges.blocks);
            assert!(i64::from(gauges.running) <= seqs);
            assert!(step.work.prefill_tokens + step.work.decoding <= engine.plan().max_batched_tokens);
        });
        let asked: Vec<u32> = shapes.iter().map(|(_, output)| *output).collect();
        prop_assert_eq!(tokens, asked);
        prop_assert_eq!(scheduler.gauges().blocks_used, 0);
    }

    #[test]
    fn first_come_is_first_served(shapes in shapes(), seqs in 1i64..64) {
        let engine = tight("fcfs", seqs, true);
        let mut scheduler = Scheduler::new(&engine, 0);
        submit(&mut scheduler, &engine, &shapes);
        let mut first_starts: Vec<u64> = Vec::new();
        drain(&mut scheduler, &engine, |_, step| {
            for id in &step.started {
                if !first_starts.contains(id) {
                    first_starts.push(*id);
                }
            }
        });
        prop_assert!(first_starts.is_sorted());
    }

    #[test]
    fn the_important_start_before_the_unimportant_that_wait_with_them(shapes in shapes()) {
        let engine = tight("priority", 4, true);
        let mut scheduler = Scheduler::new(&engine, 0);
        submit(&mut scheduler, &engine, &shapes);
        let mut starts: Vec<u64> = Vec::new();
        drain(&mut scheduler, &engine, |_, step| starts.extend(step.started.iter().filter(|_| step.preempted == 0)));
        let mut seen = std::collections::BTreeSet::new();
        starts.retain(|id| seen.insert(*id));
        prop_assert!(starts.iter().map(|id| id % 3).is_sorted());
    }

    #[test]
    fn more_bandwidth_never_makes_a_batch_slower(shapes in shapes(), factor in 1.0f64..4.0) {
        let plan = || shapes.iter().enumerate().map(|(i, (input, output))| PlannedRequest {
            index: i as u64,
            input_tokens: *input,
            output_tokens: *output,
            ..PlannedRequest::default()
        });
        let drive = Drive { concurrency: Some(64), ..Drive::default() };
        let base = run_level(&llama(&[]), &mut plan(), &drive, 0);
        let fast = run_level(&llama(&[]).with_bandwidth(factor), &mut plan(), &drive, 0);
        prop_assert!(fast.elapsed_s <= base.elapsed_s + 1e-12);
        prop_assert!(base.records.iter().all(completed));
    }

    #[test]
    fn more_sequences_at_once_never_use_less_of_the_cache(shapes in shapes(), seqs in 1i64..32, more in 1i64..32) {
        let peak = |seqs: i64| {
            let engine = llama(&[("max-num-seqs", Value::Int(seqs)), ("max-num-batched-tokens", Value::Int(65_536))]);
            let mut scheduler = Scheduler::new(&engine, 0);
            submit(&mut scheduler, &engine, &shapes);
            let (mut peak, mut first) = (0, None);
            drain(&mut scheduler, &engine, |scheduler, _| {
                peak = peak.max(scheduler.gauges().running);
                first.get_or_insert(scheduler.gauges().blocks_used);
            });
            (peak, first)
        };
        let (low, high) = (peak(seqs), peak(seqs + more));
        prop_assert!(high.0 >= low.0 && high.1 >= low.1);
    }

    #[test]
    fn every_request_of_a_level_ends_in_exactly_one_record(
        shapes in shapes(),
        open in any::<bool>(),
        concurrency in proptest::option::of(1u32..20),
        duration_s in proptest::option::of(0.01f64..3.0),
        request_timeout_s in 0.05f64..3.0,
        limit_s in proptest::option::of(0.1f64..5.0),
    ) {
        let plan = || shapes.iter().enumerate().map(|(i, (input, output))| PlannedRequest {
            index: i as u64,
            warmup: i < 2,
            planned_s: open.then_some(i as f64 * 0.03),
            input_tokens: *input,
            output_tokens: *output,
            ..PlannedRequest::default()
        });
        let drive = Drive { concurrency, duration_s, request_timeout_s, limit_s, shared_prefix_tokens: 0 };
        let run = run_level(&tight("fcfs", 8, true), &mut plan(), &drive, 5);
        prop_assert!(run.records.iter().map(|r| r.index).eq(0..run.records.len() as u64));
        if duration_s.is_none() && limit_s.is_none() {
            prop_assert_eq!(run.records.len(), shapes.len());
        }
        for record in &run.records {
            let tokens: u32 = record.reads.iter().filter_map(|r| r.tokens).sum();
            prop_assert_eq!(record.output_tokens.unwrap_or(0), tokens);
            prop_assert!(record.reads.is_sorted_by_key(|r| r.at_s));
            match &record.fate {
                Fate::Completed => prop_assert_eq!(tokens, record.planned_output_tokens),
                Fate::Unsent => prop_assert!(record.sent_s.is_none() && record.ended_s.is_none()),
                Fate::Failed { class, .. } => {
                    prop_assert_eq!(class.as_str(), if tokens == 0 { "timeout_first" } else { "timeout_total" });
                }
                Fate::Cancelled => prop_assert!(limit_s.is_some()),
            }
            let ended = record.ended_s.unwrap_or(0.0);
            prop_assert!(ended <= run.elapsed_s && ended - record.sent_s.unwrap_or(ended) <= request_timeout_s + 1e-9);
        }
    }

    #[test]
    fn a_step_takes_longer_for_more_work(
        decoding in 0u32..300, context in 1u32..4000, tokens in 1u32..8000, before in 0u32..4000,
    ) {
        let engine = llama(&[]);
        let mut work = Work::default();
        for _ in 0..decoding { work.decode(context); }
        let without = engine.step_s(&work);
        work.prefill(tokens, before);
        let with = engine.step_s(&work);
        work.decode(context);
        prop_assert!(with > without && engine.step_s(&work) > with);
    }
}
