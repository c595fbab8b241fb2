//! Data sets: bringing them here.

use std::path::PathBuf;

use tuner_bench::dataset;
use tuner_core::task::DatasetSpec;
use tuner_deploy::{Proxies, http};

use crate::error::AppError;
use crate::home::Home;
use crate::tune::Surroundings;

/// The file that holds a data set: its own, or what its address gave, kept in the data directory.
///
/// # Errors
/// It cannot be fetched or kept.
pub async fn fetch(home: &Home, dataset: &DatasetSpec, around: &Surroundings) -> Result<PathBuf, AppError> {
    if !dataset.is_url() {
        return Ok(PathBuf::from(&dataset.source));
    }
    let client = http::client(&dataset.source, &Proxies::from_vars(around.proxies.clone()))?;
    Ok(dataset::fetch(dataset, &home.datasets(), &client).await?)
}
