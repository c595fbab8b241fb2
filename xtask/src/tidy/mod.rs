//! Rules over the text of the repository, each with a message that says what to do. Fast enough to run on every save.
//!
//! *Invariant*: a rule is a function from one [`File`] (or all of them) to findings; it reads nothing else.

mod code;
mod layout;
mod length;
mod links;
mod words;

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};

use crate::{report, shell};

/// Names that hold nothing of ours (`.git` is a file in a linked work tree).
const SKIPPED: &[&str] =
    &["target", ".git", ".venv", "node_modules", "artifacts", "corpus", "dist", "screenshots", "schema.d.ts"];

/// A text file of the repository.
pub(crate) struct File {
    /// Relative to the root, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
}

impl File {
    fn is(&self, extension: &str) -> bool {
        self.path.rsplit_once('.').is_some_and(|(_, end)| end == extension)
    }

    /// Rust that ships: not a test, not a bench, not an example.
    fn is_product_source(&self) -> bool {
        self.is("rs") && self.path.contains("/src/") && !self.path.ends_with("/tests.rs")
    }

    /// Numbered lines of shipped code: everything before the unit tests.
    fn product_lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text
            .lines()
            .enumerate()
            .map(|(i, line)| (i + 1, line))
            .take_while(|(_, line)| line.trim() != "#[cfg(test)]")
    }
}

/// Every rule over a single file. A new rule is a new line here.
const FILE_RULES: &[fn(&File) -> Vec<String>] = &[
    code::module_head,
    code::markers,
    code::printing,
    code::purity,
    code::reserved,
    words::banned,
    layout::name,
    layout::one_test_binary,
    layout::manifest,
];

pub(crate) fn run() -> Result<ExitCode> {
    let root = shell::root();
    let mut files = Vec::new();
    collect(&root, &root, &mut files)?;
    files.sort_by(|a, b| a.path.cmp(&b.path));
    let ratchet = std::fs::read_to_string(root.join("xtask/ratchet.txt")).context("xtask/ratchet.txt is missing")?;
    Ok(report("tidy", &check(&files, &ratchet)))
}

fn check(files: &[File], ratchet: &str) -> Vec<String> {
    let mut findings = length::check(files, ratchet);
    for file in files {
        for rule in FILE_RULES {
            findings.extend(rule(file));
        }
    }
    findings.extend(layout::readmes(files));
    findings.extend(layout::decisions(files));
    findings.extend(links::check(files));
    findings
}

fn collect(root: &Path, folder: &Path, files: &mut Vec<File>) -> Result<()> {
    for entry in std::fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))? {
        let entry = entry?;
        let name = entry.file_name();
        let path = entry.path();
        if SKIPPED.contains(&name.to_string_lossy().as_ref()) {
            continue;
        }
        if entry.file_type()?.is_dir() {
            collect(root, &path, files)?;
        } else if let Ok(text) = std::fs::read_to_string(&path) {
            let relative = path.strip_prefix(root)?.to_string_lossy().replace('\\', "/");
            files.push(File { path: relative, text });
        }
    }
    Ok(())
}

#[cfg(test)]
pub(crate) fn file(path: &str, text: &str) -> File {
    File { path: path.to_owned(), text: text.to_owned() }
}
