//! How many experiments of each task ended how, as the JSON that lists show: counted when an experiment is written, not
//! when somebody looks.
//!
//! *Invariant*: whoever writes an experiment counts its task anew in the same transaction, so the words are what the rows say.

use sea_orm::{ConnectionTrait, DbBackend, Statement};

use crate::StoreError;
use crate::dialect::Transaction;
use crate::row::TaskId;

/// Counts the experiments of a task, or of all.
pub(crate) async fn recount(rows: &Transaction, task: Option<TaskId>) -> Result<(), StoreError> {
    let backend = rows.get_database_backend();
    let (join, word) = match backend {
        DbBackend::Postgres => ("string_agg", "to_json(word)::text"),
        _ => ("group_concat", "json_quote(word)"),
    };
    let of = if task.is_some() { " WHERE task_id = $1" } else { "" };
    // The last condition keeps SQLite from reading ON as the condition of a join.
    let sql = format!(
        "INSERT INTO outcome_counts (task_id, words) \
         SELECT task_id, '{{' || {join}({word} || ':' || n, ',' ORDER BY word) || '}}' \
         FROM (SELECT task_id, coalesce(outcome_word, 'open') AS word, count(*) AS n FROM experiments{of} \
         GROUP BY task_id, outcome_word) AS by_word WHERE true GROUP BY task_id \
         ON CONFLICT (task_id) DO UPDATE SET words = excluded.words"
    );
    let values: Vec<sea_orm::Value> = task.iter().map(|task| task.to_string().into()).collect();
    rows.execute_raw(Statement::from_sql_and_values(backend, sql, values)).await?;
    Ok(())
}
