//! Tasks, experiments, attempts, measurements, deployments, leases, events.

use sea_orm_migration::prelude::*;

use super::columns::{
    belongs_to, index, key, moment, moment_or_null, number, number_or_null, real, table, text, text_or_null,
};

pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m0001_initial"
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
    let tasks = table(
        "tasks",
        [
            text("id").primary_key().take(),
            text("name").unique_key().take(),
            text("engine"),
            text("spec"),
            text("source"),
            number("revision"),
            text("status"),
            text_or_null("verdict"),
            text_or_null("failure"),
            moment("created_at"),
            moment_or_null("started_at"),
            moment_or_null("ended_at"),
            ColumnDef::new("cancel_requested").boolean().not_null().take(),
            number("fence"),
            real("gpu_seconds"),
        ],
    );
    let experiments = table(
        "experiments",
        [
            text("task_id"),
            number("number"),
            text("role"),
            text("configuration"),
            text("key"),
            text_or_null("outcome_word"),
            text_or_null("outcome"),
            text_or_null("score"),
            moment("created_at"),
            moment_or_null("ended_at"),
        ],
    )
    .primary_key(&mut key(["task_id", "number"]))
    .foreign_key(&mut belongs_to("experiments", ["task_id"], "tasks", ["id"]))
    .take();
    let attempts = table(
        "attempts",
        [
            text("task_id"),
            number("experiment"),
            number("number"),
            text("state"),
            text_or_null("failure"),
            text("evidence"),
            moment("started_at"),
            moment_or_null("ended_at"),
            text("worker"),
            number("fence"),
            real("gpu_seconds"),
        ],
    )
    .primary_key(&mut key(["task_id", "experiment", "number"]))
    .foreign_key(&mut belongs_to("attempts", ["task_id", "experiment"], "experiments", ["task_id", "number"]))
    .take();
    let attempt_columns = ["task_id", "experiment", "attempt"];
    let attempt_key = ["task_id", "experiment", "number"];
    let measurements = table(
        "measurements",
        [
            text("task_id"),
            number("experiment"),
            number("attempt"),
            number("level"),
            number("repeat"),
            text("measurement"),
            moment("at"),
        ],
    )
    .primary_key(&mut key(["task_id", "experiment", "attempt", "level", "repeat"]))
    .foreign_key(&mut belongs_to("measurements", attempt_columns, "attempts", attempt_key))
    .take();
    let deployments = table(
        "deployments",
        [
            text("id").primary_key().take(),
            text("task_id"),
            number("experiment"),
            number("attempt"),
            text("kind"),
            text("host"),
            number_or_null("port"),
            number_or_null("held_port"),
            text("state"),
            number_or_null("pid"),
            number_or_null("pgid"),
            number_or_null("start_ticks"),
            text_or_null("address"),
            text_or_null("log_path"),
            number("fence"),
            moment("created_at"),
            moment_or_null("stopped_at"),
        ],
    )
    .foreign_key(&mut belongs_to("deployments", attempt_columns, "attempts", attempt_key))
    .take();
    let leases = table(
        "leases",
        [
            text("resource").primary_key().take(),
            text_or_null("task_id"),
            text_or_null("owner"),
            number("fence"),
            moment("claimed_at"),
            moment("heartbeat_at"),
            moment("expires_at"),
        ],
    )
    .foreign_key(&mut belongs_to("leases", ["task_id"], "tasks", ["id"]))
    .take();
    let events = table(
        "events",
        [
            number("seq").auto_increment().primary_key().take(),
            text_or_null("task_id"),
            number_or_null("experiment"),
            text("kind"),
            text("payload"),
            moment("at"),
        ],
    );
    vec![tasks, experiments, attempts, measurements, deployments, leases, events]
}

fn indexes() -> Vec<IndexCreateStatement> {
    vec![
        index("tasks_by_status", "tasks", &["status", "id"]),
        index("deployments_by_attempt", "deployments", &["task_id", "experiment", "attempt"]),
        index("deployments_by_state", "deployments", &["state"]),
        index("deployments_hold_ports", "deployments", &["host", "held_port"]).unique().take(),
        index("leases_by_task", "leases", &["task_id"]),
        index("events_by_task", "events", &["task_id", "seq"]),
    ]
}
