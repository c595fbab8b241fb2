//! What a client is told of a call.

use rmcp::model::{CallToolResult, ContentBlock};
use serde_json::{Value, json};
use tuner_policy::chat::CallState;
use tuner_store::CallRow;

/// Where a call is, with what it gave; `terminal`: the command by which a person decides.
pub(crate) fn of(row: &CallRow, terminal: &str) -> CallToolResult {
    let call = row.call.id;
    match row.call.state {
        CallState::AwaitingAuthorization => said(false, &waits(row, terminal)),
        CallState::Ready | CallState::Running | CallState::UnknownOutcome => said(
            true,
            &json!({
                "status": "running",
                "call_id": call,
                "message": "it is not over yet; ask call_result with this call_id",
            }),
        ),
        CallState::Denied | CallState::Cancelled => {
            let reason = row.call.decided.as_ref().and_then(|decided| decided.reason.clone());
            said(false, &json!({ "status": row.call.state.word(), "call_id": call, "reason": reason }))
        }
        CallState::Succeeded | CallState::Failed => match &row.result {
            Some(result) if result.success => CallToolResult::success(vec![ContentBlock::text(result.text.clone())]),
            Some(result) => CallToolResult::error(vec![ContentBlock::text(result.text.clone())]),
            None => said(false, &json!({ "status": row.call.state.word(), "call_id": call })),
        },
    }
}

/// Nothing was done, and why.
pub(crate) fn refused(code: &str, message: &str) -> CallToolResult {
    said(false, &json!({ "success": false, "error": { "code": code, "message": message } }))
}

fn waits(row: &CallRow, terminal: &str) -> Value {
    let (session, call) = (row.session, row.call.id);
    let scope = row.call.scope;
    let summary = row.effects.as_ref().and_then(|effects| effects["summary"].as_str());
    json!({
        "status": "requires_auth",
        "call_id": call,
        "needs": { "scope": scope, "means": scope.map(|scope| scope.text()) },
        "would": summary,
        "message": "NOT done yet: a person has to let it happen; tell them, then ask call_result with this call_id",
        "where": {
            "terminal": terminal,
            "http": format!("POST /api/agent/sessions/{session}/calls/{call}/approve {{\"args_digest\": \"{}\"}}", row.call.digest),
        },
        "until": row.call.expires_at,
    })
}

fn said(success: bool, document: &Value) -> CallToolResult {
    let text = vec![ContentBlock::text(document.to_string())];
    if success { CallToolResult::success(text) } else { CallToolResult::error(text) }
}
