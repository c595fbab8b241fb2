//! Configurations that somebody wants tried before what the search would try.

use sea_orm_migration::prelude::*;

use super::columns::{belongs_to, key, moment, number, table, text};

pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m0012_proposals"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut proposals = table(
            "proposals",
            [text("task_id"), number("place"), text("configuration_key"), text("configuration"), moment("at")],
        );
        proposals.primary_key(&mut key(["task_id", "configuration_key"]));
        proposals.foreign_key(&mut belongs_to("proposals", ["task_id"], "tasks", ["id"]));
        manager.create_table(proposals).await
    }
}
