//! What only a database in a file has: other versions, damage, several processes, and processes that die.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use sea_orm::{ConnectionTrait, Database, DatabaseConnection, DbBackend, FromQueryResult, JsonValue, Statement};
use tuner_core::plan::Role;
use tuner_store::{Event, Owner, Resource, Store, StoreError, TaskStatus};

use crate::fixture::{Fixture, STEPS, TTL, configuration, measurement, noon, picture, step, succeeded, success};

/// The file without the store around it.
pub(crate) async fn raw(path: &Path) -> DatabaseConnection {
    let file = path.to_owned();
    let mut options = sea_orm::ConnectOptions::new("sqlite://");
    options.map_sqlx_sqlite_opts(move |o| o.in_memory(false).shared_cache(false).filename(&file));
    Database::connect(options).await.unwrap()
}

const TABLES: [&str; 9] =
    ["tasks", "experiments", "attempts", "measurements", "deployments", "leases", "jobs", "workers", "events"];

/// Every row of every table.
async fn dump(db: &DatabaseConnection) -> Vec<(&'static str, Vec<JsonValue>)> {
    let mut all = Vec::new();
    for table in TABLES {
        let rows = Statement::from_string(DbBackend::Sqlite, format!("SELECT * FROM {table} ORDER BY 1, 2, 3"));
        all.push((table, JsonValue::find_by_statement(rows).all(db).await.unwrap()));
    }
    all
}

// B8
#[tokio::test]
async fn a_change_without_its_event_is_no_change() {
    let f = Fixture::file().await.unwrap();
    let task = f.task("smoke").await;
    let pen = f.pen(task).await;
    let db = raw(f.path.as_ref().unwrap()).await;
    let fail = "CREATE TRIGGER full BEFORE INSERT ON events BEGIN SELECT RAISE(ABORT, 'the disk is full'); END";
    for n in 0..STEPS {
        db.execute_unprepared(fail).await.unwrap();
        let before = dump(&db).await;
        let failed = step(&pen, 1, n).await;
        assert!(matches!(failed, Err(StoreError::Database(_))), "step {n}: {failed:?}");
        assert_eq!(dump(&db).await, before, "step {n}");
        db.execute_unprepared("DROP TRIGGER full").await.unwrap();
        step(&pen, 1, n).await.unwrap();
        let after = dump(&db).await;
        // Phases are events and nothing else.
        let rows_changed = after[..8] != before[..8];
        assert!(rows_changed || n == 5, "step {n}");
        assert!(after[8].1.len() > before[8].1.len(), "step {n}");
    }
}

