//! Data sets for doors.

use std::path::Path;

use tuner_bench::dataset::Inspection;
use tuner_core::task::DatasetSpec;
use tuner_policy::{Action, Resource};
use tuner_runner::this_process;
use tuner_store::{DatasetRow, JobKind, JobRow, Needs, NewJob, StoreError};

use super::{Service, apart};
use crate::access::Permit;
use crate::datasets::{self, Arrival, FetchOrder, Kept, Wanted};
use crate::error::AppError;

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
        let kept = self.home().datasets();
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
        if !found.is_file() {
            return Err(absent());
        }
        let spec = DatasetSpec { source: found.display().to_string(), ..spec };
        apart(move || datasets::look(&spec)).await
    }

    /// The data sets that are kept by name.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn list_datasets(&self, permit: &Permit) -> Result<Vec<DatasetRow>, AppError> {
        permit.must_be_for(Action::DatasetRead)?;
        Ok(self.store().datasets().await?)
    }

    /// A data set, and what it holds.
    ///
    /// # Errors
    /// [`tuner_store::StoreError::NotFound`]; as [`datasets::inspect`].
    pub async fn show_dataset(&self, permit: &Permit, name: &str) -> Result<(DatasetRow, Inspection), AppError> {
        permit.must_be_for(Action::DatasetRead)?;
        let row = self.store().dataset(name).await?;
        let same = row.clone();
        let found = apart(move || datasets::inspect(&same)).await?;
        Ok((row, found))
    }

    /// Makes room for a data set that is sent.
    ///
    /// # Errors
    /// [`AppError::Write`].
    pub async fn receive_dataset(&self, permit: &Permit, most: u64) -> Result<Arrival, AppError> {
        permit.must_be_for(Action::DatasetCreate)?;
        Arrival::begin(self.home(), most).await
    }

    /// Keeps what was sent.
    ///
    /// # Errors
    /// As [`Arrival::keep`].
    pub async fn keep_dataset(&self, permit: &Permit, arrival: Arrival, wanted: Wanted) -> Result<Kept, AppError> {
        permit.must_be_for(Action::DatasetCreate)?;
        let wanted = Wanted { made_by: Some(permit.makes()), ..wanted };
        arrival.keep(self.home(), self.store(), wanted).await
    }

    /// Queues the fetching of a data set, for a worker of this machine.
    ///
    /// # Errors
    /// [`tuner_deploy::egress::EgressError`] if this service does not fetch from there; [`AppError::Invalid`];
    /// [`tuner_store::StoreError::Taken`].
    pub async fn fetch_dataset(&self, permit: &Permit, order: FetchOrder) -> Result<JobRow, AppError> {
        permit.must_be_for(Action::DatasetCreate)?;
        self.may_fetch(&order.source)?;
        let id = permit.makes();
        match self.store().job(id).await {
            Ok(queued) => return Ok(queued),
            Err(StoreError::NotFound { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        if let Some(name) = &order.name {
            datasets::must_be_free(self.store(), name).await?;
        }
        let payload = serde_json::to_value(&order).unwrap_or_default();
        let needs = Needs { host: Some(this_process().host), ..Needs::default() };
        let new = NewJob { id, needs, ..NewJob::new(JobKind::FetchDataset, payload) };
        Ok(self.store().enqueue(new).await?)
    }

    /// Removes a data set and its file.
    ///
    /// # Errors
    /// [`tuner_store::StoreError::NotFound`]; [`tuner_store::StoreError::InUse`] while a task may read it.
    pub async fn delete_dataset(&self, permit: &Permit, name: &str) -> Result<(), AppError> {
        permit.must_be_for(Action::DatasetDelete)?;
        datasets::delete(self.store(), name).await
    }

    /// Refuses an address that this service does not fetch from.
    pub(super) fn may_fetch(&self, url: &str) -> Result<(), AppError> {
        Ok(self.around().egress.check(url).map_err(tuner_deploy::DeployError::from)?)
    }

    /// The same for every address of a task.
    pub(super) fn may_fetch_all(&self, spec: &tuner_core::TaskSpec) -> Result<(), AppError> {
        let addresses = spec.workload.datasets();
        addresses.iter().flatten().filter(|set| set.is_url()).try_for_each(|set| self.may_fetch(&set.source))
    }
}
