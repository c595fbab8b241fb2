use std::sync::Arc;
use std::time::Duration;

use tuner_core::plan::Role;
use tuner_store::{Event, Severity};

use crate::fixture::{Fixture, STEPS, configuration, measurement, noon, step};

pub(crate) async fn refreshing_equals_loading_after_every_write(f: Fixture) {
    let task = f.task("smoke").await;
    let other = f.task("other").await;
    let reader = f.another().await;
    let mut state = reader.load(task).await.unwrap();
    assert!(!reader.refresh(&mut state).await.unwrap());
    let pen = f.pen(task).await;
    // Two experiments at once, and another task in between.
    for n in 0..STEPS - 1 {
        for experiment in [2, 1] {
            step(&pen, experiment, n).await.unwrap();
            f.store.request_cancel(other).await.unwrap();
            reader.refresh(&mut state).await.unwrap();
            let mut loaded = reader.load(task).await.unwrap();
            loaded.seq = state.seq;
            assert_eq!(state, loaded, "step {n} of experiment {experiment}");
        }
    }
    f.store.deployment_stopped("deployment-1").await.unwrap();
    assert!(reader.refresh(&mut state).await.unwrap());
    assert!(!reader.refresh(&mut state).await.unwrap());
    assert_eq!(state.experiments.iter().map(|e| e.number).collect::<Vec<_>>(), [1, 2]);
    f.store.deployment_stopped("deployment-2").await.unwrap();
    f.store.release(pen.lease()).await.unwrap();
    f.store.delete_task(task).await.unwrap();
    assert!(reader.refresh(&mut state).await.is_err());
}

pub(crate) async fn what_was_written_is_loaded_to_the_last_bit(f: Fixture) {
    let task = f.task("smoke").await;
    let pen = f.pen(task).await;
    pen.start_task().await.unwrap();
    for n in 1..=40_u32 {
        let x = (f64::from(n) * 0.618_033_988_749_894_9).fract();
        let tried = configuration(x);
        pen.create_experiment(n, Role::Search, &tried).await.unwrap();
        pen.begin_attempt(n).await.unwrap();
        pen.record_measurement(n, 1, &measurement(3, 1, x.exp() * 1e3)).await.unwrap();
    }
    let state = f.another().await.load(task).await.unwrap();
    let rows = f.store.experiments(task).await.unwrap();
    for (experiment, row) in state.experiments.iter().zip(rows) {
        let x = (f64::from(experiment.number) * 0.618_033_988_749_894_9).fract();
        assert_eq!(experiment.configuration, configuration(x));
        assert_eq!(row.key, experiment.configuration.key());
        assert_eq!(experiment.measurements(), [measurement(3, 1, x.exp() * 1e3)]);
    }
    assert_eq!(state.experiments.len(), 40);
}

pub(crate) async fn events_come_in_order_and_can_be_replayed_from_any_number(f: Fixture) {
    let task = f.task("smoke").await;
    let pen = f.pen(task).await;
    f.task("other").await;
    for n in 0..STEPS {
        step(&pen, 1, n).await.unwrap();
    }
    let all = f.store.events_since(0, None, 1000).await.unwrap();
    assert!(all.windows(2).all(|w| w[0].seq < w[1].seq));
    assert_eq!(all.last().unwrap().seq, f.store.last_event_seq().await.unwrap());
    for (n, event) in all.iter().enumerate() {
        assert_eq!(f.store.events_since(event.seq, None, 1000).await.unwrap(), all[n + 1..]);
    }
    let mine = f.store.events_since(0, Some(task), 1000).await.unwrap();
    let kinds: Vec<_> = mine.iter().map(|e| e.event.kind()).collect();
    assert_eq!(
        kinds,
        [
            "task_created",
            "lease_claimed",
            "task_started",
            "experiment_created",
            "attempt_started",
            "deployment_reserved",
            "deployment_launched",
            "phase",
            "evidence",
            "level_measured",
            "level_measured",
            "attempt_ended",
            "experiment_ended",
            "task_ended",
        ]
    );
    for row in &mine {
        // The column, the tag and the word are one.
        assert_eq!(serde_json::to_value(row).unwrap()["kind"], row.event.kind());
    }
    assert_eq!(f.store.events_since(0, Some(task), 3).await.unwrap(), mine[..3]);
    assert_eq!(f.store.recent_events(Some(task), 3).await.unwrap(), mine[mine.len() - 3..]);
    assert_eq!(f.store.recent_events(None, 1000).await.unwrap(), all);
}

pub(crate) async fn a_follower_hears_every_event_once(f: Fixture) {
    let task = f.task("smoke").await;
    let pen = f.pen(task).await;
    let start = f.store.last_event_seq().await.unwrap();
    let mut followers = [f.store.follow(start, Some(task)), f.another().await.follow(start, Some(task))];
    let writer = tokio::spawn(async move {
        for n in 0..30 {
            pen.note(None, Severity::Info, n.to_string()).await.unwrap();
        }
    });
    for follower in &mut followers {
        let mut heard = Vec::new();
        while heard.len() < 30 {
            let next = tokio::time::timeout(Duration::from_secs(60), follower.next(7)).await.unwrap().unwrap();
            assert!((1..=7).contains(&next.len()));
            heard.extend(next.into_iter().map(|e| match e.event {
                Event::Note { text, .. } => text,
                other => panic!("{other:?}"),
            }));
        }
        assert_eq!(heard, (0..30).map(|n| n.to_string()).collect::<Vec<_>>());
    }
    writer.await.unwrap();
}

pub(crate) async fn rows_and_events_carry_the_time_of_the_clock_given(f: Fixture) {
    let store = f.store.clone().with_clock(Arc::new(noon));
    let f = Fixture { store, ..f };
    let task = f.task("smoke").await;
    let pen = f.pen(task).await;
    for n in 0..STEPS {
        step(&pen, 1, n).await.unwrap();
    }
    let state = f.store.load(task).await.unwrap();
    let attempt = &state.experiments[0].attempts[0];
    assert_eq!(state.row.ended_at, Some(noon()));
    assert_eq!((attempt.started_at, attempt.ended_at), (noon(), Some(noon())));
    assert!(f.store.events_since(0, Some(task), 100).await.unwrap().iter().all(|e| e.at == noon()));
}
