//! Reading presets: this project's files and the predecessor's exports, with every error at its place.

use std::sync::LazyLock;

use schemars::generate::SchemaSettings;
use serde_json::Value as Json;

use super::PresetSpec;
use crate::engine::EngineName;
use crate::task::diagnostic::Diagnostic;
use crate::task::read::shape::Shape;
use crate::task::read::tree::{Entry, Kind, Node, Span, at_path};
use crate::task::read::{ReadContext, yaml};
use crate::task::rules::Rules;
use crate::task::{EngineSpec, ModelSpec, SearchSpaceSpec, TaskSpec};

static SCHEMA: LazyLock<Json> =
    LazyLock::new(|| SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<PresetSpec>().to_value());

/// What a stored or exported preset carries that a preset does not say itself.
const NOT_ITS_OWN: [&str; 6] = ["id", "is_system", "built_in", "created_at", "updated_at", "version"];

/// Presets that were read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct KnownPresets {
    /// At least one, after reading.
    pub presets: Vec<PresetSpec>,
    /// What is worth knowing.
    pub notes: Vec<Diagnostic>,
}

/// Reads one preset, or a file with `preset:` or `presets:` in it, YAML or JSON; the predecessor's exports are such files.
/// All errors are returned.
///
/// # Errors
/// What is wrong, each with its place.
pub fn read_presets(text: &str, context: &ReadContext<'_>) -> Result<KnownPresets, Vec<Diagnostic>> {
    let (root, duplicates) = yaml::parse(text).map_err(|error| vec![*error])?;
    let nodes: Vec<&Node> = match (root.get("presets"), root.get("preset")) {
        (Some(list), _) if !list.items().is_empty() => list.items().iter().collect(),
        (Some(list), _) => {
            return Err(vec![Diagnostic::error("presets", "there is no preset in the list").at(list.span)]);
        }
        (None, Some(one)) => vec![one],
        (None, None) => vec![&root],
    };
    let (mut presets, mut found) = (Vec::new(), duplicates);
    for node in nodes {
        presets.extend(one(node, context, &mut found));
    }
    found.sort_by_key(|d| (d.line, d.column, d.severity));
    if found.iter().any(Diagnostic::is_error) {
        return Err(found);
    }
    Ok(KnownPresets { presets, notes: found })
}

fn one(node: &Node, context: &ReadContext<'_>, found: &mut Vec<Diagnostic>) -> Option<PresetSpec> {
    let node = own_words(node);
    let mut shape = Shape::new(&SCHEMA);
    let repaired = shape.repair(&node);
    let broken = shape.found.iter().any(Diagnostic::is_error);
    found.append(&mut shape.found);
    let preset: PresetSpec = match serde_json::from_value(repaired) {
        Ok(preset) => preset,
        Err(error) => {
            found.push(Diagnostic::error("", error.to_string()).at(node.span));
            return None;
        }
    };
    if !broken && preset.parameters.0.is_empty() {
        let finding = Diagnostic::error("parameters", "a preset without parameters changes nothing");
        found.push(finding.help("name at least one flag with its values").at(node.locate_key(&at_path!["parameters"])));
    }
    let word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ' ');
    if preset.category.is_empty() || preset.category.len() > 40 || !preset.category.chars().all(word) {
        let finding = Diagnostic::error("category", "a category is a word of at most 40 characters");
        found.push(finding.allowed("letters, digits, `-`, `_`, `.` and spaces").at(node.locate(&at_path!["category"])));
    }
    found.extend(meaning(&preset, node, &shape.replaced, context));
    Some(preset)
}

/// What the rules of a task file say of the parameters.
fn meaning(
    preset: &PresetSpec,
    node: Node,
    replaced: &[crate::task::read::tree::Path],
    context: &ReadContext<'_>,
) -> Vec<Diagnostic> {
    let spec = task_of(preset);
    let known_flags = context.known_flags.filter(|_| preset.engine.is_some());
    let context = ReadContext { known_flags, ..*context };
    let entry = |key: &str, value: Node| Entry { key: key.to_owned(), key_span: value.span, value };
    let name = node.get("name").cloned().unwrap_or_else(|| node.clone());
    let span = node.span;
    let root = Node { kind: Kind::Map(vec![entry("name", name), entry("search_space", node)]), span };
    let inside = |p: &crate::task::read::tree::Path| {
        let mut path = at_path!["search_space"];
        path.0.extend(p.0.iter().cloned());
        path
    };
    let replaced: Vec<_> = replaced.iter().map(inside).collect();
    let mut rules = Rules { spec: &spec, root: &root, context: &context, replaced: &replaced, found: Vec::new() };
    rules.apply();
    let ours = |mut finding: Diagnostic| match finding.field.strip_prefix("search_space.") {
        Some(field) => {
            finding.field = field.to_owned();
            Some(finding)
        }
        None => (finding.field == "name").then_some(finding),
    };
    rules.found.into_iter().filter_map(ours).collect()
}

