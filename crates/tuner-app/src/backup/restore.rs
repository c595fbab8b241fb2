//! Putting a backup back.
//!
//! The order is what makes it safe to be cut off anywhere: files are laid beside, the store changes in one transaction, and
//! only then do files take their places. What was there before is in a backup of its own and in folders beside.

use std::io::BufReader;
use std::path::{Path, PathBuf};

use chrono::Utc;
use serde::Serialize;
use tuner_runner::is_dead;
use tuner_store::{Store, Trouble};

use super::{BackupError, DATABASE, Manifest, Part, archive, back_up, unreadable, unwritable};
use crate::error::AppError;
use crate::home::Home;
use crate::instance::Instance;
use crate::tune;

/// What was put back.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Restored {
    /// The backup.
    pub manifest: Manifest,
    /// The store as it was before, as a backup, or as the file itself where that is damaged; none if it was empty.
    pub kept: Option<PathBuf>,
    /// Folders as they were before.
    pub aside: Vec<PathBuf>,
}

/// Puts a backup back into a data directory and its store, whichever database that is. With `force` what is there is kept
/// aside first.
///
/// # Errors
/// [`AppError::SecondServer`] while a server runs on the data directory; [`AppError::Backup`].
pub async fn restore(home: &Home, place: &Path, force: bool) -> Result<Restored, AppError> {
    let _alone = Instance::take(home)?;
    let (owned, staged) = (place.to_owned(), home.root().join(".restoring"));
    let stage = staged.clone();
    let manifest = crate::service::apart(move || lay_beside(&owned, &stage)).await?;
    let now = Utc::now().format("%Y%m%dT%H%M%S%3f").to_string();
    let (store, kept) = match keep(home, force, &now).await {
        Err(AppError::Store(error)) if force && error.trouble() == Some(Trouble::Damaged) => aside(home, &now).await?,
        kept => kept?,
    };
    let restored = into(home, &store, &staged, manifest, &now).await;
    store.close().await?;
    let restored = restored.map(|(manifest, aside)| Restored { manifest, kept, aside });
    let _ = std::fs::remove_dir_all(&staged);
    restored
}

/// Checks every byte, then unpacks.
fn lay_beside(place: &Path, staged: &Path) -> Result<Manifest, BackupError> {
    let manifest = archive::check(place)?;
    match std::fs::remove_dir_all(staged) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(unwritable(staged)(error)),
        _ => {}
    }
    let known =
        |name: &str| name == DATABASE || Part::ALL.iter().any(|part| name.starts_with(&format!("{}/", part.name())));
    archive::read(place, |name, content| match known(name) {
        true => archive::put(content, &staged.join(name)),
        // Of a version that keeps more: nothing that this one would look for.
        false => Ok(()),
    })?;
    Ok(manifest)
}

/// The store, with what is in it kept as a backup; `None` if it is empty.
async fn keep(home: &Home, force: bool, now: &str) -> Result<(Store, Option<PathBuf>), AppError> {
    let store = tune::open_store(home).await?;
    let kept = keep_of(home, &store, force, now).await;
    if kept.is_err() {
        store.clone().close().await?;
    }
    Ok((store, kept?))
}

async fn keep_of(home: &Home, store: &Store, force: bool, now: &str) -> Result<Option<PathBuf>, AppError> {
    let workers = store.list_workers().await?;
    // A backup brings the workers of its moment along.
    let at_work: Vec<String> =
        workers.iter().filter(|w| w.alive && !is_dead(&w.owner)).map(|w| w.owner.to_string()).collect();
    if !at_work.is_empty() {
        return Err(BackupError::AtWork { workers: at_work }.into());
    }
    if store.is_empty().await? {
        return Ok(None);
    }
    if !force {
        return Err(BackupError::NotEmpty.into());
    }
    let place = home.root().join(format!("before-restore-{now}.backup"));
    back_up(home, store, &place, &[]).await?;
    Ok(Some(place))
}

/// A new database in the place of a file that cannot be read any more; that one is kept as it is.
async fn aside(home: &Home, now: &str) -> Result<(Store, Option<PathBuf>), AppError> {
    let database = home.database();
    let place = home.root().join(format!("before-restore-{now}.sqlite"));
    for end in ["-wal", "-shm", ""] {
        let with_end = |path: &Path| PathBuf::from(format!("{}{end}", path.display()));
        match std::fs::rename(with_end(&database), with_end(&place)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(unwritable(&database)(error).into());
            }
            _ => {}
        }
    }
    Ok((tune::open_store(home).await?, Some(place)))
}

async fn into(
    home: &Home,
    store: &Store,
    staged: &Path,
    manifest: Manifest,
    now: &str,
) -> Result<(Manifest, Vec<PathBuf>), AppError> {
    let lines = staged.join(DATABASE);
    let file = std::fs::File::open(&lines).map_err(unreadable(&lines))?;
    let (from, to) = (quoted(&manifest.data_dir), quoted(home.root()));
    // Rows name files of the data directory by their whole paths.
    let moved = |line: &str| (from != to && line.contains(&from)).then(|| line.replace(&from, &to));
    store.load_dump(BufReader::new(file), moved).await?;
    let mut aside = Vec::new();
    for part in &manifest.parts {
        let (from, to) = (staged.join(part.name()), part.folder(home));
        if to.exists() {
            let beside = home.root().join(format!("{}.before-restore-{now}", part.name()));
            std::fs::rename(&to, &beside).map_err(unwritable(&beside))?;
            aside.push(beside);
        }
        if from.exists() {
            std::fs::rename(&from, &to).map_err(unwritable(&to))?;
        }
    }
    Ok((manifest, aside))
}

/// A folder as it begins a path inside of JSON.
fn quoted(folder: &Path) -> String {
    let text = serde_json::to_string(&folder.display().to_string()).unwrap_or_default();
    format!("{}/", text.trim_matches('"'))
}
