//! A GitHub on loopback: the documented routes for issues of one repository, and the ways in which they fail.
//!
//! *Invariant*: issues are listed newest change first, in pages, with entity tags, as GitHub lists them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::loopback::Loopback;

/// How it fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The hour's requests are used up; they come back at this time (seconds since 1970).
    Limited {
        /// When.
        reset: i64,
    },
    /// Too fast (the "secondary" limit): wait for so many seconds.
    TooFast {
        /// How long.
        seconds: u32,
    },
    /// This status with this message.
    Status(u16, String),
}

#[derive(Default)]
struct Inside {
    issues: Vec<Value>,
    comments: Vec<(u64, String)>,
    asked: Vec<String>,
    token: Option<String>,
    trouble: Option<Trouble>,
    not_modified: usize,
}

/// A running GitHub with one repository, `acme/tuner`.
pub struct FakeGithub {
    server: Loopback,
    inside: Arc<Mutex<Inside>>,
}

type Shared = State<Arc<Mutex<Inside>>>;

fn held(inside: &Mutex<Inside>) -> MutexGuard<'_, Inside> {
    inside.lock().unwrap_or_else(PoisonError::into_inner)
}

impl FakeGithub {
    /// The repository's name.
    pub const REPO: &'static str = "acme/tuner";

    /// Starts it, without issues.
    pub fn start() -> Self {
        let inside: Arc<Mutex<Inside>> = Arc::default();
        let routes = Router::new()
            .route("/repos/acme/tuner/issues", get(list).post(create))
            .route("/repos/acme/tuner/issues/{number}", get(one))
            .route("/repos/acme/tuner/issues/{number}/comments", post(comment))
            .route("/search/issues", get(search))
            .with_state(Arc::clone(&inside));
        Self { server: Loopback::start(routes), inside }
    }

    /// The address of the API.
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// Requests without this token are refused.
    pub fn token(&self, token: &str) {
        held(&self.inside).token = Some(token.to_owned());
    }

    /// Adds an open issue; its number.
    pub fn issue(&self, title: &str, body: &str) -> u64 {
        add(&mut held(&self.inside), title, body, json!([]))
    }

    /// Adds a pull request, which the list of issues holds too; its number.
    pub fn pull_request(&self, title: &str) -> u64 {
        let mut inside = held(&self.inside);
        let number = add(&mut inside, title, "", json!([]));
        if let Some(last) = inside.issues.last_mut() {
            last["pull_request"] = json!({"url": ""});
        }
        number
    }

    /// Closes an issue.
    pub fn close(&self, number: u64) {
        if let Some(issue) = held(&self.inside).issues.iter_mut().find(|issue| issue["number"] == number) {
            issue["state"] = json!("closed");
        }
    }

    /// Fails like this from now on; `None`: no more.
    pub fn trouble(&self, trouble: Option<Trouble>) {
        held(&self.inside).trouble = trouble;
    }

    /// Ends it: nobody answers any more.
    pub fn stop(&mut self) {
        self.server.stop();
    }

    /// Every request so far: method, path and query.
    pub fn asked(&self) -> Vec<String> {
        held(&self.inside).asked.clone()
    }

    /// How often it said that nothing has changed.
    pub fn not_modified(&self) -> usize {
        held(&self.inside).not_modified
    }

    /// Comments so far: number of the issue, text.
    pub fn comments(&self) -> Vec<(u64, String)> {
        held(&self.inside).comments.clone()
    }
}

fn add(inside: &mut Inside, title: &str, body: &str, labels: Value) -> u64 {
    let number = inside.issues.len() as u64 + 1;
    let labels: Vec<Value> = labels.as_array().into_iter().flatten().map(|name| json!({"name": name})).collect();
    inside.issues.push(json!({
        "number": number, "title": title, "body": body, "state": "open", "labels": labels, "comments": 0,
        "html_url": format!("https://github.example/acme/tuner/issues/{number}"),
        "created_at": "2026-11-01T10:00:00Z", "updated_at": format!("2026-11-02T10:{:02}:00Z", number % 60),
    }));
    number
}

/// Notes the request; the refusal, if it is refused.
fn refusal(inside: &mut Inside, asked: String, headers: &HeaderMap) -> Option<Response<Body>> {
    inside.asked.push(asked);
    let said = |status: u16, message: &str| {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        answer(status, &json!({"message": message}))
    };
    let agent = headers.contains_key(header::USER_AGENT);
    let bearer = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let wanted = inside.token.as_ref().map(|token| format!("Bearer {token}"));
    match &inside.trouble {
        _ if !agent => Some(said(403, "Request forbidden by administrative rules (no user agent)")),
        _ if wanted.is_some() && wanted.as_deref() != bearer => {
            Some(said(401, &format!("Bad credentials: {}", bearer.unwrap_or_default())))
        }
        Some(Trouble::Limited { reset }) => {
            let mut response = said(403, "API rate limit exceeded for user");
            response.headers_mut().insert("x-ratelimit-remaining", HeaderValue::from_static("0"));
            response.headers_mut().insert("x-ratelimit-reset", HeaderValue::from(*reset));
            Some(response)
        }
        Some(Trouble::TooFast { seconds }) => {
            let mut response = said(429, "You have exceeded a secondary rate limit");
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(*seconds));
            Some(response)
        }
        Some(Trouble::Status(status, message)) => Some(said(*status, message)),
        None => None,
    }
}

