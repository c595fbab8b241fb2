//! Plans of whole levels.

use super::*;
use proptest::prelude::*;
use serde_json::json;
use tuner_core::task::{Arrival, Prompts};

fn plan(load: LoadSpec) -> LevelPlan {
    let seeds = Seeds { schedule: 1, prompts: 2 };
    LevelPlan::new(&WorkloadSpec::default(), &load, 0, 0, seeds).unwrap()
}

fn with_rows(load: LoadSpec, seeds: Seeds, rows: Vec<Row>) -> Result<LevelPlan, PlanError> {
    let prompts = Prompts { scenario: None, prompts_file: Some("f".to_owned()), ..Prompts::default() };
    let workload = WorkloadSpec { prompts, ..WorkloadSpec::default() };
    LevelPlan::with_rows(&workload, &load, 0, 0, seeds, &vec![Some(rows.into())])
}

fn workload(yaml: serde_json::Value) -> WorkloadSpec {
    serde_json::from_value(yaml).unwrap()
}

/// The first `n` requests of a closed loop without warm-up.
fn first(workload: &WorkloadSpec, n: usize) -> Vec<PlannedRequest> {
    let load = LoadSpec { levels: vec![Level::closed(4)], warmup_requests: Some(0), ..LoadSpec::default() };
    let plan = LevelPlan::new(workload, &load, 0, 0, Seeds { schedule: 5, prompts: 6 }).unwrap();
    plan.requests().take(n).collect()
}

#[test]
fn classes_come_in_their_shares_with_their_own_lengths() {
    let classes = json!({"classes": [
        {"name": "chat", "weight": 3, "scenario": "D(100,10)"},
        {"name": "batch", "scenario": "0.5*D(1000,1)+0.5*D(2000,1)", "api": "completions"},
    ]});
    let all = first(&workload(classes), 8000);
    let of = |class: &str| all.iter().filter(|r| r.class.as_deref() == Some(class)).collect::<Vec<_>>();
    let (chat, batch) = (of("chat"), of("batch"));
    assert_eq!(chat.len() + batch.len(), 8000);
    // Four standard deviations of a binomial count.
    assert!((chat.len() as f64 - 6000.0).abs() < 4.0 * (8000.0f64 * 0.75 * 0.25).sqrt(), "{}", chat.len());
    assert!(chat.iter().all(|r| (r.input_tokens, r.output_tokens) == (100, 10)));
    let long = batch.iter().filter(|r| r.input_tokens == 2000).count();
    assert!(long > 900 && batch.len() - long > 900 && batch.iter().all(|r| r.output_tokens == 1));
}

#[test]
fn a_mix_of_scenarios_is_one_class_for_each() {
    let all = first(&workload(json!({"scenario": "0.8*D(10,1)+0.2*U(5,6)/(2,2)"})), 2000);
    let chosen = all.iter().filter(|r| r.class.as_deref() == Some("D(10,1)")).count();
    assert!((1500..1700).contains(&chosen), "{chosen}");
    assert!(all.iter().all(|r| r.class.as_deref() == Some("D(10,1)") || r.class.as_deref() == Some("U(5,6)/(2,2)")));
    assert!(first(&workload(json!({"scenario": "D(10,1)"})), 5).iter().all(|r| r.class.is_none()));
}

#[test]
fn scenarios_of_other_endpoints_go_there() {
    let mixed = workload(json!({"scenario": "1*E(1024)+1*R(1000,24)+1*I(64,64,2)+1*D(7,8)", "output_tokens": 5}));
    assert_eq!(mixed.apis(), [Api::Embeddings, Api::Rerank, Api::Chat]);
    let load = LoadSpec { levels: vec![Level::closed(4)], ..LoadSpec::default() };
    let plan = LevelPlan::new(&mixed, &load, 0, 0, Seeds::default()).unwrap();
    let mut kinds: Vec<(&str, u32, u32)> = Vec::new();
    for request in plan.requests().filter(|r| !r.warmup).take(100) {
        let kind = (plan.part(request.index).api.name(), request.input_tokens, request.output_tokens);
        kinds.push(kind);
    }
    kinds.sort_unstable();
    kinds.dedup();
    assert_eq!(kinds, [("chat", 0, 5), ("chat", 7, 8), ("embeddings", 1024, 0), ("rerank", 1024, 0)]);
    assert_eq!(plan.parts.iter().map(Part::is_text).collect::<Vec<_>>(), [false, false, false, true]);
    let raw = workload(json!({"scenario": "I(64,64)", "api": "completions"}));
    let error = LevelPlan::new(&raw, &load, 0, 0, Seeds::default()).unwrap_err();
    assert!(error.to_string().starts_with("`I(64,64)` shows pictures, which completions does not take"), "{error}");
}

