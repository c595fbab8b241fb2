//! Rows to lines.

use std::collections::BTreeMap;
use std::io::Write;

use sea_orm::{EntityTrait, Iterable, ModelTrait, PrimaryKeyToColumn, QueryOrder, QuerySelect};
use serde::Serialize;

use super::for_each_table;
use crate::dialect::Transaction;
use crate::{Store, StoreError, migration};

/// Rows that are read at once.
const PART: u64 = 1000;

/// What was dumped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dumped {
    /// Rows of each table.
    pub rows: BTreeMap<String, u64>,
    /// The newest migration of the tables.
    pub schema: String,
}

#[derive(Serialize)]
struct Line<'a, M> {
    table: &'a str,
    row: &'a M,
}

impl Dumped {
    /// Whether tables up to this migration can be read by this version.
    pub fn is_readable(schema: &str) -> bool {
        migration::knows(schema)
    }
}

impl Store {
    /// Writes everything as lines of JSON, as it is at one moment, while others go on writing.
    ///
    /// # Errors
    /// [`StoreError::Database`]; [`StoreError::Dump`] if `out` cannot be written.
    pub async fn dump(&self, out: &mut (impl Write + Send)) -> Result<Dumped, StoreError> {
        let read = self.read().await?;
        let mut dumped = Dumped { rows: BTreeMap::new(), schema: migration::newest() };
        macro_rules! each {
            ($($table:path),* $(,)?) => {{
                $({ use $table as table; write_table::<table::Entity>(read.rows(), out, &mut dumped).await?; })*
            }};
        }
        for_each_table!(each);
        out.flush().map_err(StoreError::Dump)?;
        Ok(dumped)
    }
}

async fn write_table<E>(
    rows: &Transaction,
    out: &mut (impl Write + Send),
    dumped: &mut Dumped,
) -> Result<(), StoreError>
where
    E: EntityTrait,
    E::Model: Serialize + ModelTrait + Send + Sync,
{
    let name = E::default().table_name().to_owned();
    let mut count = 0;
    loop {
        let mut query = E::find().limit(PART).offset(count);
        for key in E::PrimaryKey::iter() {
            query = query.order_by_asc(key.into_column());
        }
        let part = query.all(rows).await?;
        for row in &part {
            let line = Line { table: &name, row };
            let text = serde_json::to_string(&line).map_err(|error| StoreError::Dump(error.into()))?;
            writeln!(out, "{text}").map_err(StoreError::Dump)?;
        }
        count += part.len() as u64;
        if (part.len() as u64) < PART {
            break;
        }
    }
    dumped.rows.insert(name, count);
    Ok(())
}
