//! `issues_cache.json`: the issues as they were at their last refresh.
//!
//! *Invariant*: the file is replaced as a whole or not at all; one that cannot be read counts as none.

use std::path::Path;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::api::Issue;
use crate::HubError;

/// Name of the file in the data directory.
pub const CACHE_FILE: &str = "issues_cache.json";

/// What the file holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssuesCache {
    /// owner/name; issues of another repository are not used.
    pub repo: String,
    /// When GitHub was last asked for all of them.
    pub refreshed_at: Option<DateTime<Utc>>,
    /// Whether there were more than are kept.
    #[serde(default)]
    pub is_part: bool,
    /// GitHub's mark of the list, by which it says that nothing has changed.
    #[serde(default)]
    pub tag: Option<String>,
    /// Newest change first.
    pub issues: Vec<Issue>,
}

impl IssuesCache {
    /// The cache of this repository; an empty one if there is none.
    pub fn load(file: &Path, repo: &str) -> Self {
        let read = std::fs::read(file).ok().and_then(|text| serde_json::from_slice::<Self>(&text).ok());
        read.filter(|cache| cache.repo == repo).unwrap_or_else(|| Self { repo: repo.to_owned(), ..Self::default() })
    }

    /// Replaces the file.
    ///
    /// # Errors
    /// [`HubError::File`].
    pub fn store(&self, file: &Path) -> Result<(), HubError> {
        let failed = |source| HubError::File { path: file.to_owned(), source };
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder).map_err(failed)?;
        let mut beside = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
        let text = serde_json::to_vec_pretty(self).map_err(|error| failed(error.into()))?;
        std::io::Write::write_all(&mut beside, &text).map_err(failed)?;
        beside.as_file().sync_all().map_err(failed)?;
        beside.persist(file).map_err(|error| failed(error.error))?;
        Ok(())
    }

    /// Puts an issue in front, in the place of its older form.
    pub(super) fn put(&mut self, issue: Issue) {
        self.issues.retain(|other| other.number != issue.number);
        self.issues.insert(0, issue);
        // The list is not the one that GitHub marked any more.
        self.tag = None;
    }
}
