//! The agent: conversations, what is said in them, what the agent may do, and how it all is followed.

mod calls;
mod card;
mod connection;
mod legacy;
mod messages;
mod sessions;
mod stream;
mod subscriptions;

use axum::http::StatusCode;
use tuner_agent::AgentError;
use utoipa_axum::router::OpenApiRouter;

use crate::answer::Problem;
use crate::state::App;

pub(super) fn routes() -> OpenApiRouter<App> {
    sessions::routes()
        .merge(messages::routes())
        .merge(calls::routes())
        .merge(connection::routes())
        .merge(stream::routes())
        .merge(subscriptions::routes())
        .merge(legacy::routes())
}

impl From<AgentError> for Problem {
    fn from(error: AgentError) -> Self {
        let message = error.to_string();
        match error {
            AgentError::App(error) => error.into(),
            AgentError::NotConfigured { .. } => {
                let problem = Self::new(StatusCode::CONFLICT, "agent_not_configured", message);
                problem.hint(
                    "set it on the page (Settings, Agent) or by PUT /api/agent/settings; or set AGENT_PROVIDER, \
                     AGENT_MODEL, AGENT_BASE_URL and AGENT_API_KEY and start the service anew",
                )
            }
            AgentError::SetBy(variable) => Self::new(StatusCode::CONFLICT, "set_by_variable", message)
                .hint(format!("change or unset {variable} and start the service anew")),
            AgentError::NoSuchScope(_) => Self::new(StatusCode::UNPROCESSABLE_ENTITY, "unknown_scope", message),
            AgentError::Invalid { .. } => Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_field", message),
            AgentError::OwnClient => Self::new(StatusCode::FORBIDDEN, "own_client", message)
                .hint("use `autotuner chat --session ID` on the service's machine, or another administrator's token"),
            AgentError::NoSuchSession(_) => Self::new(StatusCode::NOT_FOUND, "not_found", message),
        }
    }
}
