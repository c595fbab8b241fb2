//! What a request must look like; everything else is a [`Problem`].

use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, FailedToBufferBody};
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use serde::de::DeserializeOwned;
use tuner_app::access::Permit;

use crate::answer::Problem;

/// Items on a page where nobody says how many.
pub(crate) const PAGE: u32 = 50;
/// The most items on a page.
pub(crate) const MOST_ITEMS: u32 = 500;

/// The permit that the guard got.
pub(crate) struct Permitted(pub(crate) Permit);

impl<S: Sync> FromRequestParts<S> for Permitted {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let permit = parts.extensions.get::<Permit>().cloned();
        permit.map(Self).ok_or_else(|| Problem::of_status(StatusCode::INTERNAL_SERVER_ERROR))
    }
}

/// The query of a request.
pub(crate) struct Params<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Sync> FromRequestParts<S> for Params<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let query = Query::<T>::try_from_uri(&parts.uri);
        query
            .map(|Query(query)| Self(query))
            .map_err(|rejection| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_query", rejection.body_text()))
    }
}

/// Parts of the path.
pub(crate) struct Path<T>(pub(crate) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = axum::extract::Path::<T>::from_request_parts(parts, state).await;
        path.map(|axum::extract::Path(path)| Self(path)).map_err(|rejection| {
            Problem::new(StatusCode::NOT_FOUND, "not_found", format!("no such path: {}", rejection.body_text()))
        })
    }
}

/// A body of JSON.
pub(crate) struct Body<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        if kind(&request) != Some(Kind::Json) {
            return Err(wrong_type("application/json"));
        }
        let bytes = read(request, state).await?;
        parse(&bytes).map(Self)
    }
}

/// A body of JSON, or none.
pub(crate) struct OptionalBody<T>(pub(crate) Option<T>);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for OptionalBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let kind = kind(&request);
        let bytes = read(request, state).await?;
        match kind {
            _ if bytes.is_empty() => Ok(Self(None)),
            Some(Kind::Json) => parse(&bytes).map(|body| Self(Some(body))),
            _ => Err(wrong_type("application/json")),
        }
    }
}

/// What a body says it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Json,
    Yaml,
}

/// What the request's body says it is.
pub(crate) fn kind(request: &Request) -> Option<Kind> {
    kind_of(request.headers())
}

/// What headers say of the body.
pub(crate) fn kind_of(headers: &HeaderMap) -> Option<Kind> {
    let text = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    let essence = text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match essence.as_str() {
        "application/json" => Some(Kind::Json),
        "application/yaml" | "application/x-yaml" | "text/yaml" => Some(Kind::Yaml),
        _ => None,
    }
}

pub(crate) fn wrong_type(wanted: &str) -> Problem {
    Problem::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "unsupported_media_type",
        "the body is of a type that is not taken",
    )
    .hint(format!("send Content-Type: {wanted}"))
}

/// The whole body, within the limit.
pub(crate) async fn read<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, Problem> {
    Bytes::from_request(request, state).await.map_err(|rejection| match rejection {
        BytesRejection::FailedToBufferBody(FailedToBufferBody::LengthLimitError(_)) => {
            Problem::of_status(StatusCode::PAYLOAD_TOO_LARGE)
        }
        other => Problem::new(StatusCode::BAD_REQUEST, "bad_request", other.body_text()),
    })
}

pub(crate) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let unfit = |why: &dyn std::fmt::Display| {
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_body", format!("the body does not fit: {why}"))
    };
    let body = serde_json::from_slice(bytes).map_err(|error| match error.classify() {
        serde_json::error::Category::Data => unfit(&error),
        _ => Problem::new(StatusCode::BAD_REQUEST, "invalid_json", format!("the body is not JSON: {error}")),
    })?;
    // Fields in their order are a struct to the reader, and to nobody else.
    if bytes.trim_ascii_start().starts_with(b"[") {
        return Err(unfit(&"an object is wanted, not a list"));
    }
    Ok(body)
}

/// How many items, between 1 and [`MOST_ITEMS`].
pub(crate) fn page_size(limit: Option<u32>) -> Result<u32, Problem> {
    let limit = limit.unwrap_or(PAGE);
    if (1..=MOST_ITEMS).contains(&limit) {
        return Ok(limit);
    }
    Err(invalid(format!("limit: {limit} is not between 1 and {MOST_ITEMS}")))
}

/// A cursor as an earlier answer gave it.
pub(crate) fn cursor<T: std::str::FromStr>(text: Option<&str>) -> Result<Option<T>, Problem> {
    let parse = |text: &str| text.parse().map_err(|_| invalid("cursor: it is none that this service gave".to_owned()));
    text.map(parse).transpose()
}

/// A list of words, separated by commas; each must be known.
pub(crate) fn words(name: &str, text: Option<&str>, known: &[&str]) -> Result<Vec<String>, Problem> {
    let words: Vec<String> = text.into_iter().flat_map(|t| t.split(',')).map(|w| w.trim().to_owned()).collect();
    match words.iter().find(|word| !known.contains(&word.as_str())) {
        Some(wrong) => Err(invalid(format!("{name}: {wrong:?} is not one of {}", known.join(", ")))),
        None => Ok(words),
    }
}

/// The same, as values of one type.
pub(crate) fn values<T: Copy>(
    name: &str,
    text: Option<&str>,
    all: &[T],
    word: fn(T) -> &'static str,
) -> Result<Vec<T>, Problem> {
    let known: Vec<&str> = all.iter().map(|value| word(*value)).collect();
    let words = words(name, text, &known)?;
    Ok(all.iter().copied().filter(|value| words.iter().any(|w| w == word(*value))).collect())
}

/// There is nothing with such an id.
pub(crate) fn unknown(what: &str, id: &str) -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "not_found", format!("there is no {what} {id:?}"))
}

pub(crate) fn invalid(message: String) -> Problem {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_query", message)
}
