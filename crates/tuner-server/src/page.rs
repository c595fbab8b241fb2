//! The web page: files that were built from `ui/` and put into the binary (debug builds read them from the folder).
//!
//! *Invariant*: the page holds no data and needs no token; everything it shows comes from the API, which asks for one.

use std::borrow::Cow;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use rust_embed::{EmbeddedFile, RustEmbed};

#[derive(RustEmbed)]
#[folder = "../../ui/dist"]
#[allow_missing = true]
struct Files;

/// What the page may load: its own files. Styles are set on elements too, by the plots.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; \
                      font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// The page that opens all others.
const INDEX: &str = "index.html";
/// Files whose names change with what they hold.
const HASHED: &str = "assets/";
/// What is not the page's.
const OTHERS: [&str; 6] = ["api", "mcp", "metrics", "health", "ready", ".well-known"];

const NOT_BUILT: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Inference Autotuner</title>\
    <h1>This program was built without its page</h1>\
    <p>Run <code>cargo xtask page</code> in the clone and build again. The API works: see \
    <a href=\"/api/openapi.json\">/api/openapi.json</a>.</p></html>";

/// Answers with the page where a person's browser asks for it; everything else goes on.
pub(crate) async fn serve(request: Request, next: Next) -> Response {
    let page = asked(&request);
    match page {
        Some(page) => page,
        None => next.run(request).await,
    }
}

fn asked(request: &Request) -> Option<Response> {
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    let path = request.uri().path().trim_start_matches('/');
    let first = path.split('/').next().unwrap_or_default();
    if !reads || OTHERS.contains(&first) {
        return None;
    }
    let takes =
        |name, word: &str| request.headers().get(name).and_then(|v| v.to_str().ok()).is_some_and(|v| v.contains(word));
    let gzip = takes(header::ACCEPT_ENCODING, "gzip");
    let opens = path.is_empty() || takes(header::ACCEPT, "text/html") && !path.starts_with(HASHED);
    file(path, gzip).or_else(|| opens.then(|| file(INDEX, gzip).unwrap_or_else(not_built)))
}

fn file(path: &str, gzip: bool) -> Option<Response> {
    if path.is_empty() || path.ends_with(".gz") {
        return None;
    }
    let plain = Files::get(path)?;
    let packed = if gzip { Files::get(&format!("{path}.gz")) } else { None };
    let is_packed = packed.is_some();
    let EmbeddedFile { data, .. } = packed.unwrap_or(plain);
    let keep = if path.starts_with(HASHED) { "public, max-age=31536000, immutable" } else { "no-cache" };
    let body = match data {
        Cow::Borrowed(bytes) => Body::from(bytes),
        Cow::Owned(bytes) => Body::from(bytes),
    };
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind(path)));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(keep));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if is_packed {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    Some(response)
}

fn not_built() -> Response {
    let kind = [(header::CONTENT_TYPE, "text/html; charset=utf-8")];
    (StatusCode::SERVICE_UNAVAILABLE, kind, NOT_BUILT).into_response()
}

/// Types of what a build of the page holds.
fn kind(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        "webmanifest" => "application/manifest+json",
        _ => "application/octet-stream",
    }
}
