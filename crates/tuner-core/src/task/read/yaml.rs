//! Text to tree: YAML 1.2, and JSON as a part of it.
//!
//! Bounded: size of the text, depth, and number of nodes after aliases are expanded. Duplicate keys are findings.

use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span as Marks};

use super::tree::{Entry, Kind, Node, Path, Span, Step};
use crate::task::diagnostic::Diagnostic;

/// Largest file that is read, in bytes.
const MAX_BYTES: usize = 1 << 20;
const MAX_DEPTH: usize = 32;
const MAX_NODES: usize = 20_000;

/// Reads the text. Duplicate keys are reported and the first one kept; what is not YAML ends the reading.
pub(crate) fn parse(text: &str) -> Result<(Node, Vec<Diagnostic>), Box<Diagnostic>> {
    if text.len() > MAX_BYTES {
        return Err(Diagnostic::error("", format!("the file is larger than {} KiB", MAX_BYTES >> 10)).into());
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

fn events(text: &str) -> Result<(Node, Vec<Diagnostic>), Box<Diagnostic>> {
    let mut builder = Builder::default();
    for event in Parser::new_from_str(text) {
        let (event, marks) = event.map_err(|e| not_yaml(&e, text))?;
        builder.take(event, marks)?;
    }
    match builder.root {
        Some(root) => Ok((root, builder.found)),
        None => Err(Diagnostic::error("", "the file is empty")
            .help("a task needs name, model, engine and search_space")
            .into()),
    }
}

fn span(marks: Marks) -> Span {
    let length = if marks.start.line() == marks.end.line() { marks.len() } else { 1 };
    Span { line: marks.start.line(), column: marks.start.col() + 1, length }
}

fn not_yaml(error: &ScanError, text: &str) -> Box<Diagnostic> {
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
    Diagnostic::error("", format!("this is not YAML or JSON: {}", error.info())).help(help).at(place).into()
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
    fn take(&mut self, event: Event<'_>, marks: Marks) -> Result<(), Box<Diagnostic>> {
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
                    return Err(Diagnostic::error("", "this alias refers to itself").at(span).into());
                };
                if self.nodes + node.size() > MAX_NODES || self.stack.len() + node.depth() > MAX_DEPTH {
                    return Err(Diagnostic::error("", "the aliases of this file expand to too much").at(span).into());
                }
                let node = node.clone();
                self.nodes += node.size();
                self.add(node, 0)
            }
            Event::DocumentStart(_) if self.root.is_some() => {
                Err(Diagnostic::error("", "a second document starts here")
                    .help("write one task per file")
                    .at(span)
                    .into())
            }
            _ => Ok(()),
        }
    }

    fn open(&mut self, frame: Frame, span: Span) -> Result<(), Box<Diagnostic>> {
        if self.stack.len() == MAX_DEPTH {
            return Err(Diagnostic::error("", format!("nested deeper than {MAX_DEPTH} levels")).at(span).into());
        }
        self.stack.push(frame);
        Ok(())
    }

    fn add(&mut self, node: Node, anchor: usize) -> Result<(), Box<Diagnostic>> {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            return Err(Diagnostic::error("", format!("more than {MAX_NODES} values")).at(node.span).into());
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
                (None, _) => return Err(Diagnostic::error("", "a key must be a word").at(node.span).into()),
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
