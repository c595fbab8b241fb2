//! A Hugging Face hub on loopback: the documented routes for models, and the ways in which downloads fail.
//!
//! *Invariant*: files are served with ranges and redirected as large files are; sizes and checksums are the content's,
//! unless the test falsified them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use axum::routing::get;
use bytes::Bytes;
use futures::stream;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::loopback::Loopback;

/// A file of the repository.
#[derive(Clone, Debug)]
struct HubFile {
    content: Bytes,
    /// Kept as a large file, whose SHA-256 is published.
    large: bool,
    /// The published SHA-256, where it is not the content's.
    false_sum: Option<String>,
}

#[derive(Default)]
struct Inside {
    files: BTreeMap<String, HubFile>,
    token: Option<String>,
    asked: Vec<String>,
    /// Break each download after so many bytes, so often.
    breaks: Option<(usize, usize)>,
    gated: bool,
    ranges: bool,
    hang: bool,
}

/// A running hub with one repository, `acme/tiny`.
pub struct FakeHub {
    server: Loopback,
    inside: Arc<Mutex<Inside>>,
}

type Shared = State<Arc<Mutex<Inside>>>;

fn held(inside: &Mutex<Inside>) -> MutexGuard<'_, Inside> {
    inside.lock().unwrap_or_else(PoisonError::into_inner)
}

fn sum(content: &[u8]) -> String {
    Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect()
}

impl FakeHub {
    /// The repository's name.
    pub const REPO: &'static str = "acme/tiny";
    /// The commit that its `main` points to.
    pub const COMMIT: &'static str = "0123456789abcdef0123456789abcdef01234567";

    /// Starts it, without files.
    pub fn start() -> Self {
        let inside = Arc::new(Mutex::new(Inside { ranges: true, ..Inside::default() }));
        let routes = Router::new()
            .route("/api/models", get(search))
            .route("/api/models/acme/tiny/revision/{revision}", get(info))
            .route("/api/models/acme/tiny/tree/{revision}", get(tree))
            .route("/api/whoami-v2", get(whoami))
            .route("/acme/tiny/resolve/{revision}/{*path}", get(resolve))
            .route("/store/{*path}", get(content))
            .with_state(Arc::clone(&inside));
        Self { server: Loopback::start(routes), inside }
    }

    /// The address.
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// Adds a small file.
    pub fn file(&self, path: &str, content: &[u8]) {
        let file = HubFile { content: Bytes::copy_from_slice(content), large: false, false_sum: None };
        held(&self.inside).files.insert(path.to_owned(), file);
    }

    /// Adds a large file, with its SHA-256.
    pub fn large_file(&self, path: &str, content: &[u8]) {
        let file = HubFile { content: Bytes::copy_from_slice(content), large: true, false_sum: None };
        held(&self.inside).files.insert(path.to_owned(), file);
    }

    /// Publishes another SHA-256 for a large file than its content's.
    pub fn falsify(&self, path: &str, sum: Option<&str>) {
        if let Some(file) = held(&self.inside).files.get_mut(path) {
            file.false_sum = sum.map(str::to_owned);
        }
    }

    /// Requests without this token are refused.
    pub fn token(&self, token: &str) {
        held(&self.inside).token = Some(token.to_owned());
    }

    /// Breaks the next `times` downloads after `bytes` bytes each.
    pub fn breaks(&self, bytes: usize, times: usize) {
        held(&self.inside).breaks = Some((bytes, times));
    }

    /// Sends the first bytes of each download and then nothing.
    pub fn hang(&self, hang: bool) {
        held(&self.inside).hang = hang;
    }

    /// Files need a licence that nobody accepted.
    pub fn gate(&self) {
        held(&self.inside).gated = true;
    }

    /// Ignores ranges from now on, as some proxies do.
    pub fn without_ranges(&self) {
        held(&self.inside).ranges = false;
    }

    /// Every request so far: path and query, and the range where one was asked for.
    pub fn asked(&self) -> Vec<String> {
        held(&self.inside).asked.clone()
    }

