//! How long attempts usually take.

use chrono::{DateTime, Utc};
use sea_orm::sea_query::Query;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use tuner_core::plan::AttemptState;

use crate::entity::{attempts, tasks};
use crate::row::attempt_word;
use crate::{Store, StoreError};

/// The newest attempts that are looked at.
const NEWEST: u64 = 200;

/// What is usual.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Typical {
    /// Attempts that it was learnt from.
    pub attempts: usize,
    /// Median of their seconds.
    pub seconds: f64,
}

impl Store {
    /// How long successful attempts with an engine took; `None` if there were none.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn typical_attempt(&self, engine: &str) -> Result<Option<Typical>, StoreError> {
        let read = self.read().await?;
        let of_engine = Query::select()
            .column(tasks::Column::Id)
            .from(tasks::Entity)
            .and_where(tasks::Column::Engine.eq(engine))
            .take();
        let found = attempts::Entity::find()
            .select_only()
            .columns([attempts::Column::StartedAt, attempts::Column::EndedAt])
            .filter(attempts::Column::TaskId.in_subquery(of_engine))
            .filter(attempts::Column::State.eq(attempt_word(AttemptState::Succeeded)))
            .order_by_desc(attempts::Column::StartedAt)
            .limit(NEWEST);
        let found = found.into_tuple::<(DateTime<Utc>, Option<DateTime<Utc>>)>().all(read.rows()).await?;
        let seconds = found.iter().filter_map(|(from, to)| Some((*to)? - *from));
        let mut seconds: Vec<f64> = seconds.map(|took| took.as_seconds_f64()).collect();
        seconds.sort_by(f64::total_cmp);
        let median = seconds.get(seconds.len() / 2);
        Ok(median.map(|median| Typical { attempts: seconds.len(), seconds: *median }))
    }
}