/// A task that varies just these parameters.
fn task_of(preset: &PresetSpec) -> TaskSpec {
    let name = preset.engine.unwrap_or(EngineName::Vllm);
    let engine = EngineSpec {
        name,
        version: None,
        command: Vec::new(),
        fixed: Default::default(),
        env: Default::default(),
        gpus: None,
        hardware: None,
    };
    let space = SearchSpaceSpec {
        parameters: preset.parameters.clone(),
        constraints: preset.constraints.clone(),
        ..SearchSpaceSpec::default()
    };
    let model = ModelSpec { id: Some("any".to_owned()), ..ModelSpec::default() };
    TaskSpec::new(preset.name.clone(), model, engine, space)
}

/// The node in this project's words: the predecessor calls the engine a runtime, and writes null for what is absent.
fn own_words(node: &Node) -> Node {
    let mut node = node.clone();
    if let Kind::Map(entries) = &mut node.kind {
        let has_engine = entries.iter().any(|e| e.key == "engine");
        for entry in entries.iter_mut().filter(|e| e.key == "runtime" && !has_engine) {
            "engine".clone_into(&mut entry.key);
        }
        entries.retain(|e| !NOT_ITS_OWN.contains(&e.key.as_str()) && !(e.value.is_null() && e.key != "parameters"));
    }
    if node.span == Span::default() {
        node.span = Span { line: 1, column: 1, length: 1 };
    }
    node
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<KnownPresets, Vec<String>> {
        let flags = |engine: EngineName| (engine == EngineName::Vllm).then(|| vec!["max-num-seqs".to_owned()]);
        let context = ReadContext { known_flags: Some(&flags), ..ReadContext::default() };
        read_presets(text, &context).map_err(|found| {
            found.iter().map(|d| format!("{}:{} {}: {}", d.line, d.column, d.field, d.message)).collect()
        })
    }

    // R0.6
    #[test]
    fn an_export_of_the_predecessor_is_read_with_its_runtime() {
        let text = r#"{"version": "1.0", "preset": {"name": "My vLLM", "description": null, "category": "performance",
            "runtime": "vllm", "is_system": false, "parameters": {"max-num-seqs": [64, 128], "quantization": [null]},
            "metadata": {"author": "me"}}}"#;
        let told = read(text).unwrap_err();
        assert_eq!(told[0], "1:39 name: a name has no spaces", "{told:?}");
        let known = read(&text.replace("My vLLM", "my-vllm")).unwrap();
        let [preset] = known.presets.as_slice() else { panic!("{known:?}") };
        assert_eq!((preset.engine, preset.category.as_str()), (Some(EngineName::Vllm), "performance"));
        assert_eq!(preset.metadata["author"], "me");
        assert_eq!(known.notes.len(), 1, "quantization is not in this catalogue: {:?}", known.notes);
    }

    #[test]
    fn what_is_written_is_read_again() {
        let text =
            "name: p\nengine: vllm\nparameters:\n  b: bool\n  a: {low: 0.1, high: 0.9, step: 0.1, when: b == true}\n";
        let preset = read(text).unwrap().presets.remove(0);
        let again = serde_json::to_string(&preset).unwrap();
        assert_eq!(read(&again).unwrap().presets, std::slice::from_ref(&preset));
        let two = format!("{{\"presets\": [{again}, {again}]}}");
        assert_eq!(read(&two).unwrap().presets.len(), 2);
    }

    #[test]
    fn every_error_is_told_at_its_place() {
        let text = "name: p\nengine: vlm\nparameters:\n  a: []\n  b: {low: 5, high: 1}\n  --c: [1]\nconstraints: [zz > 1]\nextra: 1\n";
        let told = read(text).unwrap_err();
        let wanted = ["2:9 engine", "4:3 parameters.a", "5:", "6:3 parameters.--c", "7:", "8:1 extra"];
        for (told, wanted) in told.iter().zip(wanted) {
            assert!(told.starts_with(wanted), "{told} / {wanted}");
        }
        assert_eq!(told.len(), wanted.len(), "{told:#?}");
        for empty in ["name: p\nparameters: {}\n", "presets: []"] {
            assert_eq!(read(empty).unwrap_err().len(), 1);
        }
        assert!(!read("name: p").unwrap_err().is_empty() && !read("").unwrap_err().is_empty());
    }
}
