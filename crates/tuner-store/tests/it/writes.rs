use tuner_core::plan::{AttemptEvidence, AttemptState, Role};
use tuner_core::{Failure, FailureClass, Outcome};
use tuner_store::{AttemptEnd, Event, Phase, Resource, Running, StoreError, TaskEnd, TaskStatus};

use crate::fixture::{
    Fixture, STEPS, completed, configuration, deployment, measurement, picture, step, succeeded, success,
};

// B8
pub(crate) async fn every_write_done_twice_equals_the_write_done_once(f: Fixture) {
    let task = f.task("smoke").await;
    let pen = f.pen(task).await;
    for n in 0..STEPS {
        let before = f.store.last_event_seq().await.unwrap();
        step(&pen, 1, n).await.unwrap();
        let once = picture(&f.store, task).await;
        let seq = f.store.last_event_seq().await.unwrap();
        assert!(seq > before, "step {n} told nothing");
        step(&pen, 1, n).await.unwrap_or_else(|e| panic!("step {n}: {e}"));
        assert_eq!(picture(&f.store, task).await, once, "step {n}");
        assert_eq!(f.store.last_event_seq().await.unwrap(), seq, "step {n} told of itself twice");
    }
    f.store.deployment_stopped("deployment-1").await.unwrap();
    let once = picture(&f.store, task).await;
    f.store.deployment_stopped("deployment-1").await.unwrap();
    assert_eq!(picture(&f.store, task).await, once);
}

// B8
pub(crate) async fn a_stale_worker_cannot_finish_an_experiment(f: Fixture) {
    let task = f.task("smoke").await;
    let stale = f.pen(task).await;
    for n in 0..10 {
        step(&stale, 1, n).await.unwrap();
    }
    let fresh = f.pen(task).await;
    match stale.end_experiment(1, &Outcome::Cancelled, None).await {
        Err(StoreError::LeaseLost { fence, newer: Some(newer), .. }) => {
            assert_eq!(fence, stale.lease().fence);
            assert_eq!(newer.owner, fresh.lease().owner);
        }
        other => panic!("{other:?}"),
    }
    fresh.end_experiment(1, &success(), None).await.unwrap();
    assert_eq!(f.store.load(task).await.unwrap().experiments[0].outcome, Some(success()));
}

pub(crate) async fn a_stale_worker_can_write_nothing_at_any_step(f: Fixture) {
    for n in 0..STEPS {
        let task = f.task(&format!("task-{n}")).await;
        let stale = f.pen(task).await;
        for done in 0..n {
            step(&stale, 1, done).await.unwrap();
        }
        f.pen(task).await;
        let before = picture(&f.store, task).await;
        // Neither a new write nor one that it did before.
        for again in [n, n.saturating_sub(1)] {
            match step(&stale, 1, again).await {
                Err(StoreError::LeaseLost { .. }) => {}
                other => panic!("step {again}: {other:?}"),
            }
        }
        assert_eq!(picture(&f.store, task).await, before, "step {n}");
        f.store.deployment_stopped("deployment-1").await.ok();
        let resource = Resource::task(task);
        f.store.break_lease(&resource, stale.lease().fence + 1).await.unwrap();
        f.store.delete_task(task).await.unwrap();
    }
}

pub(crate) async fn the_same_number_with_other_content_is_refused(f: Fixture) {
    let task = f.task("smoke").await;
    let pen = f.pen(task).await;
    for n in 0..9 {
        step(&pen, 1, n).await.unwrap();
    }
    let before = picture(&f.store, task).await;
    let conflicts = [
        pen.create_experiment(1, Role::Baseline, &configuration(1.0 / 7.0)).await,
        pen.create_experiment(1, Role::Search, &configuration(0.5)).await,
        pen.record_measurement(1, 1, &measurement(0, 0, 1.0)).await,
        pen.reserve_deployment(&deployment("deployment-1", 1, 2, &[8001])).await.map(|_| ()),
    ];
    for (n, result) in conflicts.into_iter().enumerate() {
        assert!(matches!(result, Err(StoreError::Conflict { .. })), "{n}: {result:?}");
    }
    let missing = [
        pen.begin_attempt(2).await.map(|_| ()),
        pen.record_measurement(1, 2, &measurement(0, 0, 1.0)).await,
        pen.record_evidence(2, 1, &AttemptEvidence::default()).await,
        pen.record_phase(1, 9, Phase::Ready).await,
        pen.end_attempt(1, 2, &succeeded()).await,
        pen.end_experiment(2, &success(), None).await,
        pen.deployment_running("nobody", &Running::default()).await,
        f.store.deployment_stopped("nobody").await,
    ];
    for (n, result) in missing.into_iter().enumerate() {
        assert!(matches!(result, Err(StoreError::NotFound { .. })), "{n}: {result:?}");
    }
    assert_eq!(picture(&f.store, task).await, before);
}

