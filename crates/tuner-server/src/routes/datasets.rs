//! Data sets: send, fetch, list, look into, delete.

use axum::Json;
use axum::extract::{DefaultBodyLimit, FromRequest, Multipart, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures::StreamExt;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tuner_app::access::Permit;
use tuner_app::datasets::{Arrival, FetchOrder, Kept, Wanted};
use tuner_core::task::DatasetSpec;
use tuner_policy::Action;
use tuner_store::DatasetRow;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::jobs::JobItem;
use crate::answer::Problem;
use crate::extract::{Body, Params, Path, Permitted};
use crate::guard::guarded;
use crate::state::App;

pub(super) fn routes() -> OpenApiRouter<App> {
    let (schemas, paths, upload) = guarded(Action::DatasetCreate, routes!(upload));
    OpenApiRouter::default()
        .routes(guarded(Action::DatasetRead, routes!(inspect)))
        .routes(guarded(Action::DatasetRead, routes!(list)))
        // It counts what comes by itself.
        .routes((schemas, paths, upload.layer(DefaultBodyLimit::disable())))
        .routes(guarded(Action::DatasetCreate, routes!(fetch)))
        .routes(guarded(Action::DatasetRead, routes!(get)))
        .routes(guarded(Action::DatasetDelete, routes!(delete)))
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

/// A data set that is kept.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DatasetItem {
    /// What tasks call it.
    name: String,
    /// The machine that has the file.
    host: String,
    /// Its size.
    bytes: u64,
    /// Its SHA-256.
    sha256: String,
    /// What its content was found to be.
    format: String,
    /// Requests in it.
    rows: u64,
    /// `upload`, or the address it came from.
    origin: String,
    /// When it came.
    created_at: chrono::DateTime<chrono::Utc>,
}

impl From<DatasetRow> for DatasetItem {
    fn from(row: DatasetRow) -> Self {
        Self {
            name: row.name,
            host: row.host,
            bytes: row.bytes,
            sha256: row.sha256,
            format: row.format,
            rows: row.rows,
            origin: row.origin,
            created_at: row.created_at,
        }
    }
}

/// The data sets.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DatasetList {
    /// By name.
    items: Vec<DatasetItem>,
    /// Always null: there is one part.
    next_cursor: Option<String>,
}

/// List the data sets that are kept by name.
#[utoipa::path(get, path = "/api/datasets", tag = "datasets", responses((status = 200, body = DatasetList)))]
async fn list(State(app): State<App>, Permitted(permit): Permitted) -> Result<Json<DatasetList>, Problem> {
    let rows = app.service().list_datasets(&permit).await?;
    Ok(Json(DatasetList { items: rows.into_iter().map(Into::into).collect(), next_cursor: None }))
}

/// What is sent.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct Upload {
    /// What to call it; in a form, else after the file.
    name: Option<String>,
    /// SHA-256 of what is sent, in hexadecimal; something else is refused.
    sha256: Option<String>,
    /// The file of an archive that has several.
    member: Option<String>,
}

/// A form with a file.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "says what the form has")]
pub(crate) struct UploadForm {
    /// The file.
    #[schema(format = Binary)]
    file: String,
    /// What to call it.
    name: Option<String>,
}

/// A data set that was just kept.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct KeptItem {
    #[serde(flatten)]
    dataset: DatasetItem,
    /// Bytes that were sent.
    received_bytes: u64,
    /// Their SHA-256.
    received_sha256: String,
}

/// Keep a data set. The body is the file, or a form with it; gzip, Zstandard, zip and tar are taken apart, whatever the file
/// is called. What cannot be read as a data set is refused.
#[utoipa::path(post, path = "/api/datasets", tag = "datasets", params(Upload),
    request_body(content((String = "application/octet-stream"), (UploadForm = "multipart/form-data"))),
    responses((status = 201, body = KeptItem, headers(("location" = String, description = "Where it is now.")))))]
async fn upload(
    State(app): State<App>,
    Permitted(permit): Permitted,
    Params(query): Params<Upload>,
    request: Request,
) -> Result<Response, Problem> {
    let most = app.options().limits.upload_bytes;
    let wanted = Wanted { sha256: query.sha256, member: query.member, most, ..Wanted::of("upload") };
    let wanted = Wanted { name: query.name, file_name: None, ..wanted };
    let form = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let form = form.is_some_and(|kind| kind.trim_start().to_ascii_lowercase().starts_with("multipart/form-data"));
    let kept = if form {
        of_form(&app, &permit, Multipart::from_request(request, &app).await.map_err(bad)?, wanted).await?
    } else {
        let mut arrival = app.service().receive_dataset(&permit, most).await?;
        let mut body = request.into_body().into_data_stream();
        while let Some(chunk) = body.next().await {
            arrival.take(&chunk.map_err(bad)?).await?;
        }
        app.service().keep_dataset(&permit, arrival, wanted).await?
    };
    let place = format!("/api/datasets/{}", kept.row.name);
    let Kept { row, received_bytes, received_sha256 } = kept;
    let item = KeptItem { dataset: row.into(), received_bytes, received_sha256 };
    Ok((StatusCode::CREATED, [(header::LOCATION, place)], Json(item)).into_response())
}

