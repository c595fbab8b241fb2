//! A data set that arrives: written down as it comes, unpacked, read once, and only then put in its place.
//!
//! *Invariant*: a file in its place is whole and was read as a data set. What does not get so far leaves nothing behind, and
//! a file that is there is never replaced: the same content is taken for what an earlier try left, any other is refused.

use std::path::{Path, PathBuf};

use serde::Serialize;
use sha2::{Digest, Sha256};
use tokio::fs::File;
use tokio::io::AsyncWriteExt;
use tuner_bench::dataset::{self, Dataset};
use tuner_core::task::DatasetSpec;
use tuner_runner::this_process;
use tuner_store::{DatasetRow, NewDataset, Store, StoreError};
use uuid::Uuid;

use crate::error::AppError;
use crate::files::Fleeting;
use crate::home::Home;

/// What somebody wants of what arrives.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// What to call it; else after the file or address it comes from.
    pub name: Option<String>,
    /// `upload`, a path, or an address.
    pub origin: String,
    /// The file's name where it comes from.
    pub file_name: Option<String>,
    /// SHA-256 of what is sent, in hexadecimal.
    pub sha256: Option<String>,
    /// The file of an archive that has several.
    pub member: Option<String>,
    /// Most bytes, sent and unpacked.
    pub most: u64,
    /// The request that it comes by, which may be a second one for the same.
    pub made_by: Option<Uuid>,
}

impl Wanted {
    /// What comes from a path or an address, as it is.
    pub fn of(origin: &str) -> Self {
        let place = origin.split(['?', '#']).next().unwrap_or(origin);
        let file_name = place.rsplit('/').next().filter(|name| !name.is_empty()).map(str::to_owned);
        Self {
            name: None,
            origin: tuner_engines::secrets::without_url_passwords(origin),
            file_name,
            sha256: None,
            member: None,
            most: dataset::MOST_BYTES,
            made_by: None,
        }
    }

    /// Its name, from the file's without what says how it is packed.
    ///
    /// # Errors
    /// [`AppError::Invalid`].
    pub fn called(&self) -> Result<String, AppError> {
        let invalid = |message: String| AppError::Invalid { field: "name", message };
        let name = match (&self.name, &self.file_name) {
            (Some(name), _) => name.clone(),
            (None, Some(file)) => {
                let packed = [".gz", ".zst", ".zip", ".tar", ".tgz"];
                let mut name = file.as_str();
                while let Some(bare) = packed.iter().find_map(|end| name.strip_suffix(end)) {
                    name = bare;
                }
                let good = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.') { c } else { '-' };
                name.chars().map(good).take(100).collect()
            }
            (None, None) => return Err(invalid("give the data set a name".to_owned())),
        };
        let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        let fits = (1..=100).contains(&name.len()) && name.chars().all(good);
        if fits && name.starts_with(|c: char| c.is_ascii_alphanumeric()) {
            return Ok(name);
        }
        Err(invalid(format!(
            "{name:?}: letters, digits, `-`, `_` and `.`, at most 100; the first is a letter or digit"
        )))
    }
}

/// A data set that was kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Kept {
    /// It, unpacked.
    #[serde(flatten)]
    pub row: DatasetRow,
    /// Bytes that were sent.
    pub received_bytes: u64,
    /// Their SHA-256, in hexadecimal.
    pub received_sha256: String,
}

/// What has arrived so far. Dropped, it leaves nothing.
#[derive(Debug)]
pub struct Arrival {
    path: Fleeting,
    file: File,
    digest: Sha256,
    bytes: u64,
    most: u64,
}

fn part(folder: &Path) -> Fleeting {
    Fleeting(folder.join(format!(".{}.part", uuid::Uuid::now_v7().simple())))
}

fn fail(path: &Path) -> impl FnOnce(std::io::Error) -> AppError {
    let path = path.to_owned();
    move |source| AppError::Write { path, source }
}

