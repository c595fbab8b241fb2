//! Whether the database can be written and read, and how much is in it.

use std::collections::BTreeMap;

use sea_orm::sea_query::OnConflict;
use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, PaginatorTrait, QuerySelect};

use super::entity::probes;
use crate::entity::{experiments, held_gpus, tasks};
use crate::json::number;
use crate::{Store, StoreError};

/// How many rows there are, by word.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Tasks by status.
    pub tasks: BTreeMap<String, u64>,
    /// Experiments by outcome; `open` for those without.
    pub experiments: BTreeMap<String, u64>,
    /// GPUs that engines of ours hold, on every host.
    pub held_gpus: u64,
}

impl Store {
    /// Writes a row and reads it again.
    ///
    /// # Errors
    /// [`StoreError::Database`]: full, locked, damaged, gone; [`StoreError::NotFound`] if what was written is not there.
    pub async fn probe(&self, name: &str) -> Result<(), StoreError> {
        let write = self.write().await?;
        let at = write.at;
        let row = probes::Model { name: name.to_owned(), at };
        let again = OnConflict::column(probes::Column::Name).update_column(probes::Column::At).to_owned();
        probes::Entity::insert(row.into_active_model()).on_conflict(again).exec_without_returning(write.rows()).await?;
        write.commit_quietly().await?;
        let read = self.read().await?;
        let found = probes::Entity::find_by_id(name).one(read.rows()).await?;
        match found {
            Some(row) if row.at >= at => Ok(()),
            _ => Err(StoreError::not_found(format!("probe {name:?} that was just written"))),
        }
    }

    /// Counts tasks, experiments and the GPUs that are held.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn counts(&self) -> Result<Counts, StoreError> {
        let read = self.read().await?;
        let mut counts = Counts::default();
        let by_status = tasks::Entity::find()
            .select_only()
            .column(tasks::Column::Status)
            .column_as(tasks::Column::Id.count(), "n")
            .group_by(tasks::Column::Status);
        for (status, n) in by_status.into_tuple::<(String, i64)>().all(read.rows()).await? {
            counts.tasks.insert(status, number("count", n)?);
        }
        let by_outcome = experiments::Entity::find()
            .select_only()
            .column(experiments::Column::OutcomeWord)
            .column_as(experiments::Column::Number.count(), "n")
            .group_by(experiments::Column::OutcomeWord);
        for (word, n) in by_outcome.into_tuple::<(Option<String>, i64)>().all(read.rows()).await? {
            counts.experiments.insert(word.unwrap_or_else(|| "open".to_owned()), number("count", n)?);
        }
        counts.held_gpus = held_gpus::Entity::find().count(read.rows()).await?;
        Ok(counts)
    }
}
