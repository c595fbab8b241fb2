//! The file as a tree in which every node knows its place. YAML 1.2 (core schema), and JSON as a part of it.
//!
//! Bounded: size of the text, depth, and number of nodes after aliases are expanded.

use std::collections::HashMap;
use std::fmt;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span as Marks};
use serde_json::Value as Json;

use crate::task::diagnostic::Diagnostic;

/// Largest file that is read, in bytes.
const MAX_BYTES: usize = 1 << 20;
const MAX_DEPTH: usize = 32;
const MAX_NODES: usize = 20_000;

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

    fn size(&self) -> usize {
        1 + match &self.kind {
            Kind::Scalar { .. } => 0,
            Kind::List(items) => items.iter().map(Self::size).sum(),
            Kind::Map(entries) => entries.iter().map(|e| e.value.size()).sum(),
        }
    }

    fn depth(&self) -> usize {
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

/// Reads the text. Duplicate keys are reported and the first one kept; what is not YAML ends the reading.
pub(crate) fn parse(text: &str) -> Result<(Node, Vec<Diagnostic>), Diagnostic> {
    if text.len() > MAX_BYTES {
        return Err(Diagnostic::error("", format!("the file is larger than {} KiB", MAX_BYTES >> 10)));
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    match events(text) {
        Err(error) => events(&joined_surrogates(text).ok_or(error)?),
        read => read,
    }
}

/// JSON writes characters beyond the first plane as two escapes, which YAML does not know: `\ud83d\ude00` becomes
/// `\U0001f600`. `None` where there are none.
fn joined_surrogates(text: &str) -> Option<String> {
    let half = |s: &str| u16::from_str_radix(s.strip_prefix("\\u")?.get(..4)?, 16).ok();
    let (mut out, mut rest, mut found) = (String::new(), text, false);
    while let Some(at) = rest.find("\\u") {
        let (before, escape) = rest.split_at(at);
        out.push_str(before);
        let pair = half(escape).zip(escape.get(6..).and_then(half));
        let joined = pair.and_then(|(a, b)| char::decode_utf16([a, b]).next()?.ok()).filter(|c| *c as u32 > 0xFFFF);
        match joined {
            Some(c) => {
                out.push_str(&format!("\\U{:08x}", c as u32));
                (rest, found) = (escape.get(12..)?, true);
            }
            None => {
                out.push_str("\\u");
                rest = escape.get(2..)?;
            }
        }
    }
    out.push_str(rest);
    found.then_some(out)
}

fn events(text: &str) -> Result<(Node, Vec<Diagnostic>), Diagnostic> {
    let mut builder = Builder::default();
    for event in Parser::new_from_str(text) {
        let (event, marks) = event.map_err(|e| not_yaml(&e, text))?;
        builder.take(event, marks)?;
    }
    match builder.root {
        Some(root) => Ok((root, builder.found)),
        None => {
            Err(Diagnostic::error("", "the file is empty").help("a task needs name, model, engine and search_space"))
        }
    }
}

fn span(marks: Marks) -> Span {
    let length = if marks.start.line() == marks.end.line() { marks.len() } else { 1 };
    Span { line: marks.start.line(), column: marks.start.col() + 1, length }
}

impl Diagnostic {
    /// The finding at a place.
    pub(crate) fn at(mut self, span: Span) -> Self {
        (self.line, self.column, self.length) = (span.line.max(1), span.column.max(1), span.length.max(1));
        self
    }
}

fn not_yaml(error: &ScanError, text: &str) -> Diagnostic {
    let line = error.marker().line().clamp(1, text.lines().count().max(1));
    let source = text.lines().nth(line - 1).unwrap_or_default();
    let indent: String = source.chars().take_while(|c| c.is_whitespace()).collect();
    let help = if indent.contains('\t') {
        "YAML is indented with spaces, not with tabs".to_owned()
    } else if error.info().contains("mapping values") {
        "a text with `: ` in it needs quotes; else check the indentation".to_owned()
    } else if error.info().contains("expected key") || error.info().contains("block") {
        "check the indentation: fields of one object start in the same column".to_owned()
    } else {
        "check brackets, quotes and indentation near this place".to_owned()
    };
    let place = Span { line, column: error.marker().col() + 1, length: 1 };
    Diagnostic::error("", format!("this is not YAML or JSON: {}", error.info())).help(help).at(place)
}

enum Frame {
    List { items: Vec<Node>, anchor: usize, span: Span },
    Map { entries: Vec<Entry>, key: Option<(String, Span)>, anchor: usize, span: Span },
}

#[derive(Default)]
struct Builder {
    stack: Vec<Frame>,
    root: Option<Node>,
    anchors: HashMap<usize, Node>,
    nodes: usize,
    found: Vec<Diagnostic>,
}

impl Builder {
    fn take(&mut self, event: Event<'_>, marks: Marks) -> Result<(), Diagnostic> {
        let span = span(marks);
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let forced = match &tag {
                    None => false,
                    Some(tag) if tag.is_yaml_core_schema() => tag.suffix == "str",
                    Some(tag) => {
                        self.found.push(Diagnostic::error("", format!("the tag `{tag}` has no meaning here")).at(span));
                        false
                    }
                };
                let plain = style == ScalarStyle::Plain && !forced;
                self.add(Node { kind: Kind::Scalar { text: text.into_owned(), plain }, span }, anchor)
            }
            Event::SequenceStart(anchor, _) => self.open(Frame::List { items: Vec::new(), anchor, span }, span),
            Event::MappingStart(anchor, _) => {
                self.open(Frame::Map { entries: Vec::new(), key: None, anchor, span }, span)
            }
            Event::SequenceEnd | Event::MappingEnd => match self.stack.pop() {
                Some(Frame::List { items, anchor, span }) => self.add(Node { kind: Kind::List(items), span }, anchor),
                Some(Frame::Map { entries, anchor, span, .. }) => {
                    self.add(Node { kind: Kind::Map(entries), span }, anchor)
                }
                None => Ok(()),
            },
            Event::Alias(id) => {
                let Some(node) = self.anchors.get(&id) else {
                    return Err(Diagnostic::error("", "this alias refers to itself").at(span));
                };
                if self.nodes + node.size() > MAX_NODES || self.stack.len() + node.depth() > MAX_DEPTH {
                    return Err(Diagnostic::error("", "the aliases of this file expand to too much").at(span));
                }
                let node = node.clone();
                self.nodes += node.size();
                self.add(node, 0)
            }
            Event::DocumentStart(_) if self.root.is_some() => {
                Err(Diagnostic::error("", "a second document starts here").help("write one task per file").at(span))
            }
            _ => Ok(()),
        }
    }

    fn open(&mut self, frame: Frame, span: Span) -> Result<(), Diagnostic> {
        if self.stack.len() == MAX_DEPTH {
            return Err(Diagnostic::error("", format!("nested deeper than {MAX_DEPTH} levels")).at(span));
        }
        self.stack.push(frame);
        Ok(())
    }

    fn add(&mut self, node: Node, anchor: usize) -> Result<(), Diagnostic> {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            return Err(Diagnostic::error("", format!("more than {MAX_NODES} values")).at(node.span));
        }
        if anchor > 0 {
            self.anchors.insert(anchor, node.clone());
        }
        let path = self.here();
        match self.stack.last_mut() {
            None => self.root = Some(node),
            Some(Frame::List { items, .. }) => items.push(node),
            Some(Frame::Map { entries, key, .. }) => match (key.take(), node.kind) {
                (None, Kind::Scalar { text, .. }) => *key = Some((text, node.span)),
                (None, _) => return Err(Diagnostic::error("", "a key must be a word").at(node.span)),
                (Some((name, key_span)), kind) => match entries.iter().find(|e| e.key == name) {
                    Some(first) => self.found.push(
                        Diagnostic::error(
                            &path,
                            format!("`{name}` is given twice: first on line {}", first.key_span.line),
                        )
                        .help("keep one of the two")
                        .at(key_span),
                    ),
                    None => {
                        let value = Node { kind, span: node.span };
                        entries.push(Entry { key: name, key_span, value });
                    }
                },
            },
        }
        Ok(())
    }

    /// The path of the value that is being added.
    fn here(&self) -> Path {
        let step = |frame: &Frame| match frame {
            Frame::List { items, .. } => Some(Step::Index(items.len())),
            Frame::Map { key, .. } => key.as_ref().map(|(name, _)| Step::Key(name.clone())),
        };
        Path(self.stack.iter().filter_map(step).collect())
    }
}
