//! Tasks searched, revised and put away.

use tuner_core::Outcome;
use tuner_core::plan::Role;
use tuner_store::{
    Archived, Event, ExperimentQuery, ExperimentSort, NewTask, StoreError, TaskEnd, TaskId, TaskQuery, TaskStatus,
};

use crate::fixture::{Fixture, configuration, spec};

async fn revise(f: &Fixture, old: TaskId, name: &str) -> Result<TaskId, StoreError> {
    let new = NewTask { id: TaskId::new(), spec: spec(name), source: "edited".to_owned() };
    Ok(f.store.revise_task(old, new).await?.id)
}

async fn names(f: &Fixture, archived: Archived) -> Vec<String> {
    let query = TaskQuery { archived, ..TaskQuery::default() };
    let page = f.store.find_tasks(&query, None, 50).await.unwrap();
    page.tasks.into_iter().map(|task| task.name).collect()
}

pub(crate) async fn an_edit_stores_another_row_and_the_old_one_keeps_its_experiments(f: Fixture) {
    let old = f.task("t").await;
    let pen = f.pen(old).await;
    pen.start_task().await.unwrap();
    pen.create_experiment(1, Role::Baseline, &configuration(1.0)).await.unwrap();
    pen.end_experiment(1, &Outcome::Cancelled, None).await.unwrap();
    pen.finish_task(TaskEnd { status: TaskStatus::Completed, verdict: None, failure: None }).await.unwrap();
    f.store.release(pen.lease()).await.unwrap();
    f.task("taken").await;
    assert!(matches!(revise(&f, old, "taken").await, Err(StoreError::NameTaken { .. })));
    let new = revise(&f, old, "t").await.unwrap();
    assert_eq!(f.store.task("t").await.unwrap().id, new);
    assert_eq!(f.store.task("t.r1").await.unwrap().status, TaskStatus::Completed, "it had ended as it ended");
    assert_eq!(f.store.experiments(old).await.unwrap().len(), 1);
    assert_eq!(f.store.experiments(new).await.unwrap().len(), 0);
    let third = revise(&f, new, "t").await.unwrap();
    assert_eq!(f.store.task("t.r2").await.unwrap().status, TaskStatus::Cancelled, "one that waited ends");
    assert!(matches!(revise(&f, new, "t").await, Err(StoreError::WrongState { .. })));
    let known: Vec<_> = f.store.revisions(old).await.unwrap().iter().map(|r| (r.number, r.task.id)).collect();
    assert_eq!(known, [(3, third), (2, new), (1, old)]);
    let stands = f.store.revised(new).await.unwrap();
    assert_eq!((stands.number, stands.replaced_by), (2, Some(third)));
    let told = f.store.events_since(0, Some(third), 10).await.unwrap();
    assert_eq!(told[0].event, Event::TaskRevised { name: "t".to_owned(), number: 3, replaces: new });
}

pub(crate) async fn a_task_at_work_is_not_edited_or_archived(f: Fixture) {
    let id = f.task("t").await;
    let pen = f.pen(id).await;
    pen.start_task().await.unwrap();
    assert!(matches!(revise(&f, id, "t").await, Err(StoreError::WrongState { .. })));
    assert!(matches!(f.store.archive_task(id, true).await, Err(StoreError::WrongState { .. })));
    assert_eq!(f.store.task("t").await.unwrap().id, id);
}

pub(crate) async fn archived_and_replaced_tasks_are_left_out_of_lists(f: Fixture) {
    let (a, b) = (f.task("a").await, f.task("b").await);
    revise(&f, b, "b").await.unwrap();
    f.store.archive_task(a, true).await.unwrap();
    f.store.archive_task(a, true).await.unwrap();
    assert_eq!(names(&f, Archived::Without).await, ["b"]);
    assert_eq!(names(&f, Archived::Only).await, ["a"]);
    assert_eq!(names(&f, Archived::With).await, ["b", "a"]);
    assert!(f.store.revised(a).await.unwrap().archived_at.is_some());
    f.store.archive_task(a, false).await.unwrap();
    assert_eq!(names(&f, Archived::Without).await, ["b", "a"]);
    let told = f.store.events_since(0, Some(a), 10).await.unwrap();
    let kinds: Vec<_> = told.iter().map(|row| row.event.kind()).collect();
    assert_eq!(kinds, ["task_created", "task_archived", "task_unarchived"], "twice is once");
    f.store.delete_task(a).await.unwrap();
}

pub(crate) async fn experiments_are_sorted_with_unknown_figures_last_and_paged_without_gaps(f: Fixture) {
    let id = f.task("t").await;
    let pen = f.pen(id).await;
    pen.start_task().await.unwrap();
    let objectives = [Some(5.0), None, Some(9.0), Some(7.0)];
    for (number, objective) in (1..).zip(objectives) {
        pen.create_experiment(number, Role::Search, &configuration(f64::from(number))).await.unwrap();
        let score = objective.map(|value: f64| serde_json::json!({ "objectives": [value] }));
        if let Some(score) = score {
            pen.end_experiment(number, &Outcome::Cancelled, Some(&score)).await.unwrap();
        }
    }
    let ask = async |sort, descending, after, limit| {
        let query = ExperimentQuery { sort, descending, ..ExperimentQuery::default() };
        let page = f.store.find_experiments(&id.to_string(), &query, after, limit).await.unwrap();
        (page.rows.iter().map(|row| row.number).collect::<Vec<_>>(), page.next)
    };
    assert_eq!(ask(ExperimentSort::Objective, true, None, 9).await.0, [3, 4, 1, 2]);
    assert_eq!(ask(ExperimentSort::Objective, false, None, 9).await.0, [1, 4, 3, 2]);
    assert_eq!(ask(ExperimentSort::Objective, true, None, 3).await, (vec![3, 4, 1], Some(1)));
    assert_eq!(ask(ExperimentSort::Objective, true, Some(1), 3).await, (vec![2], None));
    let open = ExperimentQuery { outcomes: vec!["open".to_owned()], ..ExperimentQuery::default() };
    assert_eq!(f.store.find_experiments(&id.to_string(), &open, None, 9).await.unwrap().rows.len(), 1);
    let missing = f.store.find_experiments(&TaskId::new().to_string(), &open, None, 9).await;
    assert!(matches!(missing, Err(StoreError::NoSuchTask { .. })));
    assert_eq!(f.store.experiment(id, 3).await.unwrap().number, 3);
    assert!(matches!(f.store.experiment(id, 9).await, Err(StoreError::NotFound { .. })));
}

pub(crate) async fn a_probe_writes_and_reads_and_counts_are_by_word(f: Fixture) {
    f.task("t").await;
    f.store.probe("health").await.unwrap();
    f.store.probe("health").await.unwrap();
    let counts = f.store.counts().await.unwrap();
    assert_eq!(counts.tasks.get("pending"), Some(&1));
    assert!(counts.experiments.is_empty());
    assert_eq!(f.store.typical_attempt("simulated").await.unwrap(), None);
}
