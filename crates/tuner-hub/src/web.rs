//! One request to a hub: sent within its limits, refused in typed errors.
//!
//! *Invariant*: a token is sent to the address it was set for, and to no other: following pages are checked.

use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::{Client, RequestBuilder, Response, Url};
use serde_json::Value;
use tuner_wire::{Secret, retry_after, said};

use crate::HubError;

/// From sending to the answer's head, and between two pieces of it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
/// Longest page that is read, in bytes; longest text of an error.
const LONGEST_PAGE: usize = 32 << 20;
const LONGEST_ERROR: usize = 64 << 10;

/// The way to one hub.
#[derive(Clone, Debug)]
pub(crate) struct Web {
    pub(crate) http: Client,
    pub(crate) base: Url,
    pub(crate) token: Option<Secret>,
    /// The setting that holds the token.
    pub(crate) setting: &'static str,
}

/// A page: its head and its JSON.
pub(crate) struct Page {
    pub(crate) headers: HeaderMap,
    pub(crate) json: Value,
}

impl Web {
    /// `address` and `setting` are what the address and the token are called.
    pub(crate) fn new(
        http: Client,
        base: &str,
        token: Option<Secret>,
        address: &str,
        setting: &'static str,
    ) -> Result<Self, HubError> {
        let url = Url::parse(base.trim()).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        let base = url.filter(|url| url.host_str().is_some()).ok_or_else(|| HubError::Settings {
            what: format!("{address} is no address"),
            hint: format!("write {address} as https://HOST"),
        })?;
        let token = token.filter(|token| !token.reveal().trim().is_empty());
        if let Some(token) = &token
            && !token.reveal().bytes().all(|byte| byte.is_ascii_graphic())
        {
            return Err(HubError::Settings {
                what: format!("{setting} holds characters that no token has"),
                hint: "copy it again, without quotes and line ends".into(),
            });
        }
        Ok(Self { http, base, token, setting })
    }

    /// Host and port, for people.
    pub(crate) fn host(&self) -> String {
        let host = self.base.host_str().unwrap_or_default();
        self.base.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    }

