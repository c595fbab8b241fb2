//! Levels that end before their plan does: by which rule, where the window ends, and what became of every request.

use std::path::Path;
use std::time::Duration;

use tuner_bench::log::LevelLog;
use tuner_bench::stopping::{Losing, Missed, Precision, SaturationRule, StopWhen};
use tuner_bench::{LevelPlan, LevelRun};
use tuner_core::record::Fate;
use tuner_core::task::{Arrival, Goal, Level, LoadSpec, SloSpec};
use tuner_core::{Bar, Measurement, Metric, Stat, StopRule, Stopped};
use tuner_testkit::closed_form::{Case, ClosedForm, Plant, Timetable};

use crate::closed_form_run::{run_changed, scenario, target};

fn server(first_ms: u64, plant: Plant) -> ClosedForm {
    let first = Duration::from_millis(first_ms);
    ClosedForm::start(Timetable { first, plant, ..Timetable::quick(Case::Clean) }).unwrap()
}

fn load(level: Level, requests: Option<u32>, duration_s: Option<f64>) -> LoadSpec {
    LoadSpec { levels: vec![level], requests, duration_s, request_timeout_s: 30.0, ..LoadSpec::default() }
}

fn constant(rate: f64, cap: Option<u32>) -> Level {
    Level { rate: Some(rate), arrival: Some(Arrival::Constant), concurrency: cap, ..Level::default() }
}

fn ttft_below(ms: f64) -> Vec<SloSpec> {
    vec![serde_json::from_value(serde_json::json!({ "metric": "ttft", "max_ms": ms })).unwrap()]
}

/// What holds of every level that was stopped; issue 3, "conservation holds in every test".
fn checked(plan: &LevelPlan, run: &LevelRun, slos: &[SloSpec]) -> (Measurement, Stopped) {
    let measurement = run.measurement(plan, slos, &[]);
    let stopped = measurement.stopped.clone().expect("a rule should have ended it");
    let planned: Vec<u64> = plan.requests().map(|r| r.index).take(run.records.len()).collect();
    assert_eq!(run.records.iter().map(|r| r.index).collect::<Vec<_>>(), planned, "every request has one record");
    let n = measurement.requests;
    assert_eq!(n.planned, n.completed + n.failed + n.cancelled + n.unsent, "{n:?}");
    assert_eq!((n.failed, n.cancelled), (0, 0), "what was in flight was awaited: {n:?}");
    assert!((run.window.length_s() - stopped.after_s).abs() < 1e-9, "the window ends at the stop");
    let late = run.records.iter().filter_map(|r| r.sent_s).fold(0.0, f64::max) - run.window.end_s;
    assert!(late < 0.1, "sent {late} s after the stop");
    let said = format!("stopped after {:.1} s: {}", stopped.after_s, stopped.reason);
    assert!(measurement.notes.contains(&said), "{:?}", measurement.notes);
    let log = LevelLog::new(plan, run, slos, &[]);
    let mut bytes = Vec::new();
    log.write(&mut bytes).unwrap();
    let replayed = LevelLog::read(bytes.as_slice(), Path::new("log")).unwrap().measurement();
    assert_eq!(replayed, measurement, "the log gives the same figures");
    (measurement, stopped)
}

/// Issue 3, point 6: over-saturation stop.
#[tokio::test(flavor = "current_thread")]
async fn an_over_saturated_open_loop_is_ended_and_what_was_not_sent_is_unsent() {
    // Full at 4 in flight: 0.2 s each, 20 a second; twice as many come.
    let server = server(200, Plant::Saturation { knee: 4 });
    let soon = SaturationRule { min_s: 3.0, confidence: 0.9, ..SaturationRule::default() };
    let load = load(constant(40.0, None), None, Some(50.0));
    let change = |plan: &mut LevelPlan| plan.stop.saturated = Some(soon);
    let (plan, run) = run_changed(&target(&server), &scenario("D(8,1)"), &load, change).await;
    let (measurement, stopped) = checked(&plan, &run, &[]);
    assert_eq!(stopped.rule, StopRule::Saturated);
    assert!((3.0..20.0).contains(&stopped.after_s), "{stopped:?}");
    assert!(stopped.surplus.is_some_and(|surplus| (0.2..0.9).contains(&surplus)), "{stopped:?}");
    assert!(stopped.reason.starts_with("over-saturated: of 40"), "{}", stopped.reason);
    assert_eq!(measurement.requests.planned + plan.warmup, plan.total().unwrap());
    assert!(measurement.requests.unsent > 1000, "{:?}", measurement.requests);
}

#[tokio::test(flavor = "current_thread")]
async fn a_level_is_stopped_for_saturation_only_where_its_task_wants_that_and_its_rate_is_one() {
    let stop = |level: Level, stop_when_saturated: bool| {
        let load = LoadSpec { stop_when_saturated, ..load(level, None, Some(5.0)) };
        let plan = LevelPlan::new(&scenario("D(8,1)"), &load, 0, 0, Default::default()).unwrap();
        tuner_bench::stopping::LevelWatch::of(&plan).is_some()
    };
    assert!(stop(Level::poisson(5.0), true) && !stop(Level::poisson(5.0), false));
    assert!(!stop(Level::closed(5), true));
    assert!(!stop(Level { ramp_to: Some(50.0), ..Level::poisson(5.0) }, true), "a ramp grows on purpose");
}

