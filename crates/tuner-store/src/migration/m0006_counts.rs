//! Counting experiments by outcome without reading them.

use sea_orm_migration::prelude::*;

use super::columns::index;

pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m0006_counts"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // With the number, so that the index alone answers.
        let columns = ["task_id", "outcome_word", "number"];
        manager.create_index(index("experiments_by_outcome", "experiments", &columns)).await
    }
}
