//! Presets: named sets of parameters that tasks take over.

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tuner_app::presets::{self, Existing, PresetEntry, PresetFilter};
use tuner_core::engine::EngineName;
use tuner_core::task::Merge;
use tuner_policy::Action;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::document::Text;
use crate::answer::Problem;
use crate::extract::{self, Body, Params, Path, Permitted};
use crate::guard::guarded;
use crate::state::App;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default()
        .routes(guarded(Action::PresetRead, routes!(list)))
        .routes(guarded(Action::PresetCreate, routes!(create)))
        .routes(guarded(Action::PresetCreate, routes!(import)))
        .routes(guarded(Action::PresetRead, routes!(merge)))
        .routes(guarded(Action::PresetRead, routes!(get)))
        .routes(guarded(Action::PresetEdit, routes!(change)))
        .routes(guarded(Action::PresetDelete, routes!(delete)))
        .routes(guarded(Action::PresetRead, routes!(export)))
}

/// Which presets.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListPresets {
    /// Of this category.
    category: Option<String>,
    /// For this engine, those for any included.
    engine: Option<String>,
}

/// A named set of parameters.
#[derive(Debug, Deserialize, ToSchema)]
#[expect(dead_code, reason = "says what the reader of presets takes")]
pub(crate) struct PresetDocument {
    /// Its name: letters, digits, `-`, `_`, `.`; at most 100 characters.
    name: String,
    /// What it is for.
    description: Option<String>,
    /// Where lists file it: `general`, `quantisation`, `parallelism`, or a word of your own. Default `general`.
    category: Option<String>,
    /// The engine whose flags it holds; absent: any.
    engine: Option<String>,
    /// Flag name to its values, as in a task file.
    #[schema(value_type = Object)]
    parameters: Value,
    /// Conditions that every configuration must satisfy.
    constraints: Option<Vec<String>>,
    /// Whatever else is kept with it.
    #[schema(value_type = Option<Object>)]
    metadata: Option<Value>,
}

/// A preset as it is kept.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PresetItem {
    /// Name, description, category, engine, parameters, constraints, metadata.
    #[serde(flatten)]
    #[schema(value_type = PresetDocument)]
    entry: PresetEntry,
}

/// The presets.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PresetList {
    /// Those that people stored come first, then those that come with the engines (`built_in`).
    #[schema(value_type = Vec<Object>)]
    items: Vec<PresetEntry>,
    /// Always null: there is one part.
    next_cursor: Option<String>,
}

/// List the presets.
#[utoipa::path(get, path = "/api/presets", tag = "presets", params(ListPresets),
    responses((status = 200, body = PresetList)))]
async fn list(
    State(app): State<App>,
    Permitted(permit): Permitted,
    Params(query): Params<ListPresets>,
) -> Result<Json<PresetList>, Problem> {
    let known = EngineName::ALL.map(EngineName::name);
    let engine = match query.engine.as_deref() {
        None => None,
        Some(word) => match EngineName::ALL.into_iter().find(|engine| engine.name() == word) {
            Some(engine) => Some(engine),
            None => return Err(extract::invalid(format!("engine: {word:?} is not one of {}", known.join(", ")))),
        },
    };
    let filter = PresetFilter { category: query.category, engine };
    let items = app.service().list_presets(&permit, &filter).await?;
    Ok(Json(PresetList { items, next_cursor: None }))
}

/// Store a preset. Its name must be free.
#[utoipa::path(post, path = "/api/presets", tag = "presets",
    request_body(content((PresetDocument = "application/json"), (String = "application/yaml"))),
    responses((status = 201, body = PresetItem, headers(("location" = String, description = "Where it is now.")))))]
async fn create(State(app): State<App>, Permitted(permit): Permitted, Text(text): Text) -> Result<Response, Problem> {
    let entry = app.service().create_preset(&permit, &text).await?;
    let place = format!("/api/presets/{}", entry.preset.name);
    Ok((StatusCode::CREATED, [(header::LOCATION, place)], Json(PresetItem { entry })).into_response())
}

/// What happens to presets whose names are taken.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct ImportPresets {
    /// A preset whose name is taken: `refuse` the whole file, `skip` that one, or `replace` the stored one. Default
    /// `refuse`.
    existing: Option<String>,
}