pub(crate) async fn what_has_ended_stays_as_it_ended(f: Fixture) {
    let task = f.task("smoke").await;
    let pen = f.pen(task).await;
    for n in 0..9 {
        step(&pen, 1, n).await.unwrap();
    }
    let open = pen.end_experiment(1, &success(), None).await;
    assert!(matches!(open, Err(StoreError::WrongState { .. })), "{open:?}");
    for n in 9..STEPS {
        step(&pen, 1, n).await.unwrap();
    }
    f.store.deployment_stopped("deployment-1").await.unwrap();
    let before = picture(&f.store, task).await;
    let failed = AttemptEnd { state: AttemptState::Failed, failure: None, gpu_seconds: 1.0 };
    let still = AttemptEnd { state: AttemptState::Running, ..succeeded() };
    let refused = [
        pen.end_attempt(1, 1, &failed).await,
        pen.end_attempt(1, 1, &still).await,
        pen.record_measurement(1, 1, &measurement(2, 0, 1.0)).await,
        pen.record_phase(1, 1, Phase::Stopping).await,
        pen.begin_attempt(1).await.map(|_| ()),
        pen.reserve_deployment(&deployment("late", 1, 1, &[8001])).await.map(|_| ()),
        pen.deployment_running("deployment-1", &Running::default()).await,
        pen.end_experiment(1, &Outcome::Cancelled, None).await,
        pen.finish_task(TaskEnd { status: TaskStatus::Failed, verdict: None, failure: None }).await,
        pen.finish_task(TaskEnd { verdict: None, ..completed() }).await,
        pen.start_task().await.map(|_| ()),
    ];
    for (n, result) in refused.into_iter().enumerate() {
        let refused = matches!(result, Err(StoreError::WrongState { .. } | StoreError::Conflict { .. }));
        assert!(refused, "{n}: {result:?}");
    }
    assert_eq!(picture(&f.store, task).await, before);
}

pub(crate) async fn a_port_is_held_by_one_live_deployment(f: Fixture) {
    let task = f.task("smoke").await;
    let pen = f.pen(task).await;
    for n in 0..3 {
        step(&pen, 1, n).await.unwrap();
    }
    let ports = [8000, 8001];
    assert_eq!(pen.reserve_deployment(&deployment("a", 1, 1, &ports)).await.unwrap(), Some(8000));
    assert_eq!(pen.reserve_deployment(&deployment("a", 1, 1, &ports)).await.unwrap(), Some(8000));
    assert_eq!(pen.reserve_deployment(&deployment("b", 1, 1, &ports)).await.unwrap(), Some(8001));
    assert_eq!(pen.reserve_deployment(&deployment("no port", 1, 1, &[])).await.unwrap(), None);
    match pen.reserve_deployment(&deployment("c", 1, 1, &ports)).await {
        Err(StoreError::NoFreePort { host, tried }) => assert_eq!((host.as_str(), tried), ("gpu-7", 2)),
        other => panic!("{other:?}"),
    }
    f.store.deployment_stopped("a").await.unwrap();
    assert_eq!(pen.reserve_deployment(&deployment("c", 1, 1, &ports)).await.unwrap(), Some(8000));
    let gone = pen.reserve_deployment(&deployment("a", 1, 1, &ports)).await;
    assert!(matches!(gone, Err(StoreError::Conflict { .. })), "an id is used once: {gone:?}");
    let live = f.another().await.live_deployments().await.unwrap();
    let mut live: Vec<_> = live.iter().map(|d| (d.id.as_str(), d.port)).collect();
    live.sort_unstable();
    assert_eq!(live, [("b", Some(8001)), ("c", Some(8000)), ("no port", None)]);
}

