//! Several presets made one.
//!
//! *Invariant*: nothing is lost silently. What the result does not hold of its presets is told as a conflict.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::PresetSpec;
use crate::engine::EngineName;
use crate::space::expr::Expr;
use crate::task::domain::domain;
use crate::task::search::{BoolWord, DomainSpec, ParameterList, ParameterSpec, RangeSpec};
use crate::{Domain, Value};

/// How several presets become one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Merge {
    /// Every parameter, with the values of all.
    #[default]
    Union,
    /// Only parameters that all have, with the values that all have.
    Intersection,
    /// Every parameter, as the last preset that has it says.
    LastWins,
}

impl Merge {
    /// Every way.
    pub const ALL: &[Self] = &[Self::Union, Self::Intersection, Self::LastWins];

    /// The word in files.
    pub fn word(self) -> &'static str {
        match self {
            Self::Union => "union",
            Self::Intersection => "intersection",
            Self::LastWins => "last_wins",
        }
    }
}

/// What the result does not hold of a preset.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MergeConflict {
    /// The parameter, or the constraint.
    pub parameter: String,
    /// The preset that is not followed, or only in part.
    pub preset: String,
    /// Why, in a sentence fragment.
    pub message: String,
    /// What that preset says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub given: Option<ParameterSpec>,
    /// What stands in the result; absent if nothing does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kept: Option<ParameterSpec>,
}

/// Several presets as one.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Merged {
    /// The engine that those of them name that name one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub engine: Option<EngineName>,
    /// In the order in which they were first met.
    pub parameters: ParameterList,
    /// Of those whose parameters are all there.
    pub constraints: Vec<String>,
    /// Their names.
    pub presets: Vec<String>,
    /// What was not followed.
    pub conflicts: Vec<MergeConflict>,
}

/// Presets of different engines have no meaning together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{first} is for {first_engine} and {second} for {second_engine}: they do not go together")]
pub struct EnginesDiffer {
    first: String,
    first_engine: EngineName,
    second: String,
    second_engine: EngineName,
}

/// A parameter on its way.
struct Met {
    key: String,
    name: String,
    spec: ParameterSpec,
    /// Presets that have it.
    by: Vec<String>,
    /// No value is left.
    empty: bool,
}

/// Makes several presets one. `canonical` gives the one spelling of a flag that has several.
///
/// # Errors
/// Two of them are for different engines.
pub fn merge(presets: &[PresetSpec], how: Merge, canonical: &dyn Fn(&str) -> String) -> Result<Merged, EnginesDiffer> {
    let engine = common_engine(presets)?;
    let (mut met, mut conflicts): (Vec<Met>, Vec<MergeConflict>) = (Vec::new(), Vec::new());
    for preset in presets {
        for (name, spec) in &preset.parameters.0 {
            let key = canonical(name);
            match met.iter_mut().find(|m| m.key == key) {
                None => {
                    let (name, spec) = (name.clone(), spec.clone());
                    met.push(Met { key, name, spec, by: vec![preset.name.clone()], empty: false });
                }
                Some(there) => conflicts.extend(join(there, preset, spec, how)),
            }
        }
    }
    if how == Merge::Intersection {
        for m in met.iter().filter(|m| m.by.len() < presets.len()) {
            let message = format!("only {} of {} presets have it", m.by.len(), presets.len());
            let preset = m.by.first().cloned().unwrap_or_default();
            let given = Some(m.spec.clone());
            conflicts.push(MergeConflict { parameter: m.name.clone(), preset, message, given, kept: None });
        }
        met.retain(|m| m.by.len() == presets.len() && !m.empty);
    }
    let constraints = constraints(presets, &met, canonical, &mut conflicts);
    Ok(Merged {
        engine,
        parameters: ParameterList(met.into_iter().map(|m| (m.name, m.spec)).collect()),
        constraints,
        presets: presets.iter().map(|p| p.name.clone()).collect(),
        conflicts,
    })
}

fn common_engine(presets: &[PresetSpec]) -> Result<Option<EngineName>, EnginesDiffer> {
    let mut named = presets.iter().filter_map(|p| Some((p.engine?, &p.name)));
    let Some((first_engine, first)) = named.next() else { return Ok(None) };
    match named.find(|(engine, _)| *engine != first_engine) {
        None => Ok(Some(first_engine)),
        Some((second_engine, second)) => {
            let (first, second) = (first.clone(), second.clone());
            Err(EnginesDiffer { first, first_engine, second, second_engine })
        }
    }
}

