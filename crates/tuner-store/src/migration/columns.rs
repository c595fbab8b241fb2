//! The words that migrations are written in. They mean the same for ever: a released migration must make the tables that
//! it made.

use sea_orm_migration::prelude::*;

pub(super) fn text(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).text().not_null().take()
}
pub(super) fn text_or_null(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).text().null().take()
}
pub(super) fn number(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).big_integer().not_null().take()
}
pub(super) fn number_or_null(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).big_integer().null().take()
}
pub(super) fn real(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).double().not_null().take()
}
pub(super) fn moment(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).timestamp_with_time_zone().not_null().take()
}
pub(super) fn moment_or_null(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).timestamp_with_time_zone().null().take()
}

pub(super) fn table<const N: usize>(name: &'static str, columns: [ColumnDef; N]) -> TableCreateStatement {
    let mut table = Table::create().table(name).take();
    for column in columns {
        table.col(column);
    }
    table
}

pub(super) fn key<const N: usize>(columns: [&'static str; N]) -> IndexCreateStatement {
    columns.into_iter().fold(Index::create(), |mut key, column| key.col(column).take())
}

/// Rows that go when the row they belong to goes.
pub(super) fn belongs_to<const N: usize>(
    table: &'static str,
    columns: [&'static str; N],
    to: &'static str,
    its: [&'static str; N],
) -> ForeignKeyCreateStatement {
    let mut foreign = ForeignKey::create().from_tbl(table).to_tbl(to).on_delete(ForeignKeyAction::Cascade).take();
    for (column, its) in columns.into_iter().zip(its) {
        foreign.from_col(column).to_col(its);
    }
    foreign
}

pub(super) fn index(name: &'static str, table: &'static str, columns: &[&'static str]) -> IndexCreateStatement {
    let mut index = Index::create().name(name).table(table).take();
    for column in columns {
        index.col(*column);
    }
    index
}
