//! Engines and their parameters.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tuner_app::engines::EngineRow;
use tuner_app::service::engines::ParameterQuery;
use tuner_policy::Action;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::answer::Problem;
use crate::extract::{Params, Path, Permitted};
use crate::guard::guarded;
use crate::state::App;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default()
        .routes(guarded(Action::EngineRead, routes!(list)))
        .routes(guarded(Action::EngineRead, routes!(get)))
        .routes(guarded(Action::EngineRead, routes!(parameters)))
}

/// An engine.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EngineItem {
    /// Its word.
    engine: String,
    /// Version whose parameters are known.
    catalogue_version: String,
    /// How many.
    parameters: usize,
    /// Version installed in the data directory.
    installed_version: Option<String>,
    /// Program and leading arguments of that.
    launcher: Vec<String>,
}

impl From<EngineRow> for EngineItem {
    fn from(row: EngineRow) -> Self {
        Self {
            engine: row.engine.name().to_owned(),
            catalogue_version: row.catalogue_version,
            parameters: row.flags,
            installed_version: row.installed_version,
            launcher: row.launcher,
        }
    }
}

/// Every engine.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EngineList {
    /// The engines.
    items: Vec<EngineItem>,
    /// Always null: there is one part.
    next_cursor: Option<String>,
}

/// List the engines.
#[utoipa::path(get, path = "/api/engines", tag = "engines", responses((status = 200, body = EngineList)))]
async fn list(State(app): State<App>, Permitted(permit): Permitted) -> Result<Json<EngineList>, Problem> {
    let rows = app.service().list_engines(&permit)?;
    Ok(Json(EngineList { items: rows.into_iter().map(Into::into).collect(), next_cursor: None }))
}

/// Show an engine.
#[utoipa::path(get, path = "/api/engines/{engine}", tag = "engines",
    params(("engine" = String, Path, description = "Its word.")), responses((status = 200, body = EngineItem)))]
async fn get(
    State(app): State<App>,
    Permitted(permit): Permitted,
    Path(engine): Path<String>,
) -> Result<Json<EngineItem>, Problem> {
    Ok(Json(app.service().show_engine(&permit, &engine)?.into()))
}

/// Which parameters.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListParameters {
    /// With this in the name or the help.
    contains: Option<String>,
    /// Only those that are worth tuning.
    tunable: Option<bool>,
}

/// The parameters of an engine.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ParameterList {
    /// Name, what it takes, default, help, conflicts, what a change costs, values worth trying.
    #[schema(value_type = Vec<Object>)]
    items: Vec<Value>,
    /// Always null: there is one part.
    next_cursor: Option<String>,
}

/// List the parameters of an engine, in the order of its own help.
#[utoipa::path(get, path = "/api/engines/{engine}/parameters", tag = "engines",
    params(("engine" = String, Path, description = "Its word."), ListParameters),
    responses((status = 200, body = ParameterList)))]
async fn parameters(
    State(app): State<App>,
    Permitted(permit): Permitted,
    Path(engine): Path<String>,
    Params(query): Params<ListParameters>,
) -> Result<Json<ParameterList>, Problem> {
    let wanted = ParameterQuery { contains: query.contains, tunable: query.tunable.unwrap_or_default() };
    let flags = app.service().parameters(&permit, &engine, &wanted)?;
    let items = flags.iter().filter_map(|flag| serde_json::to_value(flag).ok()).collect();
    Ok(Json(ParameterList { items, next_cursor: None }))
}
