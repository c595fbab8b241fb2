//! The issues of one repository on GitHub, and a cache of them in a file.

mod api;
mod cache;
mod known;
mod words;

pub use api::{Comment, Github, GithubSettings, Issue};
pub use cache::{CACHE_FILE, IssuesCache};
pub use known::{Found, Issues, NewIssue, Refreshed};
