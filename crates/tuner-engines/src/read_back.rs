//! Compares what was asked with what the engine says it uses (B9).
//!
//! *Invariant*: an argument is `Proven` only by the engine's own words. What it does not report stays `NotReported`.

use std::collections::BTreeMap;

use tuner_core::Value;
use tuner_core::engine::{ReadBack, ReadBackVerdict};
use tuner_core::space::Configuration;

use crate::catalogue::{Catalogue, FlagKind};
use crate::python_repr;

/// Where an engine reports its arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReportSources {
    /// Paths to fetch as JSON once it is ready; a path that answers anything but 200 is left out of the report.
    pub pages: &'static [&'static str],
    /// Text that marks log lines worth keeping; they come before readiness.
    pub log_markers: &'static [&'static str],
}

/// What was collected from one running engine.
#[derive(Clone, Copy, Debug)]
pub struct EngineReport<'a> {
    /// Its log up to readiness (or only the lines that [`ReportSources::log_markers`] name).
    pub log: &'a str,
    /// Pages by path.
    pub pages: &'a BTreeMap<String, serde_json::Value>,
}

/// One reported value per canonical flag name.
pub(crate) type Reported = BTreeMap<String, String>;

/// Compares every flag that is set.
pub(crate) fn compare(catalogue: &Catalogue, configuration: &Configuration, reported: &Reported) -> Vec<ReadBack> {
    configuration
        .iter()
        .filter(|(_, value)| **value != Value::Null)
        .map(|(name, value)| {
            let bare = name.trim_start_matches('-');
            let found = catalogue.find(bare);
            let canonical = found.map_or_else(|| bare.replace('_', "-"), |f| f.flag.name.replace('_', "-"));
            let negative = found.is_some_and(|f| f.negative);
            let asked = match value {
                Value::Bool(on) if negative => Value::Bool(!on),
                other => other.clone(),
            };
            let suffix = found.is_some_and(|f| matches!(f.flag.kind, FlagKind::Int { suffix: true, .. }));
            let answer = reported.get(&canonical).cloned();
            let verdict = match &answer {
                None => ReadBackVerdict::NotReported,
                Some(text) if agrees(&asked, text, suffix) => ReadBackVerdict::Proven,
                // The engine was told to choose: what it chose neither proves nor contradicts.
                Some(_) if leaves_it_to_the_engine(&asked) => ReadBackVerdict::NotReported,
                Some(_) => ReadBackVerdict::Different,
            };
            ReadBack { name: name.to_owned(), asked: value.to_string(), reported: answer, verdict }
        })
        .collect()
}

/// Whether a reported text means the value asked for: `0.9` and `0.90`, `on` and `True`, `8k` and `8000`.
pub(crate) fn agrees(asked: &Value, reported: &str, suffix: bool) -> bool {
    let reported = reported.trim();
    if let Value::Bool(on) = asked {
        return as_switch(reported) == Some(*on);
    }
    let text = asked.to_string();
    if let (Some(a), Some(b)) = (number(&text, suffix), number(reported, suffix)) {
        // Engines keep such values as 32-bit floats.
        return (a - b).abs() <= 1e-6 * a.abs().max(b.abs());
    }
    if let (Some(a), Some(b)) = (as_switch(&text), as_switch(reported)) {
        return a == b;
    }
    let list = python_repr::elements(reported);
    if list.len() > 1 || reported.starts_with('[') {
        let words: Vec<&str> = text.split([' ', ',', '[', ']']).filter(|w| !w.is_empty()).collect();
        return words == list;
    }
    word(&text) == word(reported)
}

fn leaves_it_to_the_engine(asked: &Value) -> bool {
    *asked == Value::Int(-1) || matches!(asked.as_str(), Some("auto" | "default" | "all" | "-1"))
}

fn as_switch(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "on" | "enabled" | "yes" | "1" => Some(true),
        "false" | "off" | "disabled" | "no" | "0" => Some(false),
        _ => None,
    }
}

fn number(text: &str, suffix: bool) -> Option<f64> {
    let text = text.trim();
    if let Ok(x) = text.parse::<f64>() {
        return Some(x);
    }
    if !suffix {
        return None;
    }
    // vLLM: lower case is decimal, upper case binary.
    let factor = match text.chars().last()? {
        'k' => 1e3,
        'm' => 1e6,
        'g' => 1e9,
        't' => 1e12,
        'K' => 1024.0,
        'M' => 1024.0 * 1024.0,
        'G' => 1024.0 * 1024.0 * 1024.0,
        'T' => 1024.0 * 1024.0 * 1024.0 * 1024.0,
        _ => return None,
    };
    text.get(..text.len() - 1)?.parse::<f64>().ok().map(|x| (x * factor).floor())
}

/// Names of one thing in one spelling.
fn word(text: &str) -> String {
    let lower = text.trim().to_ascii_lowercase();
    let bare = lower.strip_prefix("torch.").unwrap_or(&lower);
    match bare {
        "half" | "fp16" | "f16" => "float16".to_owned(),
        "bf16" => "bfloat16".to_owned(),
        "float" | "fp32" | "f32" => "float32".to_owned(),
        "none" | "null" => String::new(),
        other => other.to_owned(),
    }
}

/// Fields of a Python repr under the flags' canonical names.
pub(crate) fn from_fields(catalogue: &Catalogue, fields: BTreeMap<String, String>, into: &mut Reported) {
    for (field, text) in fields {
        let dashed = field.replace('_', "-");
        // `disable_log_stats` exists as a flag, `model_tag` does not: only flags are kept.
        if let Some(found) = catalogue.find(&dashed)
            && !found.negative
        {
            let text = match text.as_str() {
                "True" => "true".to_owned(),
                "False" => "false".to_owned(),
                _ => text,
            };
            into.insert(found.flag.name.replace('_', "-"), text);
        }
    }
}

/// The same for the members of a JSON object.
pub(crate) fn from_json(catalogue: &Catalogue, page: &serde_json::Value, into: &mut Reported) {
    let Some(members) = page.as_object() else { return };
    let fields = members
        .iter()
        .map(|(name, value)| (name.clone(), value.as_str().map_or_else(|| value.to_string(), str::to_owned)))
        .collect();
    from_fields(catalogue, fields, into);
}

/// What follows `marker` in the first line that has it.
pub(crate) fn after<'a>(log: &'a str, marker: &str) -> Option<&'a str> {
    log.lines().find_map(|line| line.split_once(marker).map(|(_, rest)| rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn meaning_decides_not_spelling() {
        let same = [
            (Value::Float(0.9), "0.90"),
            (Value::Float(0.9), "0.8999999761581421"),
            (Value::Bool(true), "True"),
            (Value::Bool(true), "enabled"),
            (Value::from("on"), "enabled"),
            (Value::from("bf16"), "torch.bfloat16"),
            (Value::from("f16"), "f16"),
            (Value::from("1 2 4"), "[1, 2, 4]"),
            (Value::from("smol"), "['smol']"),
            (Value::Int(8192), "8192"),
        ];
        for (asked, reported) in same {
            assert!(agrees(&asked, reported, false), "{asked} = {reported}");
        }
        assert!(agrees(&Value::from("8k"), "8000", true));
        assert!(agrees(&Value::from("8K"), "8192", true));
        for (asked, reported) in [
            (Value::Bool(true), "False"),
            (Value::Int(16), "32"),
            (Value::from("q8_0"), "f16"),
            (Value::from("1 2"), "[1, 2, 4]"),
            (Value::Float(0.9), "0.91"),
        ] {
            assert!(!agrees(&asked, reported, false), "{asked} is not {reported}");
        }
    }
}
