//! Conversations with the agent: sessions, runs, messages, calls, grants, wishes to be told of tasks; and the session that an event is about.

use sea_orm_migration::prelude::*;

use super::columns::{belongs_to, index, moment, moment_or_null, number, table, text, text_or_null};

pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m0010_chat"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let sessions = table(
            "chat_sessions",
            [
                text("id").primary_key().take(),
                text("owner"),
                text("title"),
                text("mode"),
                text_or_null("summary"),
                moment_or_null("untrusted_at"),
                number("messages"),
                moment("created_at"),
                moment("updated_at"),
            ],
        );
        let of_session = |name: &'static str| belongs_to(name, ["session_id"], "chat_sessions", ["id"]);
        let mut runs = table(
            "chat_runs",
            [
                text("id").primary_key().take(),
                text("session_id"),
                text("state"),
                text("run"),
                text("asker"),
                text("usage"),
                moment("created_at"),
                moment_or_null("ended_at"),
            ],
        );
        runs.foreign_key(&mut of_session("chat_runs"));
        let mut messages = table(
            "chat_messages",
            [
                text("id").primary_key().take(),
                text("session_id"),
                text_or_null("run_id"),
                number("place"),
                text("role"),
                text("state"),
                text("body"),
                moment("created_at"),
                moment("updated_at"),
            ],
        );
        messages.foreign_key(&mut of_session("chat_messages"));
        let mut calls = table(
            "chat_calls",
            [
                text("id").primary_key().take(),
                text("session_id"),
                text("run_id"),
                text("message_id"),
                number("step"),
                number("place"),
                text("state"),
                text("provider_id"),
                text("call"),
                text_or_null("effects"),
                text_or_null("result"),
                text_or_null("output"),
            ],
        );
        calls.foreign_key(&mut of_session("chat_calls"));
        let mut grants = table(
            "chat_grants",
            [text("id").primary_key().take(), text("session_id"), text("scope"), text("granted"), moment("created_at")],
        );
        grants.foreign_key(&mut of_session("chat_grants"));
        let mut subscriptions = table(
            "chat_subscriptions",
            [
                text("id").primary_key().take(),
                text("session_id"),
                text("task_id"),
                text("kinds"),
                text("asker"),
                moment("created_at"),
            ],
        );
        subscriptions.foreign_key(&mut of_session("chat_subscriptions"));
        subscriptions.foreign_key(&mut belongs_to("chat_subscriptions", ["task_id"], "tasks", ["id"]));
        for table in [sessions, runs, messages, calls, grants, subscriptions] {
            manager.create_table(table).await?;
        }
        let events = Table::alter().table("events").add_column(text_or_null("session_id")).take();
        manager.alter_table(events).await?;
        for index in [
            index("chat_sessions_of_owner", "chat_sessions", &["owner", "updated_at"]),
            index("chat_runs_of_session", "chat_runs", &["session_id", "created_at"]),
            index("chat_runs_in_state", "chat_runs", &["state"]),
            index("chat_messages_in_order", "chat_messages", &["session_id", "place"]),
            index("chat_calls_of_run", "chat_calls", &["run_id"]),
            index("chat_calls_of_session", "chat_calls", &["session_id"]),
            index("chat_grants_of_session", "chat_grants", &["session_id"]),
            index("chat_subscriptions_of_session", "chat_subscriptions", &["session_id"]),
            index("events_of_session", "events", &["session_id", "seq"]),
        ] {
            manager.create_index(index).await?;
        }
        Ok(())
    }
}
