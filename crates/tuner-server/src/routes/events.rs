//! Events as they happen: server-sent, replayed after a gap.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::sse::{Event, KeepAlive, Sse};
use futures::{Stream, StreamExt};
use serde::Deserialize;
use tuner_policy::Action;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::answer::Problem;
use crate::extract::{self, Params, Permitted};
use crate::guard::guarded;
use crate::hub::{Wish, is_kind};
use crate::state::App;

/// How often a silent stream says that it lives.
pub(super) const HEARTBEAT: Duration = Duration::from_secs(15);

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default().routes(guarded(Action::EventRead, routes!(follow)))
}

/// Which events.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct FollowEvents {
    /// After this number; 0 for all there are. Default: from now on. `Last-Event-ID` goes before it.
    after: Option<i64>,
    /// Of this task: id, name or beginning of an id.
    task: Option<String>,
    /// Of these kinds, separated by commas.
    kind: Option<String>,
}

/// Follow events. Each has its number as id and `{seq, task, experiment, at, kind, …}` as data; a comment every 15 s shows
/// that the stream lives. Of conversations one hears only that something happened: `{seq, at, kind: "chat", session}`.
#[utoipa::path(get, path = "/api/events", tag = "events",
    params(FollowEvents, ("last-event-id" = Option<i64>, Header, description = "The last event that the client saw.")),
    responses((status = 200, content_type = "text/event-stream", body = String)))]
async fn follow(
    State(app): State<App>,
    Permitted(_permit): Permitted,
    Params(query): Params<FollowEvents>,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    let after = begins_after(&headers, query.after)?;
    let kinds: Vec<String> = query.kind.iter().flat_map(|k| k.split(',')).map(|k| k.trim().to_owned()).collect();
    if let Some(wrong) = kinds.iter().find(|kind| !is_kind(kind)) {
        return Err(extract::invalid(format!("kind: there are no events of kind {wrong:?}")));
    }
    must_have_room(&app)?;
    let task = match query.task {
        Some(wanted) => Some(app.service().store().task(&wanted).await?.id),
        None => None,
    };
    let subscription = app.hub().subscribe(after, Wish { task, kinds, session: None, hints: true }).await?;
    let stream = futures::stream::unfold(subscription, |mut subscription| async move {
        match subscription.next_text().await {
            Ok((seq, text)) => {
                let event = Event::default().id(seq.to_string()).data(text);
                Some((Ok(event), subscription))
            }
            Err(error) => {
                tracing::warn!(%error, "a stream of events ends");
                None
            }
        }
    });
    let stream = stream.take_until(app.stop().clone().cancelled_owned());
    Ok(Sse::new(stream).keep_alive(KeepAlive::new().interval(HEARTBEAT)))
}

/// After which number a stream begins: where its client was, or what it asks for.
pub(super) fn begins_after(headers: &HeaderMap, asked: Option<i64>) -> Result<Option<i64>, Problem> {
    let after = last_event_id(headers)?.or(asked);
    if after.is_some_and(|after| after < 0) {
        return Err(extract::invalid("after: it must not be negative".to_owned()));
    }
    Ok(after)
}

/// Refuses one stream too many.
pub(super) fn must_have_room(app: &App) -> Result<(), Problem> {
    if app.hub().subscribers() < app.options().limits.streams {
        return Ok(());
    }
    let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, "too_many_streams", "too many clients follow events");
    Err(problem.hint("close some, or try again later"))
}

/// Where a client that comes back goes on.
pub(super) fn last_event_id(headers: &HeaderMap) -> Result<Option<i64>, Problem> {
    let Some(value) = headers.get("last-event-id") else { return Ok(None) };
    let number = value.to_str().ok().and_then(|text| text.parse::<i64>().ok()).filter(|n| *n >= 0);
    number.map(Some).ok_or_else(|| extract::invalid("Last-Event-ID: it is no number that this service gave".to_owned()))
}
