//! Typed access to the predecessor's fields, and where findings about them go.

use crate::Value;
use crate::task::diagnostic::Diagnostic;
use crate::task::read::tree::{Entry, Kind, Node, Path, Scalar, Step};

/// One file being translated.
pub(super) struct Fields<'a> {
    pub root: &'a Node,
    pub found: Vec<Diagnostic>,
}

impl<'a> Fields<'a> {
    pub(super) fn new(root: &'a Node) -> Self {
        Self { root, found: Vec::new() }
    }

    pub(super) fn report(&mut self, path: &Path, finding: Diagnostic) {
        let mut finding = finding.at(self.root.locate(path));
        finding.field = path.to_string();
        self.found.push(finding);
    }

    pub(super) fn report_key(&mut self, path: &Path, finding: Diagnostic) {
        let mut finding = finding.at(self.root.locate_key(path));
        finding.field = path.to_string();
        self.found.push(finding);
    }

    pub(super) fn missing(&mut self, name: &str) {
        let finding = Diagnostic::error(name, format!("`{name}` is missing")).at(self.root.span);
        self.found.push(finding);
    }

    /// The node at a path; `None` where there is none or it is null.
    pub(super) fn node(&self, path: &Path) -> Option<&'a Node> {
        let mut node = self.root;
        for step in &path.0 {
            node = match step {
                Step::Key(key) => node.get(key)?,
                Step::Index(i) => node.items().get(*i)?,
            };
        }
        (!node.is_null()).then_some(node)
    }

    pub(super) fn entries(&self, path: &Path) -> &'a [Entry] {
        self.node(path).map_or(&[], Node::entries)
    }

    fn wrong(&mut self, path: &Path, expected: &str) {
        self.report(path, Diagnostic::error("", format!("expected {expected}")));
    }

    pub(super) fn text(&mut self, path: &Path) -> Option<String> {
        match &self.node(path)?.kind {
            Kind::Scalar { text, .. } => Some(text.clone()),
            _ => {
                self.wrong(path, "a text");
                None
            }
        }
    }

    /// A finite number; quoted ones count too, as the predecessor's page wrote them.
    pub(super) fn number(&mut self, path: &Path) -> Option<f64> {
        let node = self.node(path)?;
        let number = match node.scalar() {
            Some(Scalar::Int(i)) => Some(i as f64),
            Some(Scalar::Large(u)) => Some(u as f64),
            Some(Scalar::Float(x)) => Some(x),
            Some(Scalar::Text(text)) => text.parse().ok(),
            _ => None,
        };
        let number = number.filter(|x: &f64| x.is_finite());
        if number.is_none() {
            self.wrong(path, "a number");
        }
        number
    }

    /// A whole number of at least 1 and at most `most`.
    pub(super) fn count(&mut self, path: &Path, most: u32) -> Option<u32> {
        let number = self.number(path)?;
        if number.fract() == 0.0 && number >= 1.0 && number <= f64::from(most) {
            return Some(number as u32);
        }
        self.wrong(path, &format!("a whole number from 1 to {most}"));
        None
    }

    pub(super) fn switch(&mut self, path: &Path) -> Option<bool> {
        match self.node(path)?.scalar() {
            Some(Scalar::Bool(b)) => Some(b),
            _ => {
                self.wrong(path, "true or false");
                None
            }
        }
    }

    /// The values of a list, or the one value that stands there alone.
    pub(super) fn values(&mut self, path: &Path) -> Vec<(Path, Value)> {
        let Some(node) = self.node(path) else { return Vec::new() };
        let one = [(path.clone(), node)];
        let listed: Vec<(Path, &Node)> = match &node.kind {
            Kind::List(items) => items.iter().enumerate().map(|(i, n)| (path.join(i), n)).collect(),
            _ => one.to_vec(),
        };
        let mut out = Vec::new();
        for (place, node) in listed {
            match value(node) {
                Some(value) => out.push((place, value)),
                None => self.wrong(&place, "a single value"),
            }
        }
        out
    }

    /// Notes each key of an object that is not among `known`.
    pub(super) fn only(&mut self, path: &Path, known: &[&str]) {
        for entry in self.entries(path) {
            if !known.contains(&entry.key.as_str()) {
                let near = crate::task::diagnostic::nearest(&entry.key, known.iter().copied());
                let finding = Diagnostic::note("", format!("unknown field `{}` is left out", entry.key)).suggest(near);
                self.report_key(&path.join(entry.key.as_str()), finding);
            }
        }
    }
}

/// A scalar as a parameter's value.
pub(super) fn value(node: &Node) -> Option<Value> {
    Some(match node.scalar()? {
        Scalar::Null => Value::Null,
        Scalar::Bool(b) => Value::Bool(b),
        Scalar::Int(i) => Value::Int(i),
        Scalar::Large(_) => return None,
        Scalar::Float(x) if x.is_finite() => Value::Float(x),
        Scalar::Float(_) => return None,
        Scalar::Text(text) => Value::Text(text.to_owned()),
    })
}
