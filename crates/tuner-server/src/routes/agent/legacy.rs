//! What the page of the predecessor needs beside the rest: its stream by its path and its event names, and conversations
//! that it kept in the browser.

use std::convert::Infallible;

use axum::Json;
use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use chrono::{DateTime, Utc};
use futures::{Stream, StreamExt};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tuner_agent::LiveEvent;
use tuner_policy::Action;
use tuner_policy::chat::CallState;
use tuner_store::{CallRow, ChatMessageRow, ChatRole, ChatRun};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use super::super::events::HEARTBEAT;
use super::card::{MessageItem, ToolResult, last_of, reason};
use super::messages::NewMessageBody;
use super::stream::{Ears, Heard};
use crate::answer::Problem;
use crate::extract::{Body, Path, Permitted};
use crate::guard::guarded;
use crate::state::App;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default()
        .routes(guarded(Action::ChatWrite, routes!(say_streamed)))
        .routes(guarded(Action::ChatWrite, routes!(sync)))
}

/// A conversation that a page kept by itself.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SyncBody {
    /// Its id, a UUID.
    session_id: Uuid,
    /// When it began.
    created_at: DateTime<Utc>,
    /// What was said in it, in order; at most 1,000.
    #[schema(max_items = 1000)]
    messages: Vec<SyncMessage>,
}

/// A message of it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SyncMessage {
    /// Who said it.
    role: SyncRole,
    /// What.
    content: String,
    /// When.
    created_at: DateTime<Utc>,
}

/// Who says something.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SyncRole {
    /// A person.
    User,
    /// The model.
    Assistant,
}

/// What came of it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Synced {
    /// `synced`, or `already_exists`: then nothing was changed.
    status: &'static str,
    /// Its id.
    session_id: Uuid,
    /// How many messages it has here.
    message_count: u32,
}

/// Take over a conversation that a page kept by itself. Only what was said: calls are not done, and leave is not given.
#[utoipa::path(post, path = "/api/agent/sessions/sync", tag = "agent", request_body = SyncBody,
    responses((status = 200, body = Synced)))]
async fn sync(
    State(app): State<App>,
    Permitted(permit): Permitted,
    Body(body): Body<SyncBody>,
) -> Result<Json<Synced>, Problem> {
    let role = |role| match role {
        SyncRole::User => ChatRole::User,
        SyncRole::Assistant => ChatRole::Assistant,
    };
    let said = body.messages.into_iter().map(|m| (role(m.role), m.content, m.created_at)).collect();
    let id = body.session_id;
    let (status, session) = match app.desk().import(&permit, id, body.created_at, said).await? {
        Some(session) => ("synced", session),
        None => ("already_exists", app.desk().session_to_write(&permit, &id.to_string()).await?),
    };
    Ok(Json(Synced { status, session_id: id, message_count: session.message_count }))
}

/// Say something and follow what comes of it, as events `iteration_start`, `content`, `tool_start`, `tool_results`,
/// `iteration_complete`, `complete` and `error` of the predecessor. A client that goes away stops nothing.
#[utoipa::path(post, path = "/api/agent/sessions/{session}/messages/stream", tag = "agent",
    request_body = NewMessageBody, params(("session" = String, Path, description = "Its id.")),
    responses((status = 200, content_type = "text/event-stream", body = String)))]
async fn say_streamed(
    State(app): State<App>,
    Permitted(permit): Permitted,
    Path(session): Path<String>,
    Body(body): Body<NewMessageBody>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    let id = app.desk().session_to_write(&permit, &session).await?.id;
    let ears = Ears::open(&app, id, None).await?;
    let (_, run) = app.desk().say(&permit, &session, &body.content).await?;
    let most = app.desk().agent().settings().bounds.steps;
    let state =
        Teller { app: app.clone(), ears, session: id, run: run.run.id, step: 0, most, queue: Vec::new(), over: false };
    let stream = futures::stream::unfold(state, |mut state| async move {
        loop {
            if let Some(event) = (!state.queue.is_empty()).then(|| state.queue.remove(0)) {
                return Some((Ok(Event::default().data(event.to_string())), state));
            }
            if state.over {
                return None;
            }
            state.hear().await;
        }
    });
    let stream = stream.take_until(app.stop().clone().cancelled_owned());
    Ok(Sse::new(stream).keep_alive(KeepAlive::new().interval(HEARTBEAT)))
}