// B8
pub(crate) async fn a_takeover_interrupts_what_was_left_running(f: Fixture) {
    let task = f.task("smoke").await;
    let dead = f.pen(task).await;
    for n in 0..8 {
        step(&dead, 1, n).await.unwrap();
    }
    let pen = f.pen(task).await;
    assert_eq!(pen.start_task().await.unwrap(), TaskStatus::Running);
    let open = pen.begin_attempt(1).await;
    assert!(matches!(open, Err(StoreError::WrongState { .. })), "{open:?}");
    let adopted = pen.record_measurement(1, 1, &measurement(1, 0, 1.0)).await;
    assert!(matches!(adopted, Err(StoreError::WrongState { .. })), "{adopted:?}");
    assert_eq!(pen.interrupt_abandoned(|_, _| false).await.unwrap(), [(1, 1)]);
    assert_eq!(pen.interrupt_abandoned(|_, _| false).await.unwrap(), []);
    assert_eq!(pen.begin_attempt(1).await.unwrap(), 2);
    let state = f.store.load(task).await.unwrap();
    let attempts = &state.experiments[0].attempts;
    assert_eq!(attempts[0].state, AttemptState::Interrupted);
    assert_eq!(attempts[0].failure.as_ref().unwrap().class, FailureClass::Interrupted);
    assert_eq!(attempts[0].measurements.len(), 1, "what was measured stays");
    assert_eq!(attempts[1].state, AttemptState::Running);
    let told = f.store.events_since(0, Some(task), 1000).await.unwrap();
    let resumed: Vec<bool> = told
        .iter()
        .filter_map(|e| match e.event {
            Event::TaskStarted { resumed, .. } => Some(resumed),
            _ => None,
        })
        .collect();
    assert_eq!(resumed, [false, true]);
}

pub(crate) async fn gpu_seconds_are_counted_once_per_attempt(f: Fixture) {
    let task = f.task("smoke").await;
    let pen = f.pen(task).await;
    pen.start_task().await.unwrap();
    pen.create_experiment(1, Role::Baseline, &configuration(0.5)).await.unwrap();
    let failure = Failure::new(FailureClass::PortConflict, "port 8000 is taken");
    for (attempt, gpu_seconds) in [(1, 0.25), (2, 0.5), (3, 0.0)] {
        assert_eq!(pen.begin_attempt(1).await.unwrap(), attempt);
        let end = AttemptEnd { state: AttemptState::Failed, failure: Some(failure.clone()), gpu_seconds };
        for _ in 0..2 {
            pen.end_attempt(1, attempt, &end).await.unwrap();
        }
    }
    let state = f.store.load(task).await.unwrap();
    assert_eq!(state.row.gpu_seconds, 0.75);
    assert_eq!(state.experiments[0].attempts[2].failure, Some(failure));
}

pub(crate) async fn a_cancelled_task_can_be_reopened_but_a_completed_one_cannot(f: Fixture) {
    let task = f.task("smoke").await;
    let pen = f.pen(task).await;
    pen.start_task().await.unwrap();
    let started = f.store.load(task).await.unwrap().row.started_at;
    f.store.request_cancel(task).await.unwrap();
    pen.finish_task(TaskEnd { status: TaskStatus::Cancelled, verdict: None, failure: None }).await.unwrap();
    let refused = pen.start_task().await;
    assert!(matches!(refused, Err(StoreError::WrongState { .. })), "{refused:?}");
    for _ in 0..2 {
        pen.reopen_task().await.unwrap();
    }
    let row = f.store.load(task).await.unwrap().row;
    assert_eq!((row.status, row.cancel_requested, row.ended_at), (TaskStatus::Pending, false, None));
    assert_eq!(pen.start_task().await.unwrap(), TaskStatus::Running);
    assert_eq!(f.store.load(task).await.unwrap().row.started_at, started);
    pen.finish_task(completed()).await.unwrap();
    let refused = pen.reopen_task().await;
    assert!(matches!(refused, Err(StoreError::WrongState { .. })), "{refused:?}");
    assert_eq!(f.store.request_cancel(task).await.unwrap(), TaskStatus::Completed);
}

