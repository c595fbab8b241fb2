//! Data sets for doors.

use std::path::Path;

use tuner_bench::dataset::{self, Dataset, Inspection};
use tuner_core::task::DatasetSpec;
use tuner_policy::{Action, Resource};

use super::{Service, apart};
use crate::access::Permit;
use crate::error::AppError;

/// The largest file that is looked into.
const MOST_BYTES: u64 = 512 << 20;

impl Service {
    /// Says what a data set holds. A relative name is one in the folder `datasets` of the data directory.
    ///
    /// # Errors
    /// [`AppError::Refused`] for files elsewhere over the network; [`AppError::Absent`]; [`AppError::Dataset`].
    pub async fn inspect_dataset(&self, permit: &Permit, spec: DatasetSpec) -> Result<Inspection, AppError> {
        permit.must_be_for(Action::DatasetRead)?;
        if spec.is_url() {
            let message = "addresses are fetched by tasks and by `autotuner dataset inspect`".to_owned();
            return Err(AppError::Invalid { field: "source", message });
        }
        let kept = self.home().root().join("datasets");
        let absent = || AppError::Absent { what: format!("data set {:?}", spec.source) };
        let wanted = kept.join(&spec.source);
        let found = wanted.canonicalize();
        let inside = match (&found, kept.canonicalize()) {
            (Ok(found), Ok(kept)) => found.starts_with(kept),
            // Whether a file exists elsewhere is not told either.
            _ => !Path::new(&spec.source).is_absolute() && !spec.source.contains(".."),
        };
        permit.must_reach(if inside { Resource::Kept } else { Resource::ForeignFile })?;
        let found = found.map_err(|_| absent())?;
        match found.metadata() {
            Ok(facts) if facts.is_file() && facts.len() <= MOST_BYTES => {}
            Ok(facts) if facts.is_file() => {
                let message = format!("it has {} MiB; at most {} are looked into", facts.len() >> 20, MOST_BYTES >> 20);
                return Err(AppError::Invalid { field: "source", message });
            }
            _ => return Err(absent()),
        }
        let spec = DatasetSpec { source: found.display().to_string(), ..spec };
        let looked = apart(move || Dataset::load(&spec).map(|found| dataset::inspect(&found))).await;
        looked.map_err(|error| AppError::Dataset(Box::new(error)))
    }
}
