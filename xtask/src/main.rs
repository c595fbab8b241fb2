//! Repository chores. `cargo xtask` without arguments lists them.
//!
//! *Invariant*: nothing of the product depends on this crate, and it depends on nothing of the product: it looks at
//! the repository from outside (files, `cargo metadata`, the built binary).
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command-line tool talks on its standard streams")]

mod api_fuzz;
mod bench_load;
mod bench_server;
mod chaos;
mod ci;
mod codegen;
mod container;
mod counts;
mod live;
mod overhead;
mod page;
mod quickstart;
mod rings;
mod shell;
mod tidy;

use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask <chore>

  ci                 everything a change must pass; last line: N passed, N failed, N skipped
  tidy               rules over the text of the repository
  rings              edges between crates run downwards, ring 1 stays pure
  codegen [--check]  write the committed generated files, or say which are stale
  page               build the web page into what the binary holds; --check, --browser: its tests
  screenshots        the same tests, for the pictures that they leave of every page
  quickstart [ARGS]  build the release binary and run `autotuner quickstart ARGS`
  live ENGINE [ARGS] install a large real engine (sglang, vllm) and tune it with its example task
  api-fuzz           requests made from the API's document, against a real server (schemathesis)
  container          build the image of examples/Containerfile on Debian's own packages, start it, stop it
  overhead           the tuner's own share of a task's time, measured
  bench-load [ARGS]  cost and truth of the load generator; --peers measures others beside it
  bench-server [ARGS]  the service with 1,000 tasks and 100,000 experiments: answers, events, memory, start
  chaos [ARGS]       server, workers and database killed, suspended and cut off at random moments; --help for more";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["ci"] => ci::run(),
        ["tidy"] => tidy::run(),
        ["rings"] => rings::run(),
        ["codegen"] => codegen::run(codegen::Mode::Write),
        ["codegen", "--check"] => codegen::run(codegen::Mode::Check),
        ["api-fuzz"] => api_fuzz::run(),
        ["container"] => container::run(),
        ["overhead"] => overhead::run(),
        ["bench-load", rest @ ..] => bench_load::run(rest),
        ["bench-server", rest @ ..] => bench_server::run(rest),
        ["chaos", rest @ ..] => chaos::run(rest),
        ["page", rest @ ..] => page::run(rest),
        ["screenshots"] => page::run(&["--browser"]),
        ["quickstart", rest @ ..] => quickstart::run(rest),
        ["live", engine, rest @ ..] => live::run(engine, rest),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Prints findings one a line; fails when there are any.
fn report(chore: &str, findings: &[String]) -> ExitCode {
    for finding in findings {
        println!("{finding}");
    }
    if findings.is_empty() {
        println!("{chore}: clean");
        ExitCode::SUCCESS
    } else {
        println!("{chore}: {} to fix", findings.len());
        ExitCode::FAILURE
    }
}
