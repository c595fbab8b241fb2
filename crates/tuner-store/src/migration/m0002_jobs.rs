//! The run queue.

use sea_orm_migration::prelude::*;

use super::columns::{belongs_to, index, moment, moment_or_null, number, table, text, text_or_null};

pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m0002_jobs"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in tables() {
            manager.create_table(table).await?;
        }
        for index in indexes() {
            manager.create_index(index).await?;
        }
        Ok(())
    }
}

fn tables() -> Vec<TableCreateStatement> {
    let jobs = table(
        "jobs",
        [
            text("id").primary_key().take(),
            text("kind"),
            text_or_null("task_id"),
            text("payload"),
            text("needs"),
            number("priority"),
            moment("run_after"),
            text("status"),
            number("attempts"),
            number("max_attempts"),
            number("fence"),
            text_or_null("worker"),
            moment_or_null("lease_until"),
            moment_or_null("heartbeat_at"),
            text_or_null("progress"),
            ColumnDef::new("cancel_requested").boolean().not_null().take(),
            text_or_null("unique_key"),
            text_or_null("live_key").unique_key().take(),
            text_or_null("result"),
            text_or_null("last_error"),
            moment("created_at"),
            moment_or_null("claimed_at"),
            moment_or_null("ended_at"),
        ],
    )
    .foreign_key(&mut belongs_to("jobs", ["task_id"], "tasks", ["id"]))
    .take();
    vec![jobs]
}

fn indexes() -> Vec<IndexCreateStatement> {
    let next = Index::create()
        .name("jobs_by_turn")
        .table("jobs")
        .col("status")
        .col(("priority", IndexOrder::Desc))
        .col("run_after")
        .col("id")
        .take();
    vec![next, index("jobs_by_task", "jobs", &["task_id"]), index("jobs_by_end", "jobs", &["ended_at"])]
}
