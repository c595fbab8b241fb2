//! Integration tests of the `autotuner` command, as a child process with a data directory of its own.

// Helpers of tests are tests.
#![allow(clippy::unwrap_used)]

mod crash;
