//! Everything that differs between databases: how to connect, begin, copy, and hear of other processes' writes. The
//! only place for it.
//!
//! *Invariant*: whoever writes with events writes alone. So a row that was looked up and not there is still not there
//! when it is inserted, no two writers can wait for each other, and events become visible in the order of their
//! numbers.

mod backup;
mod bounded;
mod postgres;
mod sqlite;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use sea_orm::{
    ConnectOptions, ConnectionTrait, DatabaseConnection, DbBackend, IsolationLevel, SqliteTransactionMode,
    TransactionOptions, TransactionTrait,
};
use sea_orm_migration::MigratorTrait;

use crate::StoreError;
use crate::wake::Signals;

pub(crate) use bounded::{Transaction, within};
pub(crate) use sqlite::{file, in_memory};

/// Longest wait for another process's write, and for a free connection.
const BUSY: Duration = Duration::from_secs(20);
/// Longest wait for the answer of a server: longer than for what it waits for itself.
pub(crate) const ANSWER: Duration = Duration::from_secs(30);
/// Readers and one writer of this process.
const CONNECTIONS: u32 = 4;
/// Statements kept prepared on each connection; the store has fewer than this.
const STATEMENTS: usize = 256;

/// Where a database is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// In this process alone.
    Memory,
    /// In a SQLite file.
    File(PathBuf),
    /// In a PostgreSQL server.
    Server,
}

/// Opens the database that a URL names: `sqlite:PATH`, `sqlite::memory:` or `postgres://…`.
pub(crate) async fn url<M: MigratorTrait>(url: &str) -> Result<(DatabaseConnection, Place), StoreError> {
    if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        return Ok((postgres::server::<M>(url).await?, Place::Server));
    }
    match url.strip_prefix("sqlite:") {
        Some(":memory:") => Ok((in_memory::<M>().await?, Place::Memory)),
        Some(path) => {
            let path = Path::new(path.strip_prefix("//").unwrap_or(path));
            Ok((file::<M>(path).await?, Place::File(path.to_owned())))
        }
        None => Err(StoreError::UnknownUrl { scheme: url.split(':').next().unwrap_or_default().to_owned() }),
    }
}

/// Rings for what other processes write, for as long as the future is polled.
pub(crate) async fn watch(db: DatabaseConnection, place: Place, signals: Arc<Signals>) {
    match place {
        Place::Memory => {}
        Place::File(path) => sqlite::watch(&path, &signals).await,
        Place::Server => postgres::watch(&db, &signals).await,
    }
}

/// Tells other processes of events up to a number, where that is not seen in the database by itself.
pub(crate) async fn tell(txn: &Transaction, seq: i64, work: bool) -> Result<(), StoreError> {
    match txn.get_database_backend() {
        DbBackend::Postgres => postgres::tell(txn, seq, work).await,
        _ => Ok(()),
    }
}

fn options(url: &str, connections: u32) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    options
        .min_connections(1)
        .max_connections(connections)
        .acquire_timeout(BUSY)
        .test_before_acquire(false)
        .sqlx_logging(false);
    options
}

/// Begins a transaction that writes: nobody else writes until it ends. Gives the database's own time where machines
/// with clocks of their own share it.
pub(crate) async fn begin_writing(
    db: &DatabaseConnection,
    answer: Option<Duration>,
) -> Result<(Transaction, Option<DateTime<Utc>>), StoreError> {
    let txn = begin_beside(db, answer).await?;
    let at = match db.get_database_backend() {
        DbBackend::Postgres => Some(postgres::alone(&txn).await?),
        _ => None,
    };
    Ok((txn, at))
}

/// The database's own time, where machines with clocks of their own share it.
pub(crate) async fn time(txn: &Transaction) -> Result<Option<DateTime<Utc>>, StoreError> {
    match txn.get_database_backend() {
        DbBackend::Postgres => Ok(Some(postgres::time(txn).await?)),
        _ => Ok(None),
    }
}

/// Begins a transaction that changes one row and tells nobody: where the database can, others write meanwhile.
pub(crate) async fn begin_beside(db: &DatabaseConnection, answer: Option<Duration>) -> Result<Transaction, StoreError> {
    let options = match db.get_database_backend() {
        DbBackend::Sqlite => TransactionOptions {
            // One that starts by reading cannot wait for the lock and fails at once.
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        },
        // Of the connection's own kind are those that read.
        _ => {
            TransactionOptions { isolation_level: Some(IsolationLevel::ReadCommitted), ..TransactionOptions::default() }
        }
    };
    begin(db, options, answer).await
}

/// Begins a transaction that reads: every query in it sees the same moment.
pub(crate) async fn begin_reading(
    db: &DatabaseConnection,
    answer: Option<Duration>,
) -> Result<Transaction, StoreError> {
    let options = match db.get_database_backend() {
        DbBackend::Sqlite => TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Deferred),
            ..TransactionOptions::default()
        },
        _ => TransactionOptions::default(),
    };
    begin(db, options, answer).await
}

async fn begin(
    db: &DatabaseConnection,
    options: TransactionOptions,
    answer: Option<Duration>,
) -> Result<Transaction, StoreError> {
    Ok(Transaction::new(within(answer, db.begin_with_options(options)).await?, answer))
}
