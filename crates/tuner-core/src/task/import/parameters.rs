//! `parameters`: lists and the three kinds of typed ranges.

use std::collections::BTreeMap;

use super::fields::Fields;
use crate::Value;
use crate::engine::EngineName;
use crate::task::diagnostic::{Diagnostic, nearest};
use crate::task::read::tree::{Kind, Path, at_path};
use crate::task::search::{DomainSpec, Number, NumberKind, ParameterList, ParameterSpec, RangeSpec};

/// Fills `list` with what varies and returns what does not.
pub(super) fn translate(
    fields: &mut Fields<'_>,
    engine: EngineName,
    list: &mut ParameterList,
) -> BTreeMap<String, Value> {
    let mut fixed = BTreeMap::new();
    for entry in fields.entries(&at_path!["parameters"]) {
        let place = at_path!["parameters", entry.key.as_str()];
        let Some(name) = flag_name(fields, &place, &entry.key, engine) else { continue };
        if fixed.contains_key(&name) || list.0.iter().any(|(n, _)| *n == name) {
            let finding = Diagnostic::error("", format!("`{}` is the same flag as another parameter", entry.key));
            fields.report_key(&place, finding.help("keep one of the two"));
            continue;
        }
        match &entry.value.kind {
            Kind::List(_) => {
                let values = fields.values(&place);
                listed(fields, &place, name, values, list, &mut fixed);
            }
            Kind::Map(_) => object(fields, &place, name, list, &mut fixed),
            Kind::Scalar { text, .. } => {
                let finding = Diagnostic::error("", "the predecessor takes a list here, and so does this");
                fields.report(&place, finding.help(format!("write [{text}]")));
            }
        }
    }
    fixed
}

/// The flag's own spelling: TensorRT-LLM writes underscores, the others dashes.
fn flag_name(fields: &mut Fields<'_>, place: &Path, given: &str, engine: EngineName) -> Option<String> {
    if given.starts_with("__") {
        let finding = Diagnostic::error("", format!("`{given}` is an internal name of the predecessor"));
        fields.report_key(place, finding.help("use `quant_config` or `parallel_config`, or the engine's own flags"));
        return None;
    }
    let bare = given.trim_start_matches('-');
    if engine == EngineName::TensorrtLlm || !bare.contains('_') {
        return Some(bare.to_owned());
    }
    let name = bare.replace('_', "-");
    fields
        .report_key(place, Diagnostic::note("", format!("flags of {engine} have dashes: `{given}` becomes `{name}`")));
    Some(name)
}

fn listed(
    fields: &mut Fields<'_>,
    place: &Path,
    name: String,
    values: Vec<(Path, Value)>,
    list: &mut ParameterList,
    fixed: &mut BTreeMap<String, Value>,
) {
    let mut kept: Vec<Value> = Vec::new();
    for (at, value) in values {
        if kept.iter().any(|k| k.same_meaning(&value)) {
            fields.report(&at, Diagnostic::note("", format!("{value} stands in the list twice; once is kept")));
            continue;
        }
        let changed = match &value {
            Value::Null => Some("null leaves the flag out; the predecessor passed the text `None`".to_owned()),
            Value::Bool(false) => Some(format!(
                "false now says so to the engine (`--no-{name}` or its own form); it left the flag out before"
            )),
            Value::Text(text) if text == "None" => {
                Some("`None` is passed as a text; write null to leave the flag out".to_owned())
            }
            _ => None,
        };
        if let Some(message) = changed {
            fields.report(&at, Diagnostic::note("", message));
        }
        kept.push(value);
    }
    match kept.as_slice() {
        [] => fields.report_key(place, Diagnostic::note("", "an empty list: the parameter is left out")),
        [only] => {
            fields.report_key(place, Diagnostic::note("", "one value never varies: it becomes `engine.fixed`"));
            fixed.insert(name, only.clone());
        }
        _ => list.0.push((name, ParameterSpec::List(kept))),
    }
}

fn object(
    fields: &mut Fields<'_>,
    place: &Path,
    name: String,
    list: &mut ParameterList,
    fixed: &mut BTreeMap<String, Value>,
) {
    const TYPES: [&str; 4] = ["choice", "categorical", "continuous", "integer"];
    let kind = fields.text(&place.join("type")).unwrap_or_default();
    match kind.as_str() {
        "choice" | "categorical" => {
            fields.only(place, &["type", "values", "choices"]);
            let mut values = fields.values(&place.join("values"));
            if values.is_empty() {
                values = fields.values(&place.join("choices"));
            }
            listed(fields, place, name, values, list, fixed);
        }
        "continuous" | "integer" => {
            fields.only(place, &["type", "low", "high", "log", "step"]);
            let whole = kind == "integer";
            let mut end = |field: &str| {
                let number = fields.number(&place.join(field))?;
                Some(if whole && number.fract() == 0.0 { Number::Whole(number as i64) } else { Number::Real(number) })
            };
            let (low, high, step) = (end("low"), end("high"), end("step"));
            if low.is_none() || high.is_none() {
                fields.report_key(place, Diagnostic::error("", "the range needs `low` and `high`"));
                return;
            }
            let log = fields.switch(&place.join("log")).unwrap_or(false);
            let range = RangeSpec { low, high, step, log };
            let kind = Some(if whole { NumberKind::Int } else { NumberKind::Float });
            list.0.push((name, ParameterSpec::Full(DomainSpec { kind, range, ..DomainSpec::default() })));
        }
        other => {
            let finding = Diagnostic::error("", format!("unknown type `{other}` of a parameter"));
            fields.report(&place.join("type"), finding.suggest(nearest(other, TYPES)).allowed(TYPES.join(", ")));
        }
    }
}
