//! Tasks in virtual time: the order of events, what an attempt's number must not change, time limits.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tuner_core::plan::{AttemptState, ExperimentView, FinalStatus, Role, leader};
use tuner_core::sampler::Observation;
use tuner_core::score::{Class, observe, score};
use tuner_core::{FailureClass, Outcome, StopRule};
use tuner_runner::{RunEnd, RunError, reopen, this_process};
use tuner_store::{Owner, Resource};

use crate::world::{World, line};

const SMALL: &str = "
name: small
model: {id: llama-3.1-8b}
engine: {name: simulated, hardware: {gpu: h100-80g}}
backend: {kind: virtual}
search_space: {parameters: {max-num-seqs: [8, 64]}}
workload: {scenario: 'D(32,8)'}
load: {levels: [{concurrency: 1}, {concurrency: 8}], requests: 8}
sampler: {kind: grid}
budget: {experiments: 2}
verification: {blocks: 0}
";

/// R0.2, B8: the row comes before the effect, and the end of an attempt before the end of its experiment.
#[tokio::test]
async fn events_come_in_the_order_of_the_work() {
    let world = World::in_virtual_time(SMALL).await;
    let end = world.run().await.unwrap();
    assert!(matches!(end, RunEnd::Finished { status: FinalStatus::Completed, .. }));
    let lines: Vec<String> = world.events().await.iter().map(line).collect();
    insta::assert_snapshot!(lines.join("\n"));
}

/// B8: what was cut off is tried again, and gives what it would have given the first time.
#[tokio::test]
async fn an_attempt_that_follows_others_measures_what_the_first_would_have() {
    let undisturbed = World::in_virtual_time(SMALL).await;
    undisturbed.run().await.unwrap();
    let expected = undisturbed.experiments().await;

    let cut_off = World::in_virtual_time(SMALL).await;
    let store = &cut_off.worker.store;
    // A worker that died in its third attempt of the baseline.
    for _ in 0..3 {
        let resource = tuner_store::Resource::task(cut_off.task);
        let ttl = std::time::Duration::from_secs(30);
        let claim = store.claim(&resource, &cut_off.worker.owner, ttl, chrono::Utc::now()).await.unwrap();
        let lease = claim.won().unwrap();
        let claimed = store.claimed(cut_off.task, lease.clone());
        claimed.start_task().await.unwrap();
        claimed.interrupt_abandoned(|_, _| false).await.unwrap();
        claimed.create_experiment(1, expected[0].role, &expected[0].configuration).await.unwrap();
        let attempt = claimed.begin_attempt(1).await.unwrap();
        claimed.record_measurement(1, attempt, &expected[0].attempts[0].measurements[0]).await.unwrap();
        store.release(&lease).await.unwrap();
    }
    cut_off.run().await.unwrap();
    let found = cut_off.experiments().await;
    let states: Vec<AttemptState> = found[0].attempts.iter().map(|a| a.state).collect();
    assert_eq!(states, [vec![AttemptState::Interrupted; 3], vec![AttemptState::Succeeded]].concat());
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(&expected) {
        assert_eq!(found.configuration, expected.configuration);
        assert_eq!(found.outcome, expected.outcome);
        assert_eq!(found.last_attempt().unwrap().measurements, expected.last_attempt().unwrap().measurements);
    }
}

/// Issue 3, point 6: the simulated engine's levels obey the rules of real ones.
#[tokio::test]
async fn an_over_saturated_level_is_ended_in_virtual_time_too() {
    let open = SMALL
        .replace(
            "{concurrency: 1}, {concurrency: 8}], requests: 8",
            "{rate: 1}, {rate: 60}], duration_s: 90, stop_when_losing: false",
        )
        .replace("D(32,8)", "D(2000,200)");
    let world = World::in_virtual_time(&open).await;
    world.run().await.unwrap();
    for experiment in world.experiments().await {
        let [light, heavy] = experiment.measurements() else { panic!("{experiment:?}") };
        assert_eq!((&light.stopped, light.requests.unsent), (&None, 0));
        let stopped = heavy.stopped.as_ref().unwrap();
        assert_eq!(stopped.rule, StopRule::Saturated);
        assert!((30.0..60.0).contains(&stopped.after_s), "{stopped:?}");
        assert!((heavy.window_s - stopped.after_s).abs() < 1e-9);
        let n = heavy.requests;
        assert_eq!(n.planned, n.completed + n.failed + n.cancelled + n.unsent, "{n:?}");
        assert!(n.unsent > 2000 && n.completed > 0, "{n:?}");
    }
    let to_the_end = open.replace("duration_s: 90,", "duration_s: 90, stop_when_saturated: false,");
    let world = World::in_virtual_time(&to_the_end).await;
    world.run().await.unwrap();
    assert!(world.experiments().await.iter().flat_map(|e| e.measurements()).all(|m| m.stopped.is_none()));
}

