//! Conversations as wholes.

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tuner_agent::View;
use tuner_policy::chat::Mode;
use tuner_policy::{Action, Scope};
use tuner_store::{ChatSession, SessionItem};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::answer::Problem;
use crate::extract::{self, Body, OptionalBody, Params, Path, Permitted};
use crate::guard::guarded;
use crate::state::App;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default()
        .routes(guarded(Action::ChatRead, routes!(status)))
        .routes(guarded(Action::ChatWrite, routes!(check)))
        .routes(guarded(Action::ChatRead, routes!(tools)))
        .routes(guarded(Action::ChatWrite, routes!(create)))
        .routes(guarded(Action::ChatRead, routes!(list)))
        .routes(guarded(Action::ChatRead, routes!(get)))
        .routes(guarded(Action::ChatWrite, routes!(change)))
        .routes(guarded(Action::ChatWrite, routes!(title)))
        .routes(guarded(Action::ChatWrite, routes!(generate_title)))
        .routes(guarded(Action::ChatWrite, routes!(delete)))
        .routes(guarded(Action::ChatRead, routes!(export)))
        .routes(guarded(Action::ChatRead, routes!(usage)))
}

/// Whether the agent can be talked with.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AgentStatus {
    /// It can.
    available: bool,
    /// Whose model it is: `local`, `openai` or `anthropic`.
    provider: Option<String>,
    /// The model.
    model: Option<String>,
    /// Settings that are missing.
    missing_config: Vec<&'static str>,
    /// The same in a sentence.
    message: String,
}

impl From<View> for AgentStatus {
    fn from(view: View) -> Self {
        let View { available, provider, model, missing_config, message } = view;
        Self { available, provider, model, missing_config, message }
    }
}

/// Say whether the agent can be talked with, and what is missing.
#[utoipa::path(get, path = "/api/agent/status", tag = "agent", responses((status = 200, body = AgentStatus)))]
async fn status(State(app): State<App>, Permitted(permit): Permitted) -> Result<Json<AgentStatus>, Problem> {
    Ok(Json(app.desk().status(&permit)?.into()))
}

/// Try the connection to the model, step by step.
#[utoipa::path(post, path = "/api/agent/check", tag = "agent", responses((status = 200, body = Object)))]
async fn check(State(app): State<App>, Permitted(permit): Permitted) -> Result<Json<Value>, Problem> {
    let check = app.desk().check(&permit).await?;
    Ok(Json(json!({ "usable": check.is_usable(), "check": check })))
}

/// A tool that the model may call.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ToolItem {
    /// Its name.
    name: &'static str,
    /// Where it stands in lists.
    #[schema(value_type = String)]
    group: Value,
    /// What it does.
    description: String,
    /// The JSON schema of its arguments.
    #[schema(value_type = Object)]
    parameters: Value,
    /// The permission that it needs, if any.
    auth_scope: Option<&'static str>,
    /// `reads`, `changes`, `spends` or `shared`.
    #[schema(value_type = String)]
    risk: Value,
}

/// The tools, and the permissions.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ToolList {
    /// Every tool.
    items: Vec<ToolItem>,
    /// Every permission with what it lets the agent do.
    #[schema(value_type = Vec<Object>)]
    scopes: Vec<Value>,
}

/// List the agent's tools and the permissions that they need.
#[utoipa::path(get, path = "/api/agent/tools", tag = "agent", responses((status = 200, body = ToolList)))]
async fn tools(State(app): State<App>, Permitted(_permit): Permitted) -> Json<ToolList> {
    let items = app.desk().agent().tools().iter().map(|tool| ToolItem {
        name: tool.name,
        group: json!(tool.group),
        description: tool.about.clone(),
        parameters: tool.parameters.clone(),
        auth_scope: tool.scope.map(Scope::word),
        risk: json!(tool.risk),
    });
    let scopes = Scope::ALL.iter().map(|scope| json!({ "scope": scope, "text": scope.text() }));
    Json(ToolList { items: items.collect(), scopes: scopes.collect() })
}