#[test]
fn shared_prefixes_come_to_the_hit_rate_that_was_asked_for() {
    for share in [0.6, 1.0] {
        let prefix = json!({"hit_rate": 0.5, "groups": 3, "share": share});
        let all = first(&workload(json!({"scenario": "N(1000,200)/(10,2)", "shared_prefix": prefix})), 4000);
        let shared: u64 = all.iter().map(|r| u64::from(r.shared_tokens())).sum();
        let input: u64 = all.iter().map(|r| u64::from(r.input_tokens)).sum();
        assert!((shared as f64 / input as f64 - 0.5).abs() < 0.02, "{}", shared as f64 / input as f64);
        let groups: std::collections::HashSet<u64> = all.iter().flat_map(|r| &r.shared).map(|run| run.key).collect();
        assert_eq!(groups.len(), 3);
        let sharing = all.iter().filter(|r| !r.shared.is_empty()).count() as f64 / 4000.0;
        assert!((sharing - share).abs() < 0.04, "{sharing}");
    }
    let fixed = first(&workload(json!({"scenario": "U(10,100)/(1,2)", "shared_prefix": {"tokens": 64}})), 200);
    assert!(fixed.iter().all(|r| r.shared_tokens() == (r.input_tokens - 1).min(64)));
}

#[test]
fn model_names_come_in_their_shares_and_leave_everything_else_as_it_was() {
    let scenario = "N(100,30)/(50,10)";
    let plain = first(&workload(json!({"scenario": scenario})), 3000);
    let models = json!([{"name": "a", "weight": 2}, {"name": "b"}]);
    let mixed = first(&workload(json!({"scenario": scenario, "models": models})), 3000);
    let of_a = mixed.iter().filter(|r| r.model.as_deref() == Some("a")).count();
    assert!((1880..2120).contains(&of_a), "{of_a}");
    let without: Vec<PlannedRequest> = mixed.into_iter().map(|r| PlannedRequest { model: None, ..r }).collect();
    assert_eq!(without, plain);
}

#[test]
fn a_trace_is_replayed_in_its_order_at_its_scale_and_thinned_by_chance() {
    let row =
        |i: u32| Row { input_tokens: i + 1, output_tokens: 2, at_s: Some(100.0 - f64::from(i)), ..Row::default() };
    let rows: Vec<Row> = (0..100).map(row).collect();
    let level = Level { arrival: Some(Arrival::Trace), time_scale: Some(0.5), ..Level::default() };
    let load = |level: &Level, duration_s| LoadSpec {
        levels: vec![level.clone()],
        duration_s,
        warmup_requests: Some(10),
        ..LoadSpec::default()
    };
    let whole = with_rows(load(&level, Some(1000.0)), Seeds::default(), rows.clone()).unwrap();
    let all: Vec<PlannedRequest> = whole.requests().collect();
    assert_eq!(all.iter().map(|r| r.input_tokens).collect::<Vec<_>>(), (1..=100).rev().collect::<Vec<_>>());
    assert_eq!(
        all.iter().map(|r| r.planned_s.unwrap()).collect::<Vec<_>>(),
        (0..100).map(|i| f64::from(i) * 0.5).collect::<Vec<_>>()
    );
    assert_eq!(whole.open_window(), Some((4.5, 49.5)), "it ends with the trace");
    let part = with_rows(load(&level, Some(10.0)), Seeds::default(), rows.clone()).unwrap();
    assert_eq!((part.requests().count(), part.open_window()), (10 + 19, Some((4.5, 14.5))));
    let thin = Level { keep: Some(0.4), ..level.clone() };
    let thin = with_rows(load(&thin, Some(1000.0)), Seeds::default(), rows.clone()).unwrap();
    let times: Vec<f64> = thin.requests().map(|r| r.planned_s.unwrap()).collect();
    assert!((25..55).contains(&times.len()) && times[0] == 0.0, "{}", times.len());
    assert_eq!(thin.requests().collect::<Vec<_>>(), thin.requests().collect::<Vec<_>>());
    let timeless = rows.into_iter().map(|row| Row { at_s: None, ..row }).collect();
    assert_eq!(with_rows(load(&level, None), Seeds::default(), timeless).unwrap_err(), PlanError::NoTimes);
}

