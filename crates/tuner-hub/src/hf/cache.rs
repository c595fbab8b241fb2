//! What the cache folder holds, in the layout of Hugging Face's own tools: `models--OWNER--NAME` with `blobs`, `refs`
//! and `snapshots`.
//!
//! *Invariant*: only looks; what cannot be read becomes a remark.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::names::is_hex;

/// Deepest folder of a snapshot that is looked into.
const DEEPEST: usize = 16;

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Scan {
    /// By size, largest first.
    pub repos: Vec<CachedRepo>,
    /// Bytes of all of them.
    pub size_bytes: u64,
    /// What could not be read.
    pub remarks: Vec<String>,
}

/// A repository of the cache.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CachedRepo {
    /// owner/name.
    pub id: String,
    /// `model`, `dataset` or `space`.
    pub kind: String,
    /// Its folder.
    pub path: PathBuf,
    /// Bytes of its files, each counted once.
    pub size_bytes: u64,
    /// Number of its files, each counted once.
    pub files: usize,
    /// Bytes of downloads that were not finished.
    pub unfinished_bytes: u64,
    /// Its revisions.
    pub revisions: Vec<CachedRevision>,
    /// When one of its files was last written.
    pub last_modified: Option<DateTime<Utc>>,
}

/// A revision of the cache.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CachedRevision {
    /// Its commit.
    pub commit: String,
    /// Branches and tags that point to it.
    pub refs: Vec<String>,
    /// Number of its files.
    pub files: usize,
    /// Bytes of its files.
    pub size_bytes: u64,
    /// Names whose content is missing.
    pub broken: Vec<String>,
}

/// Looks through the cache. A folder that does not exist is an empty cache.
pub fn scan(cache: &Path) -> Scan {
    let mut scan = Scan::default();
    let entries = match std::fs::read_dir(cache) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return scan,
        Err(error) => {
            scan.remarks.push(format!("{}: {error}", cache.display()));
            return scan;
        }
    };
    for entry in entries.flatten().filter(|entry| entry.path().is_dir()) {
        let name = entry.file_name().to_string_lossy().into_owned();
        let mut parts = name.split("--");
        let kind = match parts.next() {
            Some("models") => "model",
            Some("datasets") => "dataset",
            Some("spaces") => "space",
            _ => continue,
        };
        let id = parts.collect::<Vec<_>>().join("/");
        if id.is_empty() {
            scan.remarks.push(format!("{name}: names no repository"));
            continue;
        }
        let found = repo(&entry.path(), id, kind, &mut scan.remarks);
        scan.size_bytes += found.size_bytes;
        scan.repos.push(found);
    }
    scan.repos.sort_by(|a, b| b.size_bytes.cmp(&a.size_bytes).then_with(|| a.id.cmp(&b.id)));
    scan
}

fn repo(path: &Path, id: String, kind: &str, remarks: &mut Vec<String>) -> CachedRepo {
    let refs = refs(&path.join("refs"));
    let mut files: BTreeMap<PathBuf, u64> = BTreeMap::new();
    let mut revisions = Vec::new();
    let mut last: Option<SystemTime> = None;
    for entry in std::fs::read_dir(path.join("snapshots")).into_iter().flatten().flatten() {
        let commit = entry.file_name().to_string_lossy().into_owned();
        let mut revision = CachedRevision {
            refs: refs.iter().filter(|(_, target)| **target == commit).map(|(name, _)| name.clone()).collect(),
            commit,
            files: 0,
            size_bytes: 0,
            broken: Vec::new(),
        };
        let mut found = Vec::new();
        walk(&entry.path(), 0, &mut found);
        for file in found {
            match std::fs::metadata(&file) {
                Ok(facts) => {
                    revision.files += 1;
                    revision.size_bytes += facts.len();
                    last = last.max(facts.modified().ok());
                    files.insert(file.canonicalize().unwrap_or(file), facts.len());
                }
                Err(_) => {
                    let name = file.strip_prefix(entry.path()).unwrap_or(&file);
                    revision.broken.push(name.display().to_string());
                }
            }
        }
        revisions.push(revision);
    }
    revisions.sort_by(|a, b| a.commit.cmp(&b.commit));
    let known: BTreeSet<&String> = revisions.iter().map(|revision| &revision.commit).collect();
    for (name, target) in refs.iter().filter(|(_, target)| !known.contains(target)) {
        remarks.push(format!("{id}: {name} points to {target}, which is not there"));
    }
    let mut unfinished_bytes = 0;
    for entry in std::fs::read_dir(path.join("blobs")).into_iter().flatten().flatten() {
        let Ok(facts) = entry.metadata() else { continue };
        match entry.file_name().to_string_lossy().ends_with(".incomplete") {
            true => unfinished_bytes += facts.len(),
            false => {
                let place = entry.path();
                files.entry(place.canonicalize().unwrap_or(place)).or_insert(facts.len());
            }
        }
    }
    CachedRepo {
        id,
        kind: kind.to_owned(),
        path: path.to_owned(),
        size_bytes: files.values().sum(),
        files: files.len(),
        unfinished_bytes,
        revisions,
        last_modified: last.map(DateTime::<Utc>::from),
    }
}

/// Branches and tags, by name (also nested, as `pr/1`), with their commits.
fn refs(folder: &Path) -> BTreeMap<String, String> {
    let mut found = Vec::new();
    walk(folder, 0, &mut found);
    let read = |file: PathBuf| {
        let name = file.strip_prefix(folder).ok()?.display().to_string();
        let commit = std::fs::read_to_string(&file).ok()?.trim().to_owned();
        is_hex(&commit, &[40]).then_some((name, commit))
    };
    found.into_iter().filter_map(read).collect()
}

/// Files and links below a folder; folders that are links are not entered.
fn walk(folder: &Path, depth: usize, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() && depth < DEEPEST => walk(&entry.path(), depth + 1, found),
            Ok(kind) if !kind.is_dir() => found.push(entry.path()),
            _ => {}
        }
    }
}
