//! `quant_config`: four unified settings, or presets of them, as flags of vLLM and SGLang.

use super::fields::Fields;
use super::flags::{Flags, Group, honoured};
use crate::Value;
use crate::engine::EngineName;
use crate::task::diagnostic::{Diagnostic, nearest};
use crate::task::read::tree::{Path, at_path};

const FIELDS: [&str; 5] = ["gemm_dtype", "kvcache_dtype", "attention_dtype", "moe_dtype", "presets"];

/// Name, then gemm, kv, attention and moe.
const PRESETS: [(&str, [&str; 4]); 5] = [
    ("default", ["auto", "auto", "auto", "auto"]),
    ("kv-cache-fp8", ["auto", "fp8_e5m2", "auto", "auto"]),
    ("dynamic-fp8", ["fp8", "fp8_e5m2", "fp8", "fp8"]),
    ("bf16-stable", ["bfloat16", "fp8_e5m2", "auto", "auto"]),
    ("aggressive-moe", ["bfloat16", "fp8_e5m2", "fp8", "w4afp8"]),
];

/// Substrings of a model's name that say it is quantised already.
const QUANTISED: [&str; 6] = ["awq", "gptq", "gguf", "nvfp4", "fp4", "fp8"];

/// The groups of flags that vary; empty where nothing is set. `model` is the lower-case path or id.
pub(super) fn translate(fields: &mut Fields<'_>, engine: EngineName, model: &str) -> Vec<Group> {
    let place = at_path!["quant_config"];
    let Some(node) = fields.node(&place) else { return Vec::new() };
    if node.entries().is_empty() {
        return Vec::new();
    }
    fields.only(&place, &FIELDS);
    let presets = place.join("presets");
    if fields.node(&presets).is_some() {
        for other in FIELDS.iter().take(4).filter(|f| node.get(f).is_some()) {
            fields.report_key(
                &place.join(*other),
                Diagnostic::note("", "presets are given, so this field has no effect"),
            );
        }
        return preset_group(fields, &presets, engine, model).into_iter().collect();
    }
    let mut groups = Vec::new();
    // GEMM and MoE write the same flags, so they vary as one.
    let gemm = honoured(fields, &place.join("gemm_dtype"), |v| gemm(word(v)?, engine, model));
    let moe = honoured(fields, &place.join("moe_dtype"), |v| moe(word(v)?, engine));
    let or_nothing = |list: Vec<Flags>| if list.is_empty() { vec![Flags::new()] } else { list };
    let (gemm, moe) = (or_nothing(gemm), or_nothing(moe));
    let both = gemm.iter().flat_map(|g| moe.iter().map(|m| with_moe(g, m)));
    groups.push(Group { place: place.clone(), alternatives: both.collect() });
    let kv = honoured(fields, &place.join("kvcache_dtype"), |v| kv(word(v)?, engine));
    groups.push(Group { place: place.join("kvcache_dtype"), alternatives: or_nothing(kv) });
    honoured(fields, &place.join("attention_dtype"), |v| attention(word(v)?, engine));
    groups
}

fn word(value: &Value) -> Result<&str, String> {
    value.as_str().ok_or_else(|| format!("{value} is not a word"))
}

fn preset_group(fields: &mut Fields<'_>, place: &Path, engine: EngineName, model: &str) -> Option<Group> {
    let mut alternatives = Vec::new();
    for (at, value) in fields.values(place) {
        let name = value.to_string();
        let Some((_, [g, k, a, m])) = PRESETS.iter().find(|(n, _)| *n == name) else {
            let finding = Diagnostic::error("", format!("unknown preset `{name}`"));
            let names = PRESETS.map(|(n, _)| n);
            fields.report(&at, finding.suggest(nearest(&name, names)).allowed(names.join(", ")));
            continue;
        };
        let mut part = |result: Result<Flags, String>| {
            result.unwrap_or_else(|reason| {
                fields.report(&at, Diagnostic::note("", format!("{reason}; this part of the preset is left out")));
                Flags::new()
            })
        };
        let mut flags = with_moe(&part(gemm(g, engine, model)), &part(moe(m, engine)));
        flags.extend(part(kv(k, engine)));
        part(attention(a, engine));
        alternatives.push(flags);
    }
    (!alternatives.is_empty()).then(|| Group { place: place.clone(), alternatives })
}

