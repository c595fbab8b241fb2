//! Task documents as they are sent: JSON around the task or its text, or plain YAML.

use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::Value;
use tuner_app::service::tasks::Document;
use tuner_core::task::BackendSpec;
use utoipa::ToSchema;

use crate::answer::Problem;
use crate::extract::{self, Kind};

/// A task, as an object or as the text of a file; exactly one of the two. Files of the predecessor are translated.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TaskDocument {
    /// The task as an object.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    task: Option<serde_json::Map<String, Value>>,
    /// The text of a task file, YAML or JSON.
    #[serde(default)]
    text: Option<String>,
    /// Where a predecessor's task shall run instead of what it says.
    #[serde(default)]
    backend: Option<ImportBackend>,
}

/// Backends that a predecessor's task can be sent to.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ImportBackend {
    /// Processes of this machine.
    Local,
    /// The simulated engine in virtual time.
    Virtual,
}

/// The document of a request.
pub(crate) struct Sent(pub(crate) Document);

impl<S: Send + Sync> FromRequest<S> for Sent {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let kind = extract::kind(&request);
        let bytes = extract::read(request, state).await?;
        match kind {
            Some(Kind::Json) => extract::parse::<TaskDocument>(&bytes)?.document().map(Self),
            Some(Kind::Yaml) => Ok(Self(Document { text: utf8(&bytes)?, backend: None })),
            None => Err(extract::wrong_type("application/json or application/yaml")),
        }
    }
}

/// The text of a request, JSON or YAML.
pub(crate) struct Text(pub(crate) String);

impl<S: Send + Sync> FromRequest<S> for Text {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let kind = extract::kind(&request);
        let bytes = extract::read(request, state).await?;
        match kind {
            // Indented, so that lines and columns of findings say something.
            Some(Kind::Json) => {
                let whole: Value = extract::parse(&bytes)?;
                Ok(Self(serde_json::to_string_pretty(&whole).unwrap_or_default()))
            }
            Some(Kind::Yaml) => utf8(&bytes).map(Self),
            None => Err(extract::wrong_type("application/json or application/yaml")),
        }
    }
}

fn utf8(bytes: &[u8]) -> Result<String, Problem> {
    let wrong = |_| Problem::new(StatusCode::BAD_REQUEST, "bad_request", "the body is not UTF-8");
    String::from_utf8(bytes.to_vec()).map_err(wrong)
}

impl TaskDocument {
    fn document(self) -> Result<Document, Problem> {
        let text = match (self.task, self.text) {
            // Indented, so that lines and columns of findings say something.
            (Some(task), None) => serde_json::to_string_pretty(&task).unwrap_or_default(),
            (None, Some(text)) => text,
            _ => {
                let message = "give either task (an object) or text (of a file)";
                return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_body", message));
            }
        };
        let backend = self.backend.map(|backend| match backend {
            ImportBackend::Local => BackendSpec::Local,
            ImportBackend::Virtual => BackendSpec::Virtual,
        });
        Ok(Document { text, backend })
    }
}
