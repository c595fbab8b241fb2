//! Presets and data sets; and what a list shows of tasks, beside their documents.

use sea_orm_migration::prelude::*;

use sea_orm_migration::sea_orm::DbBackend;

use super::columns::{index, moment, number, table, text, text_or_null};

/// What a list shows of a task.
const LISTED: [&str; 11] = [
    "id",
    "name",
    "engine",
    "status",
    "verdict",
    "failure",
    "created_at",
    "started_at",
    "ended_at",
    "cancel_requested",
    "gpu_seconds",
];

pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m0007_shelf"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let presets = [
            text("name").primary_key().take(),
            text("category"),
            text_or_null("engine"),
            text("preset"),
            moment("created_at"),
            moment("updated_at"),
        ];
        let datasets = [
            text("name").primary_key().take(),
            text("host"),
            text("path"),
            number("bytes"),
            text("sha256"),
            text("format"),
            number("rows"),
            text("origin"),
            moment("created_at"),
        ];
        for table in [table("presets", presets), table("datasets", datasets)] {
            manager.create_table(table).await?;
        }
        if manager.get_database_backend() == DbBackend::Sqlite {
            // SQLite keeps rows whole: a list would read through every task's documents to the columns behind them.
            // PostgreSQL puts long texts apart, and takes no such keys.
            manager.create_index(index("tasks_listed", "tasks", &LISTED)).await?;
        }
        Ok(())
    }
}