    /// The address of a path, part by part; each is written so that it stays one part.
    pub(crate) fn url(&self, parts: &[&str]) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(parts);
        }
        url
    }

    /// The address of a path with a query.
    pub(crate) fn url_with(&self, parts: &[&str], query: &[(&str, &str)]) -> Url {
        let mut url = self.url(parts);
        url.query_pairs_mut().extend_pairs(query);
        url
    }

    pub(crate) fn said(&self, text: &str) -> String {
        said(text, &self.token.iter().collect::<Vec<_>>())
    }

    pub(crate) fn unreachable(&self, error: reqwest::Error) -> HubError {
        let error = error.without_url();
        let mut why = error.to_string();
        let mut source = std::error::Error::source(&error);
        while let Some(cause) = source {
            why = format!("{why}: {cause}");
            source = cause.source();
        }
        HubError::Unreachable { host: self.host(), why: self.said(&why) }
    }

    fn silent(&self) -> HubError {
        HubError::Unreachable { host: self.host(), why: format!("it sent nothing for {} s", PATIENCE.as_secs()) }
    }

    /// The server's word that it does not answer as documented.
    pub(crate) fn unreadable(&self, why: impl Into<String>) -> HubError {
        HubError::Unreadable { host: self.host(), why: why.into() }
    }

    /// Sends, with the token, and gives the answer as it is.
    pub(crate) async fn send(&self, request: RequestBuilder) -> Result<Response, HubError> {
        let request = request.header("User-Agent", concat!("inference-autotuner/", env!("CARGO_PKG_VERSION")));
        let request = match &self.token {
            Some(token) => request.bearer_auth(token.reveal()),
            None => request,
        };
        match tokio::time::timeout(PATIENCE, request.send()).await {
            Err(_) => Err(self.silent()),
            Ok(Err(error)) => Err(self.unreachable(error)),
            Ok(Ok(response)) => Ok(response),
        }
    }

    /// The next piece of an answer.
    pub(crate) async fn next(&self, response: &mut Response) -> Result<Option<bytes::Bytes>, HubError> {
        match tokio::time::timeout(PATIENCE, response.chunk()).await {
            Err(_) => Err(self.silent()),
            Ok(Err(error)) => Err(self.unreachable(error)),
            Ok(Ok(chunk)) => Ok(chunk),
        }
    }

    /// A page that is a success.
    pub(crate) async fn page(&self, request: RequestBuilder, what: &str) -> Result<Page, HubError> {
        self.read(self.send(request).await?, what).await
    }

    /// The page of an answer.
    pub(crate) async fn read(&self, mut response: Response, what: &str) -> Result<Page, HubError> {
        if !response.status().is_success() {
            return Err(self.refused(response, what).await);
        }
        let headers = response.headers().clone();
        let mut body = Vec::new();
        while let Some(chunk) = self.next(&mut response).await? {
            body.extend_from_slice(&chunk);
            if body.len() > LONGEST_PAGE {
                return Err(self.unreadable(format!("a page is longer than {} MiB", LONGEST_PAGE >> 20)));
            }
        }
        let json = serde_json::from_slice(&body).map_err(|_| {
            let start = String::from_utf8_lossy(&body[..body.len().min(300)]).into_owned();
            self.unreadable(format!("it sent {:?}", self.said(&start)))
        })?;
        Ok(Page { headers, json })
    }

    /// What a status that is no success means; `what` was asked for.
    pub(crate) async fn refused(&self, mut response: Response, what: &str) -> HubError {
        let (host, status) = (self.host(), response.status().as_u16());
        let headers = response.headers().clone();
        let mut body = Vec::new();
        while let Ok(Some(chunk)) = self.next(&mut response).await {
            body.extend_from_slice(&chunk);
            if body.len() > LONGEST_ERROR {
                break;
            }
        }
        let body = String::from_utf8_lossy(&body).into_owned();
        let said = self.said(&sentence(&body));
        let word = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let used_up = word("x-ratelimit-remaining") == Some("0") && matches!(status, 403 | 429);
        if used_up || status == 429 || body.contains("secondary rate limit") {
            return HubError::Limited { host, until: until(&headers), said };
        }
        match (status, word("x-error-code")) {
            (_, Some("GatedRepo")) => HubError::Gated { repo: what.to_owned() },
            // Hugging Face answers 401 to who may not know whether the repository exists.
            (_, Some("RepoNotFound")) => HubError::NotFound { what: what.to_owned() },
            (401 | 403, _) => HubError::Unauthorised { host, status, said, setting: self.setting },
            (404 | 410, _) => HubError::NotFound { what: what.to_owned() },
            (500..=599, _) => HubError::Unreachable { host, why: format!("it fails with {status}: {said}") },
            _ => HubError::Refused { host, status, said },
        }
    }

    /// The next page of a list, by the `Link` header; only where it is on the same host.
    pub(crate) fn next_page(&self, headers: &HeaderMap) -> Option<Url> {
        let link = headers.get("link")?.to_str().ok()?;
        let next = link.split(',').find(|part| part.contains("rel=\"next\""))?;
        let url = Url::parse(next.split_once('<')?.1.split_once('>')?.0).ok()?;
        (url.origin() == self.base.origin()).then_some(url)
    }
}

/// When requests are taken again.
fn until(headers: &HeaderMap) -> Option<DateTime<Utc>> {
    let word = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let now = Utc::now();
    let wait = word(RETRY_AFTER.as_str()).and_then(|value| retry_after(value, now));
    let reset = || DateTime::from_timestamp(word("x-ratelimit-reset")?.parse().ok()?, 0);
    wait.map(|wait| now + wait).or_else(reset)
}

/// The sentence inside of an error's body; the body itself if it has none.
fn sentence(body: &str) -> String {
    let value: Value = serde_json::from_str(body).unwrap_or_default();
    let text = value["message"].as_str().or(value["error"].as_str());
    text.map_or_else(|| body.to_owned(), str::to_owned)
}
