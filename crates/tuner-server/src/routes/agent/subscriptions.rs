//! Having the agent told when a task ends.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tuner_policy::Action;
use tuner_store::{TaskNews, TaskSubscription};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::answer::Problem;
use crate::extract::{Body, Path, Permitted};
use crate::guard::guarded;
use crate::state::App;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default()
        .routes(guarded(Action::ChatWrite, routes!(subscribe)))
        .routes(guarded(Action::ChatWrite, routes!(unsubscribe)))
        .routes(guarded(Action::ChatRead, routes!(subscriptions)))
}

/// Of what to tell.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SubscribeBody {
    /// Id, name or beginning of an id of the task.
    task_id: String,
    /// `task_completed`, `task_failed`, `task_cancelled`; absent: the first two.
    #[schema(value_type = Option<Vec<String>>)]
    event_types: Option<Vec<TaskNews>>,
}

/// A wish to be told.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SubscriptionBody {
    /// Its id; the message that tells will have it.
    id: String,
    /// The conversation.
    session_id: String,
    /// The task.
    task_id: String,
    /// Of what.
    #[schema(value_type = Vec<String>)]
    event_types: Vec<TaskNews>,
    /// Since when.
    created_at: DateTime<Utc>,
}

impl From<TaskSubscription> for SubscriptionBody {
    fn from(wish: TaskSubscription) -> Self {
        Self {
            id: wish.id.to_string(),
            session_id: wish.session.to_string(),
            task_id: wish.task_id,
            event_types: wish.event_types,
            created_at: wish.created_at,
        }
    }
}

/// Have the agent told when a task ends: it then looks at what came of it and says so. A newer wish about the same task
/// takes the older one's place.
#[utoipa::path(post, path = "/api/agent/sessions/{session}/subscribe", tag = "agent", request_body = SubscribeBody,
    params(("session" = String, Path, description = "Its id.")), responses((status = 200, body = SubscriptionBody)))]
async fn subscribe(
    State(app): State<App>,
    Permitted(permit): Permitted,
    Path(session): Path<String>,
    Body(body): Body<SubscribeBody>,
) -> Result<Json<SubscriptionBody>, Problem> {
    let kinds = body.event_types.unwrap_or_else(|| vec![TaskNews::Completed, TaskNews::Failed]);
    Ok(Json(app.desk().subscribe(&permit, &session, &body.task_id, &kinds).await?.into()))
}

/// Take that back.
#[utoipa::path(delete, path = "/api/agent/sessions/{session}/subscribe/{task}", tag = "agent",
    params(("session" = String, Path, description = "Its id."), ("task" = String, Path, description = "The task.")),
    responses((status = 204, description = "Nobody is told any more.")))]
async fn unsubscribe(
    State(app): State<App>,
    Permitted(permit): Permitted,
    Path((session, task)): Path<(String, String)>,
) -> Result<Response, Problem> {
    app.desk().unsubscribe(&permit, &session, &task).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Wishes of a conversation.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SubscriptionList {
    /// The oldest first.
    items: Vec<SubscriptionBody>,
}

/// List the tasks of whose end the agent is told.
#[utoipa::path(get, path = "/api/agent/sessions/{session}/subscriptions", tag = "agent",
    params(("session" = String, Path, description = "Its id.")), responses((status = 200, body = SubscriptionList)))]
async fn subscriptions(
    State(app): State<App>,
    Permitted(permit): Permitted,
    Path(session): Path<String>,
) -> Result<Json<SubscriptionList>, Problem> {
    let items = app.desk().subscriptions(&permit, &session).await?.into_iter().map(SubscriptionBody::from).collect();
    Ok(Json(SubscriptionList { items }))
}
