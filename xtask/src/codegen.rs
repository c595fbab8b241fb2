//! Committed files that the binary writes: one line per file in [`GENERATED`]. `--check` compares instead of writing.

use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, ensure};

use crate::{report, shell};

/// What to do with a generated file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Write,
    Check,
}

/// How a file's text is made from the built binary.
#[derive(Clone, Copy)]
enum Source {
    /// What `autotuner ARGS` prints.
    Output(&'static [&'static str]),
    /// The help of every subcommand, as one Markdown page.
    Help,
}

/// A new generated file is a new line here.
const GENERATED: &[(&str, Source)] = &[
    ("docs/reference/task.schema.json", Source::Output(&["schema", "task"])),
    ("openapi/openapi.json", Source::Output(&["schema", "openapi"])),
    ("docs/reference/cli.md", Source::Help),
];

pub(crate) fn run(mode: Mode) -> Result<ExitCode> {
    let binary = debug_directory()?.join("autotuner");
    let mut stale = Vec::new();
    for (path, source) in GENERATED {
        let text = match source {
            Source::Output(arguments) => output(&binary, arguments)?,
            Source::Help => help_page(&binary)?,
        };
        let file = shell::root().join(path);
        if std::fs::read_to_string(&file).is_ok_and(|committed| committed == text) {
            continue;
        }
        if mode == Mode::Check {
            stale.push(format!("{path}: differs from what the binary writes; run `cargo xtask codegen` and commit"));
            continue;
        }
        if let Some(folder) = file.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(&file, text).with_context(|| format!("cannot write {path}"))?;
        println!("wrote {path}");
    }
    Ok(report("codegen", &stale))
}

/// Where the programs of the development build lie. They are built as the tests build them: another choice of packages has
/// other features, and everything would be built a second time.
pub(crate) fn debug_directory() -> Result<PathBuf> {
    let built = shell::cargo().args(["test", "--quiet", "--workspace", "--no-run"]).status()?;
    ensure!(built.success(), "the build failed; its own messages are above");
    Ok(target_directory()?.join("debug"))
}

/// Where cargo puts what it builds.
pub(crate) fn target_directory() -> Result<PathBuf> {
    let text = shell::capture(shell::cargo().args(["metadata", "--format-version", "1", "--no-deps"]))?;
    let metadata: serde_json::Value = serde_json::from_str(&text)?;
    metadata["target_directory"].as_str().map(PathBuf::from).context("cargo metadata names no target directory")
}

fn output(binary: &PathBuf, arguments: &[&str]) -> Result<String> {
    // A fixed width and nobody's settings, so that the text is the same everywhere.
    let mut command = Command::new(binary);
    command.args(arguments).env("COLUMNS", "100");
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("AUTOTUNER_")) {
        command.env_remove(name);
    }
    let mut text = shell::capture(&mut command)?;
    if !text.ends_with('\n') {
        text.push('\n');
    }
    Ok(text)
}

fn help_page(binary: &PathBuf) -> Result<String> {
    let mut page = String::from(
        "# Command line\n\nWritten by `cargo xtask codegen` from the program's own help; do not edit by hand.\n",
    );
    let mut open: Vec<Vec<String>> = vec![Vec::new()];
    while let Some(command) = open.pop() {
        let mut arguments: Vec<&str> = command.iter().map(String::as_str).collect();
        arguments.push("--help");
        let help = output(binary, &arguments)?;
        let help: Vec<&str> = help.lines().map(str::trim_end).collect();
        let title = ["autotuner"].into_iter().chain(command.iter().map(String::as_str)).collect::<Vec<_>>().join(" ");
        page.push_str(&format!("\n## `{title}`\n\n```text\n{}\n```\n", help.join("\n").trim_end()));
        for child in subcommands(&help).into_iter().rev() {
            open.push(command.iter().cloned().chain([child]).collect());
        }
    }
    Ok(page)
}

/// Names in the `Commands:` block of a help text, without `help` itself.
fn subcommands(help: &[&str]) -> Vec<String> {
    let block = help.iter().skip_while(|line| **line != "Commands:").skip(1);
    block
        .take_while(|line| line.starts_with("  "))
        .filter(|line| !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subcommands_are_read_from_the_commands_block_only() {
        let help = "Tunes.\n\nUsage: x\n\nCommands:\n  tune    Runs\n          and more\n  bench   Loads\n  help    Print\n\nOptions:\n  -h, --help";
        let lines: Vec<&str> = help.lines().collect();
        assert_eq!(subcommands(&lines), ["tune", "bench"]);
    }
}
