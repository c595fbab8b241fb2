//! The file as a tree in which every node knows its place. Scalars mean what YAML 1.2's core schema says.

use std::fmt;

use serde_json::Value as Json;

/// A place in the text: one-based line and column, length in characters (within the line).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Span {
    pub line: usize,
    pub column: usize,
    pub length: usize,
}

/// One value of the file and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub kind: Kind,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub(crate) enum Kind {
    Scalar { text: String, plain: bool },
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// One key of a map with its value.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub key: String,
    pub key_span: Span,
    pub value: Node,
}

/// What a scalar means under the core schema.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Scalar<'n> {
    Null,
    Bool(bool),
    Int(i64),
    /// Above `i64::MAX`.
    Large(u64),
    Float(f64),
    Text(&'n str),
}

impl Node {
    /// The meaning of a scalar; `None` for lists and maps.
    pub(crate) fn scalar(&self) -> Option<Scalar<'_>> {
        match &self.kind {
            Kind::Scalar { text, plain: true } => Some(resolve(text)),
            Kind::Scalar { text, plain: false } => Some(Scalar::Text(text)),
            _ => None,
        }
    }

    pub(crate) fn is_null(&self) -> bool {
        self.scalar() == Some(Scalar::Null)
    }

    /// The entries of a map; nothing for all else.
    pub(crate) fn entries(&self) -> &[Entry] {
        match &self.kind {
            Kind::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The value under a key of a map.
    pub(crate) fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|e| &e.value)
    }

    pub(crate) fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries().iter().find(|e| e.key == key)
    }

    /// The items of a list; nothing for all else.
    pub(crate) fn items(&self) -> &[Node] {
        match &self.kind {
            Kind::List(items) => items,
            _ => &[],
        }
    }

    /// The place of the value at `path`, or of its nearest ancestor that exists. Maps and lists are shown by their key.
    pub(crate) fn locate(&self, path: &Path) -> Span {
        self.find(path, false)
    }

    /// Like [`Node::locate`], but the key of the last step instead of its value.
    pub(crate) fn locate_key(&self, path: &Path) -> Span {
        self.find(path, true)
    }

    fn find(&self, path: &Path, key: bool) -> Span {
        let (mut node, mut shown) = (self, self.span);
        for step in &path.0 {
            let next = match step {
                Step::Key(key) => node.entry(key).map(|e| (&e.value, e.key_span)),
                Step::Index(i) => node.items().get(*i).map(|n| (n, n.span)),
            };
            match next {
                Some((next, span)) => (node, shown) = (next, span),
                None => return shown,
            }
        }
        match node.kind {
            Kind::Scalar { .. } if !key && node.span.length > 0 => node.span,
            _ => shown,
        }
    }

    /// The node as plain JSON; numbers that JSON cannot hold become null.
    pub(crate) fn to_json(&self) -> Json {
        match &self.kind {
            Kind::List(items) => Json::Array(items.iter().map(Self::to_json).collect()),
            Kind::Map(entries) => Json::Object(entries.iter().map(|e| (e.key.clone(), e.value.to_json())).collect()),
            Kind::Scalar { .. } => match self.scalar().unwrap_or(Scalar::Null) {
                Scalar::Null => Json::Null,
                Scalar::Bool(b) => b.into(),
                Scalar::Int(i) => i.into(),
                Scalar::Large(u) => u.into(),
                Scalar::Float(x) => x.into(),
                Scalar::Text(s) => s.into(),
            },
        }
    }

    pub(super) fn size(&self) -> usize {
        1 + match &self.kind {
            Kind::Scalar { .. } => 0,
            Kind::List(items) => items.iter().map(Self::size).sum(),
            Kind::Map(entries) => entries.iter().map(|e| e.value.size()).sum(),
        }
    }

    pub(super) fn depth(&self) -> usize {
        1 + match &self.kind {
            Kind::Scalar { .. } => 0,
            Kind::List(items) => items.iter().map(Self::depth).max().unwrap_or(0),
            Kind::Map(entries) => entries.iter().map(|e| e.value.depth()).max().unwrap_or(0),
        }
    }
}

/// The meaning of a plain scalar in YAML 1.2's core schema.
fn resolve(text: &str) -> Scalar<'_> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Scalar::Null,
        "true" | "True" | "TRUE" => return Scalar::Bool(true),
        "false" | "False" | "FALSE" => return Scalar::Bool(false),
        ".nan" | ".NaN" | ".NAN" => return Scalar::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => return Scalar::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => return Scalar::Float(f64::NEG_INFINITY),
        _ => {}
    }
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if let Some(hex) = text.strip_prefix("0x") {
        return i64::from_str_radix(hex, 16).map_or(Scalar::Text(text), Scalar::Int);
    }
    if let Some(octal) = text.strip_prefix("0o") {
        return i64::from_str_radix(octal, 8).map_or(Scalar::Text(text), Scalar::Int);
    }
    let numeric = digits.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && digits.contains(|c: char| c.is_ascii_digit())
        && digits.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '+' | '-'));
    if !numeric {
        return Scalar::Text(text);
    }
    if let Ok(whole) = text.parse::<i64>() {
        return Scalar::Int(whole);
    }
    if let Ok(large) = text.parse::<u64>() {
        return Scalar::Large(large);
    }
    text.parse::<f64>().map_or(Scalar::Text(text), Scalar::Float)
}

/// Where a field stands in the file: keys and positions from the top.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Path(pub Vec<Step>);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Key(String),
    Index(usize),
}

impl From<&str> for Step {
    fn from(key: &str) -> Self {
        Self::Key(key.to_owned())
    }
}
impl From<usize> for Step {
    fn from(index: usize) -> Self {
        Self::Index(index)
    }
}

impl Path {
    pub(crate) fn join(&self, step: impl Into<Step>) -> Self {
        let mut steps = self.0.clone();
        steps.push(step.into());
        Self(steps)
    }

    /// Whether one of the two lies within the other.
    pub(crate) fn touches(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).all(|(a, b)| a == b)
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, step) in self.0.iter().enumerate() {
            match step {
                Step::Index(index) => write!(f, "[{index}]")?,
                Step::Key(key) => {
                    let dot = if i == 0 { "" } else { "." };
                    let odd = key.is_empty() || key.contains(|c: char| !(c.is_alphanumeric() || "-_".contains(c)));
                    if odd { write!(f, "{dot}{key:?}")? } else { write!(f, "{dot}{key}")? }
                }
            }
        }
        Ok(())
    }
}

/// Builds a [`Path`] from keys and positions.
macro_rules! at_path {
    ($($step:expr),* $(,)?) => { $crate::task::read::tree::Path(vec![$($crate::task::read::tree::Step::from($step)),*]) };
}
pub(crate) use at_path;
