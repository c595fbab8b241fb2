//! How many experiments of each task ended how, ready for lists.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

use super::columns::{belongs_to, table, text};

pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m0009_outcomes"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut counts = table("outcome_counts", [text("task_id").primary_key().take(), text("words")]);
        counts.foreign_key(&mut belongs_to("outcome_counts", ["task_id"], "tasks", ["id"]));
        manager.create_table(counts).await?;
        let (join, word) = match manager.get_database_backend() {
            DbBackend::Postgres => ("string_agg", "to_json(word)::text"),
            _ => ("group_concat", "json_quote(word)"),
        };
        let sql = format!(
            "INSERT INTO outcome_counts (task_id, words) \
             SELECT task_id, '{{' || {join}({word} || ':' || n, ',' ORDER BY word) || '}}' \
             FROM (SELECT task_id, coalesce(outcome_word, 'open') AS word, count(*) AS n FROM experiments \
             GROUP BY task_id, outcome_word) AS by_word GROUP BY task_id"
        );
        manager.get_connection().execute_unprepared(&sql).await?;
        Ok(())
    }
}