fn bad(error: impl std::error::Error) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "bad_request", format!("the body cannot be read: {error}"))
}

async fn of_form(app: &App, permit: &Permit, mut form: Multipart, mut wanted: Wanted) -> Result<Kept, Problem> {
    let mut arrival: Option<Arrival> = None;
    while let Some(mut field) = form.next_field().await.map_err(bad)? {
        match field.name() {
            Some("name") => {
                let mut text = Vec::new();
                while let Some(chunk) = field.chunk().await.map_err(bad)? {
                    text.extend_from_slice(&chunk);
                    if text.len() > 1000 {
                        return Err(field_problem("name is too long"));
                    }
                }
                wanted.name = Some(String::from_utf8_lossy(&text).into_owned());
            }
            Some("file") if arrival.is_none() => {
                wanted.file_name =
                    field.file_name().map(|name| name.rsplit(['/', '\\']).next().unwrap_or(name).to_owned());
                let mut taken = app.service().receive_dataset(permit, wanted.most).await?;
                while let Some(chunk) = field.chunk().await.map_err(bad)? {
                    taken.take(&chunk).await?;
                }
                arrival = Some(taken);
            }
            other => {
                return Err(field_problem(&format!(
                    "{} is no field of this form, or stands twice",
                    other.unwrap_or("a part")
                )));
            }
        }
    }
    match arrival {
        Some(arrival) => Ok(app.service().keep_dataset(permit, arrival, wanted).await?),
        None => Err(field_problem("the form has no field called file")),
    }
}

fn field_problem(message: &str) -> Problem {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_body", message)
        .hint("send a form with file, and name if it shall have another")
}

/// A data set to fetch.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FetchBody {
    /// The address.
    url: String,
    /// What to call it; default: after the address.
    #[serde(default)]
    name: Option<String>,
    /// SHA-256 of what the address gives, in hexadecimal.
    #[serde(default)]
    sha256: Option<String>,
    /// The file of an archive that has several.
    #[serde(default)]
    member: Option<String>,
    /// Most bytes to take.
    #[serde(default)]
    max_bytes: Option<u64>,
}

/// Queue the fetching of a data set from an address, for a worker of the service's machine. Which hosts are fetched from is
/// a setting of the service; addresses inside its network are refused.
#[utoipa::path(post, path = "/api/datasets/fetch", tag = "datasets", request_body = FetchBody,
    responses((status = 202, body = JobItem)))]
async fn fetch(
    State(app): State<App>,
    Permitted(permit): Permitted,
    Body(body): Body<FetchBody>,
) -> Result<(StatusCode, Json<JobItem>), Problem> {
    let most = app.options().limits.upload_bytes;
    let name = match body.name {
        Some(name) => name,
        None => Wanted::of(&body.url).called()?,
    };
    let order = FetchOrder {
        source: body.url,
        sha256: body.sha256,
        name: Some(name),
        member: body.member,
        max_bytes: Some(body.max_bytes.map_or(most, |bytes| bytes.min(most))),
    };
    let job = app.service().fetch_dataset(&permit, order).await?;
    Ok((StatusCode::ACCEPTED, Json(job.into())))
}

/// A data set with what it holds.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DatasetDetail {
    #[serde(flatten)]
    dataset: DatasetItem,
    /// Format, lengths, arrivals, what is left out and why, the first rows.
    #[schema(value_type = Object)]
    inspection: Value,
}

/// Show a data set: what is known of it, and what it holds.
#[utoipa::path(get, path = "/api/datasets/{dataset}", tag = "datasets",
    params(("dataset" = String, Path, description = "Its name.")), responses((status = 200, body = DatasetDetail)))]
async fn get(
    State(app): State<App>,
    Permitted(permit): Permitted,
    Path(name): Path<String>,
) -> Result<Json<DatasetDetail>, Problem> {
    let (row, found) = app.service().show_dataset(&permit, &name).await?;
    let inspection = serde_json::to_value(found).unwrap_or_default();
    Ok(Json(DatasetDetail { dataset: row.into(), inspection }))
}

/// Delete a data set and its file. One that a task may still read is refused.
#[utoipa::path(delete, path = "/api/datasets/{dataset}", tag = "datasets",
    params(("dataset" = String, Path, description = "Its name.")),
    responses((status = 204, description = "It is gone.")))]
async fn delete(
    State(app): State<App>,
    Permitted(permit): Permitted,
    Path(name): Path<String>,
) -> Result<StatusCode, Problem> {
    app.service().delete_dataset(&permit, &name).await?;
    Ok(StatusCode::NO_CONTENT)
}
