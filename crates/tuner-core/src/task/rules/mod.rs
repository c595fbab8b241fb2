//! What a task means: everything that the schema cannot say. One file per part of the task.
//!
//! Rules look at a repaired spec; what they find at a place that was replaced is dropped, since the structural error
//! there was told already.

mod conversation;
mod levels;
mod load;
mod objectives;
mod space;
mod target;
mod workload;

use super::TaskSpec;
use super::diagnostic::Diagnostic;
use super::read::ReadContext;
use super::read::tree::{Kind, Node, Path, Span, at_path};

/// One pass over one spec.
pub(super) struct Rules<'a> {
    pub spec: &'a TaskSpec,
    pub root: &'a Node,
    pub context: &'a ReadContext<'a>,
    pub replaced: &'a [Path],
    pub found: Vec<Diagnostic>,
}

impl Rules<'_> {
    /// Applies every rule.
    pub(super) fn apply(&mut self) {
        self.name();
        self.target();
        self.space();
        self.load();
        self.objectives();
    }

    /// Reports a finding at a field.
    fn report(&mut self, path: &Path, finding: Diagnostic) {
        let span = self.root.locate(path);
        self.report_at(path, span, finding);
    }

    /// Reports a finding about a field, pointing at its key.
    fn report_key(&mut self, path: &Path, finding: Diagnostic) {
        let span = self.root.locate_key(path);
        self.report_at(path, span, finding);
    }

    fn report_at(&mut self, path: &Path, span: Span, finding: Diagnostic) {
        if self.sound(path) {
            let mut finding = finding.at(span);
            finding.field = path.to_string();
            self.found.push(finding);
        }
    }

    /// Whether the value at a path is the user's own (or a default).
    fn sound(&self, path: &Path) -> bool {
        !self.replaced.iter().any(|r| r.touches(path))
    }

    /// The place of a column inside a text of the file.
    fn inside(&self, path: &Path, column: usize) -> Span {
        let span = self.root.locate(path);
        let mut node = Some(self.root);
        for step in &path.0 {
            node = node.and_then(|n| match step {
                super::read::tree::Step::Key(key) => n.get(key),
                super::read::tree::Step::Index(i) => n.items().get(*i),
            });
        }
        match node.map(|n| &n.kind) {
            Some(Kind::Scalar { text, .. }) => {
                let quotes = span.length.saturating_sub(text.chars().count());
                let exact = quotes == 0 || quotes == 2;
                let column = span.column + quotes / 2 + column - 1;
                if exact { Span { column, length: 1, ..span } } else { span }
            }
            _ => span,
        }
    }

    fn name(&mut self) {
        let name = &self.spec.name;
        let wrong = name.chars().find(|c| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')));
        let allowed = "letters, digits, `-`, `_` and `.`, at most 100; the first is a letter or digit";
        let message = match wrong {
            _ if name.is_empty() => "the name is empty".to_owned(),
            Some(' ') => "a name has no spaces".to_owned(),
            Some(c) => format!("a name has no `{}`", c.escape_debug()),
            None if name.len() > 100 => format!("the name has {} characters", name.len()),
            None if !name.starts_with(|c: char| c.is_ascii_alphanumeric()) => {
                "a name starts with a letter or a digit".to_owned()
            }
            None => return,
        };
        let proposal: String =
            name.chars().map(|c| if Some(c) == wrong || c == ' ' { '-' } else { c }).take(100).collect();
        let proposal = Some(proposal).filter(|p| wrong == Some(' ') && p.is_ascii());
        self.report(&at_path!["name"], Diagnostic::error("", message).suggest(proposal).allowed(allowed));
    }
}
