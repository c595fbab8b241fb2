//! The requests.
//!
//! *Invariant*: pull requests, which GitHub lists among issues, are left out.

use chrono::{DateTime, Utc};
use reqwest::header::{ACCEPT, ETAG, IF_NONE_MATCH};
use reqwest::{Client, Method, RequestBuilder, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tuner_wire::Secret;

use crate::HubError;
use crate::web::Web;

/// Issues on a page; pages that are read at most.
const PAGE: usize = 100;
const PAGES: usize = 10;
/// Longest text of an issue that is kept, in characters.
const LONGEST_BODY: usize = 20_000;
/// Longest query that GitHub takes, without its qualifiers.
const LONGEST_QUERY: usize = 200;
/// Words of a search.
const MOST_WORDS: usize = 6;

/// Where issues are.
#[derive(Clone, Debug, Default)]
pub struct GithubSettings {
    /// `GH_REPO`: owner/name.
    pub repo: Option<String>,
    /// `GH_TOKEN`.
    pub token: Option<Secret>,
    /// Another address of the API (GitHub Enterprise).
    pub base_url: Option<String>,
}

/// One issue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issue {
    /// Its number.
    pub number: u64,
    /// Its title.
    pub title: String,
    /// `open` or `closed`.
    pub state: String,
    /// Where a person reads it.
    pub url: String,
    /// Its text, cut.
    #[serde(default)]
    pub body: String,
    /// Names of its labels.
    #[serde(default)]
    pub labels: Vec<String>,
    /// How many comments it has.
    #[serde(default)]
    pub comments: u64,
    /// When it last changed.
    pub updated_at: Option<DateTime<Utc>>,
}

impl Issue {
    /// Whether it is open.
    pub fn is_open(&self) -> bool {
        self.state == "open"
    }
}

/// A comment that was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Comment {
    /// Its id.
    pub id: u64,
    /// Where a person reads it.
    pub url: String,
}

/// What a list of issues gave.
pub(super) enum Listed {
    /// Nothing has changed since the tag was given out.
    Same,
    /// The issues, newest change first.
    Issues { issues: Vec<Issue>, tag: Option<String>, complete: bool },
}

/// The client for one repository.
#[derive(Clone, Debug)]
pub struct Github {
    web: Web,
    owner: String,
    name: String,
}

impl Github {
    /// Checks the settings; sends nothing.
    ///
    /// # Errors
    /// [`HubError::Settings`], which says what to set.
    pub fn new(settings: &GithubSettings, http: Client) -> Result<Self, HubError> {
        let missing =
            |name: &str, hint: &str| HubError::Settings { what: format!("{name} is not set"), hint: hint.to_owned() };
        let repo = settings.repo.as_deref().map(str::trim).filter(|repo| !repo.is_empty());
        let repo = repo.ok_or_else(|| missing("GH_REPO", "set GH_REPO to the repository, as owner/name"))?;
        let parts: Vec<&str> = repo.split('/').collect();
        let plain = |part: &&str| {
            let letters = part.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
            !part.is_empty() && letters && *part != "." && *part != ".."
        };
        let (owner, name) = match parts.as_slice() {
            [owner, name] if plain(owner) && plain(name) => ((*owner).to_owned(), (*name).to_owned()),
            _ => {
                return Err(HubError::Settings {
                    what: "GH_REPO names no repository".into(),
                    hint: "set GH_REPO to the repository, as owner/name".into(),
                });
            }
        };
        let base = settings.base_url.as_deref().unwrap_or("https://api.github.com");
        let web = Web::new(http, base, settings.token.clone(), "the address of GitHub", "GH_TOKEN")?;
        if web.token.is_none() {
            return Err(missing("GH_TOKEN", "set GH_TOKEN to a token that may read and write issues of GH_REPO"));
        }
        Ok(Self { web, owner, name })
    }

    /// owner/name.
    pub fn repo(&self) -> String {
        format!("{}/{}", self.owner, self.name)
    }

