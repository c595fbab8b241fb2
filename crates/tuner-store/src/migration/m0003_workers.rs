//! The workers, and what the versions of the program must agree on.

use sea_orm_migration::prelude::*;

use super::columns::{moment, number, table, text};

pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m0003_workers"
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
        // Of the width that the column has: a connection keeps a statement with the types that it first came with.
        let protocol = Query::insert()
            .into_table("facts")
            .columns(["name", "value"])
            .values_panic(["protocol".into(), 1_i64.into()])
            .take();
        manager.execute(protocol).await
    }
}

fn tables() -> Vec<TableCreateStatement> {
    let workers = table(
        "workers",
        [
            text("id").primary_key().take(),
            text("owner"),
            text("version"),
            number("protocol"),
            number("slots"),
            text("capabilities"),
            text("load"),
            text("asked"),
            moment("registered_at"),
            moment("heartbeat_at"),
        ],
    );
    let facts = table("facts", [text("name").primary_key().take(), number("value")]);
    vec![workers, facts]
}
