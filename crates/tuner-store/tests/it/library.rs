//! Tasks searched, revised and put away.

use tuner_core::Outcome;
use tuner_core::plan::{ExperimentView, Role};
use tuner_store::{
    Archived, Event, ExperimentQuery, ExperimentSort, JsonPage, NewTask, StoreError, TaskEnd, TaskId, TaskQuery,
    TaskStatus,
};

use crate::fixture::{Fixture, STEPS, configuration, spec, step};

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
        let page = f.store.experiment_page(&id.to_string(), &query, &[], after, limit).await.unwrap();
        (numbers(&page), page.next.map(|next| next.parse::<u32>().unwrap()))
    };
    assert_eq!(ask(ExperimentSort::Objective, true, None, 9).await.0, [3, 4, 1, 2]);
    assert_eq!(ask(ExperimentSort::Objective, false, None, 9).await.0, [1, 4, 3, 2]);
    assert_eq!(ask(ExperimentSort::Objective, true, None, 3).await, (vec![3, 4, 1], Some(1)));
    assert_eq!(ask(ExperimentSort::Objective, true, Some(1), 3).await, (vec![2], None));
    let open = ExperimentQuery { outcomes: vec!["open".to_owned()], ..ExperimentQuery::default() };
    for wanted in [id.to_string().as_str(), "t", &id.to_string()[..13]] {
        assert_eq!(numbers(&f.store.experiment_page(wanted, &open, &[], None, 9).await.unwrap()), [2], "{wanted}");
    }
    let baseline = ExperimentQuery { roles: vec!["baseline".to_owned()], ..ExperimentQuery::default() };
    assert_eq!(
        f.store.experiment_page("t", &baseline, &[], None, 9).await.unwrap(),
        JsonPage { items: String::new(), next: None }
    );
    let missing = f.store.experiment_page(&TaskId::new().to_string(), &open, &[], None, 9).await;
    assert!(matches!(missing, Err(StoreError::NoSuchTask { .. })));
    let down = ExperimentQuery { descending: true, sort: ExperimentSort::Elapsed, ..ExperimentQuery::default() };
    assert_eq!(
        numbers(&f.store.experiment_page("t", &down, &[], None, 9).await.unwrap()).last(),
        Some(&2),
        "open ones last"
    );
    assert_eq!(f.store.experiment(id, 3).await.unwrap().number, 3);
    assert!(matches!(f.store.experiment(id, 9).await, Err(StoreError::NotFound { .. })));
}

fn items(page: &JsonPage) -> Vec<serde_json::Value> {
    serde_json::from_str(&format!("[{}]", page.items)).unwrap()
}

fn numbers(page: &JsonPage) -> Vec<u32> {
    items(page).iter().map(|item| item["number"].as_u64().unwrap() as u32).collect()
}

/// A time whichever way it is written, everything else as it is.
fn moment(name: &str, value: &serde_json::Value) -> serde_json::Value {
    match value.as_str().filter(|_| name.ends_with("_at")) {
        Some(text) => text.parse::<chrono::DateTime<chrono::Utc>>().unwrap().timestamp_micros().into(),
        None => value.clone(),
    }
}