/// MoE quantisation takes precedence over GEMM; its runner alone goes only with an unquantised GEMM.
fn with_moe(gemm: &Flags, moe: &Flags) -> Flags {
    let mut out = gemm.clone();
    if moe.contains_key("quantization") {
        out.remove("dtype");
        out.extend(moe.clone());
    } else if !gemm.contains_key("quantization") {
        out.extend(moe.clone());
    }
    out
}

fn gemm(word: &str, engine: EngineName, model: &str) -> Result<Flags, String> {
    match (word, engine) {
        ("auto", _) => Ok(Flags::new()),
        (_, EngineName::TensorrtLlm) => Err(checkpoint("gemm_dtype", word)),
        ("float16" | "bfloat16" | "float32", _) => Ok(Flags::from([("dtype", word.into())])),
        ("fp8", _) => match QUANTISED.iter().find(|q| model.contains(**q)) {
            Some(kind) => Err(format!("the model is quantised already ({kind}), so `fp8` cannot be applied")),
            None => Ok(Flags::from([("quantization", word.into())])),
        },
        ("int8", _) => Err(format!("{engine} has no quantisation `int8` at start-up")),
        _ => Err(unknown(word, &["auto", "float16", "bfloat16", "float32", "fp8", "int8"])),
    }
}

fn kv(word: &str, engine: EngineName) -> Result<Flags, String> {
    let value = match (word, engine) {
        ("auto", _) => return Ok(Flags::new()),
        (_, EngineName::TensorrtLlm) => return Err(checkpoint("kvcache_dtype", word)),
        ("fp8", EngineName::Sglang) => "fp8_e5m2",
        ("fp8" | "fp8_e5m2" | "fp8_e4m3" | "bfloat16", _) => word,
        ("fp16", EngineName::Vllm) => "float16",
        ("fp16" | "int8" | "int4", _) => return Err(format!("{engine} has no KV cache of `{word}`")),
        _ => return Err(unknown(word, &["auto", "fp16", "bfloat16", "fp8", "fp8_e5m2", "fp8_e4m3", "int8", "int4"])),
    };
    Ok(Flags::from([("kv-cache-dtype", value.into())]))
}

fn attention(word: &str, engine: EngineName) -> Result<Flags, String> {
    match (word, engine) {
        ("auto", _) => Ok(Flags::new()),
        ("float16" | "bfloat16" | "fp8" | "fp8_e5m2" | "fp8_e4m3" | "fp8_block", _) => Err(format!(
            "no flag of {engine} makes attention `{word}`; the predecessor changed at most the attention backend"
        )),
        _ => Err(unknown(word, &["auto", "float16", "bfloat16", "fp8", "fp8_e5m2", "fp8_e4m3", "fp8_block"])),
    }
}

fn moe(word: &str, engine: EngineName) -> Result<Flags, String> {
    match (word, engine) {
        ("auto", _) => Ok(Flags::new()),
        ("w4afp8" | "mxfp4", EngineName::Sglang) => {
            Ok(Flags::from([("quantization", word.into()), ("moe-runner-backend", "flashinfer_mxfp4".into())]))
        }
        ("fp8", EngineName::Sglang) => Ok(Flags::from([("moe-runner-backend", "flashinfer_cutlass".into())])),
        ("float16" | "bfloat16" | "fp8" | "w4afp8" | "mxfp4" | "int8", _) => {
            Err(format!("no flag of {engine} makes the experts `{word}`"))
        }
        _ => Err(unknown(word, &["auto", "float16", "bfloat16", "fp8", "w4afp8", "mxfp4", "int8"])),
    }
}

fn checkpoint(field: &str, word: &str) -> String {
    format!("TensorRT-LLM takes its quantisation from the checkpoint, so `{field}: {word}` cannot be a flag")
}

fn unknown(word: &str, words: &[&str]) -> String {
    format!("unknown word `{word}` (known: {})", words.join(", "))
}
