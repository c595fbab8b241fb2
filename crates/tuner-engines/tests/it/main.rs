//! Everything a person sees of an engine: command lines, read-back tables, explanations of exits.

#![allow(clippy::unwrap_used, reason = "helpers of tests, which may panic like tests")]

mod catalogue;
mod exits;
mod launches;
mod presets;
mod read_backs;
