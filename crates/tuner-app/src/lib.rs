//! Use cases, one file per resource; the rooms behind every door.

pub mod report;
