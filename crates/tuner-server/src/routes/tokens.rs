//! Tokens: who may come in. A secret is in one answer and nowhere else.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tuner_policy::{Action, Role};
use tuner_store::TokenRow;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::answer::Problem;
use crate::extract::{self, Body, Path, Permitted};
use crate::guard::guarded;
use crate::idempotency::ShownOnce;
use crate::state::App;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default()
        .routes(guarded(Action::TokenRead, routes!(list)))
        .routes(guarded(Action::TokenCreate, routes!(create)))
        .routes(guarded(Action::TokenRevoke, routes!(revoke)))
}

/// A token without its secret.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TokenItem {
    /// Its id.
    id: String,
    /// What a person calls it.
    name: String,
    /// `viewer`, `operator` or `admin`.
    role: String,
    /// When it was made.
    created_at: DateTime<Utc>,
    /// When it stops working.
    expires_at: Option<DateTime<Utc>>,
    /// When it was taken back.
    revoked_at: Option<DateTime<Utc>>,
    /// When it last let somebody in, to the minute.
    used_at: Option<DateTime<Utc>>,
    /// It lets its bearer in now.
    works: bool,
}

impl From<TokenRow> for TokenItem {
    fn from(row: TokenRow) -> Self {
        Self {
            works: row.works(Utc::now()),
            id: row.id,
            name: row.name,
            role: row.role,
            created_at: row.created_at,
            expires_at: row.expires_at,
            revoked_at: row.revoked_at,
            used_at: row.used_at,
        }
    }
}

/// The tokens.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TokenList {
    /// The oldest first.
    items: Vec<TokenItem>,
    /// Always null: there is one part.
    next_cursor: Option<String>,
}

/// List the tokens, without their secrets.
#[utoipa::path(get, path = "/api/tokens", tag = "tokens", responses((status = 200, body = TokenList)))]
async fn list(State(app): State<App>, Permitted(permit): Permitted) -> Result<Json<TokenList>, Problem> {
    let items = app.service().list_tokens(&permit).await?.into_iter().map(TokenItem::from).collect();
    Ok(Json(TokenList { items, next_cursor: None }))
}

/// A token to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewTokenBody {
    /// What its bearer may do: `viewer`, `operator` or `admin`.
    #[schema(value_type = String, pattern = "^(viewer|operator|admin)$")]
    role: String,
    /// What to call it, for lists and the audit log; 1 to 100 characters.
    #[schema(min_length = 1, max_length = 100)]
    name: String,
    /// When it stops working; absent: when it is taken back.
    expires_at: Option<DateTime<Utc>>,
}

/// A token that was made.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MadeToken {
    #[serde(flatten)]
    item: TokenItem,
    /// What lets its bearer in. It stands in this answer and nowhere else.
    token: String,
}

/// Make a token. Its text is shown this once, also to who sends the request again with its key.
#[utoipa::path(post, path = "/api/tokens", tag = "tokens", request_body = NewTokenBody,
    responses((status = 201, body = MadeToken, headers(("location" = String, description = "Where it is now.")))))]
async fn create(
    State(app): State<App>,
    Permitted(permit): Permitted,
    Body(body): Body<NewTokenBody>,
) -> Result<Response, Problem> {
    let role: Role = body.role.parse().map_err(|_| extract::invalid("role: viewer, operator or admin".to_owned()))?;
    let made = app.service().create_token(&permit, role, &body.name, body.expires_at).await?;
    let place = format!("/api/tokens/{}", made.row.id);
    let answer = Json(MadeToken { item: made.row.into(), token: made.secret });
    Ok((StatusCode::CREATED, [(header::LOCATION, place)], Extension(ShownOnce), answer).into_response())
}

/// Take a token back. It stops working at once.
#[utoipa::path(delete, path = "/api/tokens/{token}", tag = "tokens",
    params(("token" = String, Path, description = "Its id.")), responses((status = 204)))]
async fn revoke(
    State(app): State<App>,
    Permitted(permit): Permitted,
    Path(token): Path<String>,
) -> Result<StatusCode, Problem> {
    app.service().revoke_token(&permit, &token).await?;
    Ok(StatusCode::NO_CONTENT)
}