pub(crate) async fn a_figure_that_is_not_finite_is_refused(f: Fixture) {
    let task = f.task("smoke").await;
    let pen = f.pen(task).await;
    for n in 0..3 {
        step(&pen, 1, n).await.unwrap();
    }
    for throughput in [f64::NAN, f64::INFINITY] {
        let refused = pen.record_measurement(1, 1, &measurement(0, 0, throughput)).await;
        assert!(matches!(refused, Err(StoreError::Unstorable { .. })), "{refused:?}");
    }
    let refused = pen.end_attempt(1, 1, &AttemptEnd { gpu_seconds: f64::NAN, ..succeeded() }).await;
    assert!(matches!(refused, Err(StoreError::Unstorable { .. })), "{refused:?}");
    assert!(f.store.load(task).await.is_ok());
    // It would be read back as null, which means "leave the flag out".
    let refused = pen.create_experiment(2, Role::Search, &configuration(f64::NAN)).await;
    assert!(matches!(refused, Err(StoreError::Unstorable { .. })), "{refused:?}");
}

pub(crate) async fn a_call_that_is_dropped_halfway_has_happened_or_not(f: Fixture) {
    let task = f.task("smoke").await;
    let pen = f.pen(task).await;
    let tried = configuration(0.5);
    let mut dropped = 0;
    for n in 1..=60_u32 {
        let patience = async {
            for _ in 0..n * n {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            biased;
            done = pen.create_experiment(n, Role::Search, &tried) => done.unwrap(),
            () = patience => dropped += 1,
        }
        // The handle is as good as before, and doing it again does it once.
        pen.create_experiment(n, Role::Search, &tried).await.unwrap();
    }
    assert!(dropped > 0, "no call was dropped");
    assert_eq!(f.store.load(task).await.unwrap().experiments.len(), 60);
    let told = f.store.events_since(0, Some(task), 1000).await.unwrap();
    let mut created: Vec<u32> = told
        .iter()
        .filter(|e| matches!(e.event, Event::ExperimentCreated { .. }))
        .filter_map(|e| e.experiment)
        .collect();
    created.sort_unstable();
    assert_eq!(created, (1..=60).collect::<Vec<_>>());
}

/// R14.4: no two live deployments of a host hold one GPU, whichever process asks.
pub(crate) async fn a_gpu_belongs_to_one_live_deployment(f: Fixture) {
    let task = f.task("smoke").await;
    let pen = f.pen(task).await;
    for n in 0..3 {
        step(&pen, 1, n).await.unwrap();
    }
    for id in ["a", "b"] {
        pen.reserve_deployment(&deployment(id, 1, 1, &[])).await.unwrap();
    }
    let of = [0, 1, 2, 5];
    assert_eq!(pen.reserve_gpus("a", 2, &of).await.unwrap(), [0, 1]);
    assert_eq!(pen.reserve_gpus("a", 2, &of).await.unwrap(), [0, 1], "asked again");
    assert!(pen.reserve_gpus("b", 0, &of).await.unwrap().is_empty());
    match pen.reserve_gpus("b", 3, &of).await {
        Err(StoreError::NoFreeGpus { host, wanted, holders }) => {
            assert_eq!((host.as_str(), wanted), ("gpu-7", 3));
            assert_eq!(holders, ["0 by a", "1 by a"]);
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(pen.reserve_gpus("b", 2, &of).await.unwrap(), [2, 5], "all or none: the try before took nothing");
    f.another().await.deployment_stopped("a").await.unwrap();
    assert!(matches!(pen.reserve_gpus("a", 1, &of).await, Err(StoreError::WrongState { .. })));
    pen.reserve_deployment(&deployment("c", 1, 1, &[])).await.unwrap();
    assert_eq!(pen.reserve_gpus("c", 1, &of).await.unwrap(), [0]);
    assert!(matches!(pen.reserve_gpus("nobody", 1, &of).await, Err(StoreError::NotFound { .. })));
}
