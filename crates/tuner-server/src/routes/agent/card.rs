//! Messages and calls in the form that users of the predecessor know.

use serde::Serialize;
use serde_json::{Value, json};
use tuner_policy::chat::{CallState, RunState};
use tuner_store::{CallRow, ChatMessageRow, ChatRun, Conversation};
use utoipa::ToSchema;

/// A call as a card shows it.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct ToolCallCard {
    /// Its id.
    id: String,
    /// The tool.
    tool_name: String,
    /// Its arguments.
    #[schema(value_type = Object)]
    args: Value,
    /// `executed`, `failed`, `requires_auth`, `denied`, `cancelled`, `running` or `pending`.
    status: &'static str,
    /// The permission that it needs, if any.
    auth_scope: Option<String>,
    /// What that permission lets the agent do.
    auth_scope_text: Option<&'static str>,
    /// Of tool and arguments: sent back with an approval.
    args_digest: String,
    /// What it would do, as this service sees it.
    #[schema(value_type = Option<Object>)]
    effects: Option<Value>,
    /// What it gave.
    result: Option<String>,
    /// Why it failed, or was refused.
    error: Option<String>,
    /// When the wait for a person ends.
    expires_at: Option<String>,
    /// Who decided, by what, and why.
    #[schema(value_type = Option<Object>)]
    decided: Option<Value>,
}

impl From<&CallRow> for ToolCallCard {
    fn from(row: &CallRow) -> Self {
        let status = match row.call.state {
            CallState::AwaitingAuthorization => "requires_auth",
            CallState::Ready => "pending",
            CallState::Running | CallState::UnknownOutcome => "running",
            CallState::Succeeded => "executed",
            CallState::Failed => "failed",
            CallState::Denied => "denied",
            CallState::Cancelled => "cancelled",
        };
        let text = row.result.as_ref().map(|result| result.text.clone());
        let error = match row.call.state {
            CallState::Failed => text.as_deref().map(error_of),
            CallState::Denied => row.call.decided.as_ref().and_then(|decided| decided.reason.clone()),
            _ => None,
        };
        Self {
            id: row.call.id.to_string(),
            tool_name: row.call.tool.clone(),
            args: serde_json::from_str(&row.call.arguments).unwrap_or_else(|_| row.call.arguments.clone().into()),
            status,
            auth_scope: row.call.scope.map(|scope| scope.to_string()),
            auth_scope_text: row.call.scope.map(|scope| scope.text()),
            args_digest: row.call.digest.clone(),
            effects: row.effects.clone(),
            result: text,
            error,
            expires_at: row.call.expires_at.map(|at| at.to_rfc3339()),
            decided: row.call.decided.as_ref().map(|decided| json!(decided)),
        }
    }
}

fn error_of(text: &str) -> String {
    // What others may have written stands between marks.
    let marked = text.strip_prefix("<untrusted").and_then(|rest| rest.split_once('\n')).map(|(_, inner)| inner);
    let inner = marked.map_or(text, |inner| inner.trim_end_matches("</untrusted>"));
    let document: Value = serde_json::from_str(inner).unwrap_or_default();
    document["error"]["message"].as_str().map_or_else(|| text.to_owned(), str::to_owned)
}

/// What a call gave, as the answer to a grant holds it.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct ToolResult {
    /// Whether it did what it was asked for.
    success: bool,
    /// What it gave.
    result: Option<String>,
    /// The tool.
    tool_name: String,
    /// The call.
    call_id: String,
    /// It waits for a permission.
    requires_auth: bool,
    /// It has that permission.
    authorized: bool,
    /// The permission.
    auth_scope: Option<String>,
}

impl From<&CallRow> for ToolResult {
    fn from(row: &CallRow) -> Self {
        let waits = row.call.state == CallState::AwaitingAuthorization;
        Self {
            success: row.call.state == CallState::Succeeded,
            result: row.result.as_ref().map(|result| result.text.clone()),
            tool_name: row.call.tool.clone(),
            call_id: row.call.id.to_string(),
            requires_auth: row.call.scope.is_some() && waits,
            authorized: row.call.decided.as_ref().is_some_and(|decided| decided.allowed),
            auth_scope: row.call.scope.map(|scope| scope.to_string()),
        }
    }
}

/// A message with the cards of its calls.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct MessageItem {
    /// Its id.
    id: String,
    /// Of this conversation.
    session_id: String,
    /// `user`, `assistant` or `note`.
    role: String,
    /// What it says.
    content: String,
    /// `complete`, `queued` or `interrupted`.
    state: String,
    /// What the model thought before.
    reasoning: Option<String>,
    /// Its calls.
    tool_calls: Vec<ToolCallCard>,
    /// The run it belongs to, its model, what ended the run, and whether it followed an authorization.
    #[schema(value_type = Object)]
    message_metadata: Value,
    /// Tokens of the answer, as the provider told.
    token_count: Option<u64>,
    /// What people think of it.
    #[schema(value_type = Option<Object>)]
    feedback: Option<Value>,
    /// When it was said.
    created_at: String,
    /// When it last changed.
    updated_at: String,
}

impl MessageItem {
    pub(crate) fn new(talk: &Conversation, row: &ChatMessageRow) -> Self {
        let calls: Vec<&CallRow> = talk.calls.iter().filter(|call| call.message == row.id).collect();
        let run = talk.runs.iter().find(|run| Some(run.run.id) == row.run);
        let is_last = run.is_some_and(|run| last_of(talk, run).is_some_and(|last| last.id == row.id));
        let mut metadata = json!({ "run": row.run, "model": row.body.model });
        if row.body.post_authorization {
            metadata["post_authorization"] = true.into();
        }
        if let Some(run) = run.filter(|_| is_last) {
            metadata["iterations"] = run.run.steps.into();
            metadata["termination_reason"] = reason(run).into();
        }
        if calls.iter().any(|call| call.call.state == CallState::AwaitingAuthorization) {
            metadata["auth_required"] = true.into();
        }
        Self {
            id: row.id.to_string(),
            session_id: row.session.to_string(),
            role: row.role.to_string(),
            content: row.body.text.clone(),
            state: row.state.to_string(),
            reasoning: (!row.body.reasoning.is_empty()).then(|| row.body.reasoning.clone()),
            tool_calls: calls.into_iter().map(ToolCallCard::from).collect(),
            message_metadata: metadata,
            token_count: row.body.usage.map(|usage| usage.output_tokens),
            feedback: row.body.feedback.as_ref().map(|feedback| json!(feedback)),
            created_at: row.created_at.to_rfc3339(),
            updated_at: row.updated_at.to_rfc3339(),
        }
    }

    /// The messages of a conversation, in order.
    pub(crate) fn all(talk: &Conversation) -> Vec<Self> {
        talk.messages.iter().map(|row| Self::new(talk, row)).collect()
    }
}

/// The last answer of a run.
pub(crate) fn last_of<'a>(talk: &'a Conversation, run: &ChatRun) -> Option<&'a ChatMessageRow> {
    let mut answers = talk.messages.iter().rev().filter(|row| row.run == Some(run.run.id));
    answers.find(|row| row.role == tuner_store::ChatRole::Assistant)
}

/// Why a run does not go on now.
pub(crate) fn reason(run: &ChatRun) -> &'static str {
    match run.run.state {
        RunState::Completed => "natural",
        RunState::AwaitingAuthorization => "auth_required",
        RunState::LimitReached => "max_iterations",
        RunState::Stopped => "stopped",
        RunState::Failed => "error",
        RunState::Queued | RunState::Thinking | RunState::Acting => "running",
    }
}