/// Two configurations that run nearly one request at a time, among others.
const LOSERS: &str = "
name: losers
model: {id: llama-3.1-8b}
engine: {name: simulated, hardware: {gpu: h100-80g}}
backend: {kind: virtual}
search_space: {parameters: {max-num-seqs: [1, 2, 64, 128]}}
workload: {scenario: 'D(200,40)'}
load: {levels: [{concurrency: 32}], requests: 200}
sampler: {kind: grid}
budget: {experiments: 5}
verification: {blocks: 2}
";

/// Seconds of load of all experiments.
fn load_s(experiments: &[ExperimentView]) -> f64 {
    experiments.iter().flat_map(|e| e.measurements()).map(|m| m.elapsed_s).sum()
}

/// B2; issue 3, point 9: the search is shorter, its answer the same, and the same again.
#[tokio::test]
async fn a_certain_loser_is_ended_early_and_nothing_else_changes() {
    let run = async |yaml: &str| {
        let world = World::in_virtual_time(yaml).await;
        let RunEnd::Finished { verdict, .. } = world.run().await.unwrap() else { panic!("it ends") };
        (world.experiments().await, verdict)
    };
    let (experiments, verdict) = run(LOSERS).await;
    let (again, _) = run(LOSERS).await;
    let (whole, undisturbed) = run(&LOSERS.replace("requests: 200", "requests: 200, stop_when_losing: false")).await;
    assert_eq!(verdict.recommended, undisturbed.recommended);
    let saved = 1.0 - load_s(&experiments[1..5]) / load_s(&whole[1..5]);
    assert!(saved > 0.35, "{:.0} % of the time under load was saved in the search", saved * 100.0);
    let spec = tuner_core::task::read(LOSERS, &Default::default()).unwrap().spec;
    let mut ended_early = 0;
    for ((experiment, again), whole) in experiments.iter().zip(&again).zip(&whole) {
        assert_eq!((&experiment.outcome, experiment.measurements()), (&again.outcome, again.measurements()));
        let Some(Outcome::Pruned { reason }) = &experiment.outcome else {
            assert_eq!(experiment.measurements(), whole.measurements(), "{}", experiment.configuration);
            continue;
        };
        ended_early += 1;
        assert_eq!(experiment.role, Role::Search);
        assert!(reason.starts_with("certain loser: output_throughput will be at most "), "{reason}");
        assert!(reason.ends_with(" cannot win, at c32"), "{reason}");
        let score = score(&spec, experiment).unwrap();
        assert_eq!(score.class, Class::Pruned);
        let best = score.primary().unwrap() / leader(&spec, &experiments).unwrap().1.primary().unwrap();
        assert!(best < 0.8, "{best}");
        assert!(matches!(observe(&spec, experiment), Observation::Censored { .. }));
        let heavy = experiment.measurements().last().unwrap();
        let n = heavy.requests;
        assert_eq!(n.planned, n.completed + n.failed + n.cancelled + n.unsent, "{n:?}");
        assert!(n.planned == 200 && n.unsent > 0, "{n:?}");
        assert!((heavy.window_s - heavy.stopped.as_ref().unwrap().after_s).abs() < 1e-9);
    }
    assert_eq!(ended_early, 2, "{:?}", experiments.iter().map(|e| &e.outcome).collect::<Vec<_>>());
}