/// A conversation that is to begin.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewSessionBody {
    /// What it is called; absent: its first message names it.
    title: Option<String>,
    /// `ask` (default), `read_only` or `unattended`.
    #[schema(value_type = Option<String>)]
    mode: Option<Mode>,
    /// Taken from the token; what is sent is not looked at.
    #[expect(dead_code, reason = "clients of the predecessor send it")]
    user_id: Option<String>,
}

/// A conversation.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SessionBody {
    /// Its id.
    id: String,
    /// The same.
    session_id: String,
    /// Whose it is.
    user_id: String,
    /// What it is called.
    title: String,
    /// How it treats calls that need permission: `ask`, `read_only` or `unattended`.
    #[schema(value_type = String)]
    mode: Mode,
    /// What stands for messages that the model is not told any more.
    #[schema(value_type = Option<Object>)]
    context_summary: Option<Value>,
    /// Always true: deleted ones are gone.
    is_active: bool,
    /// How many messages it has.
    message_count: u32,
    /// When it began.
    created_at: String,
    /// When something last changed in it.
    updated_at: String,
}

impl From<ChatSession> for SessionBody {
    fn from(row: ChatSession) -> Self {
        Self {
            id: row.id.to_string(),
            session_id: row.id.to_string(),
            user_id: row.owner,
            title: row.title,
            mode: row.mode,
            context_summary: row.summary,
            is_active: true,
            message_count: row.message_count,
            created_at: row.created_at.to_rfc3339(),
            updated_at: row.updated_at.to_rfc3339(),
        }
    }
}

/// Begin a conversation.
#[utoipa::path(post, path = "/api/agent/sessions", tag = "agent", request_body = Option<NewSessionBody>,
    responses((status = 201, body = SessionBody, headers(("location" = String, description = "Where it is now.")))))]
async fn create(
    State(app): State<App>,
    Permitted(permit): Permitted,
    OptionalBody(body): OptionalBody<NewSessionBody>,
) -> Result<Response, Problem> {
    let body = body.unwrap_or_default();
    let session = SessionBody::from(app.desk().begin(&permit, body.title, body.mode).await?);
    let place = format!("/api/agent/sessions/{}", session.id);
    Ok((StatusCode::CREATED, [(header::LOCATION, place)], Json(session)).into_response())
}

/// Which conversations.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListSessions {
    /// Items at most, 1 to 500; default 50.
    limit: Option<u32>,
    /// With this in their title or messages.
    q: Option<String>,
    /// Where the part begins, as `next_cursor` of the part before.
    cursor: Option<String>,
}

/// A conversation in a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SessionListItem {
    #[serde(flatten)]
    session: SessionBody,
    /// How its last message begins.
    last_message_preview: String,
    /// Calls that wait for a person.
    waiting: u32,
}

impl From<SessionItem> for SessionListItem {
    fn from(item: SessionItem) -> Self {
        let SessionItem { session, last_message_preview, waiting } = item;
        Self { session: session.into(), last_message_preview, waiting }
    }
}

/// Conversations.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SessionList {
    /// Those that changed last come first.
    items: Vec<SessionListItem>,
    /// Where the next part begins; null at the end.
    next_cursor: Option<String>,
}

/// List one's conversations, those that changed last first.
#[utoipa::path(get, path = "/api/agent/sessions", tag = "agent", params(ListSessions),
    responses((status = 200, body = SessionList)))]
async fn list(
    State(app): State<App>,
    Permitted(permit): Permitted,
    Params(query): Params<ListSessions>,
) -> Result<Json<SessionList>, Problem> {
    let limit = extract::page_size(query.limit)?;
    let before: Option<DateTime<Utc>> = extract::cursor(query.cursor.as_deref())?;
    let page = app.desk().list(&permit, query.q.as_deref(), before, limit).await?;
    let next_cursor = page.next.map(|at| at.to_rfc3339());
    Ok(Json(SessionList { items: page.items.into_iter().map(Into::into).collect(), next_cursor }))
}

