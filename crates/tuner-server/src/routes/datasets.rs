//! Data sets.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::Value;
use tuner_core::task::DatasetSpec;
use tuner_policy::Action;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::answer::Problem;
use crate::extract::{Body, Permitted};
use crate::guard::guarded;
use crate::state::App;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default().routes(guarded(Action::DatasetRead, routes!(inspect)))
}

/// Which data set, and which of its rows.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct InspectBody {
    /// A file in the folder `datasets` of the data directory.
    source: String,
    /// Leave out rows that arrive before this second of the data set's own time.
    #[serde(default)]
    from_s: Option<f64>,
    /// Leave out rows that arrive at this second or later.
    #[serde(default)]
    to_s: Option<f64>,
    /// Leave out rows with more tokens than this, prompt and answer together.
    #[serde(default)]
    max_context: Option<u32>,
    /// Look at this many rows at most.
    #[serde(default)]
    limit: Option<u32>,
}

/// Say what a data set holds: format, lengths, arrivals, what is left out and why, the first rows.
#[utoipa::path(post, path = "/api/datasets/inspect", tag = "datasets", request_body = InspectBody,
    responses((status = 200, body = Object)))]
async fn inspect(
    State(app): State<App>,
    Permitted(permit): Permitted,
    Body(body): Body<InspectBody>,
) -> Result<Json<Value>, Problem> {
    let spec = DatasetSpec {
        from_s: body.from_s,
        to_s: body.to_s,
        max_context: body.max_context,
        limit: body.limit,
        ..DatasetSpec::file(&body.source)
    };
    let found = app.service().inspect_dataset(&permit, spec).await?;
    Ok(Json(serde_json::to_value(found).unwrap_or_default()))
}
