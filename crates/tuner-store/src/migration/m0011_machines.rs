//! Machines that workers are deployed to, and the names that people give to workers.

use sea_orm_migration::prelude::*;

use super::columns::{index, moment, moment_or_null, table, text, text_or_null};

pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m0011_machines"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let machines = table(
            "machines",
            [
                text("id").primary_key().take(),
                text("name"),
                text_or_null("host"),
                text_or_null("target"),
                text("options"),
                moment("created_at"),
                moment_or_null("deployed_at"),
            ],
        );
        manager.create_table(machines).await?;
        manager.create_index(index("machines_by_name", "machines", &["name"]).unique().take()).await
    }
}
