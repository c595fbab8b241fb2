//! By which request a preset or a data set was made, so that one that is sent again finds what it made.

use sea_orm_migration::prelude::*;

use super::columns::text_or_null;

pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m0008_made"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["presets", "datasets"] {
            let change = Table::alter().table(table).add_column(text_or_null("made_by")).take();
            manager.alter_table(change).await?;
        }
        Ok(())
    }
}
