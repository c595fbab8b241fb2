//! The load generator against a server whose answers and times are known.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on should stop")]

mod closed_form_run;
mod level;
mod matrix;
mod protocols;
mod splits;
mod stopping;
mod talks;
mod transport;
mod workloads;
