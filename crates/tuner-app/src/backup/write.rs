//! Writing a backup, while everything else goes on.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use chrono::Utc;
use tuner_runner::this_process;
use tuner_store::Store;

use super::archive::Writer;
use super::{BackupError, DATABASE, FORMAT, MANIFEST, Manifest, Part, VERSION, unreadable, unwritable};
use crate::error::AppError;
use crate::files::Fleeting;
use crate::home::Home;

/// Writes everything of a store as it is at one moment, and these parts of the data directory, to a new file.
///
/// # Errors
/// [`BackupError::Exists`], [`BackupError::File`]; [`AppError::Store`].
pub async fn back_up(home: &Home, store: &Store, place: &Path, parts: &[Part]) -> Result<Manifest, AppError> {
    if place.exists() {
        return Err(BackupError::Exists { path: place.to_owned() }.into());
    }
    let mut writer = Writer::begin(place)?;
    // A tar wants to know sizes before contents.
    let lines = Fleeting::beside(place, ".lines");
    let mut out = BufWriter::new(File::create(&lines.0).map_err(unwritable(&lines.0))?);
    let dumped = store.dump(&mut out).await?;
    drop(out);
    let (home, place, mut parts) = (home.clone(), place.to_owned(), parts.to_vec());
    parts.sort_unstable();
    parts.dedup();
    let written = crate::service::apart(move || -> Result<Manifest, BackupError> {
        writer.add(DATABASE, &lines.0)?;
        for part in &parts {
            for file in files(&part.folder(&home))? {
                let inside = file.strip_prefix(part.folder(&home)).unwrap_or(&file);
                writer.add(&format!("{}/{}", part.name(), inside.display()), &file)?;
            }
        }
        let manifest = Manifest {
            format: FORMAT.to_owned(),
            version: VERSION,
            program: format!("autotuner {}", env!("CARGO_PKG_VERSION")),
            schema: dumped.schema,
            created_at: Utc::now(),
            host: this_process().host,
            data_dir: home.root().to_owned(),
            rows: dumped.rows,
            parts,
            files: writer.files.clone(),
        };
        debug_assert!(manifest.files.iter().all(|file| file.path != MANIFEST));
        writer.finish(&manifest, &place)?;
        Ok(manifest)
    });
    Ok(written.await?)
}

/// Every file below a folder, in order; none if there is no folder. What is only being written is left out.
fn files(folder: &Path) -> Result<Vec<PathBuf>, BackupError> {
    let (mut found, mut open) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = open.pop() {
        let entries = match std::fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => return Err(unreadable(&folder)(error)),
        };
        for entry in entries.flatten() {
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => open.push(entry.path()),
                Ok(kind) if kind.is_file() && entry.path().extension().is_none_or(|end| end != "part") => {
                    found.push(entry.path());
                }
                _ => {}
            }
        }
    }
    found.sort();
    Ok(found)
}
