//! Following a conversation: what is kept, by number, and what is only told, as it comes.

use std::convert::Infallible;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures::{Stream, StreamExt};
use serde::Deserialize;
use tokio::sync::broadcast;
use tuner_agent::LiveEvent;
use tuner_policy::Action;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use super::super::events::{HEARTBEAT, begins_after, must_have_room};
use crate::answer::Problem;
use crate::extract::{Params, Path, Permitted};
use crate::guard::guarded;
use crate::hub::{Subscription, Wish};
use crate::state::App;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default().routes(guarded(Action::ChatRead, routes!(follow)))
}

/// From where.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct FollowSession {
    /// After this number; 0 for all there are. Default: from now on. `Last-Event-ID` goes before it.
    after: Option<i64>,
}

/// Follow a conversation. What is kept comes as event `chat` with its number as id and the whole row as data; pieces of
/// an answer that is not whole come as event `live` without an id, the first of them a snapshot of what there is. A
/// comment every 15 s shows that the stream lives.
#[utoipa::path(get, path = "/api/agent/sessions/{session}/events", tag = "agent",
    params(FollowSession, ("session" = String, Path, description = "Its id."),
        ("last-event-id" = Option<i64>, Header, description = "The last event that the client saw.")),
    responses((status = 200, content_type = "text/event-stream", body = String)))]
async fn follow(
    State(app): State<App>,
    Permitted(permit): Permitted,
    Path(session): Path<String>,
    Params(query): Params<FollowSession>,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    let id = app.desk().session(&permit, &session).await?.id;
    let after = begins_after(&headers, query.after)?;
    let ears = Ears::open(&app, id, after).await?;
    let stream = futures::stream::unfold(ears, |mut ears| async move {
        let event = match ears.next().await? {
            Heard::Kept { seq, json } => Event::default().event("chat").id(seq.to_string()).data(json),
            Heard::Live(event) => {
                Event::default().event("live").data(serde_json::to_string(&event).unwrap_or_default())
            }
        };
        Some((Ok(event), ears))
    });
    let stream = stream.take_until(app.stop().clone().cancelled_owned());
    Ok(Sse::new(stream).keep_alive(KeepAlive::new().interval(HEARTBEAT)))
}

/// Something that was heard.
pub(super) enum Heard {
    /// It is kept under this number.
    Kept { seq: i64, json: String },
    /// It was only told.
    Live(LiveEvent),
}

/// Both kinds of news of a conversation.
pub(super) struct Ears {
    app: App,
    session: Uuid,
    kept: Subscription,
    first: Option<LiveEvent>,
    live: broadcast::Receiver<LiveEvent>,
}

impl Ears {
    pub(super) async fn open(app: &App, session: Uuid, after: Option<i64>) -> Result<Self, Problem> {
        must_have_room(app)?;
        let kept = app.hub().subscribe(after, Wish { session: Some(session), ..Wish::default() }).await?;
        let (first, live) = app.desk().agent().live().watch(session);
        Ok(Self { app: app.clone(), session, kept, first: Some(first), live })
    }

    /// The next news; `None` where the store failed, and the client comes back.
    pub(super) async fn next(&mut self) -> Option<Heard> {
        if let Some(first) = self.first.take() {
            return Some(Heard::Live(first));
        }
        tokio::select! {
            // What is kept goes first: a whole message makes its pieces needless.
            biased;
            told = self.kept.next_text() => match told {
                Ok((seq, json)) => Some(Heard::Kept { seq, json }),
                Err(error) => {
                    tracing::warn!(%error, "a stream of a conversation ends");
                    None
                }
            },
            event = self.live.recv() => match event {
                Ok(event) => Some(Heard::Live(event)),
                // Too slow for the pieces: begin anew with what there is.
                Err(_) => {
                    let (snapshot, live) = self.app.desk().agent().live().watch(self.session);
                    self.live = live;
                    Some(Heard::Live(snapshot))
                }
            },
        }
    }
}
