//! Databases as released versions wrote them, opened by today's code.
//!
//! `fixtures/version-N.db` holds what [`wrote`] writes, by the code whose newest migration was number N. When a version
//! is released with a new migration, write its file with
//! `TUNER_STORE_FIXTURE=FILE cargo test -p tuner-store --test it the_file_of_this_version -- --ignored`
//! and never change it again.

use std::path::{Path, PathBuf};

use sea_orm::{ConnectionTrait, DbBackend, Statement};
use tuner_core::plan::AttemptState;
use tuner_store::{DeploymentState, Resource, Store, TaskStatus};

use crate::fixture::{Fixture, STEPS, configuration, measurement, noon, owner, picture, step, success};

/// A worker ended one experiment and died in the middle of another.
async fn wrote(f: &Fixture) {
    let task = f.task("smoke").await;
    let pen = f.pen(task).await;
    for n in 0..STEPS - 1 {
        step(&pen, 1, n).await.unwrap();
    }
    f.store.deployment_stopped("deployment-1").await.unwrap();
    for n in 1..8 {
        step(&pen, 2, n).await.unwrap();
    }
    f.task("pending").await;
}

#[tokio::test]
#[ignore = "writes a file that is committed once for each version"]
async fn the_file_of_this_version() {
    let file = std::env::var("TUNER_STORE_FIXTURE").unwrap();
    let f = Fixture::file().await.unwrap();
    let f = Fixture { store: f.store.clone().with_clock(std::sync::Arc::new(noon)), ..f };
    wrote(&f).await;
    let db = crate::files::raw(f.path.as_ref().unwrap()).await;
    let vacuum = Statement::from_sql_and_values(DbBackend::Sqlite, "VACUUM INTO $1", [file.into()]);
    db.execute_raw(vacuum).await.unwrap();
}

/// A copy of the file of a version.
fn of_version(version: u32, directory: &Path) -> PathBuf {
    let path = directory.join("tuner.db");
    let file = format!("{}/tests/fixtures/version-{version}.db", env!("CARGO_MANIFEST_DIR"));
    std::fs::copy(file, &path).unwrap();
    path
}

// R14.9
#[tokio::test]
async fn a_database_of_every_version_is_read_to_the_last_bit_and_gone_on_with() {
    for version in 1..=1 {
        let directory = tempfile::tempdir().unwrap();
        let path = of_version(version, directory.path());
        let store = Store::open(&path).await.unwrap();
        assert!(directory.path().join("tuner.db.before-m0002_jobs").exists(), "a copy was made first");
        let f = Fixture { store: store.clone(), path: Some(path), url: None, _directory: Some(directory) };

        let row = store.task("smoke").await.unwrap();
        let state = store.load(row.id).await.unwrap();
        assert_eq!((row.status, row.created_at, row.gpu_seconds), (TaskStatus::Running, noon(), 41.5));
        assert_eq!(state.spec, crate::fixture::spec("smoke"));
        assert_eq!(store.task_source(row.id).await.unwrap(), "name: smoke\n");
        let (done, open) = (&state.experiments[0], &state.experiments[1]);
        assert_eq!((state.experiments.len(), &done.outcome), (2, &Some(success())));
        assert_eq!(done.configuration, configuration(1.0 / 7.0));
        assert_eq!(done.measurements(), [measurement(0, 0, 100.0 / 3.0), measurement(1, 0, 200.0 / 3.0)]);
        assert_eq!(done.attempts[0].evidence.ready_s, Some(1.0 / 3.0));
        assert_eq!((open.attempts[0].state, open.attempts[0].measurements.len()), (AttemptState::Running, 1));
        let live = store.live_deployments().await.unwrap();
        assert_eq!((live.len(), live[0].state, live[0].port), (1, DeploymentState::Running, Some(8002)));
        let holder = store.holder(&Resource::task(row.id)).await.unwrap().unwrap();
        assert_eq!((holder.owner, holder.fence), (owner(1), 1));
        let told = store.events_since(0, None, 1000).await.unwrap();
        assert_eq!(told.len() as i64, store.last_event_seq().await.unwrap());
        assert_eq!(told.iter().filter(|e| e.event.kind() == "level_measured").count(), 3);
        assert_eq!(store.task("pending").await.unwrap().status, TaskStatus::Pending);

        // The next worker takes it up where the first one died.
        let pen = f.pen(row.id).await;
        pen.start_task().await.unwrap();
        assert_eq!(pen.interrupt_abandoned(|_, _| false).await.unwrap(), [(2, 1)]);
        store.deployment_stopped("deployment-2").await.unwrap();
        assert_eq!(pen.begin_attempt(2).await.unwrap(), 2);
        let after = picture(&store, row.id).await;
        let again = Store::open(f.path.as_ref().unwrap()).await.unwrap();
        assert_eq!(picture(&again, row.id).await, after);
    }
}