/// Issue 3: conversations obey the rules in virtual time too.
#[tokio::test]
async fn a_level_of_conversations_is_ended_early_in_virtual_time() {
    let talks = LOSERS.replace("D(200,40)", "T(3)+D(200,40)").replace(
        "verification",
        "objectives: [minimize_latency]\nslos: [{metric: e2e_latency, max_ms: 100000}]\nverification",
    );
    for objective in ["minimize_latency", "maximize_goodput"] {
        let world = World::in_virtual_time(&talks.replace("minimize_latency", objective)).await;
        world.run().await.unwrap();
        let experiments = world.experiments().await;
        let pruned: Vec<&ExperimentView> =
            experiments.iter().filter(|e| matches!(e.outcome, Some(Outcome::Pruned { .. }))).collect();
        assert_eq!(pruned.len(), 2, "{objective}: {:?}", experiments.iter().map(|e| &e.outcome).collect::<Vec<_>>());
        for experiment in pruned {
            let [level] = experiment.measurements() else { panic!("{experiment:?}") };
            let n = level.requests;
            assert_eq!(n.planned, n.completed + n.failed + n.cancelled + n.unsent, "{n:?}");
            assert!(n.planned == 200 && n.unsent > 0 && n.failed + n.cancelled == 0, "{n:?}");
            assert_eq!(level.stopped.as_ref().map(|s| s.rule), Some(StopRule::Loser));
        }
    }
}

/// The start alone takes more than 20 s.
#[tokio::test]
async fn an_experiment_that_takes_longer_than_its_limit_is_infeasible() {
    let world = World::in_virtual_time(&format!("{SMALL}timeouts: {{experiment_s: 20}}\n")).await;
    let end = world.run().await.unwrap();
    assert!(matches!(end, RunEnd::Finished { status: FinalStatus::Failed, .. }));
    for experiment in world.experiments().await {
        let Some(Outcome::Infeasible { failure, .. }) = &experiment.outcome else { panic!("{experiment:?}") };
        assert_eq!(failure.class, FailureClass::TimeoutMeasure);
        assert!(failure.message.contains("experiment_s = 20 s"), "{}", failure.message);
        assert_eq!(experiment.attempts.len(), 1, "trying again would take as long");
        assert!(experiment.measurements().is_empty());
    }
}

#[tokio::test]
async fn a_wish_to_stop_before_the_first_attempt_leaves_a_task_that_can_be_resumed() {
    let world = World::in_virtual_time(SMALL).await;
    let stop = CancellationToken::new();
    stop.cancel();
    assert_eq!(world.run_until(&stop).await.unwrap(), RunEnd::Stopped);
    let left = world.experiments().await;
    assert_eq!((left.len(), left[0].attempts.len()), (1, 0));
    assert!(matches!(world.run().await.unwrap(), RunEnd::Finished { status: FinalStatus::Completed, .. }));
}

#[tokio::test]
async fn a_cancelled_task_ends_without_trying_anything_more() {
    let world = World::in_virtual_time(SMALL).await;
    let stop = CancellationToken::new();
    stop.cancel();
    world.run_until(&stop).await.unwrap();
    world.worker.store.request_cancel(world.task).await.unwrap();
    let end = world.run().await.unwrap();
    assert!(matches!(end, RunEnd::Finished { status: FinalStatus::Cancelled, .. }));
    let experiments = world.experiments().await;
    assert_eq!(experiments.len(), 1);
    assert_eq!(experiments[0].outcome, Some(Outcome::Cancelled));
}

#[tokio::test]
async fn a_cancelled_task_that_is_reopened_tries_afresh_what_was_cut_off_and_a_completed_one_stays() {
    let world = World::in_virtual_time(SMALL).await;
    let stop = CancellationToken::new();
    stop.cancel();
    world.run_until(&stop).await.unwrap();
    let store = &world.worker.store;
    store.request_cancel(world.task).await.unwrap();
    world.run().await.unwrap();
    // Its worker died before it gave the task back.
    let dead = Owner { start_ticks: this_process().start_ticks + 1, ..this_process() };
    let resource = Resource::task(world.task);
    store.claim(&resource, &dead, Duration::from_secs(600), chrono::Utc::now()).await.unwrap();
    reopen(store, &this_process(), world.task).await.unwrap();
    assert_eq!(store.holder(&resource).await.unwrap(), None);
    assert!(matches!(world.run().await.unwrap(), RunEnd::Finished { status: FinalStatus::Completed, .. }));
    let experiments = world.experiments().await;
    assert_eq!(experiments[0].outcome, Some(Outcome::Cancelled));
    assert!(experiments[1..].iter().all(|e| matches!(e.outcome, Some(Outcome::Success { .. }))), "{experiments:?}");
    let refused = reopen(store, &this_process(), world.task).await;
    assert!(matches!(refused, Err(RunError::Store(_))), "{refused:?}");
}