/// Show a conversation.
#[utoipa::path(get, path = "/api/agent/sessions/{session}", tag = "agent",
    params(("session" = String, Path, description = "Its id.")), responses((status = 200, body = SessionBody)))]
async fn get(
    State(app): State<App>,
    Permitted(permit): Permitted,
    Path(session): Path<String>,
) -> Result<Json<SessionBody>, Problem> {
    Ok(Json(app.desk().session(&permit, &session).await?.into()))
}

/// What shall be otherwise.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChangeSession {
    /// A new title, 1 to 100 characters.
    title: Option<String>,
    /// `ask`, `read_only` or `unattended`.
    #[schema(value_type = Option<String>)]
    mode: Option<Mode>,
}

/// Call a conversation otherwise, or have it treat calls otherwise.
#[utoipa::path(put, path = "/api/agent/sessions/{session}", tag = "agent", request_body = ChangeSession,
    params(("session" = String, Path, description = "Its id.")), responses((status = 200, body = SessionBody)))]
async fn change(
    State(app): State<App>,
    Permitted(permit): Permitted,
    Path(session): Path<String>,
    Body(body): Body<ChangeSession>,
) -> Result<Json<SessionBody>, Problem> {
    Ok(Json(app.desk().change(&permit, &session, body.title, body.mode).await?.into()))
}

/// A title.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TitleBody {
    /// 1 to 100 characters.
    title: String,
}

/// Call a conversation otherwise.
#[utoipa::path(patch, path = "/api/agent/sessions/{session}/title", tag = "agent", request_body = TitleBody,
    params(("session" = String, Path, description = "Its id.")), responses((status = 200, body = SessionBody)))]
async fn title(
    State(app): State<App>,
    Permitted(permit): Permitted,
    Path(session): Path<String>,
    Body(body): Body<TitleBody>,
) -> Result<Json<SessionBody>, Problem> {
    Ok(Json(app.desk().change(&permit, &session, Some(body.title), None).await?.into()))
}

/// Have the model name a conversation.
#[utoipa::path(post, path = "/api/agent/sessions/{session}/title/generate", tag = "agent",
    params(("session" = String, Path, description = "Its id.")), responses((status = 200, body = SessionBody)))]
async fn generate_title(
    State(app): State<App>,
    Permitted(permit): Permitted,
    Path(session): Path<String>,
) -> Result<Json<SessionBody>, Problem> {
    Ok(Json(app.desk().name(&permit, &session).await?.into()))
}

/// Delete a conversation with all that was said in it. What is under way in it is stopped; what its calls did stays done.
#[utoipa::path(delete, path = "/api/agent/sessions/{session}", tag = "agent",
    params(("session" = String, Path, description = "Its id.")),
    responses((status = 204, description = "It is gone.")))]
async fn delete(
    State(app): State<App>,
    Permitted(permit): Permitted,
    Path(session): Path<String>,
) -> Result<StatusCode, Problem> {
    app.desk().delete(&permit, &session).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Give a conversation as Markdown.
#[utoipa::path(get, path = "/api/agent/sessions/{session}/export", tag = "agent",
    params(("session" = String, Path, description = "Its id.")),
    responses((status = 200, content_type = "text/markdown", body = String)))]
async fn export(
    State(app): State<App>,
    Permitted(permit): Permitted,
    Path(session): Path<String>,
) -> Result<Response, Problem> {
    let text = app.desk().export(&permit, &session).await?;
    Ok(([(header::CONTENT_TYPE, "text/markdown; charset=utf-8")], text).into_response())
}

/// Say what a conversation used: tokens, answers of the model, calls.
#[utoipa::path(get, path = "/api/agent/sessions/{session}/usage", tag = "agent",
    params(("session" = String, Path, description = "Its id.")), responses((status = 200, body = Object)))]
async fn usage(
    State(app): State<App>,
    Permitted(permit): Permitted,
    Path(session): Path<String>,
) -> Result<Json<Value>, Problem> {
    Ok(Json(app.desk().usage(&permit, &session).await?))
}
