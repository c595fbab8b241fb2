//! Which model the agent asks.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Deserializer, Serialize};
use tuner_agent::setup::{ConnectionChange, ConnectionView, KeyView, Origin, SettingView};
use tuner_policy::Action;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::answer::Problem;
use crate::extract::{Body, Permitted};
use crate::guard::guarded;
use crate::state::App;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default()
        .routes(guarded(Action::AgentRead, routes!(agent_settings)))
        .routes(guarded(Action::AgentWrite, routes!(set_agent)))
}

/// One setting.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AgentSetting {
    /// Its value, as far as there is one.
    value: Option<String>,
    /// Where it comes from: `variable`, `file` or `default`.
    from: &'static str,
    /// The variable that goes before the file.
    variable: &'static str,
}

/// Whether there is a key; it is never given.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AgentKey {
    /// There is one.
    is_set: bool,
    /// Where it comes from: `variable`, `file` or `default`.
    from: &'static str,
    /// The variable that goes before the file.
    variable: &'static str,
}

/// Which model the agent asks.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AgentConnection {
    /// `local`, `openai` or `anthropic`.
    provider: AgentSetting,
    /// The model's name there.
    model: AgentSetting,
    /// The address.
    base_url: AgentSetting,
    /// The key.
    api_key: AgentKey,
}

fn word(from: Origin) -> &'static str {
    match from {
        Origin::Variable => "variable",
        Origin::File => "file",
        Origin::Default => "default",
    }
}

impl From<ConnectionView> for AgentConnection {
    fn from(view: ConnectionView) -> Self {
        let setting = |SettingView { value, from, variable }| AgentSetting { value, from: word(from), variable };
        let KeyView { is_set, from, variable } = view.api_key;
        Self {
            provider: setting(view.provider),
            model: setting(view.model),
            base_url: setting(view.base_url),
            api_key: AgentKey { is_set, from: word(from), variable },
        }
    }
}

/// What to change; what is absent stays, null takes a setting out of the file.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AgentChange {
    /// `local` (any OpenAI-compatible server), `openai` or `anthropic`.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    provider: Option<Option<String>>,
    /// The model's name there.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    model: Option<Option<String>>,
    /// The address. A key that was kept for another one is forgotten.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    base_url: Option<Option<String>>,
    /// The key.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    api_key: Option<Option<String>>,
}

fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// Say which model the agent asks, and where each setting of that comes from.
#[utoipa::path(get, path = "/api/agent/settings", tag = "agent", responses((status = 200, body = AgentConnection)))]
async fn agent_settings(
    State(app): State<App>,
    Permitted(permit): Permitted,
) -> Result<Json<AgentConnection>, Problem> {
    Ok(Json(app.desk().connection(&permit)?.into()))
}

/// Set which model the agent asks, from now on. A variable of the service goes before.
#[utoipa::path(put, path = "/api/agent/settings", tag = "agent", request_body = AgentChange,
    responses((status = 200, body = AgentConnection)))]
async fn set_agent(
    State(app): State<App>,
    Permitted(permit): Permitted,
    Body(change): Body<AgentChange>,
) -> Result<Json<AgentConnection>, Problem> {
    let AgentChange { provider, model, base_url, api_key } = change;
    let change = ConnectionChange { provider, model, base_url, api_key };
    Ok(Json(app.desk().connect(&permit, &change)?.into()))
}