impl Arrival {
    /// Makes room for at most so many bytes.
    ///
    /// # Errors
    /// [`AppError::Write`].
    pub async fn begin(home: &Home, most: u64) -> Result<Self, AppError> {
        let folder = home.datasets();
        tokio::fs::create_dir_all(&folder).await.map_err(fail(&folder))?;
        let path = part(&folder);
        let file = File::create(&path.0).await.map_err(fail(&path.0))?;
        Ok(Self { path, file, digest: Sha256::new(), bytes: 0, most: most.min(dataset::MOST_BYTES) })
    }

    /// Takes some more of it.
    ///
    /// # Errors
    /// [`AppError::TooLarge`]; [`AppError::Write`].
    pub async fn take(&mut self, chunk: &[u8]) -> Result<(), AppError> {
        self.bytes += chunk.len() as u64;
        if self.bytes > self.most {
            return Err(AppError::TooLarge { what: "the data set".to_owned(), most: self.most });
        }
        self.digest.update(chunk);
        self.file.write_all(chunk).await.map_err(fail(&self.path.0))
    }

    /// Everything has come: checks it, unpacks it, reads it, and keeps it under its name.
    ///
    /// # Errors
    /// [`AppError::Invalid`] if the name or the checksum is wrong; [`AppError::Unpack`], [`AppError::Dataset`];
    /// [`StoreError::Taken`].
    pub async fn keep(mut self, home: &Home, store: &Store, wanted: Wanted) -> Result<Kept, AppError> {
        let name = wanted.called()?;
        self.file.flush().await.map_err(fail(&self.path.0))?;
        let received_sha256 = tuner_core::hex(&self.digest.finalize());
        let differs = |expected: &&String| !expected.eq_ignore_ascii_case(&received_sha256);
        if let Some(expected) = wanted.sha256.as_ref().filter(differs) {
            let message = format!("what came has {received_sha256}, not {expected}");
            return Err(AppError::Invalid { field: "sha256", message });
        }
        if let Some(id) = wanted.made_by
            && let Some(row) = store.made_dataset(&name, id).await?
        {
            return Ok(Kept { row, received_bytes: self.bytes, received_sha256 });
        }
        super::must_be_free(store, &name).await?;
        let (from, most, member) = (self.path, self.most, wanted.member);
        let place = home.datasets().join(&name);
        let found = crate::service::apart(move || settle(&from.0, &place, member.as_deref(), most)).await?;
        let new = NewDataset {
            name: name.clone(),
            host: this_process().host,
            path: found.place.display().to_string(),
            bytes: found.bytes,
            sha256: found.sha256,
            format: found.format,
            rows: found.rows,
            origin: wanted.origin,
            made_by: wanted.made_by,
        };
        match store.create_dataset(new).await {
            Ok(row) => Ok(Kept { row, received_bytes: self.bytes, received_sha256 }),
            Err(error) => {
                // Not if somebody was faster, with the same content: then it is theirs.
                let named = matches!(error, StoreError::Taken { .. });
                if !named || store.dataset(&name).await.is_ok_and(|row| Path::new(&row.path) != found.place) {
                    drop(Fleeting(found.place));
                }
                Err(error.into())
            }
        }
    }
}

/// A data set in its place.
struct Found {
    place: PathBuf,
    bytes: u64,
    sha256: String,
    format: String,
    rows: u64,
}

fn settle(from: &Path, place: &Path, member: Option<&str>, most: u64) -> Result<Found, AppError> {
    let folder = place.parent().unwrap_or(place);
    let unpacked = part(folder);
    let open = |path: &Path| std::fs::File::open(path).map_err(fail(path));
    let mut to = std::fs::File::create(&unpacked.0).map_err(fail(&unpacked.0))?;
    dataset::unpack(&mut open(from)?, &mut to, member, most)?;
    to.sync_all().map_err(fail(&unpacked.0))?;
    drop(to);
    let (sha256, bytes) = dataset::digest(&unpacked.0).map_err(fail(&unpacked.0))?;
    let read = Dataset::load(&DatasetSpec::file(&unpacked.0.display().to_string()));
    // Its path is ours and tells nobody anything.
    let read = read.map_err(|error| AppError::Dataset(renamed(&error, &unpacked.0).into()))?;
    let format = read.format.name().to_owned();
    // A link, unlike a renaming, replaces nothing.
    match std::fs::hard_link(&unpacked.0, place) {
        // One that was put here in its place by somebody who did not come to write it down.
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists && !is_same(place, &sha256) => {
            let message = "a file of that name is in the folder of data sets; move it away, or choose another name";
            Err(AppError::Invalid { field: "name", message: message.to_owned() })
        }
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(fail(place)(error)),
        _ => Ok(Found { place: place.to_owned(), bytes, sha256, format, rows: read.rows.len() as u64 }),
    }
}

