//! The load generator against a server whose answers and times are known.

mod common;
mod level;
mod matrix;