    /// Ends it: nobody answers any more.
    pub fn stop(&mut self) {
        self.server.stop();
    }
}

fn answer(status: StatusCode, body: &Value) -> Response<Body> {
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

fn refusal(inside: &mut Inside, asked: String, headers: &HeaderMap) -> Option<Response<Body>> {
    inside.asked.push(asked);
    let bearer = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let wanted = inside.token.as_ref().map(|token| format!("Bearer {token}"));
    if wanted.is_some() && wanted.as_deref() != bearer {
        let error = format!("Invalid credentials in Authorization header {}", bearer.unwrap_or_default());
        return Some(answer(StatusCode::UNAUTHORIZED, &json!({"error": error})));
    }
    None
}

type Fields = Query<BTreeMap<String, String>>;

async fn search(State(inside): Shared, headers: HeaderMap, Query(query): Fields) -> Response<Body> {
    let words = query.get("search").cloned().unwrap_or_default();
    let limit = query.get("limit").cloned().unwrap_or_default();
    if let Some(refusal) = refusal(&mut held(&inside), format!("search {words} {limit}"), &headers) {
        return refusal;
    }
    let model = json!({"id": FakeHub::REPO, "downloads": 12, "likes": 3, "tags": ["text-generation", "llama"],
        "pipeline_tag": "text-generation", "lastModified": "2026-10-01T00:00:00.000Z", "private": false});
    let found = if FakeHub::REPO.contains(&words.to_lowercase()) { json!([model]) } else { json!([]) };
    answer(StatusCode::OK, &found)
}

async fn info(State(inside): Shared, headers: HeaderMap, Path(revision): Path<String>) -> Response<Body> {
    let mut inside = held(&inside);
    if let Some(refusal) = refusal(&mut inside, format!("info {revision}"), &headers) {
        return refusal;
    }
    if revision != "main" && revision != FakeHub::COMMIT && revision != "refs/pr/1" {
        let mut response = answer(StatusCode::NOT_FOUND, &json!({"error": format!("Invalid rev id: {revision}")}));
        response.headers_mut().insert("x-error-code", HeaderValue::from_static("RevisionNotFound"));
        return response;
    }
    let siblings: Vec<Value> = inside.files.keys().map(|path| json!({"rfilename": path})).collect();
    answer(
        StatusCode::OK,
        &json!({"id": FakeHub::REPO, "sha": FakeHub::COMMIT, "private": false, "downloads": 12, "likes": 3,
            "gated": if inside.gated { json!("manual") } else { json!(false) },
            "tags": ["llama"], "pipeline_tag": "text-generation", "library_name": "transformers",
            "lastModified": "2026-10-01T00:00:00.000Z", "cardData": {"license": "apache-2.0"},
            "config": {"architectures": ["LlamaForCausalLM"], "model_type": "llama"},
            "safetensors": {"total": 134_515_008_u64}, "siblings": siblings}),
    )
}

/// Two files to a page, so that every client must follow the links.
async fn tree(
    State(inside): Shared,
    headers: HeaderMap,
    Path(revision): Path<String>,
    Query(query): Fields,
) -> Response<Body> {
    let mut inside = held(&inside);
    let from: usize = query.get("cursor").and_then(|cursor| cursor.parse().ok()).unwrap_or(0);
    if let Some(refusal) = refusal(&mut inside, format!("tree {revision} {from}"), &headers) {
        return refusal;
    }
    let mut entries = vec![json!({"type": "directory", "path": "folder", "oid": "a".repeat(40), "size": 0})];
    for (path, file) in &inside.files {
        let size = file.content.len();
        let mut entry = json!({"type": "file", "path": path, "size": size, "oid": &sum(&file.content)[..40]});
        if file.large {
            let oid = file.false_sum.clone().unwrap_or_else(|| sum(&file.content));
            entry["lfs"] = json!({"oid": oid, "size": size, "pointerSize": 130});
        }
        entries.push(entry);
    }
    let page: Vec<Value> = entries.iter().skip(from).take(2).cloned().collect();
    let mut response = answer(StatusCode::OK, &json!(page));
    if from + 2 < entries.len() {
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
        let address = format!("http://{host}/api/models/acme/tiny/tree/{revision}?recursive=true&cursor={}", from + 2);
        if let Ok(link) = HeaderValue::from_str(&format!("<{address}>; rel=\"next\"")) {
            response.headers_mut().insert(header::LINK, link);
        }
    }
    response
}

async fn whoami(State(inside): Shared, headers: HeaderMap) -> Response<Body> {
    let mut inside = held(&inside);
    if let Some(refusal) = refusal(&mut inside, "whoami".into(), &headers) {
        return refusal;
    }
    answer(
        StatusCode::OK,
        &json!({"type": "user", "name": "ada", "orgs": [{"name": "acme"}],
            "auth": {"accessToken": {"displayName": "laptop", "role": "read"}}}),
    )
}

async fn resolve(
    State(inside): Shared,
    headers: HeaderMap,
    Path((revision, path)): Path<(String, String)>,
) -> Response<Body> {
    let mut inside = held(&inside);
    if let Some(refusal) = refusal(&mut inside, format!("resolve {revision} {path}"), &headers) {
        return refusal;
    }
    if inside.gated {
        let mut response = answer(StatusCode::FORBIDDEN, &json!({"error": "Access to model acme/tiny is restricted"}));
        response.headers_mut().insert("x-error-code", HeaderValue::from_static("GatedRepo"));
        return response;
    }
    if !inside.files.contains_key(&path) {
        return answer(StatusCode::NOT_FOUND, &json!({"error": "Entry not found"}));
    }
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::FOUND;
    if let Ok(place) = HeaderValue::from_str(&format!("/store/{path}")) {
        response.headers_mut().insert(header::LOCATION, place);
    }
    response
}

async fn content(State(inside): Shared, headers: HeaderMap, Path(path): Path<String>) -> Response<Body> {
    let mut inside = held(&inside);
    let range = headers.get(header::RANGE).and_then(|range| range.to_str().ok()).unwrap_or_default().to_owned();
    inside.asked.push(format!("content {path} {range}").trim().to_owned());
    let Some(file) = inside.files.get(&path).cloned() else {
        return answer(StatusCode::NOT_FOUND, &json!({}));
    };
    let size = file.content.len();
    let from = range.strip_prefix("bytes=").and_then(|range| range.strip_suffix('-')?.parse::<usize>().ok());
    let from = from.filter(|_| inside.ranges);
    if from.is_some_and(|from| from >= size) {
        return answer(StatusCode::RANGE_NOT_SATISFIABLE, &json!({}));
    }
    let rest = file.content.slice(from.unwrap_or(0)..);
    let length = rest.len();
    let mut pieces: Vec<Result<Bytes, std::io::Error>> = Vec::new();
    match inside.breaks {
        Some((bytes, times)) if times > 0 && bytes < rest.len() => {
            inside.breaks = Some((bytes, times - 1));
            pieces.push(Ok(rest.slice(..bytes)));
            pieces.push(Err(std::io::Error::other("the test breaks the connection")));
        }
        _ => pieces.extend(rest.chunks(1000).map(|piece| Ok(Bytes::copy_from_slice(piece)))),
    }
    let hang = inside.hang;
    let body = stream::unfold(pieces.into_iter().enumerate(), move |mut pieces| async move {
        match pieces.next() {
            Some((1.., _)) if hang => std::future::pending().await,
            Some((n, piece)) => {
                if n > 0 && piece.is_err() {
                    // So that what was written goes out before the connection is torn down.
                    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
                }
                Some((piece, pieces))
            }
            None => None,
        }
    });
    let mut response = Response::new(Body::from_stream(body));
    response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    if let Some(from) = from {
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
        if let Ok(range) = HeaderValue::from_str(&format!("bytes {from}-{}/{size}", size - 1)) {
            response.headers_mut().insert(header::CONTENT_RANGE, range);
        }
    }
    response
}