/// What an import did.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ImportedPresets {
    /// Stored or changed.
    #[schema(value_type = Vec<Object>)]
    stored: Vec<PresetEntry>,
    /// Names that were left out.
    skipped: Vec<String>,
}

/// Store the presets of an exported file: one under `preset`, or several under `presets`. The predecessor's exports are
/// such files.
#[utoipa::path(post, path = "/api/presets/import", tag = "presets", params(ImportPresets),
    request_body(content((Object = "application/json"), (String = "application/yaml"))),
    responses((status = 200, body = ImportedPresets)))]
async fn import(
    State(app): State<App>,
    Permitted(permit): Permitted,
    Params(query): Params<ImportPresets>,
    Text(text): Text,
) -> Result<Json<ImportedPresets>, Problem> {
    let existing = match query.existing.as_deref() {
        None | Some("refuse") => Existing::Refuse,
        Some("skip") => Existing::Skip,
        Some("replace") => Existing::Replace,
        Some(other) => {
            return Err(extract::invalid(format!("existing: {other:?} is not one of refuse, skip, replace")));
        }
    };
    let done = app.service().import_presets(&permit, &text, existing).await?;
    Ok(Json(ImportedPresets { stored: done.stored, skipped: done.skipped }))
}

/// Presets to merge.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MergeBody {
    /// Their names, in order.
    presets: Vec<String>,
    /// `union` (every parameter, the values of all), `intersection` (what all have) or `last_wins`. Default `union`.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    merge: Merge,
}

/// Show what several presets are as one, and what of them is not followed. Nothing is stored.
#[utoipa::path(post, path = "/api/presets/merge", tag = "presets", request_body = MergeBody,
    responses((status = 200, body = Object)))]
async fn merge(
    State(app): State<App>,
    Permitted(permit): Permitted,
    Body(body): Body<MergeBody>,
) -> Result<Json<Value>, Problem> {
    let merged = app.service().merge_presets(&permit, &body.presets, body.merge).await?;
    Ok(Json(serde_json::to_value(merged).unwrap_or_default()))
}

/// Show a preset.
#[utoipa::path(get, path = "/api/presets/{preset}", tag = "presets",
    params(("preset" = String, Path, description = "Its name.")), responses((status = 200, body = PresetItem)))]
async fn get(
    State(app): State<App>,
    Permitted(permit): Permitted,
    Path(name): Path<String>,
) -> Result<Json<PresetItem>, Problem> {
    Ok(Json(PresetItem { entry: app.service().show_preset(&permit, &name).await? }))
}

/// Change a preset, its name included. Tasks that took it over stay as they are.
#[utoipa::path(put, path = "/api/presets/{preset}", tag = "presets",
    params(("preset" = String, Path, description = "Its name.")),
    request_body(content((PresetDocument = "application/json"), (String = "application/yaml"))),
    responses((status = 200, body = PresetItem)))]
async fn change(
    State(app): State<App>,
    Permitted(permit): Permitted,
    Path(name): Path<String>,
    Text(text): Text,
) -> Result<Json<PresetItem>, Problem> {
    Ok(Json(PresetItem { entry: app.service().change_preset(&permit, &name, &text).await? }))
}

/// Delete a preset. Tasks that took it over stay as they are; what comes with an engine cannot be deleted.
#[utoipa::path(delete, path = "/api/presets/{preset}", tag = "presets",
    params(("preset" = String, Path, description = "Its name.")),
    responses((status = 204, description = "It is gone.")))]
async fn delete(
    State(app): State<App>,
    Permitted(permit): Permitted,
    Path(name): Path<String>,
) -> Result<StatusCode, Problem> {
    app.service().delete_preset(&permit, &name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Give a preset as a file that can be imported elsewhere.
#[utoipa::path(get, path = "/api/presets/{preset}/export", tag = "presets",
    params(("preset" = String, Path, description = "Its name.")),
    responses((status = 200, body = Object,
        headers(("content-disposition" = String, description = "A name for the file.")))))]
async fn export(
    State(app): State<App>,
    Permitted(permit): Permitted,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    let entry = app.service().show_preset(&permit, &name).await?;
    // Names are letters, digits, `-`, `_` and `.`.
    let place = format!("attachment; filename=\"{}.preset.json\"", entry.preset.name);
    Ok(([(header::CONTENT_DISPOSITION, place)], Json(presets::export(&[entry.preset]))).into_response())
}
