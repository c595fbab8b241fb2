//! `fill DATABASE_URL TASKS`: copies the newest task with everything of it until there are so many. A large store whose
//! rows the program itself wrote, in a minute instead of an hour; `cargo xtask bench-server` measures on it.
#![allow(clippy::print_stderr, clippy::unwrap_used, reason = "a program for people at a terminal")]

use std::process::ExitCode;

use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseBackend, Statement, TransactionTrait, Value};
use tuner_store::TaskId;

/// Tables of a task with the columns that are copied as they are.
const TABLES: [(&str, &str); 5] = [
    ("experiments", "number, role, configuration, key, outcome_word, outcome, score, created_at, ended_at"),
    ("attempts", "experiment, number, state, failure, evidence, started_at, ended_at, worker, fence, gpu_seconds"),
    ("measurements", "experiment, attempt, level, repeat, measurement, at"),
    ("events", "experiment, kind, payload, at"),
    ("outcome_counts", "words"),
];
/// Words of status and engine that the copies take in turn.
const STATUSES: [&str; 10] = [
    "completed",
    "completed",
    "failed",
    "completed",
    "completed",
    "completed",
    "cancelled",
    "completed",
    "pending",
    "completed",
];
const ENGINES: [&str; 3] = ["vllm", "sglang", "simulated"];
/// Tasks of one transaction.
const BATCH: usize = 50;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let Some((url, tasks)) = words.first().zip(words.get(1).and_then(|word| word.parse::<usize>().ok())) else {
        eprintln!("usage: fill DATABASE_URL TASKS");
        return ExitCode::from(2);
    };
    fill(url, tasks).await;
    ExitCode::SUCCESS
}

async fn fill(url: &str, tasks: usize) {
    let mut options = ConnectOptions::new(url);
    options.max_connections(1).sqlx_logging(false);
    let db = Database::connect(options).await.unwrap();
    let backend = db.get_database_backend();
    let newest = Statement::from_string(backend, "SELECT id, name FROM tasks ORDER BY id DESC LIMIT 1");
    let newest = db.query_one_raw(newest).await.unwrap().unwrap();
    let (first, name): (String, String) = (newest.try_get("", "id").unwrap(), newest.try_get("", "name").unwrap());
    let copies: Vec<usize> = (1..tasks).collect();
    for batch in copies.chunks(BATCH) {
        let txn = db.begin().await.unwrap();
        for n in batch {
            let id = TaskId::new().to_string();
            let (copy, status, engine) = (format!("bench-{n:05}"), STATUSES[n % 10], ENGINES[n % 3]);
            let sql = "INSERT INTO tasks (id, name, engine, spec, source, revision, status, verdict, failure, created_at, \
                       started_at, ended_at, cancel_requested, fence, gpu_seconds) SELECT $1, $2, $3, \
                       replace(spec, $4, $2), replace(source, $4, $2), revision, $5, verdict, failure, created_at, \
                       started_at, ended_at, cancel_requested, fence, gpu_seconds FROM tasks WHERE id = $6";
            let values = [&id, &copy, engine, &name, status, &first].map(Value::from);
            txn.execute_raw(Statement::from_sql_and_values(backend, sql, values)).await.unwrap();
            for (table, columns) in TABLES {
                let order = if table == "events" { " ORDER BY seq" } else { "" };
                let sql = format!(
                    "INSERT INTO {table} (task_id, {columns}) SELECT $1, {columns} FROM {table} WHERE task_id = $2{order}"
                );
                let values = [Value::from(id.as_str()), Value::from(first.as_str())];
                txn.execute_raw(Statement::from_sql_and_values(backend, &sql, values)).await.unwrap();
            }
        }
        txn.commit().await.unwrap();
    }
    // A server that is in use does this by itself; the one of the benchmark is told not to.
    if backend == DatabaseBackend::Postgres {
        db.execute_unprepared("VACUUM ANALYZE").await.unwrap();
    }
    db.close().await.unwrap();
}