#[test]
fn closed_loop_warm_up_spreads_the_streams() {
    let load = LoadSpec { levels: vec![Level::closed(4)], requests: Some(3), ..LoadSpec::default() };
    let plan = plan(load);
    let outputs: Vec<(bool, u32)> = plan.requests().map(|r| (r.warmup, r.output_tokens)).collect();
    let expected = [(true, 16), (true, 32), (true, 48), (true, 64), (false, 64), (false, 64), (false, 64)];
    assert_eq!(outputs, expected);
    assert_eq!(plan.total(), Some(7));
}

#[test]
fn an_open_loop_ends_with_its_window() {
    let load = LoadSpec { levels: vec![Level::poisson(5.0)], duration_s: Some(20.0), ..LoadSpec::default() };
    let plan = plan(load);
    let (start, end) = plan.open_window().unwrap();
    assert!((end - start - 20.0).abs() < 1e-9);
    let requests: Vec<_> = plan.requests().collect();
    assert!(requests.iter().filter(|r| !r.warmup).all(|r| (start..end).contains(&r.planned_s.unwrap())));
    assert!((60..140).contains(&requests.len()), "{} arrivals at 5/s in 20 s", requests.len());
}

#[test]
fn bursts_fill_the_window_from_its_first_moment() {
    let level = Level { burst: Some(4), every_s: Some(5.0), ..Level::default() };
    let load = LoadSpec { levels: vec![level], duration_s: Some(20.0), ..LoadSpec::default() };
    let measured_at = |plan: &LevelPlan| -> Vec<f64> {
        plan.requests().filter(|r| !r.warmup).filter_map(|r| r.planned_s).step_by(4).collect()
    };
    let whole = plan(load.clone());
    assert_eq!((whole.warmup, whole.open_window()), (4, Some((5.0, 25.0))));
    assert_eq!(measured_at(&whole), [5.0, 10.0, 15.0, 20.0]);
    let counted = plan(LoadSpec { requests: Some(8), duration_s: None, ..load });
    assert_eq!(counted.open_window(), Some((5.0, 15.0)));
}

#[test]
fn a_level_without_intensity_is_refused() {
    let load = LoadSpec { levels: vec![Level::default()], ..LoadSpec::default() };
    let seeds = Seeds::default();
    let error = LevelPlan::new(&WorkloadSpec::default(), &load, 0, 0, seeds).unwrap_err();
    assert_eq!(error, PlanError::NoIntensity { level: 0 });
}

#[test]
fn experiments_share_lengths_and_arrivals_whatever_their_prompts() {
    let workload = WorkloadSpec {
        prompts: tuner_core::task::Prompts { scenario: Some("N(100,30)/(50,10)".to_owned()), ..Default::default() },
        ..WorkloadSpec::default()
    };
    let load = LoadSpec { levels: vec![Level::poisson(2.0); 2], ..LoadSpec::default() };
    let requests = |level, repeat, prompts| {
        let seeds = Seeds { schedule: 9, prompts };
        LevelPlan::new(&workload, &load, level, repeat, seeds).unwrap().requests().collect::<Vec<_>>()
    };
    assert_eq!(requests(0, 0, 1), requests(0, 0, 2));
    assert_ne!(requests(0, 0, 1), requests(1, 0, 1));
    assert_ne!(requests(0, 0, 1), requests(0, 1, 1));
}

proptest! {
    #[test]
    fn each_pass_over_a_file_visits_every_prompt_once(n in 1u64..200, pass in 0u64..3, seed: u64) {
        let seeds = Seeds { schedule: seed, prompts: 0 };
        let rows = vec![Row { input_tokens: 1, output_tokens: 1, ..Row::default() }; n as usize];
        let plan = with_rows(LoadSpec::default(), seeds, rows).unwrap();
        let mut seen: Vec<usize> = (pass * n..(pass + 1) * n).map(|i| plan.row(i).unwrap()).collect();
        seen.sort_unstable();
        prop_assert_eq!(seen, (0..n as usize).collect::<Vec<_>>());
    }
}