/// A page is written by hand; it must say what the rows say.
pub(crate) async fn what_a_page_shows_is_what_the_rows_hold(f: Fixture) {
    let mut odd = spec("odd");
    odd.engine.name = tuner_core::engine::EngineName::Sglang;
    let id = f.store.create_task(NewTask { id: TaskId::new(), spec: odd, source: String::new() }).await.unwrap().id;
    let pen = f.pen(id).await;
    pen.start_task().await.unwrap();
    pen.create_experiment(1, Role::Baseline, &configuration(0.1)).await.unwrap();
    pen.create_experiment(2, Role::Search, &configuration(1e300)).await.unwrap();
    let score = serde_json::json!({ "objectives": [1.0 / 3.0], "class": "ü\"\\" });
    pen.end_experiment(1, &Outcome::Cancelled, Some(&score)).await.unwrap();
    let verdict = serde_json::json!({ "decision": "better", "text": "\n" });
    let failure = Some("it said \"no\"\nand ended\u{1}".to_owned());
    pen.finish_task(TaskEnd { status: TaskStatus::Failed, verdict: Some(verdict), failure }).await.unwrap();
    f.task("pending").await;
    let page = f.store.task_page(&TaskQuery::default(), None, 1).await.unwrap();
    assert_eq!((items(&page).len(), items(&page)[0]["name"].as_str()), (1, Some("pending")));
    let rest = f.store.task_page(&TaskQuery::default(), page.next.map(|id| id.parse().unwrap()), 1).await.unwrap();
    assert_eq!(rest.next, None);
    let mut shown = items(&rest).remove(0);
    let mut row = serde_json::to_value(f.store.task("odd").await.unwrap()).unwrap();
    assert_eq!(shown["experiments"].take(), serde_json::json!({ "cancelled": 1, "open": 1 }));
    for absent in ["started_at", "ended_at", "failure", "verdict"] {
        assert!(row.get(absent).is_some(), "{absent}");
    }
    for (name, value) in shown.as_object().unwrap() {
        if name != "experiments" {
            assert_eq!(moment(name, value), moment(name, &row[name].take()), "{name}");
        }
    }
    let by = async |query: TaskQuery| items(&f.store.task_page(&query, None, 9).await.unwrap()).len();
    assert_eq!(by(TaskQuery { engines: vec!["sglang".to_owned()], ..TaskQuery::default() }).await, 1);
    assert_eq!(
        by(TaskQuery { statuses: vec![TaskStatus::Pending, TaskStatus::Failed], ..TaskQuery::default() }).await,
        2
    );
    assert_eq!(by(TaskQuery { name_contains: Some("EN".to_owned()), ..TaskQuery::default() }).await, 1);
    assert_eq!(by(TaskQuery { name_contains: Some("%".to_owned()), ..TaskQuery::default() }).await, 0);
    assert_eq!(by(TaskQuery { archived: Archived::Only, ..TaskQuery::default() }).await, 0);
    let all = f.store.experiment_page("odd", &ExperimentQuery::default(), &[], None, 9).await.unwrap();
    for (item, row) in items(&all).into_iter().zip(f.store.experiments(id).await.unwrap()) {
        assert_eq!(item["configuration"], serde_json::to_value(&row.configuration).unwrap());
        assert_eq!(item["role"], serde_json::to_value(row.role).unwrap());
        assert_eq!(item["result"], serde_json::to_value(&row.outcome).unwrap());
        assert_eq!(
            moment("created_at", &item["created_at"]),
            moment("created_at", &serde_json::to_value(row.created_at).unwrap())
        );
        assert_eq!(
            (&item["score"], &item["ended_at"]),
            (&serde_json::to_value(&row.score).unwrap(), &serde_json::to_value(row.ended_at).unwrap())
        );
        assert_eq!(item["objective"].as_f64(), row.score.as_ref().and_then(|score| score["objectives"][0].as_f64()));
        assert_eq!(item["elapsed_s"].is_null(), row.ended_at.is_none());
    }
    let fields = ["outcome".to_owned(), "number".to_owned()];
    let some = f.store.experiment_page("odd", &ExperimentQuery::default(), &fields, None, 9).await.unwrap();
    let lines = ["{\"number\":1,\"outcome\":\"cancelled\"}", "{\"number\":2,\"outcome\":\"open\"}"];
    assert_eq!(some.items, lines.join(",\n"));
}

/// The same of an experiment that has ended, which is written by the database too.
pub(crate) async fn an_ended_experiment_is_shown_as_its_rows_are(f: Fixture) {
    let id = f.task("t").await;
    let pen = f.pen(id).await;
    for n in 0..STEPS {
        step(&pen, 1, n).await.unwrap();
    }
    let view = f.store.experiment(id, 1).await.unwrap();
    assert!(view.outcome.is_some() && !view.attempts[0].measurements.is_empty(), "{view:?}");
    for wanted in ["t", &id.to_string()] {
        let shown = f.store.ended_experiment(wanted, 1).await.unwrap().unwrap();
        assert_eq!(serde_json::from_str::<ExperimentView>(&shown.experiment).unwrap(), view);
        let row = f.store.experiments(id).await.unwrap().remove(0);
        assert_eq!(serde_json::from_str::<serde_json::Value>(&shown.score).unwrap(), row.score.unwrap_or_default());
        assert_eq!((shown.task_id, shown.task_name.as_str()), (id.to_string(), "t"));
    }
    step(&pen, 2, 1).await.unwrap();
    for (wanted, number) in [("t", 2), ("t", 3), ("u", 1), (&id.to_string()[..9], 1)] {
        assert_eq!(f.store.ended_experiment(wanted, number).await.unwrap(), None, "{wanted} {number}");
    }
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
