//! Issues by cache and by GitHub together.
//!
//! *Invariant*: an answer that comes from the cache alone says so, why, and how old it is.

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::api::{Comment, Github, Issue, Listed};
use super::cache::IssuesCache;
use super::words::{duplicate, ranked, spoken, words};
use crate::HubError;

/// Issues that a search gives at most.
const SHOWN: usize = 20;

/// The issues of a repository.
#[derive(Clone, Debug)]
pub struct Issues {
    github: Github,
    file: PathBuf,
}

/// What a search found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Found {
    /// Best first.
    pub issues: Vec<Issue>,
    /// When the cache was last refreshed.
    pub cache_refreshed_at: Option<DateTime<Utc>>,
    /// Why this is from the cache alone; `None` where GitHub answered.
    pub from_cache_only: Option<String>,
}

/// An issue to be written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewIssue {
    /// Its title.
    pub title: String,
    /// Its text.
    pub body: String,
    /// Names of labels.
    pub labels: Vec<String>,
    /// Write it although one like it is open.
    pub even_if_known: bool,
}

/// What a refresh did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Refreshed {
    /// How many issues are kept.
    pub issues: usize,
    /// Whether anything had changed.
    pub changed: bool,
    /// Whether there are more than are kept.
    pub is_part: bool,
    /// When.
    pub refreshed_at: DateTime<Utc>,
}

/// Whether the cache may serve in GitHub's place.
fn is_outage(error: &HubError) -> bool {
    matches!(error, HubError::Unreachable { .. } | HubError::Limited { .. } | HubError::Unreadable { .. })
}

impl Issues {
    /// With the cache in `file`.
    pub fn new(github: Github, file: PathBuf) -> Self {
        Self { github, file }
    }

    /// owner/name.
    pub fn repo(&self) -> String {
        self.github.repo()
    }

    fn cache(&self) -> IssuesCache {
        IssuesCache::load(&self.file, &self.github.repo())
    }

    /// Issues that hold the words of the query, of the cache and of GitHub.
    ///
    /// # Errors
    /// What is no outage: a wrong token, a repository that does not exist; a query without words.
    pub async fn search(&self, query: &str) -> Result<Found, HubError> {
        if words(query).is_empty() {
            return Err(HubError::Argument { what: "the query holds no words".into() });
        }
        let cache = self.cache();
        let cache_refreshed_at = cache.refreshed_at;
        let mut issues = cache.issues;
        // What says most comes first: longer words, in the order of the question.
        let mut wanted: Vec<String> = spoken(query);
        wanted.sort_by_key(|word| std::cmp::Reverse(word.len().min(8)));
        let from_cache_only = match self.github.search(&wanted).await {
            Ok(fresh) => {
                issues.retain(|issue| fresh.iter().all(|other| other.number != issue.number));
                issues.extend(fresh);
                None
            }
            Err(error) if is_outage(&error) => Some(note(&error, cache_refreshed_at)),
            Err(error) => return Err(error),
        };
        let mut issues = ranked(&issues, query);
        issues.truncate(SHOWN);
        Ok(Found { issues, cache_refreshed_at, from_cache_only })
    }

    /// One issue, fresh; of the cache with a note where GitHub is out of reach.
    ///
    /// # Errors
    /// See [`HubError`].
    pub async fn issue(&self, number: u64) -> Result<(Issue, Option<String>), HubError> {
        match self.github.issue(number).await {
            Ok(issue) => Ok((issue, None)),
            Err(error) if is_outage(&error) => {
                let cache = self.cache();
                let known = cache.issues.iter().find(|issue| issue.number == number).cloned();
                known.map(|issue| (issue, Some(note(&error, cache.refreshed_at)))).ok_or(error)
            }
            Err(error) => Err(error),
        }
    }

    /// Writes an issue, unless an open one says the same.
    ///
    /// # Errors
    /// [`HubError::Duplicate`] names the other one; see [`HubError`].
    pub async fn create(&self, new: &NewIssue) -> Result<Issue, HubError> {
        if new.title.trim().is_empty() {
            return Err(HubError::Argument { what: "the title is blank".into() });
        }
        if !new.even_if_known {
            // GitHub's search wants every word and lags behind; the list, which costs nothing while it is unchanged,
            // lets titles be compared.
            match self.refresh().await {
                Ok(_) => {}
                Err(error) if is_outage(&error) => {}
                Err(error) => return Err(error),
            }
            if let Some(known) = duplicate(&self.cache().issues, &new.title) {
                return Err(duplicate_of(known));
            }
        }
        let issue = self.github.create(&new.title, &new.body, &new.labels).await?;
        let mut cache = self.cache();
        cache.put(issue.clone());
        // The issue exists now; a cache that cannot be written only costs the next search a request.
        let _ = cache.store(&self.file);
        Ok(issue)
    }

    /// Writes a comment.
    ///
    /// # Errors
    /// See [`HubError`]; a blank text is refused before anything is sent.
    pub async fn comment(&self, number: u64, body: &str) -> Result<Comment, HubError> {
        self.github.comment(number, body).await
    }

    /// Fetches all issues (at most a thousand) into the cache.
    ///
    /// # Errors
    /// See [`HubError`]; the cache is then as it was.
    pub async fn refresh(&self) -> Result<Refreshed, HubError> {
        let mut cache = self.cache();
        let listed = self.github.list(cache.tag.as_deref()).await?;
        let refreshed_at = Utc::now();
        cache.refreshed_at = Some(refreshed_at);
        let changed = match listed {
            Listed::Same => false,
            Listed::Issues { mut issues, tag, complete } => {
                // What was written a moment ago may not be listed yet.
                let newest = issues.iter().map(|issue| issue.number).max().unwrap_or(0);
                let written = cache.issues.iter().filter(|issue| issue.number > newest).cloned();
                issues.splice(0..0, written.collect::<Vec<_>>());
                (cache.issues, cache.tag, cache.is_part) = (issues, tag, !complete);
                true
            }
        };
        cache.store(&self.file)?;
        Ok(Refreshed { issues: cache.issues.len(), changed, is_part: cache.is_part, refreshed_at })
    }
}

fn duplicate_of(issue: &Issue) -> HubError {
    HubError::Duplicate { number: issue.number, title: issue.title.clone(), url: issue.url.clone() }
}

fn note(error: &HubError, refreshed_at: Option<DateTime<Utc>>) -> String {
    let age = refreshed_at.map_or_else(
        || "which was never refreshed".to_owned(),
        |at| format!("refreshed at {}", at.format("%Y-%m-%dT%H:%M:%SZ")),
    );
    format!("from the cache alone, {age}, because {error}")
}
