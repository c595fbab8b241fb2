//! One request over HTTP: sent within its limits, its answer read as it comes.
//!
//! *Invariant*: nothing is left running: whoever drops the future of a request closes its connection.

use std::time::{Duration, Instant};

use bytes::Bytes;
use chrono::Utc;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use reqwest::{Client, RequestBuilder, Response, Url};
use serde_json::Value;
use tuner_wire::{Secret, retry_after, said};

use crate::refusal::{Failed, of_status};
use crate::{Limits, LlmError};

/// Longest answer that is read, in bytes; longest text of an error.
const LONGEST_ANSWER: usize = 32 << 20;
const LONGEST_ERROR: usize = 64 << 10;
/// How long the last words (token counts, the mark of the end) may take once the reason for the end has come.
const LAST_WORDS: Duration = Duration::from_secs(5);
/// How long the text of an error may take.
const ERROR_WAIT: Duration = Duration::from_secs(10);

/// The way to one server.
#[derive(Debug)]
pub(crate) struct Wire {
    pub(crate) http: Client,
    pub(crate) base: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) limits: Limits,
    pub(crate) secrets: Vec<Secret>,
    pub(crate) model: String,
}

/// An answer that has begun.
pub(crate) struct Incoming {
    response: Response,
    host: String,
    secrets: Vec<Secret>,
    sent: Instant,
    limits: Limits,
    read: usize,
    /// It says of itself that it is a stream of events.
    pub(crate) is_stream: bool,
}

impl Wire {
    /// Host and port, for people.
    pub(crate) fn host(&self) -> String {
        let host = self.base.host_str().unwrap_or_default();
        self.base.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    }

    /// The address of a path below the base.
    pub(crate) fn url(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        let joined = format!("{}/{path}", url.path().trim_end_matches('/'));
        url.set_path(&joined);
        url
    }

    pub(crate) fn said(&self, text: &str) -> String {
        said(text, &self.secrets.iter().collect::<Vec<_>>())
    }

    /// What the HTTP client says of an error, with its causes and without the address, which may hold a password.
    fn why(&self, error: reqwest::Error) -> String {
        let error = error.without_url();
        let mut text = error.to_string();
        let mut source = std::error::Error::source(&error);
        while let Some(cause) = source {
            let cause_text = cause.to_string();
            if !text.contains(&cause_text) {
                text = format!("{text}: {cause_text}");
            }
            source = cause.source();
        }
        self.said(&text)
    }

    fn unreachable(&self, error: reqwest::Error) -> LlmError {
        LlmError::Unreachable { host: self.host(), why: self.why(error), tries: 1 }
    }

    /// Sends the body and waits until an answer begins that is a success.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Result<Incoming, Failed> {
        self.send(self.http.post(self.url(path)).json(body), self.limits.first_byte).await
    }

    /// Fetches a page that is short.
    pub(crate) async fn get(&self, path: &str, within: Duration) -> Result<Vec<u8>, Failed> {
        let mut incoming = self.send(self.http.get(self.url(path)), within).await?;
        let mut page = Vec::new();
        while let Some(chunk) = incoming.next(false).await? {
            page.extend_from_slice(&chunk);
        }
        Ok(page)
    }

    async fn send(&self, request: RequestBuilder, within: Duration) -> Result<Incoming, Failed> {
        let sent = Instant::now();
        let silent = || LlmError::Silent { host: self.host(), waited: within, after_output: false };
        let answer = tokio::time::timeout(within, request.headers(self.headers.clone()).send()).await;
        let response = match answer {
            Err(_) => return Err(Failed::finally(silent())),
            Ok(Err(error)) if error.is_builder() => {
                let (what, hint) = (self.why(error), "check AGENT_BASE_URL".to_owned());
                return Err(Failed::finally(LlmError::Settings { what, hint }));
            }
            Ok(Err(error)) => return Err(Failed::for_now(self.unreachable(error))),
            Ok(Ok(response)) => response,
        };
        if !response.status().is_success() {
            return Err(self.refused(response).await);
        }
        let kind = response.headers().get(reqwest::header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        Ok(Incoming {
            is_stream: kind.is_some_and(|kind| kind.trim_start().starts_with("text/event-stream")),
            response,
            host: self.host(),
            secrets: self.secrets.clone(),
            sent,
            limits: Limits { first_byte: within, ..self.limits },
            read: 0,
        })
    }

    async fn refused(&self, mut response: Response) -> Failed {
        let status = response.status().as_u16();
        let wait = wanted_wait(response.headers());
        let mut body = Vec::new();
        let read = async {
            while let Ok(Some(chunk)) = response.chunk().await {
                body.extend_from_slice(&chunk);
                if body.len() > LONGEST_ERROR {
                    break;
                }
            }
        };
        let _ = tokio::time::timeout(ERROR_WAIT.min(self.limits.idle), read).await;
        of_status(status, &body, wait, &self.model, &self.secrets.iter().collect::<Vec<_>>())
    }
}

/// When the server wants to be asked again.
fn wanted_wait(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let exact = text(HeaderName::from_static("retry-after-ms")).and_then(|ms| ms.trim().parse::<u64>().ok());
    exact.map(Duration::from_millis).or_else(|| retry_after(text(RETRY_AFTER)?, Utc::now()))
}

impl Incoming {
    /// The next bytes; `None` at the end. `given`: part of the answer was given out already.
    pub(crate) async fn next(&mut self, given: bool) -> Result<Option<Bytes>, Failed> {
        let limit = match self.read {
            0 => self.limits.first_byte.saturating_sub(self.sent.elapsed()),
            _ => self.limits.idle,
        };
        let chunk = match tokio::time::timeout(limit, self.response.chunk()).await {
            Ok(Ok(chunk)) => chunk,
            Ok(Err(error)) => {
                let secrets: Vec<&Secret> = self.secrets.iter().collect();
                let why = said(&format!("the connection broke: {}", error.without_url()), &secrets);
                let error = LlmError::Interrupted { why, after_output: given, tries: 1 };
                return Err(if given { Failed::finally(error) } else { Failed::for_now(error) });
            }
            Err(_) => {
                let waited = if self.read == 0 { self.limits.first_byte } else { limit };
                let error = LlmError::Silent { host: self.host.clone(), waited, after_output: given };
                return Err(Failed::finally(error));
            }
        };
        self.read += chunk.as_ref().map_or(0, Bytes::len);
        if self.read > LONGEST_ANSWER {
            let why = format!("the answer is longer than {} MiB", LONGEST_ANSWER >> 20);
            return Err(Failed::finally(LlmError::Unreadable { host: self.host.clone(), why }));
        }
        Ok(chunk)
    }

    /// The reason for the end has come: not much can follow.
    pub(crate) fn expect_end(&mut self) {
        self.limits.idle = self.limits.idle.min(LAST_WORDS);
    }

    /// Reads what is left of an answer that is over, for a moment: then the connection can be used again.
    pub(crate) async fn settle(mut self) {
        let rest = async { while let Ok(Some(_)) = self.response.chunk().await {} };
        let _ = tokio::time::timeout(Duration::from_millis(20), rest).await;
    }
}

/// A header's value that logs do not show.
pub(crate) fn secret_header(value: &str) -> Result<HeaderValue, LlmError> {
    let mut value = HeaderValue::from_str(value).map_err(|_| LlmError::Settings {
        what: "the key holds characters that no key has".into(),
        hint: "copy AGENT_API_KEY again, without quotes and line ends".into(),
    })?;
    value.set_sensitive(true);
    Ok(value)
}