    fn parts<'a>(&'a self, rest: &[&'a str]) -> Vec<&'a str> {
        [&["repos", self.owner.as_str(), self.name.as_str()][..], rest].concat()
    }

    fn request(&self, method: Method, rest: &[&str]) -> RequestBuilder {
        self.shaped(self.web.http.request(method, self.web.url(&self.parts(rest))))
    }

    fn shaped(&self, request: RequestBuilder) -> RequestBuilder {
        request.header(ACCEPT, "application/vnd.github+json").header("X-GitHub-Api-Version", "2022-11-28")
    }

    /// Issues on GitHub that hold one of the words at least. Its search takes six at most: five `OR`.
    ///
    /// # Errors
    /// See [`HubError`].
    pub async fn search(&self, words: &[String]) -> Result<Vec<Issue>, HubError> {
        let mut length = 0;
        let short = |word: &&String| {
            length += word.len();
            length < LONGEST_QUERY
        };
        let some: Vec<&str> = words.iter().take_while(short).take(MOST_WORDS).map(String::as_str).collect();
        let query = format!("({}) repo:{} is:issue", some.join(" OR "), self.repo());
        let said = [("q", query.as_str()), ("per_page", "50"), ("advanced_search", "true")];
        let url = self.web.url_with(&["search", "issues"], &said);
        let request = self.shaped(self.web.http.get(url));
        let page = self.web.page(request, "the search").await?;
        Ok(page.json["items"].as_array().into_iter().flatten().filter_map(issue).collect())
    }

    /// All issues, open and closed, newest change first; at most ten pages. `tag`: of the list that is known.
    pub(super) async fn list(&self, tag: Option<&str>) -> Result<Listed, HubError> {
        let (mut issues, mut first_tag) = (Vec::new(), None);
        for number in 1..=PAGES {
            let (page, size) = (number.to_string(), PAGE.to_string());
            let query = [("state", "all"), ("sort", "updated"), ("per_page", size.as_str()), ("page", page.as_str())];
            let mut request = self.shaped(self.web.http.get(self.web.url_with(&self.parts(&["issues"]), &query)));
            if let Some(tag) = tag.filter(|_| number == 1) {
                request = request.header(IF_NONE_MATCH, tag);
            }
            let response = self.web.send(request).await?;
            // A change of any issue moves it to the first page, so an unchanged first page is an unchanged list.
            if response.status() == StatusCode::NOT_MODIFIED {
                return Ok(Listed::Same);
            }
            let page = self.web.read(response, &self.repo()).await?;
            if number == 1 {
                first_tag = page.headers.get(ETAG).and_then(|tag| tag.to_str().ok()).map(str::to_owned);
            }
            let entries = page.json.as_array().ok_or_else(|| self.web.unreadable("its list of issues is no list"))?;
            issues.extend(entries.iter().filter_map(issue));
            if entries.len() < PAGE {
                return Ok(Listed::Issues { issues, tag: first_tag, complete: true });
            }
        }
        Ok(Listed::Issues { issues, tag: first_tag, complete: false })
    }

    /// One issue.
    ///
    /// # Errors
    /// See [`HubError`].
    pub async fn issue(&self, number: u64) -> Result<Issue, HubError> {
        let what = format!("issue #{number} of {}", self.repo());
        let page = self.web.page(self.request(Method::GET, &["issues", &number.to_string()]), &what).await?;
        issue(&page.json).ok_or(HubError::NotFound { what })
    }

    /// Writes an issue, whatever is known already; [`super::Issues::create`] looks for duplicates first.
    ///
    /// # Errors
    /// See [`HubError`].
    pub async fn create(&self, title: &str, body: &str, labels: &[String]) -> Result<Issue, HubError> {
        let title = not_blank(title, "the title")?;
        let sent = json!({"title": title, "body": body, "labels": labels});
        let page = self.web.page(self.request(Method::POST, &["issues"]).json(&sent), &self.repo()).await?;
        issue(&page.json).ok_or_else(|| self.web.unreadable("it does not give the new issue back"))
    }

    /// Writes a comment.
    ///
    /// # Errors
    /// See [`HubError`]; a blank text is refused before anything is sent.
    pub async fn comment(&self, number: u64, body: &str) -> Result<Comment, HubError> {
        let body = not_blank(body, "the comment")?;
        let what = format!("issue #{number} of {}", self.repo());
        let request = self.request(Method::POST, &["issues", &number.to_string(), "comments"]);
        let page = self.web.page(request.json(&json!({"body": body})), &what).await?;
        let url = page.json["html_url"].as_str().map(str::to_owned);
        let comment = page.json["id"].as_u64().zip(url).map(|(id, url)| Comment { id, url });
        comment.ok_or_else(|| self.web.unreadable("it does not give the new comment back"))
    }
}

fn not_blank<'a>(text: &'a str, what: &str) -> Result<&'a str, HubError> {
    let blank = || HubError::Argument { what: format!("{what} is blank") };
    Some(text.trim()).filter(|text| !text.is_empty()).ok_or_else(blank)
}

fn issue(value: &Value) -> Option<Issue> {
    if !value["pull_request"].is_null() {
        return None;
    }
    let word = |field: &str| value[field].as_str().unwrap_or_default().to_owned();
    let labels = value["labels"].as_array().into_iter().flatten();
    Some(Issue {
        number: value["number"].as_u64()?,
        title: word("title"),
        state: word("state"),
        url: word("html_url"),
        body: word("body").chars().take(LONGEST_BODY).collect(),
        labels: labels.filter_map(|label| label["name"].as_str().or(label.as_str()).map(str::to_owned)).collect(),
        comments: value["comments"].as_u64().unwrap_or(0),
        updated_at: value["updated_at"].as_str().and_then(|text| text.parse().ok()),
    })
}
