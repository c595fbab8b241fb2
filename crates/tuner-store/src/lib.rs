//! Rows, events and leases in SQLite: the only SQL.
