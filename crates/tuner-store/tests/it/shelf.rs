//! Presets and data sets by name.

use tuner_core::task::{PresetSpec, ReadContext, read_presets};
use tuner_store::{DatasetRow, Event, NewDataset, NewTask, ShelfChange, ShelfKind, StoreError, TaskId};

use crate::fixture::{Fixture, spec};

fn preset(name: &str, values: &str) -> PresetSpec {
    let text = format!("{{name: {name}, engine: vllm, parameters: {{max-num-seqs: {values}}}, metadata: {{by: me}}}}");
    read_presets(&text, &ReadContext::default()).unwrap().presets.remove(0)
}

fn dataset(name: &str) -> NewDataset {
    NewDataset {
        name: name.to_owned(),
        host: "here".to_owned(),
        path: format!("/data/datasets/{name}"),
        bytes: 12,
        sha256: "ab".repeat(32),
        format: "prompts".to_owned(),
        rows: 3,
        origin: "upload".to_owned(),
        made_by: None,
    }
}

pub(crate) async fn a_preset_is_stored_changed_renamed_and_forgotten_and_each_change_is_told(f: Fixture) {
    let from = f.store.last_event_seq().await.unwrap();
    let both = vec![preset("b", "[1]"), preset("a", "{low: 0.1, high: 0.7}")];
    f.store.create_presets(both.clone(), None).await.unwrap();
    let taken = f.store.create_presets(vec![preset("c", "[1]"), preset("a", "[2]")], None).await;
    assert!(matches!(taken, Err(StoreError::Taken { what: "preset", .. })), "{taken:?}");
    let all: Vec<PresetSpec> = f.store.presets().await.unwrap().into_iter().map(|row| row.preset).collect();
    assert_eq!(all, [both[1].clone(), both[0].clone()], "all or none were stored, and they are as they were");
    assert!(matches!(f.store.change_preset("b", preset("a", "[3]")).await, Err(StoreError::Taken { .. })));
    let changed = f.store.change_preset("b", preset("z", "[3]")).await.unwrap();
    assert_eq!(f.store.preset("z").await.unwrap(), changed);
    assert!(changed.updated_at >= changed.created_at);
    assert!(matches!(f.store.preset("b").await, Err(StoreError::NotFound { .. })));
    f.store.delete_preset("z").await.unwrap();
    assert!(matches!(f.store.delete_preset("z").await, Err(StoreError::NotFound { .. })));
    let told = f.store.events_since(from, None, 10).await.unwrap();
    let told: Vec<(String, ShelfChange)> = told
        .into_iter()
        .map(|row| match row.event {
            Event::Shelf { item: ShelfKind::Preset, name, change } => (name, change),
            other => panic!("{other:?}"),
        })
        .collect();
    let said = |name: &str, change| (name.to_owned(), change);
    use ShelfChange::{Changed, Deleted, Stored};
    assert_eq!(told, [said("b", Stored), said("a", Stored), said("z", Changed), said("z", Deleted)]);
}

pub(crate) async fn a_data_set_is_kept_while_a_task_may_read_it(f: Fixture) {
    let row = f.store.create_dataset(dataset("chats")).await.unwrap();
    assert!(matches!(f.store.create_dataset(dataset("chats")).await, Err(StoreError::Taken { .. })));
    f.store.create_dataset(dataset("chats_")).await.unwrap();
    let mut with = spec("t");
    with.workload.prompts.dataset = Some(tuner_core::task::DatasetSpec::file(&row.path));
    let task = NewTask { id: TaskId::new(), spec: with, source: String::new() };
    let id = f.store.create_task(task).await.unwrap().id;
    match f.store.delete_dataset("chats").await {
        Err(StoreError::InUse { holder, .. }) => assert_eq!(holder, "task \"t\""),
        other => panic!("{other:?}"),
    }
    f.store.delete_dataset("chats_").await.unwrap();
    f.store.delete_task(id).await.unwrap();
    assert_eq!(f.store.delete_dataset("chats").await.unwrap(), row);
    assert_eq!(f.store.datasets().await.unwrap(), Vec::<DatasetRow>::new());
    assert!(matches!(f.store.dataset("chats").await, Err(StoreError::NotFound { .. })));
}
