//! Levels of load in virtual time: streams, windows, time-outs, ends.

use tuner_core::record::{Fate, PlannedRequest, SharedRun};
use tuner_core::{FailureClass, Value};
use tuner_sim::{Drive, run_level};

use crate::support::{closed, completed, llama, throughput, try_engine};

#[test]
fn a_closed_loop_keeps_exactly_its_streams_in_flight() {
    let drive = Drive { concurrency: Some(8), ..Drive::default() };
    let run = run_level(&llama(&[]), &mut closed(80, 8, 128, 32).into_iter(), &drive, 0);
    assert_eq!(run.records.len(), 80);
    assert!(run.records.iter().all(completed));
    let busy: f64 = run.records.iter().map(|r| r.ended_s.unwrap() - r.sent_s.unwrap()).sum();
    assert!((busy / run.elapsed_s - 8.0).abs() < 0.01);
    let mut changes: Vec<(f64, i32)> =
        run.records.iter().flat_map(|r| [(r.sent_s.unwrap(), 1), (r.ended_s.unwrap(), -1)]).collect();
    changes.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let peak = changes
        .iter()
        .scan(0, |n, c| {
            *n += c.1;
            Some(*n)
        })
        .max();
    assert_eq!(peak, Some(8));
}

#[test]
fn the_window_opens_with_the_first_measured_request_while_warm_up_still_runs() {
    let drive = Drive { concurrency: Some(4), ..Drive::default() };
    let run = run_level(&llama(&[]), &mut closed(20, 6, 128, 32).into_iter(), &drive, 0);
    let opened = run.window_opened_s.unwrap();
    assert_eq!(Some(opened), run.records[6].sent_s);
    assert!(run.records[..6].iter().any(|r| r.ended_s > Some(opened)), "warm-up must not be drained first");
}

#[test]
fn sending_stops_when_the_duration_is_over_and_the_rest_drains() {
    let drive = Drive { concurrency: Some(4), duration_s: Some(2.0), ..Drive::default() };
    let mut endless = closed(1, 1, 128, 32).into_iter().chain((1..).map(|index| PlannedRequest {
        index,
        input_tokens: 128,
        output_tokens: 32,
        ..PlannedRequest::default()
    }));
    let run = run_level(&llama(&[]), &mut endless, &drive, 0);
    let end = run.window_opened_s.unwrap() + 2.0;
    assert_eq!(run.sending_stopped_s, end);
    assert!(run.records.iter().all(|r| completed(r) && r.sent_s < Some(end)));
    assert!(run.elapsed_s > end);
}

#[test]
fn an_open_loop_sends_on_plan_and_counts_what_its_cap_kept_back() {
    let plan: Vec<_> = (0..100)
        .map(|index| PlannedRequest {
            index,
            planned_s: Some(index as f64 * 0.1),
            input_tokens: 512,
            output_tokens: 128,
            ..PlannedRequest::default()
        })
        .collect();
    let free = Drive { concurrency: None, duration_s: Some(5.0), ..Drive::default() };
    let run = run_level(&llama(&[]), &mut plan.clone().into_iter(), &free, 0);
    assert_eq!(run.records.len(), 50);
    assert!(run.records.iter().all(|r| completed(r) && r.sent_s == Some(r.planned_s)));

    let capped = Drive { concurrency: Some(2), ..free };
    let run = run_level(&llama(&[]), &mut plan.into_iter(), &capped, 0);
    assert_eq!(run.records.len(), 50);
    let unsent = run.records.iter().filter(|r| r.fate == Fate::Unsent).count();
    assert!(unsent > 20, "{unsent}");
    assert!(run.records.iter().filter(|r| completed(r)).all(|r| r.sent_s >= Some(r.planned_s)));
    assert_eq!(unsent + run.records.iter().filter(|r| completed(r)).count(), 50);
}

#[test]
fn a_request_that_takes_too_long_is_given_up_and_its_stream_goes_on() {
    let drive = Drive { request_timeout_s: 0.5, ..Drive::default() };
    let mut plan = closed(3, 0, 64, 10);
    plan[1].output_tokens = 1000;
    let run = run_level(&llama(&[]), &mut plan.into_iter(), &drive, 0);
    let Fate::Failed { class, .. } = &run.records[1].fate else { panic!("{:?}", run.records[1].fate) };
    assert_eq!(class, "timeout_total");
    assert!((run.records[1].ended_s.unwrap() - run.records[1].sent_s.unwrap() - 0.5).abs() < 1e-9);
    assert!(completed(&run.records[2]));
    assert_eq!(run.gauges.blocks_used, 0);
}

#[test]
fn the_limit_of_a_level_cuts_off_what_is_in_flight() {
    let drive = Drive { limit_s: Some(0.2), ..Drive::default() };
    let run = run_level(&llama(&[]), &mut closed(1, 0, 64, 1000).into_iter(), &drive, 0);
    assert_eq!(run.records[0].fate, Fate::Cancelled);
    assert_eq!(run.elapsed_s, 0.2);
}

