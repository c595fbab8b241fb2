//! The files of a repository, into the cache in the layout of Hugging Face's own tools, or into a folder.
//!
//! *Invariant*: dropping the future ends the download; what is there of each file is continued next time. What is
//! there already is not fetched again.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::api::{HuggingFace, TreeFile};
use super::fetch::{Fetch, sha256};
use super::{globs, names};
use crate::HubError;

/// What is wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Want {
    /// owner/name.
    pub repo: String,
    /// Branch, tag or commit; `main` if `None`.
    pub revision: Option<String>,
    /// Into this folder, as plain files; into the cache if `None`.
    pub local_dir: Option<PathBuf>,
    /// Only files that fit one of these patterns, if there are any.
    pub include: Vec<String>,
    /// No files that fit one of these.
    pub exclude: Vec<String>,
}

/// How far it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Progress {
    /// The file that is fetched now.
    pub file: String,
    /// Bytes of it that are there, and in all.
    pub file_bytes: u64,
    /// Bytes of it in all.
    pub file_size: u64,
    /// Bytes of all files that are there.
    pub bytes: u64,
    /// Bytes of all files.
    pub size: u64,
    /// Files that are whole.
    pub files_done: usize,
    /// Files in all.
    pub files: usize,
}

/// What is there now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Done {
    /// The folder with the files under their names.
    pub folder: PathBuf,
    /// The commit that they are of.
    pub commit: String,
    /// How many files there are.
    pub files: usize,
    /// Bytes of them.
    pub size: u64,
    /// Bytes that had to be fetched.
    pub fetched: u64,
}

/// Where files go.
enum Target {
    Cache { repo: PathBuf, snapshot: PathBuf },
    Folder(PathBuf),
}

impl HuggingFace {
    /// Fetches what is wanted and not there; `told` hears how far it is, about once a megabyte.
    ///
    /// # Errors
    /// See [`HubError`]; no file is under its name unless it is whole.
    pub async fn download(&self, want: &Want, told: &mut (dyn FnMut(Progress) + Send)) -> Result<Done, HubError> {
        let revision = names::revision(want.revision.as_deref().unwrap_or("main"))?.to_owned();
        let info = self.model(&want.repo, Some(&revision)).await?;
        let mut files = self.tree(&want.repo, Some(&info.commit)).await?;
        files.retain(|file| globs::wanted(&file.path, &want.include, &want.exclude));
        if files.is_empty() {
            return Err(HubError::NotFound { what: format!("a file of {} that fits the patterns", want.repo) });
        }
        // Before anything is written: one name that leads out spoils them all.
        for file in &files {
            let own = want.local_dir.is_some() && file.path.starts_with(".cache/");
            if names::inside(&file.path).is_none() || own {
                return Err(HubError::Escapes { repo: want.repo.clone(), name: file.path.clone() });
            }
        }
        let target = self.target(want, &info.commit);
        let size = files.iter().map(|file| file.size).sum();
        let mut done = Done { folder: target.folder(), commit: info.commit, files: files.len(), size, fetched: 0 };
        let mut before = 0;
        for (files_done, file) in files.iter().enumerate() {
            let mut report = |file_bytes: u64| {
                told(Progress {
                    file: file.path.clone(),
                    file_bytes,
                    file_size: file.size,
                    bytes: before + file_bytes,
                    size,
                    files_done: files_done + usize::from(file_bytes == file.size),
                    files: files.len(),
                });
            };
            done.fetched += self.one(want, &done.commit, &target, file, &mut report).await?;
            report(file.size);
            before += file.size;
        }
        if let Target::Cache { repo, .. } = &target {
            // Last: a reference never points to a snapshot that is not whole.
            if !names::is_hex(&revision, &[40]) {
                let place = names::place(&repo.join("refs"), &revision, &want.repo)?;
                write_whole(&place, done.commit.as_bytes())?;
            }
        }
        Ok(done)
    }

