//! Deciding about calls, and standing leave.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tuner_agent::{Approval, GrantWish};
use tuner_policy::Action;
use tuner_policy::chat::Limits;
use tuner_store::ChatRole;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use super::card::{ToolCallCard, ToolResult};
use super::messages::settled;
use crate::answer::Problem;
use crate::extract::{Body, OptionalBody, Path, Permitted, unknown};
use crate::guard::guarded;
use crate::state::App;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default()
        .routes(guarded(Action::ChatApprove, routes!(approve)))
        .routes(guarded(Action::ChatApprove, routes!(deny)))
        .routes(guarded(Action::ChatApprove, routes!(authorize)))
        .routes(guarded(Action::ChatRead, routes!(authorizations)))
        .routes(guarded(Action::ChatApprove, routes!(revoke)))
        .routes(guarded(Action::ChatRead, routes!(grants)))
        .routes(guarded(Action::ChatApprove, routes!(revoke_grant)))
}

/// Leave for one call.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ApproveBody {
    /// `args_digest` of the card that was shown: what was seen is what runs.
    args_digest: String,
    /// Arguments in place of the model's.
    #[schema(value_type = Option<Object>)]
    edited_args: Option<Value>,
}

/// Let one call happen. The same click again changes nothing; 409 if somebody decided otherwise.
#[utoipa::path(post, path = "/api/agent/sessions/{session}/calls/{call}/approve", tag = "agent",
    request_body = ApproveBody,
    params(("session" = String, Path, description = "Its id."), ("call" = String, Path, description = "Its id.")),
    responses((status = 200, body = ToolCallCard)))]
async fn approve(
    State(app): State<App>,
    Permitted(permit): Permitted,
    Path((session, call)): Path<(String, String)>,
    Body(body): Body<ApproveBody>,
) -> Result<Json<ToolCallCard>, Problem> {
    let approval = Approval::Approve { digest: body.args_digest, edited: body.edited_args };
    let row = app.desk().decide(&permit, &session, id(&call)?, approval).await?;
    Ok(Json(ToolCallCard::from(&row)))
}

/// A refusal.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DenyBody {
    /// Why: the model is told.
    reason: Option<String>,
    /// The run ends too.
    #[serde(default)]
    stop: bool,
}

/// Refuse one call. The model is told, with the reason.
#[utoipa::path(post, path = "/api/agent/sessions/{session}/calls/{call}/deny", tag = "agent",
    request_body = Option<DenyBody>,
    params(("session" = String, Path, description = "Its id."), ("call" = String, Path, description = "Its id.")),
    responses((status = 200, body = ToolCallCard)))]
async fn deny(
    State(app): State<App>,
    Permitted(permit): Permitted,
    Path((session, call)): Path<(String, String)>,
    OptionalBody(body): OptionalBody<DenyBody>,
) -> Result<Json<ToolCallCard>, Problem> {
    let DenyBody { reason, stop } = body.unwrap_or_default();
    let row = app.desk().decide(&permit, &session, id(&call)?, Approval::Deny { reason, stop }).await?;
    Ok(Json(ToolCallCard::from(&row)))
}

fn id(call: &str) -> Result<Uuid, Problem> {
    call.parse().map_err(|_| unknown("call", call))
}

/// Standing leave.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AuthorizeBody {
    /// For what: words of `/api/agent/tools`.
    scopes: Vec<String>,
    /// Until when; absent: until it is revoked.
    expires_at: Option<DateTime<Utc>>,
    /// For tools with this name only; `*` at the end means any ending.
    tool: Option<String>,
    /// For this task only.
    task: Option<String>,
    /// Calls at most.
    max_uses: Option<u32>,
    /// Experiments at most, as they are foretold.
    max_experiments: Option<u32>,
    /// GPU-seconds at most, as they are foretold.
    max_gpu_seconds: Option<f64>,
    /// Answer at once instead of when the agent has gone on.
    #[serde(default)]
    no_wait: bool,
}

/// What came of standing leave.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Authorized {
    /// `granted`.
    status: &'static str,
    /// For what.
    scopes: Vec<String>,
    /// The calls that had waited for it.
    tool_results: Vec<ToolResult>,
    /// What the agent said after that; null if it was not waited for, or the model could not be reached.
    llm_continuation: Option<String>,
}

/// Give standing leave: for the conversation, until a time, for one task, with limits. Calls that wait for it begin, and
/// the agent goes on by itself.
#[utoipa::path(post, path = "/api/agent/sessions/{session}/authorize", tag = "agent", request_body = AuthorizeBody,
    params(("session" = String, Path, description = "Its id.")), responses((status = 200, body = Authorized)))]
