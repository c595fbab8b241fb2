//! `parallel_config`: unified sizes, or presets of them, as the engine's own flags.

use super::fields::Fields;
use super::flags::{Flags, Group, honoured};
use crate::Value;
use crate::engine::EngineName;
use crate::task::diagnostic::{Diagnostic, nearest};
use crate::task::read::tree::at_path;

const FIELDS: [&str; 11] = [
    "tp",
    "pp",
    "dp",
    "cp",
    "dcp",
    "enable_expert_parallel",
    "moe_tp",
    "moe_ep",
    "moe_cluster",
    "moe_dense_tp",
    "presets",
];

/// The engine's flag for a unified field; `None` where it has none.
fn flag(field: &str, engine: EngineName) -> Option<&'static str> {
    Some(match (engine, field) {
        (EngineName::Vllm, "tp") => "tensor-parallel-size",
        (EngineName::Vllm, "pp") => "pipeline-parallel-size",
        (EngineName::Vllm, "dp") => "data-parallel-size",
        (EngineName::Vllm, "dcp") => "decode-context-parallel-size",
        (EngineName::Vllm, "enable_expert_parallel") => "enable-expert-parallel",
        (EngineName::Sglang, "tp") => "tp-size",
        (EngineName::Sglang, "pp") => "pp-size",
        (EngineName::Sglang, "dp") => "dp-size",
        (EngineName::Sglang, "moe_dense_tp") => "moe-dense-tp-size",
        (EngineName::TensorrtLlm, "tp") => "tp_size",
        (EngineName::TensorrtLlm, "pp") => "pp_size",
        _ => return None,
    })
}

type Sizes = &'static [(&'static str, i64)];

/// The sizes of a preset for an engine, as the predecessor's tables have them; `None` where it has no such preset.
fn preset(name: &str, engine: EngineName) -> Option<Sizes> {
    use EngineName::{Sglang, TensorrtLlm, Vllm};
    Some(match (name, engine) {
        ("single-gpu", _) => &[],
        ("high-throughput", Vllm | Sglang) => &[("dp", 8)],
        ("large-model-tp", _) => &[("tp", 8)],
        ("large-model-tp-pp", _) => &[("tp", 8), ("pp", 2)],
        ("moe-optimized", Vllm) => &[("tp", 2), ("dp", 8), ("enable_expert_parallel", 1)],
        ("moe-optimized", Sglang) => &[("tp", 2), ("dp", 8), ("moe_dense_tp", 2)],
        ("moe-optimized", TensorrtLlm) => &[("tp", 4), ("moe_tp", 2), ("moe_ep", 8)],
        ("long-context", Vllm) => &[("tp", 4), ("dcp", 4)],
        ("long-context", TensorrtLlm) => &[("tp", 8), ("cp", 2)],
        ("balanced", Vllm | Sglang) => &[("tp", 2), ("dp", 4)],
        _ => return None,
    })
}

const PRESETS: [&str; 7] = [
    "single-gpu",
    "high-throughput",
    "large-model-tp",
    "large-model-tp-pp",
    "moe-optimized",
    "long-context",
    "balanced",
];

/// The groups of flags that vary.
pub(super) fn translate(fields: &mut Fields<'_>, engine: EngineName) -> Vec<Group> {
    let place = at_path!["parallel_config"];
    if fields.entries(&place).is_empty() {
        return Vec::new();
    }
    fields.only(&place, &FIELDS);
    let presets = place.join("presets");
    if fields.node(&presets).is_some() {
        let mut alternatives = Vec::new();
        for (at, value) in fields.values(&presets) {
            let name = value.to_string();
            let Some(sizes) = preset(&name, engine) else {
                let known: Vec<&str> = PRESETS.into_iter().filter(|p| preset(p, engine).is_some()).collect();
                let finding = Diagnostic::error("", format!("{engine} has no preset `{name}`"));
                let near = nearest(&name, known.iter().copied());
                fields.report(&at, finding.suggest(near).allowed(known.join(", ")));
                continue;
            };
            let mut flags = Flags::new();
            for (field, size) in sizes {
                match one(field, &Value::Int(*size), engine) {
                    Ok(part) => flags.extend(part),
                    Err(reason) => fields.report(&at, Diagnostic::error("", reason).help("use the engine's own flags")),
                }
            }
            alternatives.push(flags);
        }
        return if alternatives.is_empty() { Vec::new() } else { vec![Group { place: presets, alternatives }] };
    }
    let mut groups = Vec::new();
    for field in FIELDS.iter().take(10) {
        let at = place.join(*field);
        let alternatives = honoured(fields, &at, |value| one(field, value, engine));
        if !alternatives.is_empty() {
            groups.push(Group { place: at, alternatives });
        }
    }
    groups
}

/// One unified size as a flag; 1 is every engine's default and needs none.
fn one(field: &str, value: &Value, engine: EngineName) -> Result<Flags, String> {
    if field == "enable_expert_parallel" {
        return match (value, flag(field, engine)) {
            (Value::Bool(false) | Value::Null, _) => Ok(Flags::new()),
            (Value::Bool(true) | Value::Int(1), Some(flag)) => Ok(Flags::from([(flag, true.into())])),
            (Value::Bool(true) | Value::Int(1), None) => Err(format!("{engine} has no switch for expert parallelism")),
            _ => Err(format!("{value} is neither true nor false")),
        };
    }
    match (value.as_i64(), flag(field, engine)) {
        (Some(1), _) => Ok(Flags::new()),
        (Some(size), Some(flag)) if (2..=64).contains(&size) => Ok(Flags::from([(flag, size.into())])),
        (Some(size), None) if size > 1 => Err(format!("{engine} has no flag for `{field}: {size}`")),
        _ => Err(format!("{value} is not a size from 1 to 64")),
    }
}
