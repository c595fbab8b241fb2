//! Lines to rows.

use std::collections::VecDeque;
use std::io::BufRead;

use sea_orm::{ConnectionTrait, DbBackend, EntityName, EntityTrait, IntoActiveModel, PaginatorTrait, Statement};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::for_each_table;
use crate::dialect::Transaction;
use crate::entity::{events, jobs, tasks};
use crate::library::outcomes::recount;
use crate::store::Read;
use crate::{Store, StoreError, dialect};

/// Rows that are written at once.
const BATCH: usize = 200;
/// Tables whose numbers the database counts by itself, with the column.
const COUNTED: [(&str, &str); 2] = [("events", "seq"), ("audit", "seq")];

#[derive(Deserialize)]
struct Line {
    table: String,
    row: Value,
}

impl Store {
    /// Whether nobody has kept anything here yet.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn is_empty(&self) -> Result<bool, StoreError> {
        let read = self.read().await?;
        let shelf = crate::shelf::entity::presets::Entity::find().count(read.rows()).await?
            + crate::shelf::entity::datasets::Entity::find().count(read.rows()).await?
            + crate::machines::entity::machines::Entity::find().count(read.rows()).await?;
        let access = crate::access::entity::tokens::Entity::find().count(read.rows()).await?;
        Ok(shelf + access + work(&read).await? == 0)
    }

    /// Puts what [`Store::dump`] wrote in the place of everything. `change` may change a line before it is read: table, text.
    ///
    /// # Errors
    /// [`StoreError::Dumped`] names the line that cannot be read; then nothing is changed. [`StoreError::Database`].
    pub async fn load_dump(
        &self,
        input: impl BufRead + Send,
        change: impl Fn(&str) -> Option<String> + Send + Sync,
    ) -> Result<u64, StoreError> {
        let write = self.write().await?;
        empty(write.rows()).await?;
        let mut lines = Lines { lines: input.lines(), number: 0, next: None, change };
        macro_rules! each {
            ($($table:path),* $(,)?) => {{
                $({ use $table as table; read_table::<table::Entity>(write.rows(), &mut lines).await?; })*
            }};
        }
        for_each_table!(each);
        if let Some(line) = lines.peek()? {
            let text = format!("table {:?} is unknown here, or out of its place", line.table);
            return Err(StoreError::Dumped { line: lines.number, source: text.into() });
        }
        if write.rows().get_database_backend() == DbBackend::Postgres {
            for (table, column) in COUNTED {
                let sql = format!(
                    "SELECT setval(pg_get_serial_sequence('{table}', '{column}'), greatest(max({column}), 1)) FROM {table}"
                );
                write.rows().query_one_raw(Statement::from_string(DbBackend::Postgres, sql)).await?;
            }
        }
        // Counted here, not dumped: they are what the rows say.
        recount(write.rows(), None).await?;
        let seq = events::Entity::find().count(write.rows()).await?;
        dialect::tell(write.rows(), i64::try_from(seq).unwrap_or(i64::MAX), true).await?;
        write.commit_quietly().await?;
        let last = self.last_event_seq().await?;
        self.signals.ring(last, true);
        Ok(lines.number)
    }
}

async fn work(read: &Read) -> Result<u64, StoreError> {
    Ok(tasks::Entity::find().count(read.rows()).await? + jobs::Entity::find().count(read.rows()).await?)
}

/// Removes every row, those that refer to others first.
async fn empty(rows: &Transaction) -> Result<(), StoreError> {
    let mut names: VecDeque<String> = VecDeque::new();
    macro_rules! each {
        ($($table:path),* $(,)?) => {{
            $({ use $table as table; names.push_front(table::Entity.table_name().to_owned()); })*
        }};
    }
    for_each_table!(each);
    for name in names {
        rows.execute_unprepared(&format!("DELETE FROM {name}")).await?;
    }
    Ok(())
}

/// The lines of a dump, one of them looked at in advance.
struct Lines<L, C> {
    lines: L,
    number: u64,
    next: Option<Line>,
    change: C,
}

impl<L: Iterator<Item = std::io::Result<String>>, C: Fn(&str) -> Option<String>> Lines<L, C> {
    fn peek(&mut self) -> Result<Option<&Line>, StoreError> {
        if self.next.is_none()
            && let Some(text) = self.lines.next()
        {
            self.number += 1;
            let text = text.map_err(|source| self.wrong(source))?;
            let text = (self.change)(&text).unwrap_or(text);
            self.next = Some(serde_json::from_str(&text).map_err(|source| self.wrong(source))?);
        }
        Ok(self.next.as_ref())
    }

    fn wrong(&self, source: impl std::error::Error + Send + Sync + 'static) -> StoreError {
        StoreError::Dumped { line: self.number, source: Box::new(source) }
    }
}

async fn read_table<E>(
    rows: &Transaction,
    lines: &mut Lines<impl Iterator<Item = std::io::Result<String>>, impl Fn(&str) -> Option<String>>,
) -> Result<(), StoreError>
where
    E: EntityTrait,
    E::Model: DeserializeOwned + IntoActiveModel<E::ActiveModel>,
    E::ActiveModel: Send,
{
    let name = E::default().table_name().to_owned();
    let mut batch: Vec<E::ActiveModel> = Vec::with_capacity(BATCH);
    while lines.peek()?.is_some_and(|line| line.table == name) {
        let Some(line) = lines.next.take() else { break };
        let row: E::Model = serde_json::from_value(line.row).map_err(|source| lines.wrong(source))?;
        // Every column is written, also those that the database would count by itself.
        batch.push(sea_orm::ActiveModelTrait::reset_all(row.into_active_model()));
        if batch.len() == BATCH {
            E::insert_many(std::mem::take(&mut batch)).exec_without_returning(rows).await?;
        }
    }
    if !batch.is_empty() {
        E::insert_many(batch).exec_without_returning(rows).await?;
    }
    Ok(())
}
