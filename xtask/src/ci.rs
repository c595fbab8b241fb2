//! `cargo xtask ci`: every stage runs, whatever happened before it, so that one run shows all that is wrong.
//!
//! *Invariant*: the last line is `N passed, N failed, N skipped`; a stage that fails without a failed test counts as
//! one failure, so "0 failed" and exit code 0 mean the same.

use std::process::{Command, ExitCode};
use std::time::Instant;

use anyhow::Result;

use crate::counts::Counts;
use crate::shell::{self, Watched};

/// A stage: its name and what it runs. A new stage is a new line in [`stages`].
struct Stage {
    name: &'static str,
    command: Command,
}

fn stages() -> Vec<Stage> {
    let cargo = |name, arguments: &[&str]| {
        let mut command = shell::cargo();
        command.args(arguments);
        Stage { name, command }
    };
    let own = |name, arguments: &[&str]| {
        let program = std::env::current_exe().unwrap_or_else(|_| "xtask".into());
        let mut command = Command::new(program);
        command.args(arguments).current_dir(shell::root());
        Stage { name, command }
    };
    let mut stages = vec![
        cargo("format", &["fmt", "--all", "--check"]),
        own("tidy", &["tidy"]),
        own("rings", &["rings"]),
        own("page", &["page", "--check"]),
    ];
    if shell::works("cargo", &["nextest", "--version"]) {
        stages.push(cargo("tests", &["nextest", "run", "--workspace", "--no-fail-fast", "--no-tests", "pass"]));
        stages.push(cargo("doc tests", &["test", "--workspace", "--doc", "--no-fail-fast"]));
    } else {
        stages.push(cargo("tests", &["test", "--workspace", "--no-fail-fast"]));
    }
    stages.push(own("codegen", &["codegen", "--check"]));
    stages.push(own("browser", &["page", "--browser"]));
    stages.push(own("api fuzz", &["api-fuzz"]));
    stages.push(cargo("clippy", &["clippy", "--workspace", "--all-targets", "--keep-going", "--", "-D", "warnings"]));
    stages.push(cargo("docs", &["doc", "--workspace", "--no-deps"]));
    stages
}

pub(crate) fn run() -> Result<ExitCode> {
    let begun = Instant::now();
    let mut counts = Counts::default();
    if let Err(error) = prepare() {
        println!("prepare: {error:#}");
        counts.failed += 1;
    }
    for Stage { name, mut command } in stages() {
        // One profile and no RUSTFLAGS: what a stage builds the next one uses.
        command.env("CI", "true").env("INSTA_UPDATE", "no").env("RUSTDOCFLAGS", "-D warnings");
        let started = Instant::now();
        println!("{name:<10} …");
        let watched = shell::watch(&mut command).unwrap_or_else(|error| Watched {
            ok: false,
            lines: vec![format!("{error:#}")],
            shown: false,
        });
        let found = Counts::in_lines(&watched.lines);
        if !watched.ok && !watched.shown {
            for line in noteworthy(&watched.lines) {
                println!("{line}");
            }
        }
        for line in flaky(&watched.lines) {
            println!("passed when it was run again: {line}");
        }
        let verdict = if watched.ok { "ok" } else { "FAILED" };
        println!("{name:<10} {verdict} in {:.0} s", started.elapsed().as_secs_f64());
        counts += found;
        counts.failed += u64::from(!watched.ok && found.failed == 0);
    }
    println!("all stages in {:.0} s", begun.elapsed().as_secs_f64());
    println!("{counts}");
    Ok(if counts.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What is worth reading of a failed stage: everything but the lines that say that something is fine.
fn noteworthy(lines: &[String]) -> impl Iterator<Item = &String> {
    const FINE: [&str; 7] =
        ["Compiling ", "Checking ", "Downloaded ", "Downloading ", "PASS ", "Documenting ", "Fresh "];
    lines.iter().filter(|line| {
        let text = line.trim_start();
        let passed = text.starts_with("test ") && text.ends_with("... ok");
        !passed && !FINE.iter().any(|prefix| text.starts_with(prefix))
    })
}

/// The tests that nextest saw fail and then pass.
fn flaky(lines: &[String]) -> impl Iterator<Item = &str> {
    lines.iter().filter_map(|line| line.trim_start().strip_prefix("FLAKY ").map(str::trim))
}

/// Puts in place what the stages need, where this machine lets us; names what it cannot.
fn prepare() -> Result<()> {
    for (component, probe) in [("rustfmt", "fmt"), ("clippy", "clippy")] {
        if !shell::works("cargo", &[probe, "--version"]) {
            shell::capture(Command::new("rustup").args(["component", "add", component]))?;
        }
    }
    // Tests that install engines make private Python environments, and some dependencies compile C.
    // The store's tests start a PostgreSQL server, whose programs Debian keeps out of the search path.
    // Workers are deployed to another machine by its ssh server, also not in the search path.
    let wanted: [(&str, &[&str], &str); 7] = [
        ("python3", &["-c", "import venv, ensurepip"], "python3-venv"),
        ("python3", &["-m", "pip", "--version"], "python3-pip"),
        ("cc", &["--version"], "gcc"),
        ("sh", &["-c", "ls /usr/lib/postgresql/*/bin/initdb"], "postgresql"),
        ("chromium", &["--version"], "chromium"),
        ("sh", &["-c", "ls /usr/sbin/sshd"], "openssh-server"),
        ("ssh", &["-V"], "openssh-client"),
    ];
    let missing: Vec<&str> = wanted
        .iter()
        .filter(|(program, probe, _)| !shell::works(program, probe))
        .map(|(_, _, package)| *package)
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    shell::install_packages(&[&["python3"], missing.as_slice()].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_that_passed_only_when_it_was_run_again_is_named() {
        let lines = ["   PASS [   0.1s] a::it fine", "  FLAKY 2/2 [   0.619s] tuner-cli::it crash::orders"];
        let lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
        assert_eq!(flaky(&lines).collect::<Vec<_>>(), ["2/2 [   0.619s] tuner-cli::it crash::orders"]);
    }
}
