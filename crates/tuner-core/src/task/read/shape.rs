//! Structure: every node against the generated schema, every problem reported.
//!
//! The result is a *repaired* copy: what is wrong is left out (or replaced where it must exist), so that it always
//! decodes and the rules on meaning can look at the rest of the file in the same go.

use std::sync::LazyLock;

use serde_json::{Map, Value as Json};

use super::hints;
use super::tree::{Kind, Node, Path, Scalar, Span};
use crate::task::diagnostic::{Diagnostic, nearest};

static NO_FIELDS: LazyLock<Map<String, Json>> = LazyLock::new(Map::new);

/// Checks one file against the schema.
pub(crate) struct Shape<'s> {
    schema: &'s Json,
    /// What was found.
    pub found: Vec<Diagnostic>,
    /// Paths whose value in the repaired copy is not the user's.
    pub replaced: Vec<Path>,
}

/// A place in the file during the walk.
pub(super) struct Here<'n> {
    pub node: &'n Node,
    pub path: Path,
    /// Where to point at when the value itself cannot be shown.
    pub key: Span,
}

impl Here<'_> {
    fn span(&self) -> Span {
        match self.node.kind {
            Kind::Scalar { .. } if self.node.span.length > 0 => self.node.span,
            _ => self.key,
        }
    }
}

impl<'s> Shape<'s> {
    pub(crate) fn new(schema: &'s Json) -> Self {
        Self { schema, found: Vec::new(), replaced: Vec::new() }
    }

    /// The repaired file.
    pub(crate) fn repair(&mut self, root: &Node) -> Json {
        let here = Here { node: root, path: Path::default(), key: Span { line: root.span.line, column: 1, length: 1 } };
        self.check(&here, self.schema).unwrap_or_else(|| {
            self.replaced.push(Path::default());
            self.placeholder(self.schema)
        })
    }

    /// The value if it fits, repaired inside; `None` if it does not fit at all.
    fn check(&mut self, here: &Here<'_>, schema: &'s Json) -> Option<Json> {
        let (schema, name) = self.resolve(schema);
        let mut branches = self.branches(schema);
        if here.node.is_null() && branches.iter().any(|b| allows(b, "null")) {
            return Some(Json::Null);
        }
        branches.retain(|b| b.get("type").and_then(Json::as_str) != Some("null"));
        let chosen = match branches.as_slice() {
            [] => return Some(self.anything(here)),
            [only] => only,
            several => {
                // Words, alone or beside other forms: `best`, `worst` or an object.
                let all: Vec<&str> = several.iter().flat_map(|b| words(b)).collect();
                let other = several.iter().any(|b| words(b).is_empty() && fits(here.node, b));
                let only_words = several.iter().all(|b| !words(b).is_empty());
                let word = matches!(here.node.scalar(), Some(Scalar::Text(text)) if all.contains(&text));
                if only_words
                    || word
                    || (here.node.scalar().is_some() && !all.is_empty() && !other && name != "ParameterSpec")
                {
                    let forms = several.iter().filter_map(|b| hints::form(b)).collect();
                    return self.listed(here, all, forms);
                }
                if let Some(tagged) = self.tagged(here, several) {
                    return tagged;
                }
                match several.iter().find(|b| fits(here.node, b)) {
                    Some(branch) => branch,
                    None => return self.refuse(here, schema, name),
                }
            }
        };
        if !words(chosen).is_empty() {
            return self.listed(here, words(chosen), Vec::new());
        }
        if name == "Stat" {
            return self.stat(here);
        }
        match &here.node.kind {
            Kind::Map(_) if allows(chosen, "object") => Some(self.object(here, chosen)),
            Kind::List(_) if allows(chosen, "array") => Some(self.list(here, chosen)),
            Kind::Scalar { .. } => self.scalar(here, chosen, name),
            _ if chosen.get("type").is_none() => Some(self.anything(here)),
            _ => self.refuse(here, chosen, name),
        }
    }