#[test]
fn a_prompt_beyond_the_context_is_refused_and_the_loop_goes_on() {
    let engine = llama(&[("max-model-len", Value::Int(512))]);
    let mut plan = closed(2, 0, 64, 10);
    plan[0].input_tokens = 600;
    let run = run_level(&engine, &mut plan.into_iter(), &Drive::default(), 0);
    let Fate::Failed { class, message } = &run.records[0].fate else { panic!("{:?}", run.records[0].fate) };
    assert_eq!(class, "http_400");
    assert!(message.contains("maximum context length is 512"));
    assert!(completed(&run.records[1]));
}

#[test]
fn an_engine_that_refuses_everything_still_ends_with_its_duration() {
    let engine = llama(&[("fail-after-requests", Value::Int(0))]);
    let drive = Drive { duration_s: Some(0.1), ..Drive::default() };
    let run = run_level(&engine, &mut closed(1_000_000, 0, 64, 10).into_iter(), &drive, 0);
    assert!((90..=110).contains(&run.records.len()), "{}", run.records.len());
}

#[test]
fn too_high_a_memory_fraction_dies_under_load_and_not_before() {
    let flags = [("gpu-memory-utilization", Value::Float(0.955)), ("max-model-len", Value::Int(4096))];
    let engine = try_engine("llama-3.1-8b", "l4-24g", 1, &flags).unwrap();
    let light = run_level(&engine, &mut closed(4, 0, 128, 8).into_iter(), &Drive::default(), 0);
    assert_eq!(light.crash, None);
    let drive = Drive { concurrency: Some(64), ..Drive::default() };
    let heavy = run_level(&engine, &mut closed(128, 0, 1024, 64).into_iter(), &drive, 0);
    let crash = heavy.crash.unwrap();
    assert_eq!(crash.class, FailureClass::OomRun);
    assert!(crash.log_tail.last().unwrap().starts_with("torch.OutOfMemoryError: CUDA out of memory."));
    assert!(heavy.records.iter().all(|r| matches!(&r.fate, Fate::Failed { class, .. } if class == "cut")));
}

#[test]
fn an_injected_death_takes_the_requests_in_flight_with_it() {
    let engine = llama(&[("die-at-concurrency", Value::Int(16))]);
    let drive = |n| Drive { concurrency: Some(n), ..Drive::default() };
    assert_eq!(run_level(&engine, &mut closed(50, 0, 64, 8).into_iter(), &drive(15), 0).crash, None);
    let run = run_level(&engine, &mut closed(50, 0, 64, 8).into_iter(), &drive(16), 0);
    assert_eq!(run.crash.map(|c| c.class), Some(FailureClass::EngineCrash));
}

#[test]
fn when_blocks_run_out_the_last_to_start_is_computed_again() {
    let flags = [
        ("max-model-len", Value::Int(2048)),
        ("max-num-seqs", Value::Int(64)),
        ("gpu-memory-utilization", Value::Float(0.84)),
    ];
    let engine = try_engine("llama-3.1-8b", "rtx4090-24g", 1, &flags).unwrap().without_noise();
    assert!(engine.plan().cache_tokens() < 64 * 1000, "{}", engine.plan().cache_tokens());
    let drive = Drive { concurrency: Some(64), ..Drive::default() };
    let run = run_level(&engine, &mut closed(64, 0, 300, 700).into_iter(), &drive, 0);
    assert!(run.gauges.preemptions > 0);
    assert!(run.records.iter().all(|r| completed(r) && r.output_tokens == Some(700)));
}

#[test]
fn replicas_share_the_load() {
    let engine = |dp| {
        try_engine("llama-3.1-8b", "h100-80g", 4, &[("data-parallel-size", Value::Int(dp))]).unwrap().without_noise()
    };
    let drive = Drive { concurrency: Some(64), ..Drive::default() };
    let go = |dp| throughput(&run_level(&engine(dp), &mut closed(256, 0, 256, 64).into_iter(), &drive, 0));
    assert!(go(4) > 1.5 * go(1), "{} {}", go(4), go(1));
}

#[test]
fn equal_seeds_give_equal_runs_and_other_seeds_other_noise() {
    let engine = try_engine("llama-3.1-8b", "h100-80g", 1, &[]).unwrap();
    let drive = Drive { concurrency: Some(8), ..Drive::default() };
    let run = |seed| run_level(&engine, &mut closed(32, 0, 128, 32).into_iter(), &drive, seed);
    assert_eq!(run(1), run(1));
    let ratio = throughput(&run(1)) / throughput(&run(2));
    assert!(ratio != 1.0 && (0.9..1.1).contains(&ratio), "{ratio}");
}

#[test]
fn what_prompts_begin_with_alike_is_cached_from_the_second_time_on() {
    let request = |index: u64| PlannedRequest {
        index,
        input_tokens: 600,
        output_tokens: 4,
        shared: vec![SharedRun { key: index % 2, tokens: 512 }],
        ..PlannedRequest::default()
    };
    let run = run_level(&llama(&[]), &mut (0..6).map(request), &Drive::default(), 0);
    let cached: Vec<Option<u32>> = run.records.iter().map(|r| r.cached_tokens).collect();
    assert_eq!(cached, [Some(0), Some(0), Some(512), Some(512), Some(512), Some(512)]);
}
