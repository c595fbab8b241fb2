//! Reading a task file: text to a checked [`TaskSpec`] and its search space, with every error of the file at once.
//!
//! Three passes over one tree that knows its places: structure (against the generated schema), decoding, meaning.

mod hints;
pub(crate) mod shape;
pub(crate) mod tree;
mod words;
pub(crate) mod yaml;

use serde_json::Value as Json;

use super::diagnostic::Diagnostic;
use super::preset::{self, PresetSpec};
use super::rules::Rules;
use super::{TaskSpec, import, schema, search_space};
use crate::SearchSpace;
use crate::engine::EngineName;
use shape::Shape;

/// Findings that are told about one file.
const MOST_FINDINGS: usize = 100;

/// What the caller knows about the world, for better advice. Reading works without.
#[derive(Clone, Copy, Default)]
pub struct ReadContext<'a> {
    /// The flags an engine has, without leading dashes; `None` where no catalogue exists. Unknown flags get a note.
    pub known_flags: Option<&'a dyn Fn(EngineName) -> Option<Vec<String>>>,
    /// GPUs of the simulator; others are refused.
    pub known_gpus: Option<&'a [&'a str]>,
    /// Presets that a file may name.
    pub presets: &'a [PresetSpec],
    /// The one spelling of an engine's flag that has several. Without it, `_` and `-` are the same.
    pub canonical: Option<&'a dyn Fn(EngineName, &str) -> String>,
}

/// A task that can be run.
#[derive(Clone, Debug, PartialEq)]
pub struct LoadedTask {
    /// The file with every default filled in.
    pub spec: TaskSpec,
    /// What is searched.
    pub space: SearchSpace,
    /// What is worth knowing; no errors.
    pub notes: Vec<Diagnostic>,
}

/// Reads a task file (YAML 1.2 or JSON). All its errors are returned, in the order of the file.
pub fn read(text: &str, context: &ReadContext<'_>) -> Result<LoadedTask, Vec<Diagnostic>> {
    let (root, duplicates) = yaml::parse(text).map_err(|error| vec![*error])?;
    if import::is_predecessor(&root) {
        let finding = Diagnostic::error("", "this is a task file of the predecessor");
        return Err(vec![finding.help("translate it once: autotuner tasks import FILE").at(root.span)]);
    }
    let mut shape = Shape::new(schema());
    let repaired = shape.repair(&root);
    let Shape { mut found, replaced, .. } = shape;
    found.extend(duplicates);
    let mut spec = decode(repaired, &root, &mut found);
    if let Some(spec) = &mut spec {
        found.extend(preset::expand(spec, &root, context));
        let mut rules = Rules { spec, root: &root, context, replaced: &replaced, found: Vec::new() };
        rules.apply();
        found.extend(rules.found);
    }
    found.sort_by_key(|d| (d.line, d.column, d.severity));
    let errors = found.iter().filter(|d| d.is_error()).count();
    if let (0, Some(spec)) = (errors, spec) {
        let space = search_space(&spec).map_err(|e| vec![Diagnostic::error(&e.place, e.message)])?;
        return Ok(LoadedTask { spec, space, notes: found });
    }
    found.truncate(MOST_FINDINGS);
    if errors > MOST_FINDINGS
        && let Some(last) = found.last_mut()
    {
        last.help = Some(format!("{} more findings are not shown", errors - MOST_FINDINGS));
    }
    Err(found)
}

/// Checks a spec that was built or changed in memory. Places refer to its form as [`super::to_yaml`] writes it.
pub fn check(spec: &TaskSpec, context: &ReadContext<'_>) -> Result<LoadedTask, Vec<Diagnostic>> {
    read(&super::to_yaml(spec), context)
}

fn decode(repaired: Json, root: &tree::Node, found: &mut Vec<Diagnostic>) -> Option<TaskSpec> {
    match serde_json::from_value(repaired) {
        Ok(spec) => Some(spec),
        Err(error) => {
            found.push(Diagnostic::error("", error.to_string()).at(root.span));
            None
        }
    }
}