/// Whether a file has this content.
fn is_same(place: &Path, sha256: &str) -> bool {
    dataset::digest(place).is_ok_and(|(there, _)| there == sha256)
}

fn renamed(error: &dataset::DatasetError, part: &Path) -> String {
    tuner_core::with_causes(error).replace(&part.display().to_string(), "the data set")
}

#[cfg(test)]
mod tests {
    use tuner_store::StoreError;

    use super::*;

    const ROWS: &[u8] = b"{\"prompt\": \"a\"}\n{\"prompt\": \"b\"}\n";

    async fn bring(home: &Home, store: &Store, bytes: &[u8], wanted: Wanted) -> Result<Kept, AppError> {
        let mut arrival = Arrival::begin(home, wanted.most).await?;
        for chunk in bytes.chunks(7) {
            arrival.take(chunk).await?;
        }
        arrival.keep(home, store, wanted).await
    }

    fn files(home: &Home) -> Vec<String> {
        let folder = std::fs::read_dir(home.datasets()).unwrap();
        let mut names: Vec<String> = folder.map(|f| f.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[tokio::test]
    async fn what_arrives_is_kept_whole_under_its_name_or_leaves_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let (home, store) = (Home::new(directory.path()), Store::in_memory().await.unwrap());
        let wanted = Wanted::of("https://example.com/a/chats%20v1.jsonl.tar.gz?x=1");
        assert_eq!(wanted.called().unwrap(), "chats-20v1.jsonl");
        let kept = bring(&home, &store, ROWS, wanted.clone()).await.unwrap();
        assert_eq!((kept.row.rows, kept.row.bytes, kept.received_bytes), (2, 32, 32));
        assert_eq!(kept.row.sha256, kept.received_sha256);
        assert_eq!(std::fs::read(&kept.row.path).unwrap(), ROWS);
        assert_eq!(inspect_rows(&kept.row), 2);
        let again = bring(&home, &store, ROWS, wanted.clone()).await;
        assert!(matches!(again, Err(AppError::Store(StoreError::Taken { .. }))), "{again:?}");

        let named = |name: &str| Wanted { name: Some(name.to_owned()), ..Wanted::of("upload") };
        let sum = |sha256: &str| Wanted { sha256: Some(sha256.to_owned()), ..named("b") };
        assert!(bring(&home, &store, ROWS, sum(&"0".repeat(64))).await.is_err());
        assert!(bring(&home, &store, ROWS, Wanted { most: 10, ..named("b") }).await.is_err());
        let wrong = bring(&home, &store, b"neither rows\nnor a table", named("b")).await.unwrap_err();
        assert!(!tuner_core::with_causes(&wrong).contains(".part"), "{wrong:?}");
        for name in ["../b", ".b", "", "a/b", "a b"] {
            assert!(bring(&home, &store, ROWS, named(name)).await.is_err(), "{name}");
        }
        std::fs::write(home.datasets().join("mine"), "x").unwrap();
        assert!(bring(&home, &store, ROWS, named("mine")).await.is_err());
        assert_eq!(files(&home), ["chats-20v1.jsonl", "mine"], "nothing was left, nothing replaced");
        assert!(bring(&home, &store, ROWS, sum(&kept.row.sha256.to_uppercase())).await.is_ok());
        super::super::delete(&store, "b").await.unwrap();
        assert_eq!(files(&home), ["chats-20v1.jsonl", "mine"]);
    }

    fn inspect_rows(row: &DatasetRow) -> usize {
        super::super::inspect(row).unwrap().rows
    }
}
