//! Everything of a store as text, from each database and for each.

use std::io::{BufReader, Cursor, Read};

use sea_orm::{ConnectionTrait, Statement};
use tuner_store::{NewToken, Store, StoreError, TaskQuery};

use crate::fixture::{Fixture, STEPS, picture, step};

/// A store with something in most of its tables.
async fn filled(f: &Fixture) -> tuner_store::TaskId {
    let task = f.task("smoke").await;
    let pen = f.pen(task).await;
    for n in 0..STEPS {
        step(&pen, 1, n).await.unwrap();
    }
    let new = NewToken {
        id: "t1".to_owned(),
        name: "t".to_owned(),
        role: "viewer".to_owned(),
        hash: "h".to_owned(),
        expires_at: None,
    };
    f.store.create_token(new).await.unwrap();
    f.store.probe("p").await.unwrap();
    f.store.create_machine(crate::machines::machine("gpu-a")).await.unwrap();
    f.store
        .enqueue(tuner_store::NewJob::new(tuner_store::JobKind::RenderReport, serde_json::json!({ "ü": 0.1 })))
        .await
        .unwrap();
    task
}

async fn text(store: &Store) -> String {
    let mut out = Vec::new();
    let dumped = store.dump(&mut out).await.unwrap();
    let text = String::from_utf8(out).unwrap();
    assert_eq!(dumped.rows.values().sum::<u64>(), text.lines().count() as u64);
    text
}

async fn load(store: &Store, text: &str) -> Result<u64, StoreError> {
    store.load_dump(Cursor::new(text), |_| None).await
}

pub(crate) async fn what_is_dumped_is_loaded_to_the_last_bit_on_every_database(f: Fixture) {
    let task = filled(&f).await;
    let (before, dumped) = (picture(&f.store, task).await, text(&f.store).await);
    let other = Store::in_memory().await.unwrap();
    assert!(other.is_empty().await.unwrap() && !f.store.is_empty().await.unwrap());
    load(&other, &dumped).await.unwrap();
    assert_eq!((picture(&other, task).await, text(&other).await), (before.clone(), dumped.clone()));
    let listed = async |store: &Store| store.task_page(&TaskQuery::default(), None, 9).await.unwrap().items;
    let counts = |items: String| {
        items
            .split("\"experiments\":")
            .skip(1)
            .map(|rest| rest.split('}').next().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let counted = counts(listed(&other).await);
    assert_eq!(counted, counts(listed(&f.store).await));
    assert!(counted.iter().any(|words| words.contains(':')), "{counted:?}");
    f.task("later").await;
    load(&f.store, &text(&other).await).await.unwrap();
    assert_eq!((picture(&f.store, task).await, text(&f.store).await), (before, dumped), "and back");
    let last = f.store.last_event_seq().await.unwrap();
    f.task("next").await;
    assert!(f.store.last_event_seq().await.unwrap() > last, "numbers go on where they were");
}

pub(crate) async fn a_load_that_is_cut_off_or_cannot_be_read_changes_nothing(f: Fixture) {
    filled(&f).await;
    let dumped = text(&f.store).await;
    f.task("later").await;
    let before = text(&f.store).await;
    let cut = &dumped[..dumped.len() / 2];
    let unknown = format!("{dumped}{{\"table\":\"new\",\"row\":{{}}}}\n");
    let wrong = dumped.replacen("\"name\":\"smoke\"", "\"name\":7", 1);
    for bad in [cut, &unknown, &wrong, "nonsense"] {
        let refused = load(&f.store, bad).await;
        assert!(matches!(refused, Err(StoreError::Dumped { .. })), "{refused:?}");
        assert_eq!(text(&f.store).await, before);
    }
    // A disk that fails in the middle.
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("gone"))
        }
    }
    let half = BufReader::new(Cursor::new(format!("{cut}\n").into_bytes()).chain(Broken));
    assert!(f.store.load_dump(half, |_| None).await.is_err());
    assert_eq!(text(&f.store).await, before);
}

#[tokio::test]
async fn every_table_is_dumped() {
    let f = Fixture::file().await.unwrap();
    let db = crate::files::raw(f.path.as_ref().unwrap()).await;
    let sql = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name <> 'seaql_migrations'";
    let rows = db.query_all_raw(Statement::from_string(db.get_database_backend(), sql)).await.unwrap();
    let mut tables: Vec<String> = rows.iter().map(|row| row.try_get("", "name").unwrap()).collect();
    // What the rows of another say is counted anew where they are loaded.
    tables.retain(|table| table != "outcome_counts");
    tables.sort();
    let dumped = f.store.dump(&mut Vec::new()).await.unwrap();
    assert_eq!(dumped.rows.keys().cloned().collect::<Vec<_>>(), tables);
    assert!(dumped.schema.starts_with('m'), "{}", dumped.schema);
}