/// Takes another preset's word on a parameter in.
fn join(there: &mut Met, preset: &PresetSpec, spec: &ParameterSpec, how: Merge) -> Option<MergeConflict> {
    there.by.push(preset.name.clone());
    if there.spec == *spec || there.empty {
        return None;
    }
    let before = there.spec.clone();
    let message = match how {
        Merge::LastWins => {
            there.spec = spec.clone();
            let [.., overruled, _] = there.by.as_slice() else { return None };
            return Some(MergeConflict {
                parameter: there.name.clone(),
                preset: overruled.clone(),
                message: format!("{} comes later and wins", preset.name),
                given: Some(before),
                kept: Some(spec.clone()),
            });
        }
        Merge::Union => match union(&there.spec, spec) {
            Ok(joined) => {
                there.spec = joined;
                return None;
            }
            Err(message) => message,
        },
        Merge::Intersection => match common(&there.spec, spec) {
            Ok(shared) => {
                there.spec = shared;
                return None;
            }
            Err(message) => {
                there.empty = true;
                message
            }
        },
    };
    let kept = (!there.empty).then_some(before);
    let (parameter, preset) = (there.name.clone(), preset.name.clone());
    Some(MergeConflict { parameter, preset, message, given: Some(spec.clone()), kept })
}

/// Constraints over what is there; each once.
fn constraints(
    presets: &[PresetSpec],
    met: &[Met],
    canonical: &dyn Fn(&str) -> String,
    conflicts: &mut Vec<MergeConflict>,
) -> Vec<String> {
    let mut kept: Vec<String> = Vec::new();
    for preset in presets {
        for text in &preset.constraints {
            // Names in it are spelled as its own preset spells them.
            let spelled = |name: &str| met.iter().any(|m| m.name == name && m.key == canonical(name));
            let holds = Expr::parse(text).is_ok_and(|e| e.name_columns().iter().all(|(name, _)| spelled(name)));
            if holds && !kept.contains(text) {
                kept.push(text.clone());
            } else if !holds {
                let message = "it speaks of a parameter that is not in the result under this name".to_owned();
                let (parameter, preset) = (text.clone(), preset.name.clone());
                conflicts.push(MergeConflict { parameter, preset, message, given: None, kept: None });
            }
        }
    }
    kept
}

fn condition(spec: &ParameterSpec) -> Option<&str> {
    match spec {
        ParameterSpec::Full(DomainSpec { when, .. }) => when.as_deref(),
        _ => None,
    }
}

/// The two domains, if both have the same condition.
fn both(a: &ParameterSpec, b: &ParameterSpec) -> Result<(Domain, Domain), String> {
    if condition(a) != condition(b) {
        return Err("the two exist under different conditions".to_owned());
    }
    let read = |spec| domain(spec).map_err(|_| "its values cannot be read".to_owned());
    Ok((read(a)?, read(b)?))
}

/// The values of a list or a switch; none of a range.
fn listed(domain: &Domain) -> Option<Vec<Value>> {
    match domain {
        Domain::Bool => Some(vec![Value::Bool(false), Value::Bool(true)]),
        Domain::Categorical { values } | Domain::Ordinal { values } => Some(values.clone()),
        Domain::Int { .. } | Domain::Float { .. } => None,
    }
}

/// The values of a spec in its own order, where they are listed.
fn own_order(spec: &ParameterSpec, domain: &Domain) -> Option<Vec<Value>> {
    match spec {
        ParameterSpec::List(values) | ParameterSpec::Full(DomainSpec { values: Some(values), .. }) => {
            Some(values.clone())
        }
        _ => listed(domain),
    }
}

/// A parameter with these values instead of its own.
fn with_values(like: &ParameterSpec, values: Vec<Value>) -> ParameterSpec {
    let switch = values.len() == 2 && values.iter().all(|v| v.as_bool().is_some());
    match like {
        ParameterSpec::Full(full) if full.when.is_some() || full.kind.is_some() => {
            let kind = full.kind.filter(|_| !switch);
            let full = DomainSpec { values: Some(values), range: RangeSpec::default(), kind, ..full.clone() };
            ParameterSpec::Full(full)
        }
        _ if switch => ParameterSpec::Word(BoolWord::Bool),
        _ => ParameterSpec::List(values),
    }
}

fn union(a: &ParameterSpec, b: &ParameterSpec) -> Result<ParameterSpec, String> {
    let (of_a, of_b) = both(a, b)?;
    match (own_order(a, &of_a), own_order(b, &of_b)) {
        (Some(mut values), Some(more)) => {
            for value in more {
                if !values.iter().any(|v| v.same_meaning(&value)) {
                    values.push(value);
                }
            }
            Ok(with_values(a, values))
        }
        (None, Some(values)) if values.iter().all(|v| of_a.contains(v)) => Ok(a.clone()),
        (Some(values), None) if values.iter().all(|v| of_b.contains(v)) => Ok(b.clone()),
        (None, None) if of_a == of_b => Ok(a.clone()),
        _ => Err("a range joins only values that lie in it; what came first stands".to_owned()),
    }
}

