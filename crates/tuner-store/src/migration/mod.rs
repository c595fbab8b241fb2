//! The tables, version by version. A released migration is never edited; a change is a new file and a line here.

mod columns;
mod m0001_initial;
mod m0002_jobs;
mod m0003_workers;
mod m0004_access;
mod m0005_gpus;
mod m0006_counts;
mod m0007_shelf;
mod m0008_made;
mod m0009_outcomes;
mod m0010_chat;
mod m0011_machines;
mod m0012_proposals;

use sea_orm::{ConnectionTrait, DatabaseConnection};
use sea_orm_migration::{MigrationTrait, MigratorTrait, SchemaManager, async_trait};

use crate::StoreError;

/// Every migration in order.
pub(crate) struct Migrations;

#[async_trait::async_trait]
impl MigratorTrait for Migrations {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m0001_initial::Migration),
            Box::new(m0002_jobs::Migration),
            Box::new(m0003_workers::Migration),
            Box::new(m0004_access::Migration),
            Box::new(m0005_gpus::Migration),
            Box::new(m0006_counts::Migration),
            Box::new(m0007_shelf::Migration),
            Box::new(m0008_made::Migration),
            Box::new(m0009_outcomes::Migration),
            Box::new(m0010_chat::Migration),
            Box::new(m0011_machines::Migration),
            Box::new(m0012_proposals::Migration),
        ]
    }
}

/// The newest migration of this version.
pub(crate) fn newest() -> String {
    Migrations::migrations().last().map(|m| m.name().to_owned()).unwrap_or_default()
}

/// Whether this version knows a migration.
pub(crate) fn knows(name: &str) -> bool {
    Migrations::migrations().iter().any(|m| m.name() == name)
}

/// How a database relates to the migrations of this version.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Nothing in it.
    Empty,
    /// Everything applied.
    Current,
    /// It holds data of an older version.
    Older {
        /// The first migration that it lacks.
        next: String,
    },
}

/// Compares without changing anything; a database of a newer version is refused.
pub(crate) async fn standing<M: MigratorTrait>(db: &DatabaseConnection, place: &str) -> Result<Standing, StoreError> {
    let known: Vec<String> = M::migrations().iter().map(|m| m.name().to_owned()).collect();
    let applied = applied(db).await?;
    let unknown: Vec<String> = applied.iter().filter(|name| !known.contains(name)).cloned().collect();
    if !unknown.is_empty() {
        let known = known.last().cloned().unwrap_or_default();
        return Err(StoreError::NewerSchema { place: place.to_owned(), unknown, known });
    }
    Ok(match known.into_iter().find(|name| !applied.contains(name)) {
        None => Standing::Current,
        Some(_) if applied.is_empty() => Standing::Empty,
        Some(next) => Standing::Older { next },
    })
}

async fn applied(db: &DatabaseConnection) -> Result<Vec<String>, StoreError> {
    use sea_orm::sea_query::Query;
    if !SchemaManager::new(db).has_table("seaql_migrations").await? {
        return Ok(Vec::new());
    }
    let names =
        Query::select().column("version").from("seaql_migrations").order_by("version", sea_orm::Order::Asc).take();
    db.query_all(&names).await?.iter().map(|row| Ok(row.try_get("", "version")?)).collect()
}

/// Applies what is missing, each migration in a transaction of its own.
pub(crate) async fn apply<M: MigratorTrait>(db: &DatabaseConnection) -> Result<(), StoreError> {
    Ok(M::up(db, None).await?)
}

#[cfg(test)]
mod tests {
    use sea_orm_migration::sea_query::{ColumnDef, Table};

    use super::*;
    use crate::dialect;

    struct Second;

    #[async_trait::async_trait]
    impl sea_orm_migration::MigrationTrait for Second {
        async fn up(&self, manager: &SchemaManager) -> Result<(), sea_orm::DbErr> {
            let table = Table::alter().table("tasks").add_column(ColumnDef::new("owner").text().null()).take();
            manager.alter_table(table).await
        }
    }
    impl sea_orm_migration::MigrationName for Second {
        fn name(&self) -> &str {
            "m9999_second"
        }
    }

    struct Newer;

    #[async_trait::async_trait]
    impl MigratorTrait for Newer {
        fn migrations() -> Vec<Box<dyn MigrationTrait>> {
            Migrations::migrations().into_iter().chain([Box::new(Second) as Box<dyn MigrationTrait>]).collect()
        }
    }

    async fn names(db: &DatabaseConnection) -> Vec<String> {
        let rows =
            db.query_all_raw(sea_orm::Statement::from_string(db.get_database_backend(), "SELECT name FROM tasks"));
        rows.await.unwrap().iter().map(|row| row.try_get("", "name").unwrap()).collect()
    }

    #[tokio::test]
    async fn a_database_of_an_older_version_is_copied_before_its_tables_change() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("tuner.db");
        let copy = directory.path().join("tuner.db.before-m9999_second");
        let db = dialect::file::<Migrations>(&path).await.unwrap();
        assert_eq!(standing::<Migrations>(&db, "").await.unwrap(), Standing::Current);
        assert_eq!(standing::<Newer>(&db, "").await.unwrap(), Standing::Older { next: "m9999_second".to_owned() });
        let row = "INSERT INTO tasks (id, name, engine, spec, source, revision, status, created_at, cancel_requested, \
                   fence, gpu_seconds) VALUES ('1', 'kept', '', '', '', 1, 'pending', '', 0, 0, 0)";
        db.execute_unprepared(row).await.unwrap();
        assert!(!copy.exists(), "a new database needs no copy");
        std::fs::write(directory.path().join("tuner.db.before-m9999_second.unfinished"), "cut short").unwrap();

        let newer = dialect::file::<Newer>(&path).await.unwrap();
        assert_eq!(standing::<Newer>(&newer, "").await.unwrap(), Standing::Current);
        assert_eq!(names(&newer).await, ["kept"]);
        let before = dialect::file::<Migrations>(&copy).await.unwrap();
        assert_eq!(names(&before).await, ["kept"]);

        for file in std::fs::read_dir(directory.path()).unwrap() {
            let (file, name) = file.map(|f| (f.metadata().unwrap(), f.file_name())).unwrap();
            assert_eq!(std::os::unix::fs::PermissionsExt::mode(&file.permissions()) & 0o077, 0, "{name:?}");
        }
        let refused = dialect::file::<Migrations>(&path).await;
        assert!(matches!(refused, Err(StoreError::NewerSchema { .. })), "{refused:?}");
    }
}
