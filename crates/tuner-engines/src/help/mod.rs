//! Reads an engine's own help text into flags.
//!
//! *Invariant*: total and pure. A line it cannot read is skipped; no text makes it fail.

mod argparse;
mod llama;

use tuner_core::engine::EngineName;

use crate::catalogue::Flag;

/// The flags in an engine's help text, in its order.
///
/// SGLang, vLLM and the simulated engine print Python's `argparse` layout, llama.cpp its own; TensorRT-LLM's click
/// layout is close enough to argparse that its options are found, without sections.
pub fn parse(engine: EngineName, text: &str) -> Vec<Flag> {
    match engine {
        EngineName::LlamaCpp => llama::parse(text),
        EngineName::Sglang | EngineName::Vllm | EngineName::TensorrtLlm | EngineName::Simulated => {
            argparse::parse(text)
        }
    }
}

/// First sentence of a help text, at most 200 characters, without the default.
fn one_line(text: &str) -> String {
    let text = text.split("(default:").next().unwrap_or_default();
    let text = text.split("(env:").next().unwrap_or_default().trim();
    // Short beginnings are abbreviations: `max. number of …`.
    let end = text.match_indices(". ").map(|(at, _)| at + 1).find(|at| *at > 12).unwrap_or(text.len());
    let sentence = text.get(..end).unwrap_or(text);
    if sentence.chars().count() <= 200 {
        return sentence.to_owned();
    }
    let cut: String = sentence.chars().take(199).collect();
    format!("{}…", cut.trim_end())
}

/// What stands in the last `(default: …)` or `…, default: …)`, if it is short enough to be a value.
fn default_of(text: &str) -> Option<String> {
    let start = text.rfind("(default:").map(|at| at + 1).or_else(|| text.rfind(" default: ").map(|at| at + 1))?;
    let rest = text.get(start + "default:".len()..)?;
    let mut depth = 1;
    let end = rest.char_indices().find_map(|(i, c)| {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        (depth == 0).then_some(i)
    });
    let value = rest.get(..end.unwrap_or(rest.len()))?.trim();
    // `-1, -1 = auto`: what follows the number explains it.
    let value = match value.split_once(", ") {
        Some((number, _)) if number.parse::<f64>().is_ok() => number,
        _ => value,
    };
    let value = value.trim_matches(['\'', '"']);
    (!value.is_empty() && value != "None" && value.len() <= 60).then(|| value.to_owned())
}

/// Text between the first `{` and its `}`, as a list of words.
fn braced(text: &str) -> Option<Vec<String>> {
    let (_, rest) = text.split_once('{')?;
    let (inside, _) = rest.split_once('}')?;
    Some(inside.split(',').map(|w| w.trim().to_owned()).filter(|w| !w.is_empty() && w != "None").collect())
}
