//! What is said.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tuner_policy::Action;
use tuner_store::{Conversation, Feedback};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use super::card::{MessageItem, last_of, reason};
use crate::answer::Problem;
use crate::extract::{Body, OptionalBody, Params, Path, Permitted, unknown};
use crate::guard::guarded;
use crate::state::App;

/// How long an answer is waited for at most.
const PATIENCE: Duration = Duration::from_secs(600);
/// How often one looks, where nothing tells.
const LOOK: Duration = Duration::from_secs(1);

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default()
        .routes(guarded(Action::ChatRead, routes!(messages)))
        .routes(guarded(Action::ChatWrite, routes!(say)))
        .routes(guarded(Action::ChatWrite, routes!(stop)))
        .routes(guarded(Action::ChatWrite, routes!(resume)))
        .routes(guarded(Action::ChatWrite, routes!(rate)))
}

/// Which messages.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListMessages {
    /// The last so many, 1 to 500; default 50.
    limit: Option<u32>,
}

/// The messages of a conversation.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MessageList {
    /// In the order in which they were said.
    items: Vec<MessageItem>,
    /// Whether there are earlier ones.
    earlier: bool,
    /// The run that is not over, where there is one.
    #[schema(value_type = Option<Object>)]
    run: Option<Value>,
    /// The number of the last event that this holds: follow from here.
    seq: i64,
}

/// Show the messages of a conversation with the cards of their calls.
#[utoipa::path(get, path = "/api/agent/sessions/{session}/messages", tag = "agent",
    params(ListMessages, ("session" = String, Path, description = "Its id.")),
    responses((status = 200, body = MessageList)))]
async fn messages(
    State(app): State<App>,
    Permitted(permit): Permitted,
    Path(session): Path<String>,
    Params(query): Params<ListMessages>,
) -> Result<Json<MessageList>, Problem> {
    let limit = crate::extract::page_size(query.limit)? as usize;
    let talk = app.desk().show(&permit, &session).await?;
    let mut items = MessageItem::all(&talk);
    let earlier = items.len() > limit;
    items.drain(..items.len().saturating_sub(limit));
    let run = talk.runs.iter().find(|run| !run.run.state.is_end()).map(|run| json!(run));
    Ok(Json(MessageList { items, earlier, run, seq: talk.seq }))
}

/// What a person says.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewMessageBody {
    /// The text, 1 to 100,000 characters.
    pub(super) content: String,
}

/// Whether to wait.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wait {
    /// Answer at once instead of when the agent has; follow `/events` for the rest.
    #[serde(default)]
    no_wait: bool,
}

/// Say something. Answers with the agent's last message once it has said all it wants to, waits for a permission, or
/// failed; with `no_wait` at once, with what was said. A message that comes while the agent is at work waits its turn.
#[utoipa::path(post, path = "/api/agent/sessions/{session}/messages", tag = "agent", request_body = NewMessageBody,
    params(Wait, ("session" = String, Path, description = "Its id.")),
    responses((status = 200, body = MessageItem), (status = 202, description = "It was heard.", body = MessageItem)))]
async fn say(
    State(app): State<App>,
    Permitted(permit): Permitted,
    Path(session): Path<String>,
    Params(wait): Params<Wait>,
    Body(body): Body<NewMessageBody>,
) -> Result<Response, Problem> {
    let (said, run) = app.desk().say(&permit, &session, &body.content).await?;
    let talk = if wait.no_wait { None } else { settled(&app, said.session, run.run.id).await? };
    let Some(talk) = talk else {
        let talk = app.service().store().conversation(said.session).await?;
        return Ok((StatusCode::ACCEPTED, Json(MessageItem::new(&talk, &said))).into_response());
    };
    let run = talk.runs.iter().find(|known| known.run.id == run.run.id);
    let answer = run.and_then(|run| last_of(&talk, run));
    // Where the model was not reached there is a note in place of an answer.
    let answer = answer.or_else(|| talk.messages.last());
    let answer = answer.ok_or_else(|| Problem::of_status(StatusCode::INTERNAL_SERVER_ERROR))?;
    Ok(Json(MessageItem::new(&talk, answer)).into_response())
}

/// Waits until a run does not go on by itself; `None` if that takes too long.
pub(super) async fn settled(app: &App, session: Uuid, run: Uuid) -> Result<Option<Conversation>, Problem> {
    let store = app.service().store();
    let begun = tokio::time::Instant::now();
    let mut wake = store.watch_events();
    loop {
        wake.mark_unchanged();
        let now = store.chat_run(run).await?;
        if reason(&now) != "running" {
            return Ok(Some(store.conversation(session).await?));
        }
        if begun.elapsed() > PATIENCE {
            return Ok(None);
        }
        tokio::select! {
            _ = tokio::time::timeout(LOOK, wake.changed()) => {}
            () = app.stop().cancelled() => return Ok(None),
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// What was stopped.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Stopped {
    /// The run; null if nothing was under way.
    #[schema(value_type = Option<Object>)]
    run: Option<Value>,
}

/// Stop what is under way: the connection to the model is closed, no further call begins, and those that run are cut off.
/// A tuning task that the agent started goes on.
#[utoipa::path(post, path = "/api/agent/sessions/{session}/stop", tag = "agent",
    params(("session" = String, Path, description = "Its id.")), responses((status = 200, body = Stopped)))]
async fn stop(
    State(app): State<App>,
    Permitted(permit): Permitted,
    Path(session): Path<String>,
) -> Result<Json<Stopped>, Problem> {
    let run = app.desk().stop(&permit, &session).await?;
    Ok(Json(Stopped { run: run.map(|run| json!(run)) }))
}

/// Go on after a run that failed, was stopped or reached a limit, without a new message.
#[utoipa::path(post, path = "/api/agent/sessions/{session}/resume", tag = "agent",
    params(("session" = String, Path, description = "Its id.")), responses((status = 202, body = Object)))]
async fn resume(
    State(app): State<App>,
    Permitted(permit): Permitted,
    Path(session): Path<String>,
) -> Result<Response, Problem> {
    let run = app.desk().resume(&permit, &session).await?;
    Ok((StatusCode::ACCEPTED, Json(json!(run))).into_response())
}

/// What a person thinks of a message.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FeedbackBody {
    /// Good, or not.
    good: bool,
    /// Why.
    text: Option<String>,
}

/// Say what one thinks of a message; without a body, take it back.
#[utoipa::path(post, path = "/api/agent/sessions/{session}/messages/{message}/feedback", tag = "agent",
    request_body = Option<FeedbackBody>,
    params(("session" = String, Path, description = "Its id."), ("message" = String, Path, description = "Its id.")),
    responses((status = 200, body = MessageItem)))]
async fn rate(
    State(app): State<App>,
    Permitted(permit): Permitted,
    Path((session, message)): Path<(String, String)>,
    OptionalBody(body): OptionalBody<FeedbackBody>,
) -> Result<Json<MessageItem>, Problem> {
    let id = message.parse().map_err(|_| unknown("message", &message))?;
    let feedback = body.map(|body| Feedback { good: body.good, text: body.text });
    let row = app.desk().rate(&permit, &session, id, feedback).await?;
    let talk = app.service().store().conversation(row.session).await?;
    Ok(Json(MessageItem::new(&talk, &row)))
}