    fn target(&self, want: &Want, commit: &str) -> Target {
        match &want.local_dir {
            Some(folder) => Target::Folder(folder.clone()),
            None => {
                let repo = self.settings.cache.join(format!("models--{}", want.repo.replace('/', "--")));
                Target::Cache { snapshot: repo.join("snapshots").join(commit), repo }
            }
        }
    }

    /// One file; how many of its bytes were fetched.
    async fn one(
        &self,
        want: &Want,
        commit: &str,
        target: &Target,
        file: &TreeFile,
        report: &mut (dyn FnMut(u64) + Send),
    ) -> Result<u64, HubError> {
        let place = names::place(&target.folder(), &file.path, &want.repo)?;
        let (whole, beside) = match target {
            Target::Cache { repo, .. } => {
                let blobs = repo.join("blobs");
                (
                    names::place(&blobs, &file.oid, &want.repo)?,
                    names::place(&blobs, &format!("{}.incomplete", file.oid), &want.repo)?,
                )
            }
            Target::Folder(folder) => {
                let parts = folder.join(".cache/huggingface/download");
                let part = format!("{}.{}.incomplete", file.path, file.oid);
                (place.clone(), names::place(&parts, &part, &want.repo)?)
            }
        };
        let mut fetched = 0;
        if !is_there(&whole, file, matches!(target, Target::Folder(_))).await {
            let mut parts: Vec<&str> = want.repo.split('/').collect();
            parts.extend(["resolve", commit]);
            parts.extend(file.path.split('/'));
            let url = self.web.url(&parts);
            let fetch = Fetch { web: &self.web, url, repo: &want.repo, file, beside: &beside };
            let mut first = None;
            let mut heard = |bytes: u64| {
                first.get_or_insert(bytes);
                report(bytes);
            };
            fetch.run(&mut heard).await?;
            fetched = file.size - first.unwrap_or(0).min(file.size);
            std::fs::rename(&beside, &whole).map_err(|source| HubError::File { path: whole.clone(), source })?;
        }
        if let Target::Cache { snapshot, .. } = target {
            link(&place, snapshot, file)?;
        }
        Ok(fetched)
    }
}

impl Target {
    fn folder(&self) -> PathBuf {
        match self {
            Self::Cache { snapshot, .. } => snapshot.clone(),
            Self::Folder(folder) => folder.clone(),
        }
    }
}

/// Whether the file is there and whole. In the cache its name is its checksum, and it got that name when it was
/// checked; in a folder that people use, its content is looked at.
async fn is_there(path: &Path, file: &TreeFile, look: bool) -> bool {
    let sized = std::fs::metadata(path).is_ok_and(|facts| facts.is_file() && facts.len() == file.size);
    let Some(published) = file.sha256.clone().filter(|_| look) else {
        // Of a small file only git's checksum is published; it is fetched again where its content may be anyone's.
        return sized && !look;
    };
    if !sized {
        return false;
    }
    let path = path.to_owned();
    let found = tokio::task::spawn_blocking(move || sha256(&path)).await;
    found.is_ok_and(|sum| sum.is_ok_and(|sum| sum == published))
}

/// The snapshot's name for the content, as a link that can be moved with its folder.
fn link(place: &Path, snapshot: &Path, file: &TreeFile) -> Result<(), HubError> {
    let failed = |source| HubError::File { path: place.to_owned(), source };
    let up = "../".repeat(file.path.split('/').count() + 1);
    let content = PathBuf::from(format!("{up}blobs/{}", file.oid));
    if std::fs::read_link(place).is_ok_and(|there| there == content) {
        return Ok(());
    }
    let beside = snapshot.join(format!(".{}.link", file.oid));
    let _ = std::fs::remove_file(&beside);
    std::os::unix::fs::symlink(&content, &beside).map_err(failed)?;
    std::fs::rename(&beside, place).map_err(failed)
}

fn write_whole(path: &Path, content: &[u8]) -> Result<(), HubError> {
    let failed = |source| HubError::File { path: path.to_owned(), source };
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut beside = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
    std::io::Write::write_all(&mut beside, content).map_err(failed)?;
    beside.persist(path).map_err(|error| failed(error.error))?;
    Ok(())
}
