//! Integration tests of `tuner-runner`: whole tasks with a store in memory, in virtual time or on a server in process.

// Helpers of tests are tests.
#![allow(clippy::unwrap_used)]

mod attached;
mod claim;
mod deaths;
mod helping;
mod left;
mod virtual_time;
mod world;