    fn resolve(&self, schema: &'s Json) -> (&'s Json, &'s str) {
        match schema.get("$ref").and_then(Json::as_str).and_then(|r| r.strip_prefix("#/$defs/")) {
            Some(name) => (self.schema.get("$defs").and_then(|d| d.get(name)).unwrap_or(&Json::Null), name),
            None => (schema, ""),
        }
    }

    /// The alternatives of a schema, nested choices laid flat; a schema without a choice is its own alternative.
    fn branches(&self, schema: &'s Json) -> Vec<&'s Json> {
        let choice = schema.get("anyOf").or_else(|| schema.get("oneOf")).and_then(Json::as_array);
        match choice {
            Some(members) => members.iter().flat_map(|m| self.branches(self.resolve(m).0)).collect(),
            None if schema.as_object().is_some_and(|o| !o.is_empty()) => vec![schema],
            None => Vec::new(),
        }
    }

    pub(super) fn report(&mut self, here: &Here<'_>, finding: Diagnostic) -> Option<Json> {
        let mut finding = finding.at(here.span());
        finding.field = here.path.to_string();
        self.found.push(finding);
        None
    }

    /// A wrong kind of value.
    fn refuse(&mut self, here: &Here<'_>, schema: &'s Json, name: &str) -> Option<Json> {
        let expected = self.describe(schema);
        let message = format!("expected {expected}, found {}", hints::describe_node(here.node));
        let mut finding = Diagnostic::error("", message);
        if name == "ParameterSpec" {
            finding.message = format!(
                "expected a list of values, a range or the word `bool`, found {}",
                hints::describe_node(here.node)
            );
        }
        finding.help = hints::wrong_kind(here.node, schema, name, &here.path);
        self.report(here, finding)
    }

    fn describe(&self, schema: &'s Json) -> String {
        let mut kinds: Vec<&str> = Vec::new();
        for branch in self.branches(schema) {
            let kind = if !words(branch).is_empty() { "a word" } else { hints::kind_word(branch) };
            if !kinds.contains(&kind) {
                kinds.push(kind);
            }
        }
        kinds.retain(|k| *k != "nothing");
        if kinds.contains(&"a number") {
            kinds.retain(|k| *k != "a whole number");
        }
        match kinds.split_last() {
            Some((last, [])) => (*last).to_owned(),
            Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
            None => "a value".to_owned(),
        }
    }

    pub(super) fn object(&mut self, here: &Here<'_>, schema: &'s Json) -> Json {
        let properties = schema.get("properties").and_then(Json::as_object).unwrap_or(&NO_FIELDS);
        let extra = schema.get("additionalProperties");
        let required: Vec<&str> =
            schema.get("required").and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str).collect();
        let mut out = Map::new();
        for entry in here.node.entries() {
            let inner = Here { node: &entry.value, path: here.path.join(entry.key.as_str()), key: entry.key_span };
            let property = properties.get(&entry.key).or(extra.filter(|e| e.is_object()));
            let Some(property) = property else {
                // Editors write `$schema` into JSON files.
                if here.path.0.is_empty() && entry.key == "$schema" {
                    continue;
                }
                if extra == Some(&Json::Bool(false)) {
                    self.unknown_field(&inner, &entry.key, &here.path, properties);
                } else {
                    out.insert(entry.key.clone(), self.anything(&inner));
                }
                continue;
            };
            match self.check(&inner, property) {
                Some(value) => {
                    out.insert(entry.key.clone(), value);
                }
                None => self.replaced.push(inner.path),
            }
        }
        for name in required {
            if out.contains_key(name) {
                continue;
            }
            let path = here.path.join(name);
            let misspelt = self
                .found
                .iter()
                .filter(|f| f.suggestion.as_deref() == Some(name))
                .any(|f| here.node.entries().iter().any(|e| f.field == here.path.join(e.key.as_str()).to_string()));
            if misspelt {
                self.replaced.push(path);
            } else if here.node.get(name).is_none() {
                let property = properties.get(name).unwrap_or(&Json::Null);
                let finding = Diagnostic::error(&path, format!("`{name}` is missing"));
                let mut finding = finding.help(hints::missing(name, property)).at(here.key);
                finding.allowed = self.words_of(property);
                self.found.push(finding);
                self.replaced.push(path);
            }
            out.insert(name.to_owned(), properties.get(name).map_or(Json::Null, |p| self.placeholder(p)));
        }
        Json::Object(out)
    }

