//! How fast the service answers, tells and starts with 1,000 tasks and 100,000 experiments, and what memory it needs, on
//! SQLite and on PostgreSQL.
//!
//! `cargo xtask bench-server` runs it in release. The server (`autotuner serve` with one idle worker), the clients and
//! the subscribers are processes of their own; clients send their next request when they have the answer to the last.
//! `… -- PART` runs one part: `http`, `events`, `start`; `--tasks=N` and `--database=sqlite|postgres` are for trying.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::expect_used,
    reason = "a program for people at a terminal"
)]

mod client;
mod listen;
mod parts;
mod place;
mod table;
mod wire;

use std::process::{Command, ExitCode, Stdio};

use serde_json::Value;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        match words.first().map(String::as_str) {
            Some("client") => client::run(&words[1..]).await,
            Some("listen") => listen::run(&words[1..]).await,
            _ => parts::run(&words).await,
        }
    })
}

/// What stands after `NAME=`.
fn option<'a>(words: &'a [String], name: &str) -> Option<&'a str> {
    words.iter().find_map(|word| word.strip_prefix(name)?.strip_prefix('='))
}

/// This program in another part.
fn this(part: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command.arg(part).stdin(Stdio::piped()).stdout(Stdio::piped());
    command
}

/// The least value that this share of all do not exceed.
fn percentile(sorted: &[f64], share: f64) -> f64 {
    let rank = (sorted.len() as f64 * share).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or(f64::NAN)
}

/// A figure of what another part said.
fn at(said: &Value, name: &str) -> f64 {
    said[name].as_f64().unwrap_or(f64::NAN)
}
