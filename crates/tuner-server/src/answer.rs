//! Errors as clients see them: `{code, message, hint, request_id}`, and the only place where errors become statuses.

use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use tuner_app::AppError;
use tuner_app::machines::{Kind, MachineError};
use tuner_core::task::Diagnostic;
use tuner_core::with_causes;
use tuner_store::{JsonPage, StoreError};
use utoipa::ToSchema;

/// Why a request was refused or failed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct ErrorBody {
    /// A word for programs: `not_found`, `task_in_use`, ….
    code: String,
    /// What is wrong, for people.
    message: String,
    /// What to do about it.
    hint: Option<String>,
    /// Names this request in the logs.
    request_id: String,
    /// Every finding about the document that was sent, where it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<Object>>)]
    findings: Option<Vec<Diagnostic>>,
}

/// A refusal or failure on its way out; the request's id is filled in at the door.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    pub(crate) status: StatusCode,
    pub(crate) code: &'static str,
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
    pub(crate) findings: Option<Vec<Diagnostic>>,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), hint: None, findings: None }
    }

    pub(crate) fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// What can be said when only a status is known.
    pub(crate) fn of_status(status: StatusCode) -> Self {
        let (code, message) = match status {
            StatusCode::BAD_REQUEST => ("bad_request", "the request cannot be understood"),
            StatusCode::NOT_FOUND => ("not_found", "there is nothing at this path"),
            StatusCode::METHOD_NOT_ALLOWED => ("method_not_allowed", "this path does not take this method"),
            StatusCode::PAYLOAD_TOO_LARGE => ("body_too_large", "the body is too large"),
            StatusCode::UNSUPPORTED_MEDIA_TYPE => ("unsupported_media_type", "the body is of a type that is not taken"),
            _ => ("failed", status.canonical_reason().unwrap_or("the request failed")),
        };
        let problem = Self::new(status, code, message);
        match status {
            StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => {
                problem.hint("every path and method stands in /api/openapi.json")
            }
            _ => problem,
        }
    }

    /// The body, once the request's id is known.
    pub(crate) fn render(self, request_id: &str) -> Response {
        let body = ErrorBody {
            code: self.code.to_owned(),
            message: self.message,
            hint: self.hint,
            request_id: request_id.to_owned(),
            findings: self.findings,
        };
        (self.status, Json(body)).into_response()
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// A part of a list that the store wrote.
pub(crate) fn page(page: JsonPage) -> Response {
    let next = page.next.map_or(serde_json::Value::Null, Into::into);
    json(format!("{{\"items\":[{}],\"next_cursor\":{next}}}", page.items))
}

/// An answer that is written already.
pub(crate) fn json(text: String) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], text).into_response()
}

impl From<AppError> for Problem {
    fn from(error: AppError) -> Self {
        let (status, code) = meaning(&error);
        let hint = error.hint();
        if status.is_server_error() {
            tracing::error!(error = %with_causes(&error), "a request failed");
        }
        let (message, findings) = match error {
            AppError::TaskFile { found, .. } | AppError::Preset { found, .. } => {
                let n = found.iter().filter(|f| f.is_error()).count();
                (format!("the document has {n} error{}", if n == 1 { "" } else { "s" }), Some(found))
            }
            error => (with_causes(&error), None),
        };
        Self { status, code, message, hint, findings }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        AppError::from(error).into()
    }
}

fn meaning(error: &AppError) -> (StatusCode, &'static str) {
    match error {
        AppError::TaskFile { .. } | AppError::Search { .. } => (StatusCode::UNPROCESSABLE_ENTITY, "invalid_task"),
        AppError::Preset { .. } => (StatusCode::UNPROCESSABLE_ENTITY, "invalid_preset"),
        AppError::BuiltIn { .. } => (StatusCode::CONFLICT, "built_in"),
        AppError::NoSuchJob { .. } => (StatusCode::UNPROCESSABLE_ENTITY, "no_such_job"),
        AppError::Invalid { .. } => (StatusCode::UNPROCESSABLE_ENTITY, "invalid_field"),
        AppError::TooLarge { .. } => (StatusCode::PAYLOAD_TOO_LARGE, "body_too_large"),
        AppError::Deploy(tuner_app::DeployError::Egress(_)) => (StatusCode::UNPROCESSABLE_ENTITY, "egress_refused"),
        AppError::Deploy(tuner_app::DeployError::BadUrl { .. }) => (StatusCode::UNPROCESSABLE_ENTITY, "invalid_field"),
        AppError::Dataset(_) | AppError::Unpack(_) => (StatusCode::UNPROCESSABLE_ENTITY, "invalid_dataset"),
        AppError::Machine(error) => match (error, error.kind()) {
            (MachineError::NotShared | MachineError::NearDatabase { .. }, _) => {
                (StatusCode::CONFLICT, "needs_shared_database")
            }
            (_, Kind::Request) => (StatusCode::UNPROCESSABLE_ENTITY, "invalid_field"),
            (_, Kind::State) => (StatusCode::CONFLICT, "machine_in_use"),
            (_, Kind::There) => (StatusCode::BAD_GATEWAY, "machine_failed"),
            (_, Kind::Here) => (StatusCode::INTERNAL_SERVER_ERROR, "failed"),
        },
        AppError::NoSuchExperiment { .. } | AppError::Absent { .. } | AppError::NoRequestLog { .. } => {
            (StatusCode::NOT_FOUND, "not_found")
        }
        AppError::InUse { .. } | AppError::Run(_) => (StatusCode::CONFLICT, "task_in_use"),
        AppError::NeedsRole { .. } => (StatusCode::FORBIDDEN, "role_needed"),
        AppError::Refused { why: tuner_policy::Refusal::NoToken, .. } => (StatusCode::UNAUTHORIZED, "token_needed"),
        AppError::Refused { .. } => (StatusCode::FORBIDDEN, "refused"),
        AppError::Store(error) => match error {
            StoreError::NoSuchTask { .. } | StoreError::NotFound { .. } => (StatusCode::NOT_FOUND, "not_found"),
            StoreError::AmbiguousTask { .. } => (StatusCode::CONFLICT, "ambiguous_task"),
            StoreError::NameTaken { .. } | StoreError::Taken { .. } => (StatusCode::CONFLICT, "name_taken"),
            StoreError::InUse { .. } | StoreError::LeaseLost { .. } => (StatusCode::CONFLICT, "task_in_use"),
            StoreError::WrongState { .. } => (StatusCode::CONFLICT, "wrong_state"),
            StoreError::Refused(refused) => match refused {
                tuner_policy::chat::Refused::NoSuchCall(_) | tuner_policy::chat::Refused::NoSuchGrant => {
                    (StatusCode::NOT_FOUND, "not_found")
                }
                tuner_policy::chat::Refused::Settled { .. } => (StatusCode::CONFLICT, "already_decided"),
                tuner_policy::chat::Refused::Differs => (StatusCode::CONFLICT, "arguments_differ"),
                _ => (StatusCode::CONFLICT, "run_is_over"),
            },
            StoreError::Conflict { .. } => (StatusCode::CONFLICT, "conflict"),
            StoreError::Unstorable { .. } => (StatusCode::UNPROCESSABLE_ENTITY, "invalid_field"),
            StoreError::Database(_) => (StatusCode::SERVICE_UNAVAILABLE, "database_failed"),
            _ => (StatusCode::INTERNAL_SERVER_ERROR, "failed"),
        },
        _ => (StatusCode::INTERNAL_SERVER_ERROR, "failed"),
    }
}