#[tokio::test]
async fn a_database_outlives_its_handle() {
    let f = Fixture::file().await.unwrap();
    let task = f.task("smoke").await;
    let pen = f.pen(task).await;
    for n in 0..STEPS {
        step(&pen, 1, n).await.unwrap();
    }
    let before = picture(&f.store, task).await;
    let again = Store::open(f.path.as_ref().unwrap()).await.unwrap();
    assert_eq!(picture(&again, task).await, before);
    assert_eq!(*again.watch_events().borrow(), f.store.last_event_seq().await.unwrap());
    f.store.close().await.unwrap();
    assert_eq!(picture(&again, task).await, before);
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_refused_and_left_alone() {
    let f = Fixture::file().await.unwrap();
    f.task("smoke").await;
    let path = f.path.clone().unwrap();
    let db = raw(&path).await;
    db.execute_unprepared("INSERT INTO seaql_migrations VALUES ('m9999_future', 0)").await.unwrap();
    let before = dump(&db).await;
    match Store::open(&path).await {
        Err(StoreError::NewerSchema { place, unknown, known }) => {
            assert_eq!((place, unknown), (path.display().to_string(), vec!["m9999_future".to_owned()]));
            assert_eq!(known, "m0012_proposals");
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(dump(&db).await, before);
}

#[tokio::test]
async fn what_is_no_database_is_refused_by_name() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("notes.txt");
    std::fs::write(&path, "this is a text of more than a hundred bytes, ".repeat(5)).unwrap();
    for path in [path.as_path(), directory.path()] {
        match Store::open(path).await {
            Err(StoreError::Open { path: named, .. }) => assert_eq!(named, path),
            other => panic!("{other:?}"),
        }
    }
    assert!(std::fs::read_to_string(path).unwrap().starts_with("this is a text"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_may_open_a_new_database_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let opened = (0..6).map(|_| {
        let path = directory.path().join("tuner.db");
        tokio::spawn(async move { Store::open(&path).await })
    });
    for store in opened.collect::<Vec<_>>() {
        assert_eq!(store.await.unwrap().unwrap().last_event_seq().await.unwrap(), 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writers_of_several_handles_wait_for_each_other() {
    let f = Fixture::file().await.unwrap();
    let mut writers = Vec::new();
    for w in 0..4 {
        let store = f.another().await;
        let task = f.task(&format!("task-{w}")).await;
        let worker = Owner { host: "h".to_owned(), pid: w, start_ticks: 0, pid_namespace: None };
        let lease = store.claim(&Resource::task(task), &worker, TTL, noon()).await.unwrap().won().unwrap();
        writers.push(tokio::spawn(async move {
            let pen = store.claimed(task, lease);
            for n in 1..=20 {
                pen.create_experiment(n, Role::Search, &configuration(f64::from(n))).await.unwrap();
            }
            store.load(task).await.unwrap().experiments.len()
        }));
    }
    for writer in writers {
        assert_eq!(writer.await.unwrap(), 20);
    }
}

const CHILD: &str = "TUNER_STORE_CHILD_DATABASE";

/// Not a test of its own: the process that the next test kills. It goes on where the rows say the one before ended.
#[tokio::test]
#[ignore = "run by the test that kills it"]
async fn child_that_writes_until_it_is_killed() {
    let path = std::env::var(CHILD).unwrap();
    let store = Store::open(Path::new(&path)).await.unwrap();
    let task = store.task("smoke").await.unwrap().id;
    let resource = Resource::task(task);
    if let Some(dead) = store.holder(&resource).await.unwrap() {
        assert!(store.break_lease(&resource, dead.fence).await.unwrap());
    }
    let worker = Owner { host: "h".to_owned(), pid: std::process::id(), start_ticks: 0, pid_namespace: None };
    let lease = store.claim(&resource, &worker, TTL, noon()).await.unwrap().won().unwrap();
    let pen = store.claimed(task, lease);
    pen.start_task().await.unwrap();
    for left in store.live_deployments().await.unwrap() {
        store.deployment_stopped(&left.id).await.unwrap();
    }
    pen.interrupt_abandoned(|_, _| false).await.unwrap();
    let state = store.load(task).await.unwrap();
    let open = state.experiments.iter().find(|e| e.outcome.is_none()).map(|e| e.number);
    let mut number = open.unwrap_or(state.experiments.len() as u32 + 1);
    loop {
        pen.create_experiment(number, Role::Search, &configuration(f64::from(number))).await.unwrap();
        let attempt = pen.begin_attempt(number).await.unwrap();
        let id = format!("{number}-{attempt}");
        pen.reserve_deployment(&crate::fixture::deployment(&id, number, attempt, &[8000])).await.unwrap();
        for level in 0..3 {
            pen.record_measurement(number, attempt, &measurement(level, 0, 1.0)).await.unwrap();
        }
        store.deployment_stopped(&id).await.unwrap();
        pen.end_attempt(number, attempt, &succeeded()).await.unwrap();
        pen.end_experiment(number, &success(), None).await.unwrap();
        number += 1;
    }
}

struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

// B8
#[tokio::test]
async fn a_process_killed_in_the_middle_of_writes_leaves_a_readable_database() {
    let f = Fixture::file().await.unwrap();
    let path = f.path.clone().unwrap();
    let task = f.task("smoke").await;
    for round in 0..4_i64 {
        let start = f.store.last_event_seq().await.unwrap();
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "files::child_that_writes_until_it_is_killed", "--ignored"])
            .env(CHILD, &path)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut child = Killed(child);
        let limit = Instant::now() + Duration::from_secs(120);
        while f.store.last_event_seq().await.unwrap() < start + 25 + 7 * round {
            assert!(child.0.try_wait().unwrap().is_none(), "the child ended by itself");
            assert!(Instant::now() < limit, "the child writes nothing");
            tokio::task::yield_now().await;
        }
        drop(child);

        let db = raw(&path).await;
        let check = db.query_one_raw(Statement::from_string(DbBackend::Sqlite, "PRAGMA integrity_check"));
        assert_eq!(check.await.unwrap().unwrap().try_get_by::<String, _>(0).unwrap(), "ok");
        let store = Store::open(&path).await.unwrap();
        let state = store.load(task).await.unwrap();
        assert_eq!(state.row.status, TaskStatus::Running);
        let numbers: Vec<u32> = state.experiments.iter().map(|e| e.number).collect();
        assert_eq!(numbers, (1..=numbers.len() as u32).collect::<Vec<_>>(), "nothing lost, nothing twice");
        let ended = state.experiments.iter().filter(|e| e.outcome.is_some()).count();
        assert!(ended + 1 >= numbers.len(), "one open experiment at most");
        let measured: usize = state.experiments.iter().flat_map(|e| &e.attempts).map(|a| a.measurements.len()).sum();
        // Each row has exactly the event that tells of it.
        let told = store.events_since(0, Some(task), 100_000).await.unwrap();
        let count = |kind: &str| told.iter().filter(|e| e.event.kind() == kind).count();
        assert_eq!(count("experiment_created"), numbers.len());
        assert_eq!(count("experiment_ended"), ended);
        assert_eq!(count("level_measured"), measured);
        assert!(told.iter().any(|e| matches!(e.event, Event::TaskStarted { .. })));
        assert!(store.live_deployments().await.unwrap().len() <= 1);
    }
}

/// Prints what the store costs a simulated task. Nothing is asserted: a shared machine has no fixed speed.
#[tokio::test]
#[ignore = "a figure for people: run with --ignored --nocapture"]
async fn what_fifty_experiments_cost() {
    for f in [Fixture::memory().await, Fixture::file().await, Fixture::postgres().await].into_iter().flatten() {
        let task = f.task("smoke").await;
        let pen = f.pen(task).await;
        pen.start_task().await.unwrap();
        let mut state = f.store.load(task).await.unwrap();
        let (begun, mut writes, mut refreshed) = (Instant::now(), 0, Duration::ZERO);
        for experiment in 1..=50 {
            for n in [1, 2, 5, 7, 8, 9, 10] {
                step(&pen, experiment, n).await.unwrap();
                writes += 1;
                let reading = Instant::now();
                f.store.refresh(&mut state).await.unwrap();
                refreshed += reading.elapsed();
            }
        }
        let all = begun.elapsed();
        let loading = Instant::now();
        f.store.load(task).await.unwrap();
        println!(
            "{}: {writes} writes {:?}, as many refreshes {refreshed:?}, one load {:?}",
            f.url.as_ref().map_or("memory", |url| url.split(':').next().unwrap()),
            all - refreshed,
            loading.elapsed()
        );
    }
}

/// A released migration is never edited: if this text changes, it must be by a new one.
#[tokio::test]
async fn the_tables_are_these() {
    let f = Fixture::file().await.unwrap();
    let sql = "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY rowid";
    let rows = raw(f.path.as_ref().unwrap()).await;
    let rows = rows.query_all_raw(Statement::from_string(DbBackend::Sqlite, sql)).await.unwrap();
    let tables: Vec<String> = rows.iter().map(|row| row.try_get("", "sql").unwrap()).collect();
    insta::assert_snapshot!(tables.join("\n").replace(", \"", ",\n    \""));
}
