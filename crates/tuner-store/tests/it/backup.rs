//! Backups of a database file, and putting them back.

use tuner_store::{Store, StoreError};

use crate::fixture::{Fixture, STEPS, picture, step};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_is_made_in_use_and_put_back_when_nobody_is() {
    let f = Fixture::file().await.unwrap();
    let path = f.path.clone().unwrap();
    let copy = path.with_file_name("backup.db");
    let task = f.task("smoke").await;
    let pen = f.pen(task).await;
    for n in 0..STEPS / 2 {
        step(&pen, 1, n).await.unwrap();
    }
    let before = picture(&f.store, task).await;
    f.store.backup(&copy).await.unwrap();
    for n in STEPS / 2..STEPS {
        step(&pen, 1, n).await.unwrap();
    }
    let after = picture(&f.store, task).await;
    assert!(matches!(f.store.backup(&copy).await, Err(StoreError::Copy { .. })), "it exists");

    let refused = Store::restore(&copy, &path).await;
    assert!(matches!(refused, Err(StoreError::InUse { .. })), "{refused:?}");
    assert_eq!(picture(&f.store, task).await, after, "whoever has it open goes on");
    drop(pen);
    f.store.close().await.unwrap();
    Store::restore(&copy, &path).await.unwrap();
    let restored = Store::open(&path).await.unwrap();
    assert_eq!(picture(&restored, task).await, before);
    let kept = Store::open(&path.with_file_name("tuner?.db.before-restore")).await.unwrap();
    assert_eq!(picture(&kept, task).await, after);
    let elsewhere = path.with_file_name("new.db");
    Store::restore(&copy, &elsewhere).await.unwrap();
    assert_eq!(picture(&Store::open(&elsewhere).await.unwrap(), task).await, before);
}

#[tokio::test]
async fn what_is_no_backup_is_not_put_back() {
    let f = Fixture::file().await.unwrap();
    let task = f.task("smoke").await;
    let path = f.path.clone().unwrap();
    let before = picture(&f.store, task).await;
    let damaged = path.with_file_name("damaged.db");
    f.store.backup(&damaged).await.unwrap();
    let mut bytes = std::fs::read(&damaged).unwrap();
    let last = bytes.len() - 2000;
    bytes[4096..last].fill(0x5a);
    std::fs::write(&damaged, bytes).unwrap();
    f.store.close().await.unwrap();
    for from in [damaged, path.with_file_name("nothing.db")] {
        let refused = Store::restore(&from, &path).await;
        assert!(matches!(refused, Err(StoreError::Open { .. })), "{refused:?}");
    }
    assert_eq!(picture(&Store::open(&path).await.unwrap(), task).await, before);
}

#[tokio::test]
async fn a_server_has_its_own_backups() {
    let Some(f) = Fixture::postgres().await else { return };
    let refused = f.store.backup(std::path::Path::new("/tmp/never.db")).await;
    match refused {
        Err(e @ StoreError::ServersOwn { .. }) => assert_eq!(e.hint(), Some("use pg_dump and pg_restore")),
        other => panic!("{other:?}"),
    }
}
