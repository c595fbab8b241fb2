use std::io::Read;
use tuner_core::task::DatasetSpec;
use tuner_store::{NewTask, Store, TaskId};

use super::*;
use crate::error::AppError;
use crate::instance::Instance;
use crate::tune;

const TASK: &str = "{name: t, model: {id: m}, engine: {name: simulated}, backend: {kind: virtual}, search_space: {}}";

/// A data directory with a task, a data set that it reads, a log and a report.
async fn filled(folder: &Path, name: &str) -> (Home, Store) {
    let home = Home::new(folder);
    let store = tune::open_store(&home).await.unwrap();
    for (place, text) in [
        (home.datasets().join("d"), "rows"),
        (home.logs().join("x/e.log"), "log"),
        (home.reports().join("t.html"), "<p>"),
    ] {
        std::fs::create_dir_all(place.parent().unwrap()).unwrap();
        std::fs::write(place, text).unwrap();
    }
    let mut spec = tuner_core::task::read(TASK, &Default::default()).unwrap().spec;
    spec.name = name.to_owned();
    spec.workload.prompts.dataset = Some(DatasetSpec::file(&home.datasets().join("d").display().to_string()));
    store.create_task(NewTask { id: TaskId::new(), spec, source: TASK.to_owned() }).await.unwrap();
    (home, store)
}

async fn lines(store: &Store) -> String {
    let mut out = Vec::new();
    store.dump(&mut out).await.unwrap();
    String::from_utf8(out).unwrap()
}

async fn names(home: &Home) -> Vec<String> {
    let store = tune::open_store(home).await.unwrap();
    let page = store.find_tasks(&Default::default(), None, 10).await.unwrap();
    page.tasks.into_iter().map(|task| task.name).collect()
}

fn why(error: AppError) -> BackupError {
    match error {
        AppError::Backup(error) => error,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_backup_in_use_is_put_back_whole_elsewhere_with_its_paths() {
    let folder = tempfile::tempdir().unwrap();
    let (home, store) = filled(&folder.path().join("a"), "t").await;
    let place = folder.path().join("b.backup");
    let _running = Instance::take(&home).unwrap();
    let manifest = back_up(&home, &store, &place, &Part::ALL).await.unwrap();
    assert_eq!((manifest.rows["tasks"], manifest.files.len()), (1, 4), "{manifest:?}");
    assert!(matches!(why(back_up(&home, &store, &place, &[]).await.unwrap_err()), BackupError::Exists { .. }));
    let before = lines(&store).await;
    assert!(matches!(restore(&home, &place, true).await, Err(AppError::SecondServer { .. })), "a server runs there");

    let other = Home::new(folder.path().join("other place"));
    let restored = restore(&other, &place, false).await.unwrap();
    assert_eq!((restored.kept, restored.aside.len()), (None, 0));
    let moved = before.replace(&home.root().display().to_string(), &other.root().display().to_string());
    assert_ne!(moved, before);
    assert_eq!(lines(&tune::open_store(&other).await.unwrap()).await, moved);
    for (file, text) in [("datasets/d", "rows"), ("logs/x/e.log", "log"), ("reports/t.html", "<p>")] {
        assert_eq!(std::fs::read_to_string(other.root().join(file)).unwrap(), text);
    }
    assert!(!other.root().join(".restoring").exists());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 3, "nothing is left beside the backup");
}

#[tokio::test]
async fn what_is_there_is_kept_aside_and_only_when_asked() {
    let folder = tempfile::tempdir().unwrap();
    let (old, store) = filled(&folder.path().join("old"), "old").await;
    let place = folder.path().join("b");
    back_up(&old, &store, &place, &[Part::Reports]).await.unwrap();
    let (home, store) = filled(&folder.path().join("new"), "new").await;
    store.close().await.unwrap();
    assert!(matches!(why(restore(&home, &place, false).await.unwrap_err()), BackupError::NotEmpty));
    assert_eq!(names(&home).await, ["new"]);
    let restored = restore(&home, &place, true).await.unwrap();
    assert_eq!((names(&home).await, restored.aside.len()), (vec!["old".to_owned()], 1));
    assert!(
        restored.aside[0].join("t.html").exists() && home.datasets().join("d").exists(),
        "only what is in it moves"
    );
    let back = Home::new(folder.path().join("back"));
    restore(&back, &restored.kept.unwrap(), false).await.unwrap();
    assert_eq!(names(&back).await, ["new"]);
}

fn unpacked(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut whole = Vec::new();
    flate2::read::MultiGzDecoder::new(bytes).read_to_end(&mut whole).ok().map(|_| whole)
}

#[tokio::test]
async fn what_is_damaged_cut_short_or_newer_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (home, store) = filled(&folder.path().join("a"), "t").await;
    let place = folder.path().join("b");
    let manifest = back_up(&home, &store, &place, &Part::ALL).await.unwrap();
    let whole = std::fs::read(&place).unwrap();
    let to = Home::new(folder.path().join("to"));
    let bad = folder.path().join("bad");
    let mut refusals = 0;
    for n in (0..whole.len()).step_by(whole.len() / 40) {
        let mut flipped = whole.clone();
        flipped[n] ^= 0x10;
        for bytes in [&flipped[..], &whole[..n]] {
            std::fs::write(&bad, bytes).unwrap();
            match restore(&to, &bad, true).await {
                // A bit of the packing that changes nothing of what is packed: its time, or a way to say the same.
                Ok(_) => assert!(unpacked(bytes) == unpacked(&whole), "{n} of {}", bytes.len()),
                Err(error) => {
                    assert!(matches!(why(error), BackupError::Damaged { .. }), "{n}");
                    refusals += 1;
                }
            }
        }
    }
    assert!(refusals > 70, "{refusals}");
    // A whole archive that says something else of itself.
    let write = |change: &dyn Fn(&mut Manifest)| {
        let _ = std::fs::remove_file(&bad);
        let mut writer = archive::Writer::begin(&bad).unwrap();
        let lines = folder.path().join("lines");
        std::fs::write(&lines, "").unwrap();
        writer.add(DATABASE, &lines).unwrap();
        let mut changed = Manifest { files: writer.files.clone(), ..manifest.clone() };
        change(&mut changed);
        writer.finish(&changed, &bad).unwrap();
    };
    let fresh = Home::new(folder.path().join("fresh"));
    for newer in
        [&(|m: &mut Manifest| m.version += 1) as &dyn Fn(&mut Manifest), &|m| m.schema = "m9999_later".to_owned()]
    {
        write(newer);
        assert!(matches!(why(restore(&fresh, &bad, false).await.unwrap_err()), BackupError::Newer { .. }));
    }
    write(&|m| m.files[0].sha256 = "0".repeat(64));
    assert!(matches!(why(restore(&fresh, &bad, false).await.unwrap_err()), BackupError::Damaged { .. }));
    write(&|m| m.format = "other".to_owned());
    assert!(matches!(why(restore(&fresh, &bad, false).await.unwrap_err()), BackupError::Damaged { .. }));
    assert!(!fresh.database().exists(), "the store was not even opened");
    write(&|_| {});
    restore(&fresh, &bad, false).await.unwrap();
}