/// Turns news into the predecessor's events.
struct Teller {
    app: App,
    ears: Ears,
    session: Uuid,
    run: Uuid,
    step: u32,
    most: u32,
    queue: Vec<Value>,
    over: bool,
}

impl Teller {
    async fn hear(&mut self) {
        match self.ears.next().await {
            None => self.over = true,
            Some(Heard::Live(event)) => self.live(event),
            Some(Heard::Kept { json, .. }) => {
                let event: Value = serde_json::from_str(&json).unwrap_or_default();
                self.kept(&event).await;
            }
        }
    }

    fn live(&mut self, event: LiveEvent) {
        match event {
            LiveEvent::Snapshot { unfinished: Some(unfinished) } if unfinished.run == self.run => {
                self.step += 1;
                self.queue
                    .push(json!({ "type": "iteration_start", "iteration": self.step, "max_iterations": self.most }));
                if !unfinished.text.is_empty() {
                    self.queue.push(json!({ "type": "content", "content": unfinished.text }));
                }
            }
            LiveEvent::Delta { text, .. } => self.queue.push(json!({ "type": "content", "content": text })),
            _ => {}
        }
    }

    async fn kept(&mut self, event: &Value) {
        let row = &event["row"];
        match event["change"].as_str() {
            Some("message") => {
                let Ok(message) = serde_json::from_value::<ChatMessageRow>(row.clone()) else { return };
                if message.role != ChatRole::Assistant || message.run != Some(self.run) {
                    return;
                }
                let Ok(talk) = self.app.service().store().conversation(self.session).await else { return };
                let calls: Vec<&CallRow> = talk.calls.iter().filter(|call| call.message == message.id).collect();
                if calls.is_empty() {
                    return;
                }
                let begun: Vec<Value> = calls
                    .iter()
                    .map(|call| {
                        let args: Value = serde_json::from_str(&call.call.arguments).unwrap_or_default();
                        json!({ "name": call.call.tool, "args": args, "id": call.call.id })
                    })
                    .collect();
                self.queue.push(json!({ "type": "tool_start", "tool_calls": begun }));
            }
            Some("call") => {
                let Ok(call) = serde_json::from_value::<CallRow>(row.clone()) else { return };
                let settled = call.call.state.is_end() || call.call.state == CallState::AwaitingAuthorization;
                if call.call.run == self.run && settled {
                    self.queue.push(json!({ "type": "tool_results", "results": [ToolResult::from(&call)] }));
                }
            }
            Some("run") => {
                let Ok(run) = serde_json::from_value::<ChatRun>(row.clone()) else { return };
                if run.run.id == self.run {
                    self.run_changed(&run).await;
                }
            }
            _ => {}
        }
    }

    async fn run_changed(&mut self, run: &ChatRun) {
        if run.run.state == tuner_policy::chat::RunState::Queued && run.run.steps > 0 {
            self.queue.push(json!({ "type": "iteration_complete", "iteration": run.run.steps }));
        }
        if reason(run) == "running" {
            return;
        }
        self.over = true;
        let Ok(talk) = self.app.service().store().conversation(self.session).await else { return };
        if let Some(why) = &run.run.failure {
            self.queue.push(json!({ "type": "error", "error": why }));
        }
        let last = last_of(&talk, run).or(talk.messages.last());
        if let Some(message) = last.map(|last| MessageItem::new(&talk, last)) {
            let mut message = json!(message);
            message["metadata"] = message["message_metadata"].clone();
            self.queue.push(json!({ "type": "complete", "message": message }));
        }
    }
}
