//! Idempotency keys: a POST that is sent again gets the answer it would have got.
//!
//! *Invariant*: with the same key, the same thing is done once; something else is refused. An answer is kept before it is
//! given.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use http_body_util::BodyExt;
use sha2::{Digest, Sha256};
use tuner_app::access::Permit;
use tuner_store::{Begun, Reply};

use crate::answer::Problem;
use crate::extract;
use crate::guard;
use crate::state::App;

const KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Says that an answer was given before.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
/// Headers that belong to an answer.
const KEPT: [HeaderName; 2] = [header::CONTENT_TYPE, header::LOCATION];
/// Longest key.
const LONGEST: usize = 200;

/// Marks an answer that holds a secret: it is given once and not kept; who asks again is told so.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ShownOnce;

/// Does it, unless it was done or is being done under the same key.
pub(crate) async fn once<F: Future<Output = Response> + Send>(
    app: &App,
    permit: &Permit,
    request: Request,
    work: impl FnOnce(Request) -> F + Send,
) -> Response {
    if request.method() != Method::POST || !request.headers().contains_key(KEY) {
        return work(request).await;
    }
    match keyed(app, permit, request, work).await {
        Ok(response) => response,
        Err(problem) => problem.into_response(),
    }
}

async fn keyed<F: Future<Output = Response> + Send>(
    app: &App,
    permit: &Permit,
    request: Request,
    work: impl FnOnce(Request) -> F + Send,
) -> Result<Response, Problem> {
    let asker = permit.asker();
    let key = request.headers().get(KEY).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    if key.is_empty() || key.len() > LONGEST {
        let message = format!("Idempotency-Key must be 1 to {LONGEST} characters of ASCII");
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_key", message));
    }
    let (mut parts, body) = request.into_parts();
    let place = parts.uri.path_and_query().map_or("/", |place| place.as_str()).to_owned();
    let header = |name| parts.headers.get(name).map_or(&b""[..], HeaderValue::as_bytes);
    let kind = header(header::CONTENT_TYPE);
    let (body, fingerprint) = if guard::is_streamed(permit.action()) && extract::kind_of(&parts.headers).is_none() {
        // Known by its length, and its checksum where the address has one: it may be larger than memory.
        let length = header(header::CONTENT_LENGTH);
        (body, fingerprint(&[place.as_bytes(), kind, length]))
    } else {
        let read = extract::read(Request::from_parts(parts.clone(), body), &()).await?;
        let fingerprint = fingerprint(&[place.as_bytes(), kind, &read]);
        (Body::from(read), fingerprint)
    };
    let (store, limits) = (app.service().store(), &app.options().limits);
    let owner = asker.key_space();
    // Whoever holds the key now is done, or dead, by then.
    let patience = guard::time_for(app, permit.action()) + Duration::from_secs(5);
    match store.begin_answer(&owner, &key, &fingerprint, patience).await? {
        Begun::New(id) => {
            // What it makes is found by this id if it is done again because nobody knows how it went.
            if let Some(permit) = parts.extensions.get::<Permit>().cloned() {
                parts.extensions.insert(permit.making(id));
            }
        }
        Begun::Done(reply) => return Ok(replay(reply)),
        Begun::Underway => {
            let problem = Problem::new(StatusCode::CONFLICT, "underway", "a request with this key is being done");
            return Err(problem.hint("send it again in a moment"));
        }
        Begun::Different => {
            let message = "this key stood for another request";
            let problem = Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "key_reused", message);
            return Err(problem.hint("use a new key for each new request"));
        }
    }
    let response = work(Request::from_parts(parts, body)).await;
    let (response, reply) = copy(response, &asker.request_id).await;
    if let Err(error) = store.end_answer(&owner, &key, reply.as_ref(), limits.keep_answers).await {
        tracing::error!(error = %error.in_words(), "an answer could not be kept for its idempotency key");
        if reply.is_some() {
            // Given now it could be another one the next time.
            let problem =
                Problem::new(StatusCode::SERVICE_UNAVAILABLE, "answer_not_kept", "it is not known how it went");
            return Err(problem.hint("send it again with the same key in a moment: nothing is done twice"));
        }
    }
    Ok(response)
}

/// The answer, and what is kept of it: nothing of one that may be better next time.
async fn copy(mut response: Response, request_id: &str) -> (Response, Option<Reply>) {
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        response = problem.render(request_id);
    }
    let status = response.status();
    if status.is_server_error() || status == StatusCode::CONFLICT || status == StatusCode::TOO_MANY_REQUESTS {
        return (response, None);
    }
    if response.extensions().get::<ShownOnce>().is_some() {
        let problem = Problem::new(StatusCode::CONFLICT, "shown_once", "it was made, and its secret was shown then")
            .hint("if nobody has the secret, take it back and make another");
        let (_, reply) = kept(problem.render(request_id)).await;
        return (response, reply);
    }
    kept(response).await
}

async fn kept(response: Response) -> (Response, Option<Reply>) {
    let (parts, body) = response.into_parts();
    let body = body.collect().await.map(|whole| whole.to_bytes()).unwrap_or_default();
    let reply = std::str::from_utf8(&body).ok().map(|text| Reply {
        status: parts.status.as_u16(),
        headers: KEPT
            .iter()
            .filter_map(|name| Some((name.to_string(), parts.headers.get(name)?.to_str().ok()?.to_owned())))
            .collect(),
        body: text.to_owned(),
    });
    (Response::from_parts(parts, Body::from(body)), reply)
}

fn replay(reply: Reply) -> Response {
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::OK);
    let mut response = (status, Bytes::from(reply.body)).into_response();
    response.headers_mut().remove(header::CONTENT_TYPE);
    for (name, value) in reply.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            response.headers_mut().insert(name, value);
        }
    }
    response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    response
}

fn fingerprint(parts: &[&[u8]]) -> String {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part);
    }
    tuner_core::hex(&digest.finalize())
}
