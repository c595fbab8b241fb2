//! Engine logs: by range, and followed while they are written.

use std::convert::Infallible;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures::Stream;
use serde::{Deserialize, Serialize};
use tuner_app::AppError;
use tuner_app::access::Permit;
use tuner_app::service::logs::{Log, Start};
use tuner_policy::Action;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::events::{HEARTBEAT, last_event_id};
use crate::answer::Problem;
use crate::extract::{self, Params, Path, Permitted};
use crate::guard::guarded;
use crate::state::App;

/// Bytes where nobody says how many.
const BYTES: u64 = 64 << 10;
/// The most bytes at once.
const MOST_BYTES: u64 = 1 << 20;
/// How often a followed log is looked at.
const LOOK: Duration = Duration::from_millis(250);

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default()
        .routes(guarded(Action::LogRead, routes!(range)))
        .routes(guarded(Action::LogRead, routes!(follow)))
}

/// Which part of which log.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct LogRange {
    /// Of this attempt; default: of the last one that has a log.
    attempt: Option<u32>,
    /// From this byte on; default: the last bytes.
    offset: Option<u64>,
    /// At most so many bytes, 1 to 1048576. Default 65536.
    #[param(minimum = 1, maximum = 1_048_576)]
    limit: Option<u64>,
}

/// Part of a log.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LogPart {
    /// Of this attempt.
    attempt: u32,
    /// Position of its first byte.
    offset: u64,
    /// Position after its last byte: send it as `offset` to go on.
    next_offset: u64,
    /// Bytes of the whole log now.
    size_bytes: u64,
    /// Nothing more will be written.
    ended: bool,
    /// The text.
    text: String,
}

/// Read a part of the engine's log.
#[utoipa::path(get, path = "/api/tasks/{task}/experiments/{number}/log", tag = "experiments",
    params(("task" = String, Path, description = "Id, name or beginning of an id."), ("number" = u32, Path, description = "Its number."), LogRange),
    responses((status = 200, body = LogPart)))]
async fn range(
    State(app): State<App>,
    Permitted(permit): Permitted,
    Path((task, number)): Path<(String, u32)>,
    Params(query): Params<LogRange>,
) -> Result<Json<LogPart>, Problem> {
    let limit = query.limit.unwrap_or(BYTES);
    if !(1..=MOST_BYTES).contains(&limit) {
        return Err(extract::invalid(format!("limit: {limit} is not between 1 and {MOST_BYTES}")));
    }
    let log = app.service().find_log(&permit, &task, number, query.attempt).await?;
    let part = log.part(query.offset.map_or(Start::End, Start::Offset), limit).await?;
    Ok(Json(LogPart {
        attempt: log.attempt,
        offset: part.offset,
        next_offset: part.next_offset,
        size_bytes: part.size,
        ended: log.ended && part.next_offset >= part.size,
        text: part.text,
    }))
}

/// Where to begin.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct FollowLog {
    /// Of this attempt; default: of the last one that has a log.
    attempt: Option<u32>,
    /// From this byte on; default: from the beginning. `Last-Event-ID` goes before it.
    offset: Option<u64>,
}

/// What a log is followed with.
struct Following {
    app: App,
    permit: Permit,
    task: String,
    number: u32,
    log: Log,
    at: u64,
    ended: bool,
}

/// Follow the engine's log: events with `{offset, text}` and as id the byte to go on from; `event: end` at its end.
#[utoipa::path(get, path = "/api/tasks/{task}/experiments/{number}/log/follow", tag = "experiments",
    params(("task" = String, Path, description = "Id, name or beginning of an id."), ("number" = u32, Path, description = "Its number."), FollowLog),
    responses((status = 200, content_type = "text/event-stream", body = String)))]
async fn follow(
    State(app): State<App>,
    Permitted(permit): Permitted,
    Path((task, number)): Path<(String, u32)>,
    Params(query): Params<FollowLog>,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    let log = app.service().find_log(&permit, &task, number, query.attempt).await?;
    let at = match last_event_id(&headers)? {
        Some(id) => u64::try_from(id).unwrap_or_default(),
        None => query.offset.unwrap_or_default(),
    };
    let stop = app.stop().clone();
    let following = Following { app, permit, task, number, log, at, ended: false };
    let stream = futures::stream::unfold(following, |mut following| async move {
        let event = following.next().await?;
        Some((Ok(event), following))
    });
    let stream = futures::StreamExt::take_until(stream, stop.cancelled_owned());
    Ok(Sse::new(stream).keep_alive(KeepAlive::new().interval(HEARTBEAT)))
}

impl Following {
    async fn next(&mut self) -> Option<Event> {
        loop {
            if self.ended {
                return None;
            }
            let part = self.log.part(Start::Offset(self.at), BYTES).await.ok()?;
            if !part.text.is_empty() {
                self.at = part.next_offset;
                let data = serde_json::json!({ "offset": part.offset, "text": part.text }).to_string();
                return Some(Event::default().id(self.at.to_string()).data(data));
            }
            if self.log.ended {
                self.ended = true;
                return Some(Event::default().event("end").id(self.at.to_string()).data("{}"));
            }
            tokio::time::sleep(LOOK).await;
            self.log = self.again().await.ok()?;
        }
    }

    async fn again(&self) -> Result<Log, AppError> {
        self.app.service().find_log(&self.permit, &self.task, self.number, Some(self.log.attempt)).await
    }
}
