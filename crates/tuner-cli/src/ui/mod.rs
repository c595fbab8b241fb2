//! How the command speaks: answers on standard output, everything else on standard error.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "this is where the command prints")]

pub(crate) mod browser;
mod fold;
pub(crate) mod screen;
pub(crate) mod table;
pub(crate) mod words;

use std::io::{IsTerminal, Write};

use serde::Serialize;
use tuner_app::AppError;
use tuner_app::report::{Format, Ink};

use crate::settings::Settings;

/// Prints an answer.
pub(crate) fn answer(text: &str) {
    let mut out = std::io::stdout().lock();
    // A closed pipe (`| head`) is no error of ours.
    let _ = out.write_all(text.as_bytes());
    if !text.ends_with('\n') {
        let _ = out.write_all(b"\n");
    }
}

/// Prints an answer as indented JSON.
pub(crate) fn json(value: &impl Serialize) -> anyhow::Result<()> {
    answer(&serde_json::to_string_pretty(value)?);
    Ok(())
}

/// Prints one JSON line.
pub(crate) fn json_line(value: &impl Serialize) -> anyhow::Result<()> {
    answer(&serde_json::to_string(value)?);
    Ok(())
}

/// Says something beside the answer.
pub(crate) fn say(text: &str) {
    eprintln!("{text}");
}

/// Renders an error with its causes and the hint that a cause carries.
pub(crate) fn error(error: &anyhow::Error) {
    // Errors of a task file begin with the word themselves, each with its place.
    let rendered = matches!(error.downcast_ref(), Some(AppError::TaskFile { .. } | AppError::Preset { .. }));
    let mut text = if rendered { error.to_string() } else { format!("error: {error}") };
    let mut said = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        // Some libraries repeat their source.
        if !said.contains(&cause) {
            text.push_str(&format!("\n  because: {cause}"));
        }
        said = cause;
    }
    if let Some(hint) = words::hint(error) {
        text.push_str(&format!("\n  hint: {hint}"));
    }
    eprintln!("{text}");
}

/// Whether bars and colours make sense.
pub(crate) fn fancy(settings: &Settings) -> bool {
    !settings.plain && !settings.json && std::io::stderr().is_terminal()
}

/// The report's form on this standard output.
pub(crate) fn terminal_format(settings: &Settings) -> Format {
    let (width, ink) = paper(settings);
    Format::Terminal { width, ink }
}

/// The same in short.
pub(crate) fn brief_format(settings: &Settings) -> Format {
    let (width, ink) = paper(settings);
    Format::Brief { width, ink }
}

fn paper(settings: &Settings) -> (usize, Ink) {
    let person = std::io::stdout().is_terminal();
    let width = console::Term::stdout().size_checked().map_or(100, |(_, columns)| usize::from(columns));
    let ink = if person && !settings.plain { Ink::Coloured } else { Ink::Plain };
    (width.clamp(60, 160), ink)
}

/// Asks a question that a person must answer with y; nobody to ask means no.
pub(crate) fn confirm(question: &str) -> bool {
    if !std::io::stdin().is_terminal() {
        return false;
    }
    eprint!("{question} [y/N] ");
    let _ = std::io::stderr().flush();
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).is_ok() && matches!(line.trim(), "y" | "Y" | "yes")
}