fn common(a: &ParameterSpec, b: &ParameterSpec) -> Result<ParameterSpec, String> {
    let (of_a, of_b) = both(a, b)?;
    let nothing = || "no value is common to all".to_owned();
    let within = |values: Vec<Value>, other: &Domain, list: Option<&[Value]>, like: &ParameterSpec| {
        let inside = |v: &Value| match list {
            Some(list) => list.iter().any(|x| x.same_meaning(v)),
            None => other.contains(v),
        };
        let values: Vec<Value> = values.into_iter().filter(inside).collect();
        if values.is_empty() { Err(nothing()) } else { Ok(with_values(like, values)) }
    };
    match (own_order(a, &of_a), own_order(b, &of_b)) {
        (Some(mine), Some(theirs)) => within(mine, &of_b, Some(&theirs), a),
        (Some(mine), None) => within(mine, &of_b, None, a),
        (None, Some(theirs)) => within(theirs, &of_a, None, b),
        (None, None) if of_a == of_b => Ok(a.clone()),
        (None, None) => Err("the two ranges differ".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::preset::read_presets;
    use crate::task::read::ReadContext;

    fn preset(text: &str) -> PresetSpec {
        read_presets(text, &ReadContext::default()).unwrap().presets.remove(0)
    }

    fn dashes(name: &str) -> String {
        name.replace('_', "-")
    }

    fn shown(presets: &[PresetSpec], how: Merge) -> (serde_json::Value, Vec<String>) {
        let merged = merge(presets, how, &dashes).unwrap();
        let told = merged.conflicts.iter().map(|c| format!("{} ({}): {}", c.parameter, c.preset, c.message));
        (serde_json::to_value(&merged.parameters).unwrap(), told.collect())
    }

    #[test]
    fn a_union_has_every_value_once_in_the_order_of_the_presets_and_tells_what_cannot_be_joined() {
        let a = preset("{name: a, parameters: {max-num-seqs: [64, 128], x: {low: 1, high: 8}, s: [true]}}");
        let b = preset("{name: b, parameters: {max_num_seqs: [128.0, 32, auto], x: [16], y: [null], s: [false]}}");
        let (parameters, told) = shown(&[a.clone(), b.clone()], Merge::Union);
        let wanted = r#"{"max-num-seqs":[64,128,32,"auto"],"x":{"low":1,"high":8},"s":"bool","y":[null]}"#;
        assert_eq!(parameters.to_string(), wanted);
        assert_eq!(told, ["x (b): a range joins only values that lie in it; what came first stands"]);
        let inside = preset("{name: c, parameters: {x: [2, 4]}}");
        assert_eq!(shown(&[a, inside], Merge::Union).1, Vec::<String>::new());
    }

    #[test]
    fn an_intersection_tells_what_vanishes_whichever_preset_had_it_and_takes_mixed_values() {
        let a = preset("{name: a, parameters: {p: [64, auto, 1.5], q: [1], r: [1, 2]}}");
        let b = preset("{name: b, parameters: {r: [3], p: [auto, 64], z: [1]}}");
        let (parameters, told) = shown(&[a, b], Merge::Intersection);
        assert_eq!(parameters.to_string(), r#"{"p":[64,"auto"]}"#);
        let wanted = [
            "r (b): no value is common to all",
            "q (a): only 1 of 2 presets have it",
            "z (b): only 1 of 2 presets have it",
        ];
        assert_eq!(told, wanted);
    }

    #[test]
    fn the_last_preset_wins_and_each_overruled_one_is_told() {
        let presets =
            ["{name: a, parameters: {p: [1]}}", "{name: b, parameters: {p: [2]}}", "{name: c, parameters: {p: [3]}}"];
        let presets: Vec<PresetSpec> = presets.map(preset).into();
        let (parameters, told) = shown(&presets, Merge::LastWins);
        assert_eq!(parameters.to_string(), r#"{"p":[3]}"#);
        assert_eq!(told, ["p (a): b comes later and wins", "p (b): c comes later and wins"]);
    }

    #[test]
    fn constraints_stay_where_their_parameters_do() {
        let a = preset("{name: a, parameters: {p: [1, 2], q: [1, 2]}, constraints: [p >= q]}");
        let b = preset("{name: b, parameters: {p: [2, 3]}, constraints: [p >= 2]}");
        assert_eq!(merge(&[a.clone(), b.clone()], Merge::Union, &dashes).unwrap().constraints, ["p >= q", "p >= 2"]);
        let merged = merge(&[a, b], Merge::Intersection, &dashes).unwrap();
        assert_eq!((merged.constraints, merged.conflicts.len()), (vec!["p >= 2".to_owned()], 2));
    }

    #[test]
    fn presets_of_two_engines_do_not_go_together() {
        let a = preset("{name: a, engine: vllm, parameters: {p: [1]}}");
        let b = preset("{name: b, engine: sglang, parameters: {p: [1]}}");
        let error = merge(&[a, b], Merge::Union, &dashes).unwrap_err();
        assert_eq!(error.to_string(), "a is for vllm and b for sglang: they do not go together");
    }
}
