//! PostgreSQL: one server for workers on several machines.
//!
//! Writers take one transaction-level advisory lock, which the server gives back after the commit has become visible.
//! A writer that stops in the middle (suspended, cut off) is ended by the server, with its lock, after [`IDLE`]. A connection
//! that carries nothing any more is found out when it is used, given back, or has heard nothing for a while.

use std::str::FromStr;
use std::time::Duration;

use chrono::{DateTime, SubsecRound, Utc};
use sea_orm::sqlx;
use sea_orm::sqlx::postgres::{PgConnectOptions, PgListener, PgPool};
use sea_orm::{ConnectionTrait, Database, DatabaseConnection, DbBackend, Statement, TransactionTrait};
use sea_orm_migration::MigratorTrait;

use super::bounded::{Transaction, answers, clear, is_suspect};
use super::{BUSY, CONNECTIONS, STATEMENTS, options};
use crate::StoreError;
use crate::migration::{self, Standing};
use crate::wake::Signals;

/// The lock of whoever writes. Any number does that other users of the database do not take.
const WRITING: i64 = 0x7475_6e65_7201;
/// The lock of whoever changes tables.
const MIGRATING: i64 = 0x7475_6e65_7202;
/// How long a transaction may stand still before the server ends it. No transaction of the store waits for anything
/// but the database.
const IDLE: Duration = Duration::from_secs(10);
/// How long a connection may take to say that it works.
const SIGN: Duration = Duration::from_secs(5);
/// How long after its last use one is asked for that before its next: meanwhile a server may have been started anew.
const UNUSED: Duration = Duration::from_millis(500);
/// How long a listener hears nothing before it asks.
const QUIET: Duration = Duration::from_secs(15);

/// A database of a server, its tables brought up to date. There is no copy before: each migration happens entirely or
/// not at all, and backups are the administrator's (`pg_dump`).
pub(super) async fn server<M: MigratorTrait>(url: &str) -> Result<DatabaseConnection, StoreError> {
    let place = place(url);
    let fail = |source: Box<dyn std::error::Error + Send + Sync>| StoreError::Connect { place: place.clone(), source };
    // One more, for whoever listens.
    let mut options = options(url, CONNECTIONS + 1);
    options.map_sqlx_postgres_before_acquire(|connection, known| {
        Box::pin(async move {
            if known.idle_for >= UNUSED {
                answers(connection, SIGN).await?;
            }
            Ok(true)
        })
    });
    // The pool itself asks too when it is given one back, and waits for ever, with a place in the pool.
    options.map_sqlx_postgres_pool_opts(|pool| {
        pool.after_release(|connection, _| {
            Box::pin(async {
                if is_suspect() {
                    clear(connection, SIGN).await?;
                }
                Ok(true)
            })
        })
    });
    options.map_sqlx_postgres_opts(|o| {
        o.application_name("inference-autotuner").statement_cache_capacity(STATEMENTS).options([
            ("idle_in_transaction_session_timeout", IDLE.as_millis().to_string()),
            ("lock_timeout", BUSY.as_millis().to_string()),
            // It would tell that there was nothing to end.
            ("client_min_messages", "error".to_owned()),
            // What most transactions are, said once for all: those that read one moment.
            ("default_transaction_isolation", "repeatable read".to_owned()),
        ])
    });
    let db = Database::connect(options).await.map_err(|e| fail(e.into()))?;
    let only_one = db.begin().await.map_err(|e| fail(e.into()))?;
    only_one.execute_unprepared("SET LOCAL idle_in_transaction_session_timeout = 0").await?;
    take(&only_one, MIGRATING).await?;
    let standing = migration::standing::<M>(&db, &place).await?;
    if let Standing::Older { next } = &standing {
        tracing::info!(%place, %next, "changing the tables of an older version");
    }
    if standing != Standing::Current {
        migration::apply::<M>(&db).await?;
    }
    only_one.commit().await?;
    Ok(db)
}

