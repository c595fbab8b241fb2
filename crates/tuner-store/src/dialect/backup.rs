//! Copies of a SQLite database, there and back.
//!
//! *Invariant*: a copy has its name only when it is whole, and a file that somebody has open is never replaced.

use std::io;
use std::path::Path;
use std::time::Duration;

use sea_orm::sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sea_orm::sqlx::{self, ConnectOptions, Connection};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement};
use sea_orm_migration::MigratorTrait;

use super::sqlite::{beside, file, lock, private};
use crate::StoreError;

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Copies a database that may be in use; an older copy of that name is replaced.
pub(super) async fn back_up(db: &DatabaseConnection, copy: &Path) -> Result<(), Cause> {
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

/// The same, to a file that must not exist.
pub(crate) async fn back_up_to(db: &DatabaseConnection, to: &Path) -> Result<(), StoreError> {
    if db.get_database_backend() != DbBackend::Sqlite {
        return Err(StoreError::ServersOwn { what: "backups" });
    }
    let fail = |source| StoreError::Copy { to: to.to_owned(), source };
    if to.exists() {
        return Err(fail(io::Error::from(io::ErrorKind::AlreadyExists).into()));
    }
    back_up(db, to).await.map_err(fail)
}

/// Puts a copy of a backup in a database's place, and what was there beside it as `NAME.before-restore`.
pub(crate) async fn restore<M: MigratorTrait>(from: &Path, to: &Path) -> Result<(), StoreError> {
    let fail = |source| StoreError::Copy { to: to.to_owned(), source };
    let opens = |source| StoreError::Open { path: from.to_owned(), source };
    let _only_one = lock(to).await.map_err(|e| fail(e.into()))?;
    let fresh = beside(to, "restoring");
    for leftover in ["", "-wal", "-shm"] {
        let mut name = fresh.clone().into_os_string();
        name.push(leftover);
        match std::fs::remove_file(&name) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(fail(e.into())),
            _ => {}
        }
    }
    copy_checked(from, &fresh).await.map_err(opens)?;
    // As every opening does: a newer version's is refused, an older one's tables are changed, on the copy.
    let opened = file::<M>(&fresh).await?;
    opened.close().await?;
    if to.exists() {
        alone(to).await.map_err(|_| StoreError::InUse {
            what: format!("the database {}", to.display()),
            holder: "a process that has it open".to_owned(),
        })?;
        std::fs::rename(to, beside(to, "before-restore")).map_err(|e| fail(e.into()))?;
    }
    std::fs::rename(&fresh, to).map_err(|e| fail(e.into()))?;
    std::fs::remove_file(beside(&fresh, "lock")).map_err(|e| fail(e.into()))
}

async fn copy_checked(from: &Path, to: &Path) -> Result<(), Cause> {
    let mut source = SqliteConnectOptions::new().filename(from).read_only(true).connect().await?;
    let check: String = sqlx::query_scalar("PRAGMA integrity_check(1)").fetch_one(&mut source).await?;
    if check != "ok" {
        return Err(check.into());
    }
    private().create_new(true).open(to)?;
    let name = to.to_str().ok_or("the path is not valid UTF-8")?;
    sqlx::query("VACUUM INTO $1").bind(name).execute(&mut source).await?;
    source.close().await?;
    Ok(())
}

/// Brings a database to rest in one file, which works only while nobody else has it open.
async fn alone(path: &Path) -> Result<(), sqlx::Error> {
    let options = SqliteConnectOptions::new().filename(path).busy_timeout(Duration::from_millis(200));
    let mut connection: SqliteConnection = options.connect().await?;
    sqlx::query("PRAGMA journal_mode = DELETE").execute(&mut connection).await?;
    connection.close().await
}
