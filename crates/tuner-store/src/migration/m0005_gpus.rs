//! Which deployment holds which GPU of a host.

use sea_orm_migration::prelude::*;

use super::columns::{belongs_to, key, number, table, text};

pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m0005_gpus"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let held = table("held_gpus", [text("host"), number("gpu"), text("deployment_id")])
            .primary_key(&mut key(["host", "gpu"]))
            .foreign_key(&mut belongs_to("held_gpus", ["deployment_id"], "deployments", ["id"]))
            .take();
        manager.create_table(held).await
    }
}
