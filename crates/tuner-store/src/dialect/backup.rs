//! Copies of a SQLite database.
//!
//! *Invariant*: a copy has its name only when it is whole.

use std::path::Path;

use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement};

use super::sqlite::{beside, private};

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
