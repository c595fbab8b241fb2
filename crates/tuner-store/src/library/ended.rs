//! An experiment that has ended, as the text that is sent: one statement, and JSON that stands in the database goes out as it
//! stands there.
//!
//! *Invariant*: the text is that of [`tuner_core::plan::ExperimentView`].

use sea_orm::ConnectionTrait;

use super::sql::Sql;
use crate::dialect::within;
use crate::row::TaskId;
use crate::{Store, StoreError};

/// An experiment with all that is known of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownExperiment {
    /// Id of its task.
    pub task_id: String,
    /// Name of its task.
    pub task_name: String,
    /// Itself with its attempts and measurements, as JSON.
    pub experiment: String,
    /// Its rank as JSON, or `null`.
    pub score: String,
}

impl Store {
    /// An experiment of a task, by the task's id or name. `None` if it is open, or not found in this way.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn ended_experiment(&self, task: &str, number: u32) -> Result<Option<ShownExperiment>, StoreError> {
        let mut sql = Sql::new(self.db.get_database_backend());
        let column = if task.parse::<TaskId>().is_ok() { "id" } else { "name" };
        let (task, number) = (sql.bind(task.to_owned()), sql.bind(i64::from(number)));
        let (join, attempt) = (sql.join(), attempt(&sql));
        sql.text = format!(
            "SELECT tasks.id, tasks.name, concat('{{\"number\":', e.number, ',\"role\":', e.role, ',\"configuration\":', \
             e.configuration, ',\"outcome\":', e.outcome, ',\"attempts\":[', (SELECT {join}(item, ',') FROM ({attempt}) AS \
             tried), ']}}'), coalesce(e.score, 'null') FROM experiments AS e JOIN tasks ON tasks.id = e.task_id \
             WHERE tasks.{column} = {task} AND e.number = {number} AND e.outcome IS NOT NULL"
        );
        let row = within(self.answer, self.db.query_one_raw(sql.statement())).await?;
        let read = |row: sea_orm::QueryResult| {
            Ok(ShownExperiment {
                task_id: row.try_get_by_index(0)?,
                task_name: row.try_get_by_index(1)?,
                experiment: row.try_get_by_index(2)?,
                score: row.try_get_by_index(3)?,
            })
        };
        row.map(read).transpose()
    }
}

/// The attempts of `e` in order, one `item` each.
fn attempt(sql: &Sql) -> String {
    let (join, state) = (sql.join(), sql.quoted("a.state"));
    let (started, ended) = (sql.moment("a.started_at"), sql.moment("a.ended_at"));
    format!(
        "SELECT concat('{{\"number\":', a.number, ',\"state\":', {state}, \
         CASE WHEN a.failure IS NULL THEN '' ELSE concat(',\"failure\":', a.failure) END, ',\"started_at\":', {started}, \
         CASE WHEN a.ended_at IS NULL THEN '' ELSE concat(',\"ended_at\":', {ended}) END, ',\"measurements\":[', \
         (SELECT {join}(measurement, ',') FROM (SELECT m.measurement FROM measurements AS m WHERE m.task_id = a.task_id \
         AND m.experiment = a.experiment AND m.attempt = a.number ORDER BY m.level, m.repeat) AS measured), \
         '],\"evidence\":', a.evidence, '}}') AS item FROM attempts AS a \
         WHERE a.task_id = e.task_id AND a.experiment = e.number ORDER BY a.number"
    )
}
