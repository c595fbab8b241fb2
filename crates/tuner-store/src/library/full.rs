//! One task or one experiment with everything that a page shows of it, at one moment.

use sea_orm::{EntityTrait, QuerySelect};
use tuner_core::TaskSpec;
use tuner_core::plan::ExperimentView;

use super::revise::{self, Revised};
use crate::entity::tasks;
use crate::json::decode;
use crate::row::{TaskId, TaskRow};
use crate::store::Read;
use crate::tasks::{counted, named};
use crate::{OutcomeCounts, Store, StoreError, load};

/// A task with all that a page shows of it.
#[derive(Clone, Debug)]
pub struct FullTask {
    /// Its row.
    pub row: TaskRow,
    /// Its revision and whether it is put away.
    pub revised: Revised,
    /// What was asked, with every default.
    pub spec: TaskSpec,
    /// The document as it was sent.
    pub source: String,
    /// Experiments by outcome.
    pub counts: OutcomeCounts,
}

/// An experiment with its attempts and measurements, and what its task asks for.
#[derive(Clone, Debug)]
pub struct FullExperiment {
    /// Its task.
    pub task: TaskRow,
    /// What the task asks for.
    pub spec: TaskSpec,
    /// Itself.
    pub experiment: ExperimentView,
}

impl Store {
    /// A task, named as for [`Store::task`].
    ///
    /// # Errors
    /// [`StoreError::NoSuchTask`], [`StoreError::AmbiguousTask`], [`StoreError::Corrupt`].
    pub async fn full_task(&self, wanted: &str) -> Result<FullTask, StoreError> {
        let read = self.read().await?;
        let row = named(read.rows(), wanted).await?;
        let (spec, source) = documents(&read, row.id).await?;
        let revised = revise::standing(read.rows(), row.id).await?;
        let counts = counted(read.rows(), &[row.id]).await?;
        Ok(FullTask { row, revised, spec, source, counts })
    }

    /// An experiment of a task, named as for [`Store::task`].
    ///
    /// # Errors
    /// [`StoreError::NoSuchTask`], [`StoreError::AmbiguousTask`], [`StoreError::NotFound`], [`StoreError::Corrupt`].
    pub async fn full_experiment(&self, wanted: &str, number: u32) -> Result<FullExperiment, StoreError> {
        let read = self.read().await?;
        let task = named(read.rows(), wanted).await?;
        let experiment = load::one(read.rows(), task.id, number).await?;
        let (spec, _) = documents(&read, task.id).await?;
        Ok(FullExperiment { task, spec, experiment })
    }
}

/// What a task asks for, and the document that said so.
async fn documents(read: &Read, id: TaskId) -> Result<(TaskSpec, String), StoreError> {
    let texts = tasks::Entity::find_by_id(id.to_string()).select_only();
    let texts = texts.columns([tasks::Column::Spec, tasks::Column::Source]).into_tuple::<(String, String)>();
    let texts = texts.one(read.rows()).await?;
    let (spec, source) = texts.ok_or_else(|| StoreError::NoSuchTask { wanted: id.to_string() })?;
    Ok((decode(|| format!("specification of task {id}"), &spec)?, source))
}
