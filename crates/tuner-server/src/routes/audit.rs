//! The audit log.

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tuner_policy::Action;
use tuner_store::AuditRow;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::answer::Problem;
use crate::extract::{self, Params, Permitted};
use crate::guard::guarded;
use crate::state::App;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default().routes(guarded(Action::AuditRead, routes!(list)))
}

/// Which part of the log.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListAudit {
    /// As an earlier part gave it.
    cursor: Option<String>,
    /// Items on a part, 1 to 500. Default 50.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

/// One change, or the try at one.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AuditItem {
    /// Its number.
    seq: i64,
    /// When it began.
    began_at: DateTime<Utc>,
    /// `local`, or role and name of the token.
    actor: String,
    /// Id of the token.
    token: Option<String>,
    /// The address it came from.
    peer: String,
    /// What was done.
    action: String,
    /// To what.
    target: String,
    /// In which request.
    request_id: String,
    /// `done`, `refused`, the code of an error, or `begun` if it was cut off.
    outcome: String,
}

impl From<AuditRow> for AuditItem {
    fn from(row: AuditRow) -> Self {
        Self {
            seq: row.seq,
            began_at: row.at,
            actor: row.actor,
            token: row.token,
            peer: row.peer,
            action: row.action,
            target: row.target,
            request_id: row.request_id,
            outcome: row.outcome,
        }
    }
}

/// Part of the audit log.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AuditList {
    /// The newest first.
    items: Vec<AuditItem>,
    /// Send it as `cursor` for the next part; null at the end.
    next_cursor: Option<String>,
}

/// List who did what, newest first.
#[utoipa::path(get, path = "/api/audit", tag = "audit", params(ListAudit), responses((status = 200, body = AuditList)))]
async fn list(
    State(app): State<App>,
    Permitted(permit): Permitted,
    Params(query): Params<ListAudit>,
) -> Result<Json<AuditList>, Problem> {
    let (before, limit) = (extract::cursor(query.cursor.as_deref())?, extract::page_size(query.limit)?);
    let page = app.service().audit_log(&permit, before, limit).await?;
    let items = page.rows.into_iter().map(Into::into).collect();
    Ok(Json(AuditList { items, next_cursor: page.next.map(|seq| seq.to_string()) }))
}