/// How a server is called in messages: never with its password.
fn place(url: &str) -> String {
    let Ok(options) = PgConnectOptions::from_str(url) else { return "by this URL".to_owned() };
    let database = options.get_database().unwrap_or_else(|| options.get_username());
    match options.get_socket() {
        Some(socket) => format!("{database} at {}", socket.display()),
        None => format!("{database} at {}:{}", options.get_host(), options.get_port()),
    }
}

/// Waits until nobody else writes. Gives the server's time from then on.
pub(super) async fn alone(txn: &Transaction) -> Result<DateTime<Utc>, StoreError> {
    Ok(take(txn, WRITING).await?.trunc_subsecs(6))
}

async fn take(txn: &impl ConnectionTrait, lock: i64) -> Result<DateTime<Utc>, StoreError> {
    let sql = "SELECT pg_advisory_xact_lock($1)::text AS alone, clock_timestamp() AS at";
    read_time(txn, Statement::from_sql_and_values(DbBackend::Postgres, sql, [lock.into()])).await
}

/// The server's time.
pub(super) async fn time(txn: &Transaction) -> Result<DateTime<Utc>, StoreError> {
    let sql = "SELECT clock_timestamp() AS at";
    Ok(read_time(txn, Statement::from_string(DbBackend::Postgres, sql)).await?.trunc_subsecs(6))
}

async fn read_time(txn: &impl ConnectionTrait, question: Statement) -> Result<DateTime<Utc>, StoreError> {
    let row = txn.query_one_raw(question).await?;
    let row = row.ok_or_else(|| StoreError::not_found("answer to the question for the time"))?;
    Ok(row.try_get("", "at")?)
}

/// Where events are told of.
const CHANNEL: &str = "inference_autotuner_events";
/// Wait before a listener that lost the server begins anew.
const AGAIN: Duration = Duration::from_millis(500);

/// Tells listeners of events up to a number, once they are committed.
pub(super) async fn tell(txn: &Transaction, seq: i64, work: bool) -> Result<(), StoreError> {
    let text = format!("{seq}{}", if work { " work" } else { "" });
    let sql = "SELECT pg_notify($1, $2)::text";
    txn.query_one_raw(Statement::from_sql_and_values(DbBackend::Postgres, sql, [CHANNEL.into(), text.into()])).await?;
    Ok(())
}

/// Rings for what other processes write, until the database is closed.
pub(super) async fn watch(db: &DatabaseConnection, signals: &Signals) {
    let pool = db.get_postgres_connection_pool();
    while !pool.is_closed() {
        if let Err(error) = listen(pool, signals).await {
            tracing::debug!(%error, "the listener begins anew");
        }
        tokio::time::sleep(AGAIN).await;
    }
}

async fn listen(pool: &PgPool, signals: &Signals) -> Result<(), sqlx::Error> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.listen(CHANNEL).await?;
    loop {
        // What happened before we listened, or while the connection was lost, may be news.
        let asked = sqlx::query_scalar("SELECT max(seq) FROM events").fetch_one(&mut listener);
        let seq: Option<i64> = tokio::time::timeout(SIGN, asked).await.map_err(|_| sqlx::Error::PoolTimedOut)??;
        signals.ring(seq.unwrap_or_default(), true);
        // Nothing for a while, or a connection that was made anew: one asks.
        while let Ok(heard) = tokio::time::timeout(QUIET, listener.try_recv()).await {
            let Some(told) = heard? else { break };
            let (seq, work) = told.payload().split_once(' ').unwrap_or((told.payload(), ""));
            signals.ring(seq.parse().unwrap_or_default(), work == "work");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_named_without_its_password() {
        assert_eq!(place("postgres://me:secret@db.example:5433/tuner?sslmode=disable"), "tuner at db.example:5433");
        assert_eq!(place("postgres:///tuner?host=/run/postgresql&user=me&password=secret"), "tuner at /run/postgresql");
        assert_eq!(place("postgres://me:sec ret@[db/x"), "by this URL");
    }
}
