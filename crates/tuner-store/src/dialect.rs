//! Everything that differs between databases: how to connect, how to begin, how to copy. The only place for it.
//!
//! SQLite: a write-ahead log, so that readers never wait; `synchronous = NORMAL`, which after a power cut may lose the
//! last commits but never damages the file, and loses nothing when only processes die; every writing transaction
//! begins `IMMEDIATE`, because one that starts by reading cannot wait for the lock and fails at once.
//!
//! What another database will need besides a branch here: rows that are looked up before they are changed are already
//! locked (`FOR UPDATE`), but a row that is looked up and not there can appear before it is inserted, so that insert
//! must be tried again; and events must become visible in the order of their numbers.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sea_orm::{
    AccessMode, ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbBackend, IsolationLevel,
    SqliteTransactionMode, Statement, TransactionOptions,
};
use sea_orm_migration::MigratorTrait;

use crate::StoreError;
use crate::migration::{self, Standing};

/// Longest wait for another process's write, and for a free connection.
const BUSY: Duration = Duration::from_secs(20);
/// Readers and one writer of this process.
const CONNECTIONS: u32 = 4;
/// Statements kept prepared on each connection; the store has fewer than this.
const STATEMENTS: usize = 256;

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

/// A database of this process alone, gone with the last handle.
pub(crate) async fn in_memory<M: MigratorTrait>() -> Result<DatabaseConnection, StoreError> {
    // One connection, never closed: each connection in memory would be a database of its own.
    let mut options = options("sqlite::memory:", 1);
    options.idle_timeout(None).max_lifetime(None);
    options.map_sqlx_sqlite_opts(|o| o.statement_cache_capacity(STATEMENTS).foreign_keys(true));
    let db = Database::connect(options).await?;
    migration::standing::<M>(&db, "in memory").await?;
    migration::apply::<M>(&db).await?;
    Ok(db)
}

/// A database file, made if missing and brought up to date; existing data is copied first.
pub(crate) async fn file<M: MigratorTrait>(path: &Path) -> Result<DatabaseConnection, StoreError> {
    let fail = |source: Box<dyn std::error::Error + Send + Sync>| StoreError::Open { path: path.to_owned(), source };
    // Two processes that open a new database at once must not both create its tables.
    let _only_one = lock(path).await.map_err(|e| fail(e.into()))?;
    // A task file may hold tokens. SQLite gives its other files the permissions of the first.
    match private().create_new(true).open(path) {
        Err(e) if e.kind() != std::io::ErrorKind::AlreadyExists => return Err(fail(e.into())),
        _ => {}
    }
    let mut options = options("sqlite://", CONNECTIONS);
    let filename = path.to_owned();
    options.map_sqlx_sqlite_opts(move |o| {
        o.in_memory(false)
            .shared_cache(false)
            .filename(&filename)
            .create_if_missing(true)
            .busy_timeout(BUSY)
            .foreign_keys(true)
            .pragma("journal_mode", "WAL")
            .pragma("synchronous", "NORMAL")
            .statement_cache_capacity(STATEMENTS)
    });
    let db = Database::connect(options).await.map_err(|e| fail(e.into()))?;
    match migration::standing::<M>(&db, &path.display().to_string()).await? {
        Standing::Current => {}
        Standing::Empty => migration::apply::<M>(&db).await?,
        Standing::Older { next } => {
            let copy = beside(path, &format!("before-{next}"));
            back_up(&db, &copy).await.map_err(|source| StoreError::Backup { path: copy.clone(), source })?;
            tracing::info!(copy = %copy.display(), "copied the database before changing its tables");
            migration::apply::<M>(&db).await?;
        }
    }
    Ok(db)
}

/// How files are made that only their owner may read.
fn private() -> OpenOptions {
    let mut options = File::options();
    options.write(true).mode(0o600);
    options
}

/// The file `NAME.suffix` beside `NAME`.
fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".");
    name.push(suffix);
    path.with_file_name(name)
}

/// Waits for and takes the lock that guards opening; it is freed when the file is dropped, or its process dies.
async fn lock(path: &Path) -> std::io::Result<File> {
    let directory = path.parent().filter(|p| !p.as_os_str().is_empty()).map(Path::to_owned);
    let name = beside(path, "lock");
    let locked = tokio::task::spawn_blocking(move || {
        if let Some(directory) = directory {
            std::fs::create_dir_all(directory)?;
        }
        let file = private().create(true).truncate(false).open(name)?;
        file.lock()?;
        Ok(file)
    });
    locked.await.map_err(std::io::Error::other)?
}

async fn back_up(db: &DatabaseConnection, copy: &Path) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    // Written under another name first: a copy that was cut short must not look like a copy.
    let unfinished = beside(copy, "unfinished");
    match std::fs::remove_file(&unfinished) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(e.into()),
        _ => {}
    }
    // `VACUUM INTO` takes an empty file for none.
    private().create_new(true).open(&unfinished)?;
    let name = unfinished.to_str().ok_or("the path is not valid UTF-8")?.to_owned();
    let vacuum = Statement::from_sql_and_values(DbBackend::Sqlite, "VACUUM INTO $1", [name.into()]);
    db.execute_raw(vacuum).await?;
    std::fs::rename(&unfinished, copy)?;
    Ok(())
}

/// How a transaction that writes begins: nobody else writes until it ends.
pub(crate) fn writing(backend: DbBackend) -> TransactionOptions {
    match backend {
        DbBackend::Sqlite => TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        },
        _ => TransactionOptions::default(),
    }
}

/// How a transaction that reads begins: every query in it sees the same moment.
pub(crate) fn reading(backend: DbBackend) -> TransactionOptions {
    match backend {
        DbBackend::Sqlite => TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Deferred),
            ..TransactionOptions::default()
        },
        _ => TransactionOptions {
            isolation_level: Some(IsolationLevel::RepeatableRead),
            access_mode: Some(AccessMode::ReadOnly),
            ..TransactionOptions::default()
        },
    }
}