/// Issue 3, point 9: interval narrow enough.
#[tokio::test(flavor = "current_thread")]
async fn a_closed_loop_ends_when_its_mean_is_known_well_enough() {
    let server = server(20, Plant::None);
    let precise = Precision { metric: Metric::E2eLatency, half_width: 0.3, confidence: 0.95 };
    let change = |plan: &mut LevelPlan| plan.stop.precise = Some(precise);
    let load = load(Level::closed(4), None, Some(50.0));
    let (plan, run) = run_changed(&target(&server), &scenario("D(8,4)"), &load, change).await;
    let (measurement, stopped) = checked(&plan, &run, &[]);
    assert_eq!((stopped.rule, stopped.surplus), (StopRule::Precise, None));
    assert!(stopped.after_s < 40.0 && stopped.reason.contains("e2e_latency is known well enough"), "{stopped:?}");
    assert_eq!(measurement.requests.unsent, 0, "a loop that its duration ends planned no more than it sent");
    assert!(measurement.requests.completed >= 30);
}

/// Issue 3, point 9: percentile curtailment.
#[tokio::test(flavor = "current_thread")]
async fn a_level_that_cannot_meet_its_slo_any_more_is_ended() {
    let server = server(30, Plant::None);
    let slos = ttft_below(5.0);
    let change = |plan: &mut LevelPlan| plan.stop.missed = Some(Missed { slos: ttft_below(5.0), error_rate: 0.01 });
    let (target, scenario) = (target(&server), scenario("D(8,2)"));
    let (plan, run) = run_changed(&target, &scenario, &load(Level::closed(3), Some(3000), None), change).await;
    let (measurement, stopped) = checked(&plan, &run, &slos);
    assert_eq!(stopped.rule, StopRule::Missed);
    assert!(stopped.reason.starts_with("ttft p99 ≤ 5 ms can no longer be met"), "{}", stopped.reason);
    assert_eq!(measurement.requests.planned, 3000);
    assert!(measurement.requests.unsent > 1000 && measurement.requests.completed > 0, "{:?}", measurement.requests);
    // Where nobody knows how many requests there will be, it takes some seconds to be sure.
    let (plan, run) = run_changed(&target, &scenario, &load(Level::closed(3), None, Some(60.0)), change).await;
    let (_, stopped) = checked(&plan, &run, &slos);
    assert!(stopped.reason.starts_with("ttft p99 ≤ 5 ms will not be met"), "{}", stopped.reason);
    assert!((7.9..40.0).contains(&stopped.after_s), "{stopped:?}");
}

/// Issue 3, point 9: certain loser.
#[tokio::test(flavor = "current_thread")]
async fn a_level_that_surely_cannot_win_is_ended_with_the_figure_that_it_had_to_reach() {
    let server = server(40, Plant::None);
    // One stream, some 46 ms an answer of 4 tokens: about 87 tokens a second of the 200 that are there to beat.
    let bar =
        Bar { metric: Metric::OutputThroughput, stat: Stat::Mean, goal: Goal::Maximize, best: 200.0, margin: 0.2 };
    let change = |plan: &mut LevelPlan| plan.stop.losing = Some(Losing::of(bar, &[]));
    let load = load(Level::closed(1), Some(100), None);
    let (plan, run) = run_changed(&target(&server), &scenario("D(8,4)"), &load, change).await;
    let (measurement, stopped) = checked(&plan, &run, &[]);
    assert_eq!(stopped.rule, StopRule::Loser);
    assert!(stopped.reason.starts_with("certain loser: output_throughput "), "{}", stopped.reason);
    assert!(
        stopped.reason.ends_with("; the best so far has 200.0, and less than 160.0 cannot win"),
        "{}",
        stopped.reason
    );
    // 102 answers of 4 tokens at 160 a second decide at last; the interval may before, from the thirtieth on.
    assert!((1.0..4.0).contains(&stopped.after_s), "{stopped:?}");
    let figure = measurement.stat(Metric::OutputThroughput, Stat::Mean).unwrap();
    assert!(bar.is_missed_by(figure), "{figure}");
}

#[tokio::test(flavor = "current_thread")]
async fn requests_that_wait_for_a_place_at_the_stop_are_not_sent() {
    let server = server(300, Plant::None);
    let change = |plan: &mut LevelPlan| {
        let missed = Some(Missed { slos: ttft_below(1.0), error_rate: 0.01 });
        plan.stop = StopWhen { missed, ..StopWhen::default() };
    };
    let load = load(constant(100.0, Some(2)), Some(400), None);
    let (plan, run) = run_changed(&target(&server), &scenario("D(8,2)"), &load, change).await;
    checked(&plan, &run, &[]);
    let due = run.records.iter().filter(|r| r.planned_s < run.window.end_s && r.fate == Fate::Unsent).count();
    assert!(due > 20, "{due} were due and had no place yet");
}