async fn authorize(
    State(app): State<App>,
    Permitted(permit): Permitted,
    Path(session): Path<String>,
    Body(body): Body<AuthorizeBody>,
) -> Result<Json<Authorized>, Problem> {
    let wish = GrantWish {
        scopes: body.scopes,
        expires_at: body.expires_at,
        tool: body.tool,
        task: body.task,
        limits: Limits {
            uses: body.max_uses,
            experiments: body.max_experiments,
            gpu_seconds: body.max_gpu_seconds.filter(|seconds| seconds.is_finite()),
        },
    };
    let (scopes, released) = app.desk().grant(&permit, &session, &wish).await?;
    let scopes = scopes.into_iter().map(|scope| scope.to_string()).collect();
    let mut answer = Authorized { status: "granted", scopes, tool_results: Vec::new(), llm_continuation: None };
    if released.is_empty() || body.no_wait {
        return Ok(Json(answer));
    }
    let id: Uuid = session.parse().map_err(|_| unknown("conversation", &session))?;
    let run = {
        let talk = app.service().store().conversation(id).await?;
        talk.calls.iter().find(|row| released.contains(&row.call.id)).map(|row| row.call.run)
    };
    let Some(run) = run else { return Ok(Json(answer)) };
    let Some(talk) = settled(&app, id, run).await? else { return Ok(Json(answer)) };
    let results = talk.calls.iter().filter(|row| released.contains(&row.call.id));
    answer.tool_results = results.map(ToolResult::from).collect();
    // Only what was said after the calls.
    let done =
        talk.calls.iter().filter(|row| released.contains(&row.call.id)).filter_map(|row| row.call.ended_at).max();
    let after = talk.messages.iter().filter(|m| m.role == ChatRole::Assistant && Some(m.created_at) > done);
    let said: Vec<&str> = after.map(|m| m.body.text.as_str()).filter(|text| !text.is_empty()).collect();
    answer.llm_continuation = (!said.is_empty()).then(|| said.join("\n\n"));
    Ok(Json(answer))
}

/// Standing leave, by what it is for.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Authorizations {
    /// Scope to `{granted, granted_at, expires_at}`.
    #[schema(value_type = Object)]
    authorizations: BTreeMap<String, Value>,
}

/// List what the agent has standing leave for in a conversation.
#[utoipa::path(get, path = "/api/agent/sessions/{session}/authorizations", tag = "agent",
    params(("session" = String, Path, description = "Its id.")), responses((status = 200, body = Authorizations)))]
async fn authorizations(
    State(app): State<App>,
    Permitted(permit): Permitted,
    Path(session): Path<String>,
) -> Result<Json<Authorizations>, Problem> {
    let talk = app.desk().show(&permit, &session).await?;
    let now = Utc::now();
    let live = talk.grants.iter().filter(|row| row.grant.is_live(now) && row.grant.calls.is_none());
    let authorizations = live.map(|row| {
        let text = json!({
            "granted": true,
            "granted_at": row.grant.created_at,
            "expires_at": row.grant.expires_at,
        });
        (row.grant.scope.to_string(), text)
    });
    Ok(Json(Authorizations { authorizations: authorizations.collect() }))
}

/// What was taken back.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Revoked {
    /// `revoked`.
    status: &'static str,
    /// For what.
    scopes: Vec<String>,
}

/// Take back all standing leave for one thing: the next call asks again.
#[utoipa::path(delete, path = "/api/agent/sessions/{session}/authorize/{scope}", tag = "agent",
    params(("session" = String, Path, description = "Its id."), ("scope" = String, Path, description = "For what.")),
    responses((status = 200, body = Revoked)))]
async fn revoke(
    State(app): State<App>,
    Permitted(permit): Permitted,
    Path((session, scope)): Path<(String, String)>,
) -> Result<Json<Revoked>, Problem> {
    app.desk().revoke(&permit, &session, Some(&scope), None).await?;
    Ok(Json(Revoked { status: "revoked", scopes: vec![scope] }))
}

/// Every grant of a conversation.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct GrantList {
    /// The oldest first, those that are over included.
    #[schema(value_type = Vec<Object>)]
    items: Vec<Value>,
}

/// List every grant of a conversation with its limits and what it was used for.
#[utoipa::path(get, path = "/api/agent/sessions/{session}/grants", tag = "agent",
    params(("session" = String, Path, description = "Its id.")), responses((status = 200, body = GrantList)))]
async fn grants(
    State(app): State<App>,
    Permitted(permit): Permitted,
    Path(session): Path<String>,
) -> Result<Json<GrantList>, Problem> {
    let talk = app.desk().show(&permit, &session).await?;
    let now = Utc::now();
    let items = talk.grants.iter().map(|row| {
        let mut item = json!(row.grant);
        item["live"] = row.grant.is_live(now).into();
        item
    });
    Ok(Json(GrantList { items: items.collect() }))
}

/// Take one grant back.
#[utoipa::path(delete, path = "/api/agent/sessions/{session}/grants/{grant}", tag = "agent",
    params(("session" = String, Path, description = "Its id."), ("grant" = String, Path, description = "Its id.")),
    responses((status = 200, body = Revoked)))]
async fn revoke_grant(
    State(app): State<App>,
    Permitted(permit): Permitted,
    Path((session, grant)): Path<(String, String)>,
) -> Result<Json<Revoked>, Problem> {
    let id = grant.parse().map_err(|_| unknown("grant", &grant))?;
    app.desk().revoke(&permit, &session, None, Some(id)).await?;
    Ok(Json(Revoked { status: "revoked", scopes: Vec::new() }))
}
