//! Tokens, audit log, idempotency keys, the archive and the revisions of tasks, the probe of the health check.

use sea_orm_migration::prelude::*;

use super::columns::{belongs_to, index, key, moment, moment_or_null, number, table, text, text_or_null};

pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m0004_access"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in access().into_iter().chain(library()) {
            manager.create_table(table).await?;
        }
        manager.create_index(index("idempotent_answers_by_expiry", "idempotent_answers", &["expires_at"])).await?;
        manager.create_index(index("task_revisions_by_origin", "task_revisions", &["origin"])).await
    }
}

fn access() -> [TableCreateStatement; 3] {
    let tokens = [
        text("id").primary_key().take(),
        text("name"),
        text("role"),
        text("hash").unique_key().take(),
        moment("created_at"),
        moment_or_null("expires_at"),
        moment_or_null("revoked_at"),
        moment_or_null("used_at"),
    ];
    let audit = [
        number("seq").auto_increment().primary_key().take(),
        moment("at"),
        text("actor"),
        text_or_null("token"),
        text("peer"),
        text("action"),
        text("target"),
        text("request_id"),
        text("outcome"),
    ];
    let answers = [
        text("actor"),
        text("key"),
        text("fingerprint"),
        text_or_null("answer"),
        moment("created_at"),
        moment("expires_at"),
    ];
    let answers = table("idempotent_answers", answers).primary_key(&mut key(["actor", "key"])).take();
    [table("tokens", tokens), table("audit", audit), answers]
}

fn library() -> [TableCreateStatement; 3] {
    let of_a_task = |name: &'static str| belongs_to(name, ["task_id"], "tasks", ["id"]);
    let archived = [text("task_id").primary_key().take(), moment("at")];
    let revisions = [
        text("task_id").primary_key().take(),
        text("origin"),
        number("number"),
        moment("at"),
        text_or_null("replaced_by"),
    ];
    [
        table("archived_tasks", archived).foreign_key(&mut of_a_task("archived_tasks")).take(),
        table("task_revisions", revisions).foreign_key(&mut of_a_task("task_revisions")).take(),
        table("probes", [text("name").primary_key().take(), moment("at")]),
    ]
}
