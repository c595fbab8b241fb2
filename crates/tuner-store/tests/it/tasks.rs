use tuner_store::{Event, NewTask, Resource, StoreError, TaskId, TaskQuery, TaskStatus};

use crate::fixture::{Fixture, STEPS, TTL, deployment, noon, owner, spec, step};

// R10.1, R10.2
pub(crate) async fn a_stored_task_shows_every_default(f: Fixture) {
    let id = f.task("smoke").await;
    let state = f.another().await.load(id).await.unwrap();
    assert_eq!(state.spec, spec("smoke"));
    assert_eq!(state.spec.timeouts.experiment_s, 1800.0);
    let shown = serde_json::to_value(&state.spec).unwrap();
    assert_eq!(shown["budget"]["experiments"], 20);
    assert_eq!(state.row.status, TaskStatus::Pending);
    assert_eq!(state.row.engine, "simulated");
    assert_eq!(f.store.task_source(id).await.unwrap(), "name: smoke\n");
}

pub(crate) async fn storing_a_task_twice_is_storing_it_once(f: Fixture) {
    let new = NewTask { id: TaskId::new(), spec: spec("smoke"), source: "x".to_owned() };
    let first = f.store.create_task(new.clone()).await.unwrap();
    assert_eq!(f.store.create_task(new.clone()).await.unwrap(), first);
    assert_eq!(f.store.last_event_seq().await.unwrap(), 1);
    let other = NewTask { source: "y".to_owned(), ..new };
    assert!(matches!(f.store.create_task(other).await, Err(StoreError::Conflict { .. })));
}

pub(crate) async fn a_name_belongs_to_one_task(f: Fixture) {
    let first = f.task("smoke").await;
    let again = NewTask { id: TaskId::new(), spec: spec("smoke"), source: String::new() };
    match f.store.create_task(again).await {
        Err(StoreError::NameTaken { name, id }) => assert_eq!((name.as_str(), id), ("smoke", first)),
        other => panic!("{other:?}"),
    }
}

pub(crate) async fn a_task_is_found_by_id_name_or_beginning_of_its_id(f: Fixture) {
    let id = f.task("smoke").await;
    let full = id.to_string();
    for wanted in [full.as_str(), "smoke", &full[..30], &full[..30].to_uppercase()] {
        assert_eq!(f.store.task(wanted).await.unwrap().id, id, "{wanted}");
    }
    for wanted in ["smok", "", "%", "____", &full[..3], "0000-"] {
        assert!(matches!(f.store.task(wanted).await, Err(StoreError::NoSuchTask { .. })), "{wanted}");
    }
    // Ids made within the same minute begin alike.
    f.task("second").await;
    match f.store.task(&full[..4]).await {
        Err(StoreError::AmbiguousTask { candidates, .. }) => assert_eq!(candidates.len(), 2),
        other => panic!("{other:?}"),
    }
}

pub(crate) async fn tasks_are_listed_newest_first_page_by_page(f: Fixture) {
    let mut ids = Vec::new();
    for n in 0..5 {
        ids.push(f.task(&format!("task-{n}")).await);
    }
    ids.reverse();
    let all = TaskQuery::default();
    let mut seen = Vec::new();
    let mut after = None;
    loop {
        let page = f.store.find_tasks(&all, after, 2).await.unwrap();
        seen.extend(page.tasks.iter().map(|t| t.id));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(seen, ids);
    let pen = f.pen(ids[0]).await;
    for n in 0..11 {
        step(&pen, 1, n).await.unwrap();
    }
    for n in [2, 3] {
        step(&pen, n, 1).await.unwrap();
    }
    let counts = f.store.outcome_counts(&ids).await.unwrap();
    let expected = [("open".to_owned(), 2), ("success".to_owned(), 1)];
    assert_eq!(counts, [(ids[0], expected.into())].into());
    f.store.request_cancel(ids[3]).await.unwrap();
    let cancelled = TaskQuery { statuses: vec![TaskStatus::Cancelled], ..TaskQuery::default() };
    let page = f.store.find_tasks(&cancelled, None, 10).await.unwrap();
    assert_eq!(page.tasks.iter().map(|t| t.id).collect::<Vec<_>>(), [ids[3]]);
}

pub(crate) async fn a_pending_task_is_cancelled_at_once_and_a_running_one_by_its_worker(f: Fixture) {
    let pending = f.task("pending").await;
    for _ in 0..2 {
        assert_eq!(f.store.request_cancel(pending).await.unwrap(), TaskStatus::Cancelled);
    }
    let running = f.task("running").await;
    let pen = f.pen(running).await;
    pen.start_task().await.unwrap();
    let before = f.store.last_event_seq().await.unwrap();
    for _ in 0..2 {
        assert_eq!(f.store.request_cancel(running).await.unwrap(), TaskStatus::Cancelling);
    }
    assert_eq!(f.store.last_event_seq().await.unwrap(), before + 1);
    assert!(f.store.load(running).await.unwrap().row.cancel_requested);
    // The request outlives the worker that should have answered it.
    assert_eq!(f.pen(running).await.start_task().await.unwrap(), TaskStatus::Cancelling);
}

pub(crate) async fn a_task_in_use_cannot_be_deleted(f: Fixture) {
    let id = f.task("smoke").await;
    let store = f.store.clone().with_clock(std::sync::Arc::new(noon));
    let resource = Resource::task(id);
    let lease = store.claim(&resource, &owner(1), TTL, noon()).await.unwrap().won().unwrap();
    match store.delete_task(id).await {
        Err(StoreError::InUse { holder, .. }) => {
            assert!(holder.starts_with("pid 1 on gpu-7 since 2026-11-22 12:00:00"))
        }
        other => panic!("{other:?}"),
    }
    let pen = store.claimed(id, lease.clone());
    for n in 0..3 {
        step(&pen, 1, n).await.unwrap();
    }
    pen.reserve_deployment(&deployment("d", 1, 1, &[8000])).await.unwrap();
    store.release(&lease).await.unwrap();
    assert!(matches!(store.delete_task(id).await, Err(StoreError::InUse { .. })));
    store.deployment_stopped("d").await.unwrap();
    store.delete_task(id).await.unwrap();
}

pub(crate) async fn a_deleted_task_leaves_only_the_event_of_its_deletion(f: Fixture) {
    let id = f.task("smoke").await;
    let kept = f.task("kept").await;
    let pen = f.pen(id).await;
    for n in 0..STEPS {
        step(&pen, 1, n).await.unwrap();
    }
    f.store.deployment_stopped("deployment-1").await.unwrap();
    f.store.release(pen.lease()).await.unwrap();
    f.store.delete_task(id).await.unwrap();
    assert!(matches!(f.store.load(id).await, Err(StoreError::NoSuchTask { .. })));
    assert!(matches!(f.store.delete_task(id).await, Err(StoreError::NoSuchTask { .. })));
    assert!(matches!(step(&pen, 1, 0).await, Err(StoreError::LeaseLost { .. })));
    let left = f.store.events_since(0, Some(id), 100).await.unwrap();
    assert_eq!(
        left.into_iter().map(|e| e.event).collect::<Vec<_>>(),
        [Event::TaskDeleted { name: "smoke".to_owned() }]
    );
    assert!(f.store.load(kept).await.is_ok());
    assert_eq!(f.store.holder(&Resource::task(id)).await.unwrap(), None);
    f.task("smoke").await;
}