    fn unknown_field(&mut self, here: &Here<'_>, key: &str, parent: &Path, properties: &Map<String, Json>) {
        let near = nearest(key, properties.keys().map(String::as_str)).or_else(|| hints::other_field(key, properties));
        let home = if near.is_none() { self.home(self.schema, key, &Path::default(), 0) } else { None };
        let place = if parent.0.is_empty() { "a task".to_owned() } else { format!("`{parent}`") };
        let names: Vec<&str> = properties.keys().map(String::as_str).collect();
        let mut finding = Diagnostic::error(&here.path, format!("unknown field `{key}`")).suggest(near);
        finding.allowed = Some(if names.is_empty() { "no fields".to_owned() } else { names.join(", ") });
        finding.help = match (near, home) {
            (None, Some(home)) => Some(format!("`{key}` belongs to `{home}`, not to {place}")),
            (None, None) => hints::unknown_field(key, parent),
            _ => None,
        };
        self.found.push(finding.at(here.key));
        self.replaced.push(here.path.clone());
    }

    /// Where else in the schema a field of this name stands.
    fn home(&self, schema: &Json, key: &str, path: &Path, depth: usize) -> Option<Path> {
        let (schema, _) = match schema.get("$ref").and_then(Json::as_str).and_then(|r| r.strip_prefix("#/$defs/")) {
            Some(name) => (self.schema.get("$defs")?.get(name)?, name),
            None => (schema, ""),
        };
        let properties = schema.get("properties")?.as_object()?;
        if depth > 0 && properties.contains_key(key) {
            return Some(path.clone());
        }
        if depth == 3 {
            return None;
        }
        properties.iter().find_map(|(name, inner)| self.home(inner, key, &path.join(name.as_str()), depth + 1))
    }

    fn list(&mut self, here: &Here<'_>, schema: &'s Json) -> Json {
        let items = here.node.items();
        let bound = |name: &str| schema.get(name).and_then(Json::as_u64);
        if bound("minItems").is_some_and(|least| (items.len() as u64) < least) {
            let finding =
                Diagnostic::error("", "the list is empty").help("give at least one entry, or leave the field out");
            self.report(here, finding);
            self.replaced.push(here.path.clone());
            let placeholder = schema.get("items").map(|i| self.placeholder(i));
            return Json::Array(placeholder.into_iter().collect());
        }
        if bound("maxItems").is_some_and(|most| items.len() as u64 > most) {
            let most = bound("maxItems").unwrap_or_default();
            let finding = Diagnostic::error("", format!("the list has {} entries", items.len()));
            self.report(here, finding.allowed(format!("at most {most}")));
        }
        let mut out = Vec::new();
        for (i, node) in items.iter().enumerate() {
            let inner = Here { node, path: here.path.join(i), key: node.span };
            let value = match schema.get("items") {
                Some(item) => self.check(&inner, item).unwrap_or_else(|| {
                    self.replaced.push(inner.path.clone());
                    self.placeholder(item)
                }),
                None => self.anything(&inner),
            };
            out.push(value);
        }
        Json::Array(out)
    }

    /// Free content: only numbers that JSON cannot hold are wrong.
    fn anything(&mut self, here: &Here<'_>) -> Json {
        if let Some(Scalar::Float(x)) = here.node.scalar()
            && !x.is_finite()
        {
            self.report(here, Diagnostic::error("", "this is not a finite number"));
        }
        for entry in here.node.entries() {
            let path = here.path.join(entry.key.as_str());
            self.anything(&Here { node: &entry.value, path, key: entry.key_span });
        }
        for (i, node) in here.node.items().iter().enumerate() {
            self.anything(&Here { node, path: here.path.join(i), key: node.span });
        }
        here.node.to_json()
    }

