//! Integration tests of the `autotuner` command.
#![allow(
    clippy::expect_used,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test may panic, and says what it measured or why it skips"
)]

mod crash;
mod live;
mod messages;
