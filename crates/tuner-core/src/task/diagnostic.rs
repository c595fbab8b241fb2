//! What is wrong (or worth knowing) in a task file: where, what, what is allowed, and how it looks on a terminal.

use std::fmt::{self, Write as _};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::read::tree::Span;

/// How much it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The file cannot be used.
    Error,
    /// It can; this is worth knowing.
    Note,
}

/// One finding about a file. Lines and columns count from 1, columns in characters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Diagnostic {
    /// How much it matters.
    pub severity: Severity,
    /// Line it points at.
    pub line: usize,
    /// First column it points at.
    pub column: usize,
    /// Characters it points at, at least 1.
    pub length: usize,
    /// The field: `search_space.parameters.max-num-seqs.low`; empty for the whole file.
    pub field: String,
    /// What is wrong, in one sentence fragment.
    pub message: String,
    /// What may stand there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed: Option<String>,
    /// The nearest word that may stand there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suggestion: Option<String>,
    /// What to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

/// Characters of a source line that are shown; longer lines are cut around the caret.
const SHOWN: usize = 100;

impl Diagnostic {
    /// An error without a place yet.
    pub(crate) fn error(field: impl fmt::Display, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            line: 1,
            column: 1,
            length: 1,
            field: field.to_string(),
            message: message.into(),
            allowed: None,
            suggestion: None,
            help: None,
        }
    }

    /// A note without a place yet.
    pub(crate) fn note(field: impl fmt::Display, message: impl Into<String>) -> Self {
        Self { severity: Severity::Note, ..Self::error(field, message) }
    }

    /// The finding at a place.
    pub(crate) fn at(mut self, span: Span) -> Self {
        (self.line, self.column, self.length) = (span.line.max(1), span.column.max(1), span.length.max(1));
        self
    }

    pub(crate) fn allowed(mut self, allowed: impl Into<String>) -> Self {
        self.allowed = Some(allowed.into());
        self
    }

    pub(crate) fn suggest(mut self, suggestion: Option<impl Into<String>>) -> Self {
        self.suggestion = suggestion.map(Into::into);
        self
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Whether the file cannot be used because of it.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    /// Like a compiler's message: the sentence, the place, the line with carets, what is allowed.
    pub fn render(&self, file: &str, source: &str) -> String {
        let mut out = String::new();
        let word = match self.severity {
            Severity::Error => "error",
            Severity::Note => "note",
        };
        let _ = write!(out, "{word}: {}", self.message);
        if let Some(suggestion) = &self.suggestion {
            let _ = write!(out, "; did you mean `{suggestion}`?");
        }
        let number = self.line.to_string();
        let gutter = " ".repeat(number.len());
        let _ = write!(out, "\n{gutter}--> {file}:{}:{}", self.line, self.column);
        if let Some(line) = source.lines().nth(self.line.saturating_sub(1)) {
            let (shown, column) = excerpt(line, self.column);
            let room = shown.chars().count().saturating_sub(column - 1).max(1);
            let carets = "^".repeat(self.length.clamp(1, room));
            let _ = write!(out, "\n{gutter} |\n{number} | {shown}");
            let _ = write!(out, "\n{gutter} | {}{carets}", " ".repeat(column - 1));
        }
        if !self.field.is_empty() {
            let _ = write!(out, "\n{gutter} = field: {}", self.field);
        }
        if let Some(allowed) = &self.allowed {
            let _ = write!(out, "\n{gutter} = allowed: {allowed}");
        }
        if let Some(help) = &self.help {
            let _ = write!(out, "\n{gutter} = help: {help}");
        }
        out
    }
}

/// All findings, a blank line between two, and a count of the errors at the end.
pub fn render_all(findings: &[Diagnostic], file: &str, source: &str) -> String {
    let mut parts: Vec<String> = findings.iter().map(|d| d.render(file, source)).collect();
    match findings.iter().filter(|d| d.is_error()).count() {
        0 => {}
        1 => parts.push(format!("1 error in {file}")),
        n => parts.push(format!("{n} errors in {file}")),
    }
    parts.join("\n\n")
}

/// The part of a line around a column, on one terminal line, and the column within it.
fn excerpt(line: &str, column: usize) -> (String, usize) {
    let clean: Vec<char> = line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let at = column.clamp(1, clean.len() + 1);
    if clean.len() <= SHOWN {
        return (clean.iter().collect::<String>().trim_end().to_owned(), at);
    }
    let start = at.saturating_sub(SHOWN / 2).min(clean.len() - SHOWN);
    let before = if start > 0 { "…" } else { "" };
    let after = if start + SHOWN < clean.len() { "…" } else { "" };
    let middle: String = clean.iter().skip(start).take(SHOWN).collect();
    (format!("{before}{middle}{after}"), at - start + before.chars().count())
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: ", self.line, self.column)?;
        if !self.field.is_empty() {
            write!(f, "{}: ", self.field)?;
        }
        f.write_str(&self.message)?;
        if let Some(suggestion) = &self.suggestion {
            write!(f, "; did you mean `{suggestion}`?")?;
        }
        Ok(())
    }
}

/// The word among `words` that `wrong` was probably meant to be.
pub(crate) fn nearest<'w>(wrong: &str, words: impl IntoIterator<Item = &'w str>) -> Option<&'w str> {
    let plain = |s: &str| s.to_lowercase().replace('_', "-");
    let target = plain(wrong);
    let limit = (target.chars().count() / 3).clamp(1, 4);
    words
        .into_iter()
        .filter(|word| *word != wrong)
        .map(|word| {
            let plain = plain(word);
            let begun = target.len() >= 3 && plain.starts_with(&target);
            (if begun { 1 } else { strsim::damerau_levenshtein(&target, &plain) }, word)
        })
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, word)| (*distance, word.len()))
        .map(|(_, word)| word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_forgives_typos_case_underscores_and_a_missing_end() {
        let words = ["max-num-seqs", "max-num-batched-tokens", "block-size"];
        assert_eq!(nearest("max_num_seqs", words), Some("max-num-seqs"));
        assert_eq!(nearest("Block-Sise", words), Some("block-size"));
        assert_eq!(nearest("block", words), Some("block-size"));
        assert_eq!(nearest("banana", words), None);
    }

    #[test]
    fn a_long_line_is_cut_around_the_caret() {
        let line = format!("{}X{}", "a".repeat(500), "b".repeat(500));
        let mut finding = Diagnostic::error("f", "wrong");
        finding.column = 501;
        let text = finding.render("t.yaml", &line);
        let rows: Vec<&str> = text.lines().collect();
        let caret = rows[4].chars().position(|c| c == '^').unwrap();
        assert_eq!(rows[3].chars().nth(caret), Some('X'), "{text}");
        assert!(rows[3].chars().count() < 120);
    }
}