    fn scalar(&mut self, here: &Here<'_>, schema: &'s Json, name: &str) -> Option<Json> {
        let Kind::Scalar { text, .. } = &here.node.kind else { return None };
        let meaning = here.node.scalar()?;
        if let Scalar::Float(x) = meaning
            && !x.is_finite()
            && (allows(schema, "number") || !allows(schema, "string"))
        {
            return self.report(here, Diagnostic::error("", format!("`{text}` is not a finite number")));
        }
        let value = match meaning {
            Scalar::Bool(b) if allows(schema, "boolean") => return Some(b.into()),
            Scalar::Int(i) if allows(schema, "integer") || allows(schema, "number") => Json::from(i),
            Scalar::Large(u) if allows(schema, "integer") || allows(schema, "number") => Json::from(u),
            Scalar::Float(x) if allows(schema, "number") => Json::from(x),
            // Versions, environment values and names may look like numbers: the text counts.
            Scalar::Int(_) | Scalar::Large(_) | Scalar::Float(_) | Scalar::Bool(_) | Scalar::Text(_)
                if allows(schema, "string") =>
            {
                return Some(text.as_str().into());
            }
            _ => return self.refuse(here, schema, name),
        };
        match hints::out_of_bounds(&value, schema) {
            Some((message, allowed)) => {
                self.report(here, Diagnostic::error("", format!("{text} is {message}")).allowed(allowed))
            }
            None => Some(value),
        }
    }

    /// The words of a schema that is a choice of words.
    fn words_of(&self, schema: &'s Json) -> Option<String> {
        let words: Option<Vec<&str>> =
            self.branches(self.resolve(schema).0).iter().map(|b| b.get("const")?.as_str()).collect();
        words.filter(|w| !w.is_empty()).map(|w| w.join(", "))
    }

    /// Something that decodes in the place of what is wrong or missing.
    fn placeholder(&self, schema: &'s Json) -> Json {
        let (schema, name) = self.resolve(schema);
        let branches = self.branches(schema);
        let Some(first) = branches.first() else { return Json::Null };
        if let Some(word) = first.get("const").or_else(|| first.get("enum").and_then(|e| e.get(0))) {
            return word.clone();
        }
        if name == "Stat" {
            return "mean".into();
        }
        match hints::kind_word(first) {
            "an object" => {
                let properties = first.get("properties").and_then(Json::as_object).unwrap_or(&NO_FIELDS);
                let required = first.get("required").and_then(Json::as_array).into_iter().flatten();
                let filled = required
                    .filter_map(Json::as_str)
                    .map(|name| (name.to_owned(), properties.get(name).map_or(Json::Null, |p| self.placeholder(p))));
                Json::Object(filled.collect())
            }
            "a list" => Json::Array(Vec::new()),
            "a number" | "a whole number" => first.get("minimum").cloned().unwrap_or_else(|| 1.into()),
            "true or false" => false.into(),
            "a text" => "x".into(),
            _ => Json::Null,
        }
    }
}

/// The words that a schema without a choice allows; empty if it is about something else.
fn words(schema: &Json) -> Vec<&str> {
    let several = schema.get("enum").and_then(Json::as_array).into_iter().flatten();
    schema.get("const").into_iter().chain(several).filter_map(Json::as_str).collect()
}

/// Whether a schema without a choice allows a JSON type.
pub(super) fn allows(schema: &Json, kind: &str) -> bool {
    match schema.get("type") {
        Some(Json::String(one)) => one == kind,
        Some(Json::Array(several)) => several.iter().any(|t| t == kind),
        _ => schema.get("const").is_some_and(Json::is_string) && kind == "string",
    }
}

/// Whether a node is of the kind that a branch wants; its content may still be wrong.
fn fits(node: &Node, branch: &Json) -> bool {
    match &node.kind {
        Kind::Map(_) => allows(branch, "object"),
        Kind::List(_) => allows(branch, "array"),
        Kind::Scalar { .. } => match node.scalar() {
            Some(Scalar::Bool(_)) => allows(branch, "boolean"),
            Some(Scalar::Int(_)) => allows(branch, "integer") || allows(branch, "number"),
            Some(Scalar::Large(_) | Scalar::Float(_)) => allows(branch, "number"),
            Some(Scalar::Text(_)) => allows(branch, "string"),
            _ => false,
        },
    }
}