fn answer(status: StatusCode, body: &Value) -> Response<Body> {
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

type Fields = Query<std::collections::BTreeMap<String, String>>;

async fn list(State(inside): Shared, headers: HeaderMap, Query(query): Fields) -> Response<Body> {
    let mut inside = held(&inside);
    let number = |name: &str, usual| query.get(name).and_then(|value| value.parse::<usize>().ok()).unwrap_or(usual);
    let (page, size) = (number("page", 1), number("per_page", 30).min(100));
    if let Some(refusal) = refusal(&mut inside, format!("GET issues page {page}"), &headers) {
        return refusal;
    }
    let newest: Vec<Value> = inside.issues.iter().rev().cloned().collect();
    let shown: Vec<Value> = newest.iter().skip((page - 1) * size).take(size).cloned().collect();
    let text = Value::from(shown).to_string();
    let tag = format!("W/\"{:x}-{}\"", text.len(), text.bytes().map(u64::from).sum::<u64>());
    if headers.get(header::IF_NONE_MATCH).is_some_and(|given| given.as_bytes() == tag.as_bytes()) {
        inside.not_modified += 1;
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return response;
    }
    let mut response = answer(StatusCode::OK, &serde_json::from_str(&text).unwrap_or_default());
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    if page * size < newest.len() {
        let link = format!("<https://github.example/repositories/1/issues?page={}>; rel=\"next\"", page + 1);
        if let Ok(link) = HeaderValue::from_str(&link) {
            response.headers_mut().insert(header::LINK, link);
        }
    }
    response
}

async fn one(State(inside): Shared, headers: HeaderMap, Path(number): Path<u64>) -> Response<Body> {
    let mut inside = held(&inside);
    if let Some(refusal) = refusal(&mut inside, format!("GET issue {number}"), &headers) {
        return refusal;
    }
    match inside.issues.iter().find(|issue| issue["number"] == number) {
        Some(issue) => answer(StatusCode::OK, issue),
        None => answer(StatusCode::NOT_FOUND, &json!({"message": "Not Found"})),
    }
}

async fn create(State(inside): Shared, headers: HeaderMap, Json(body): Json<Value>) -> Response<Body> {
    let mut inside = held(&inside);
    if let Some(refusal) = refusal(&mut inside, "POST issue".into(), &headers) {
        return refusal;
    }
    let word = |field: &str| body[field].as_str().unwrap_or_default().to_owned();
    add(&mut inside, &word("title"), &word("body"), body["labels"].clone());
    answer(StatusCode::CREATED, inside.issues.last().unwrap_or(&Value::Null))
}

async fn comment(
    State(inside): Shared,
    headers: HeaderMap,
    Path(number): Path<u64>,
    Json(body): Json<Value>,
) -> Response<Body> {
    let mut inside = held(&inside);
    if let Some(refusal) = refusal(&mut inside, format!("POST comment {number}"), &headers) {
        return refusal;
    }
    if !inside.issues.iter().any(|issue| issue["number"] == number) {
        return answer(StatusCode::NOT_FOUND, &json!({"message": "Not Found"}));
    }
    inside.comments.push((number, body["body"].as_str().unwrap_or_default().to_owned()));
    let id = 1000 + inside.comments.len();
    let url = format!("https://github.example/acme/tuner/issues/{number}#issuecomment-{id}");
    answer(StatusCode::CREATED, &json!({"id": id, "html_url": url, "body": body["body"]}))
}

/// Every word must stand in the title or the body, as with GitHub.
async fn search(State(inside): Shared, headers: HeaderMap, Query(query): Fields) -> Response<Body> {
    let mut inside = held(&inside);
    let text = query.get("q").cloned().unwrap_or_default();
    if let Some(refusal) = refusal(&mut inside, format!("GET search {text}"), &headers) {
        return refusal;
    }
    if !text.contains("repo:acme/tuner") {
        return answer(StatusCode::UNPROCESSABLE_ENTITY, &json!({"message": "Validation Failed"}));
    }
    // `(one OR other) repo:… is:issue`, with five operators at most.
    let Some((words, _)) = text.strip_prefix('(').and_then(|rest| rest.split_once(')')) else {
        return answer(StatusCode::UNPROCESSABLE_ENTITY, &json!({"message": "Validation Failed"}));
    };
    let words: Vec<String> = words.split(" OR ").map(str::to_lowercase).collect();
    if words.len() > 6 || words.iter().any(|word| word.contains([':', ' '])) {
        return answer(StatusCode::UNPROCESSABLE_ENTITY, &json!({"message": "Validation Failed"}));
    }
    let fits = |issue: &&Value| {
        let text = format!("{} {}", issue["title"], issue["body"]).to_lowercase();
        issue["pull_request"].is_null() && words.iter().any(|word| text.contains(word))
    };
    let found: Vec<Value> = inside.issues.iter().filter(fits).cloned().collect();
    answer(StatusCode::OK, &json!({"total_count": found.len(), "incomplete_results": false, "items": found}))
}
