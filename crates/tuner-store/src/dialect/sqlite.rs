//! SQLite: a file of this machine, or the memory of this process.
//!
//! A write-ahead log, so that readers never wait; `synchronous = NORMAL`, which after a power cut may lose the last
//! commits but never damages the file, and loses nothing when only processes die.

use std::fs::{File, OpenOptions};
use std::future::ready;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sea_orm::sqlx::sqlite::SqliteConnectOptions;
use sea_orm::sqlx::{self, ConnectOptions, Connection};
use sea_orm::{Database, DatabaseConnection};
use sea_orm_migration::MigratorTrait;

use super::backup::back_up;
use super::{BUSY, CONNECTIONS, STATEMENTS, options};
use crate::StoreError;
use crate::migration::{self, Standing};
use crate::wake::Signals;

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
    // Where a disk is full SQLite ends a transaction by itself, its client cannot end it once more, and counts it for ever:
    // nothing that begins on such a connection is as it should be.
    options.map_sqlx_sqlite_before_acquire(|connection, _| Box::pin(ready(Ok(!connection.is_in_transaction()))));
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
pub(super) fn private() -> OpenOptions {
    let mut options = File::options();
    options.write(true).mode(0o600);
    options
}

/// The file `NAME.suffix` beside `NAME`.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".");
    name.push(suffix);
    path.with_file_name(name)
}

/// Waits for and takes the lock that guards opening; it is freed when the file is dropped, or its process dies.
pub(super) async fn lock(path: &Path) -> std::io::Result<File> {
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

/// How often a watch looks for other processes' writes: one small read of memory that they share, less than 1 % of a core
/// in a debug build (`what_waking_costs`).
const POLL: Duration = Duration::from_millis(50);

/// Rings for what other processes write, for ever. SQLite tells each connection by a number when others have written.
pub(super) async fn watch(path: &Path, signals: &Signals) {
    let options = SqliteConnectOptions::new().filename(path).busy_timeout(BUSY);
    loop {
        if let Err(error) = watch_over(&options, signals).await {
            tracing::debug!(%error, "the watch over the database begins anew");
        }
        tokio::time::sleep(10 * POLL).await;
    }
}

async fn watch_over(options: &SqliteConnectOptions, signals: &Signals) -> Result<(), sqlx::Error> {
    let mut connection = options.connect().await?;
    let (mut version, mut last) = (None, 0);
    loop {
        let now: i64 = sqlx::query_scalar("PRAGMA data_version").fetch_one(&mut connection).await?;
        if version != Some(now) {
            let news = sqlx::query_as::<_, (Option<i64>, Option<bool>)>(NEWS);
            let (seq, work) = news.bind(last).fetch_one(&mut connection).await?;
            last = seq.unwrap_or(last);
            // What happened before we looked for the first time may be news too.
            signals.ring(last, work.unwrap_or_default() || version.is_none());
            version = Some(now);
        }
        tokio::time::sleep(POLL).await;
    }
}

/// Number of the newest event, and whether one of those after a number may be work.
const NEWS: &str = "SELECT max(seq), max(kind IN ('job', 'worker')) FROM events WHERE seq > $1";
