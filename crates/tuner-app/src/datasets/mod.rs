//! Data sets: bringing them here, keeping them by name, looking into them.

mod keep;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use tuner_bench::dataset::{self, Dataset, Download, Inspection};
use tuner_core::task::DatasetSpec;
use tuner_runner::this_process;
use tuner_store::{DatasetRow, JobId, Store, StoreError};

pub use keep::{Arrival, Kept, Wanted};

use crate::error::AppError;
use crate::home::Home;
use crate::tune::Surroundings;

/// The largest file that is looked into.
const MOST_INSPECTED: u64 = 512 << 20;

/// What is to be fetched.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FetchOrder {
    /// The address.
    pub source: String,
    /// SHA-256 of what the address gives, in hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// Keep it under this name, unpacked and checked; without one it is kept by its address, as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The file of an archive that has several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member: Option<String>,
    /// Most bytes to take, sent and unpacked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_bytes: Option<u64>,
}

/// Does what an order says, for a job that may have been tried before; gives the file.
///
/// # Errors
/// It cannot be fetched, is not what was expected, or cannot be kept.
pub async fn follow(
    home: &Home,
    store: &Store,
    around: &Surroundings,
    order: &FetchOrder,
    by: JobId,
) -> Result<PathBuf, AppError> {
    let Some(name) = &order.name else {
        let spec = DatasetSpec { sha256: order.sha256.clone(), ..DatasetSpec::file(&order.source) };
        return fetch(home, &spec, around).await;
    };
    let wanted = Wanted {
        name: Some(name.clone()),
        sha256: order.sha256.clone(),
        member: order.member.clone(),
        most: order.max_bytes.unwrap_or(dataset::MOST_BYTES),
        made_by: Some(by.into()),
        ..Wanted::of(&order.source)
    };
    Ok(PathBuf::from(fetch_as(home, store, around, &order.source, wanted).await?.row.path))
}

/// Fetches an address, with the name and password in it, and keeps what it gives; these are not kept.
///
/// # Errors
/// As [`follow`].
pub async fn fetch_as(
    home: &Home,
    store: &Store,
    around: &Surroundings,
    url: &str,
    wanted: Wanted,
) -> Result<Kept, AppError> {
    let client = around.egress.client(url, &around.proxies())?;
    let mut arrival = Arrival::begin(home, wanted.most).await?;
    let mut download = Download::begin(url, &client).await?;
    if download.bytes().is_some_and(|bytes| bytes > wanted.most) {
        return Err(AppError::TooLarge { what: wanted.origin, most: wanted.most });
    }
    while let Some(chunk) = download.next().await? {
        arrival.take(&chunk).await?;
    }
    arrival.keep(home, store, wanted).await
}

/// The file that holds a data set: its own, or what its address gave, kept in the data directory.
///
/// # Errors
/// It cannot be fetched or kept.
pub async fn fetch(home: &Home, dataset: &DatasetSpec, around: &Surroundings) -> Result<PathBuf, AppError> {
    if !dataset.is_url() {
        return Ok(PathBuf::from(&dataset.source));
    }
    let client = around.egress.client(&dataset.source, &around.proxies())?;
    Ok(dataset::fetch(dataset, &home.datasets(), &client).await?)
}

/// Refuses a name that another data set has.
///
/// # Errors
/// [`StoreError::Taken`].
pub(crate) async fn must_be_free(store: &Store, name: &str) -> Result<(), AppError> {
    match store.dataset(name).await {
        Ok(_) => Err(StoreError::Taken { what: "data set", name: name.to_owned() }.into()),
        Err(StoreError::NotFound { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Removes a data set and its file.
///
/// # Errors
/// [`StoreError::NotFound`]; [`StoreError::InUse`] while a task may read it.
pub async fn delete(store: &Store, name: &str) -> Result<(), AppError> {
    let row = store.delete_dataset(name).await?;
    match std::fs::remove_file(&row.path) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound && row.host == this_process().host => {
            Err(AppError::Write { path: row.path.into(), source })
        }
        _ => Ok(()),
    }
}

/// What a data set holds.
///
/// # Errors
/// [`AppError::Absent`] if its file is on another machine, or gone; [`AppError::Dataset`].
pub fn inspect(row: &DatasetRow) -> Result<Inspection, AppError> {
    if !std::path::Path::new(&row.path).is_file() {
        return Err(AppError::Absent {
            what: format!("file of data set {:?} here; it was kept on {}", row.name, row.host),
        });
    }
    look(&DatasetSpec::file(&row.path))
}

/// Looks into a file.
///
/// # Errors
/// [`AppError::Invalid`] if it is too large for a look; [`AppError::Dataset`].
pub fn look(spec: &DatasetSpec) -> Result<Inspection, AppError> {
    if let Some(bytes) = std::fs::metadata(&spec.source).ok().map(|facts| facts.len()).filter(|n| *n > MOST_INSPECTED) {
        let message = format!("it has {} MiB; at most {} are looked into", bytes >> 20, MOST_INSPECTED >> 20);
        return Err(AppError::Invalid { field: "source", message });
    }
    let found = Dataset::load(spec).map_err(|error| AppError::Dataset(Box::new(error)))?;
    Ok(dataset::inspect(&found))
}
