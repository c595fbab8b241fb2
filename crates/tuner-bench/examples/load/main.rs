//! What the load generator costs and how true its times are, against a server that stamps each of its writes.
//!
//! `cargo xtask bench-load` runs it in release. Server and client are processes of their own, each on one core; CPU is
//! what `getrusage` says of the client's process, as the difference between a long and a short run of the same load, so
//! that starting up does not count. `… -- PART` runs one part.
#![allow(clippy::print_stdout, clippy::expect_used, reason = "a program for people at a terminal")]

mod client;
mod floor;
mod parts;
mod peers;
mod serve;
mod table;

use std::process::ExitCode;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.first().map(String::as_str) {
        Some("serve") => serve::run(&words[1..]),
        Some("client") => client::run(&words[1..]),
        Some("floor") => floor::run(&words[1..]),
        // What `autotuner bench` needs to be told when it is pointed at `serve`.
        Some("tokenizer") => {
            println!("{}", tuner_testkit::closed_form::tokenizer_json());
            ExitCode::SUCCESS
        }
        _ => parts::run(&words),
    }
}

/// The number that follows `name`.
fn number(words: &[String], name: &str) -> Option<f64> {
    let at = words.iter().position(|word| word == name)?;
    words.get(at + 1)?.parse().ok()
}

/// Keeps this process and its children on one core.
fn pin(words: &[String]) {
    #[cfg(target_os = "linux")]
    if let Some(core) = number(words, "--core") {
        let mut cores = nix::sched::CpuSet::new();
        // A core that does not exist leaves the process where it was; the table says how many there are.
        let _ = cores.set(core as usize);
        let _ = nix::sched::sched_setaffinity(nix::unistd::Pid::from_raw(0), &cores);
    }
    #[cfg(not(target_os = "linux"))]
    let _ = words;
}
