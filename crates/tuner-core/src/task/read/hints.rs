//! The words of structural messages: what was found, what is expected, and what a newcomer probably meant.

use serde_json::{Map, Value as Json};

use super::shape::allows;
use super::tree::{Kind, Node, Path, Scalar, Step};

/// How messages call what stands in the file.
pub(super) fn describe_node(node: &Node) -> String {
    match (&node.kind, node.scalar()) {
        (Kind::List(items), _) if items.is_empty() => "an empty list".to_owned(),
        (Kind::List(_), _) => "a list".to_owned(),
        (Kind::Map(_), _) => "an object".to_owned(),
        (_, Some(Scalar::Null)) => "nothing".to_owned(),
        (_, Some(Scalar::Bool(b))) => format!("`{b}`"),
        (_, Some(Scalar::Text(text))) => {
            let short: String = text.chars().take(40).collect();
            let dots = if short.len() < text.len() { "…" } else { "" };
            format!("the text {short:?}{dots}")
        }
        (Kind::Scalar { text, .. }, _) => format!("the number {text}"),
    }
}

/// How messages call what a schema without a choice wants.
pub(super) fn kind_word(schema: &Json) -> &'static str {
    [
        ("object", "an object"),
        ("array", "a list"),
        ("integer", "a whole number"),
        ("number", "a number"),
        ("boolean", "true or false"),
        ("string", "a text"),
        ("null", "nothing"),
    ]
    .into_iter()
    .find(|(kind, _)| allows(schema, kind))
    .map_or("a value", |(_, word)| word)
}

/// What to write instead of a value of the wrong kind.
pub(super) fn wrong_kind(node: &Node, schema: &Json, name: &str, path: &Path) -> Option<String> {
    let text = match &node.kind {
        Kind::Scalar { text, .. } => text.as_str(),
        _ => "",
    };
    if path.0.is_empty() {
        return Some("a task file has fields: name, model, engine, search_space".to_owned());
    }
    if node.is_null() {
        let required = matches!(path.0.as_slice(), [Step::Key(key)] if ["name", "model", "engine", "search_space"].contains(&key.as_str()));
        return Some(match name {
            "ParameterSpec" => "write [64, 128], {low: 64, high: 128} or bool".to_owned(),
            _ if required => "every task has one".to_owned(),
            _ => "give a value, or remove the field to get its default".to_owned(),
        });
    }
    match (name, node.scalar()) {
        ("ParameterSpec", Some(Scalar::Bool(_))) => {
            return Some(format!("write bool to try both; what stays {text} belongs to `engine.fixed`"));
        }
        ("ParameterSpec", Some(Scalar::Text("boolean" | "Bool" | "switch" | "flag"))) => {
            return Some("write bool".to_owned());
        }
        ("ParameterSpec", Some(_)) => {
            return Some(format!("write a list of values: [{text}]; what never varies belongs to `engine.fixed`"));
        }
        ("Level", Some(Scalar::Int(n))) => return Some(format!("write {{concurrency: {n}}}")),
        ("Level", Some(Scalar::Float(x))) => return Some(format!("write {{rate: {x}}} for {x} requests per second")),
        ("SloSpec", Some(_)) => return Some("write {metric: ttft, stat: p99, max_ms: 1000}".to_owned()),
        ("Budget", Some(Scalar::Int(n))) => return Some(format!("write {{experiments: {n}}}")),
        ("LoadSpec", Some(Scalar::Int(n))) => return Some(format!("write {{levels: [{{concurrency: {n}}}]}}")),
        ("WorkloadSpec", Some(Scalar::Text(_))) => return Some(format!("write {{scenario: \"{text}\"}}")),
        ("ModelSpec", Some(Scalar::Text(_))) => {
            let field = if text.starts_with(['/', '.', '~']) || text.ends_with(".gguf") { "path" } else { "id" };
            return Some(format!("write {{{field}: {text}}}"));
        }
        _ => {}
    }
    let required = schema.get("required").and_then(Json::as_array);
    if let (Some(Scalar::Text(_)), Some([only])) = (node.scalar(), required.map(Vec::as_slice)) {
        return Some(format!("write {{{}: {text}}}", only.as_str().unwrap_or_default()));
    }
    if allows(schema, "array") && !matches!(node.kind, Kind::Map(_)) {
        return Some(format!("write a list: [{text}]"));
    }
    if allows(schema, "array") {
        return Some("write a list: begin each entry with `- `".to_owned());
    }
    if allows(schema, "boolean") {
        return Some(match text.to_lowercase().as_str() {
            "yes" | "on" | "y" | "1" => "write true".to_owned(),
            "no" | "off" | "n" | "0" => "write false".to_owned(),
            "true" | "false" => "write it without quotes".to_owned(),
            _ => "write true or false".to_owned(),
        });
    }
    if allows(schema, "number") || allows(schema, "integer") {
        return number(node, text, allows(schema, "integer"), path);
    }
    match path.0.last() {
        // Where a number is one of several forms.
        Some(Step::Key(key)) if key.ends_with("_s") => number(node, text, false, path),
        Some(Step::Key(key)) if key == "conversation" => Some("write {turns: 4}".to_owned()),
        _ => None,
    }
}

fn number(node: &Node, text: &str, whole: bool, path: &Path) -> Option<String> {
    if let Some(Scalar::Float(x)) = node.scalar() {
        return (x.fract() == 0.0 && x.abs() < 1e15).then(|| format!("write {}", x as i64));
    }
    if text.parse::<f64>().is_ok_and(f64::is_finite) {
        return Some("write it without quotes".to_owned());
    }
    let bare = text.replace(['_', ','], "");
    if bare != text && bare.parse::<f64>().is_ok_and(f64::is_finite) {
        return Some(format!("write {bare}"));
    }
    let split = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
    let (digits, suffix) = text.split_at(split);
    let amount: f64 = digits.parse().ok()?;
    let field = match path.0.last() {
        Some(Step::Key(key)) => key.as_str(),
        _ => "",
    };
    let seconds = match suffix.trim() {
        "ms" => 0.001,
        "s" | "sec" | "seconds" => 1.0,
        "m" | "min" | "minutes" => 60.0,
        "h" | "hours" => 3600.0,
        "k" | "K" if whole => return Some(format!("write {}", amount * 1000.0)),
        "%" => return Some(format!("write {}", amount / 100.0)),
        _ => return None,
    };
    if field.ends_with("_s") {
        return Some(format!("this field is in seconds: write {}", amount * seconds));
    }
    field.ends_with("_ms").then(|| format!("this field is in milliseconds: write {}", amount * seconds * 1000.0))
}

/// Message and allowed range when a number lies outside its bounds.
pub(super) fn out_of_bounds(value: &Json, schema: &Json) -> Option<(String, String)> {
    let format = schema.get("format").and_then(Json::as_str).unwrap_or_default();
    let natural = match format {
        "uint32" => Some(f64::from(u32::MAX)),
        _ => None,
    };
    let low = schema.get("minimum").and_then(Json::as_f64);
    let high = schema.get("maximum").and_then(Json::as_f64);
    let number = value.as_f64()?;
    let too_large = format == "int64" && value.as_i64().is_none();
    if number >= low.unwrap_or(f64::NEG_INFINITY) && number <= high.or(natural).unwrap_or(f64::INFINITY) && !too_large {
        return None;
    }
    let allowed = match (low, high.or(natural)) {
        (Some(low), Some(high)) => format!("{low} to {high}"),
        (Some(low), None) => format!("at least {low}"),
        (None, Some(high)) => format!("at most {high}"),
        (None, None) => format!("at most {}", i64::MAX),
    };
    let message = if low.is_some_and(|low| number < low) { "too small" } else { "too large" };
    Some((message.to_owned(), allowed))
}

/// How an object is written in a list of what is allowed; `None` for what is no object.
pub(super) fn form(schema: &Json) -> Option<String> {
    let required = schema.get("required")?.get(0)?.as_str()?;
    allows(schema, "object").then(|| format!("{{{required}: …}}"))
}

/// What a word in this field is called.
pub(super) fn word_noun(path: &Path) -> String {
    match path.0.as_slice() {
        [Step::Key(engine), Step::Key(name)] if engine == "engine" && name == "name" => "engine".to_owned(),
        [Step::Key(parent), Step::Key(kind)] if kind == "kind" => format!("{parent} kind"),
        [Step::Key(list), Step::Index(_)] if list == "objectives" => "objective".to_owned(),
        [.., Step::Key(last)] if last == "type" => "parameter type".to_owned(),
        [.., Step::Key(parameters), Step::Key(_)] if parameters == "parameters" => "form of a parameter".to_owned(),
        [.., Step::Key(last)] => last.clone(),
        _ => "word".to_owned(),
    }
}

/// The word of this project for a word of the trade.
pub(super) fn other_word<'w>(given: &str, words: &[&'w str]) -> Option<&'w str> {
    let plain = given.to_lowercase().replace(['-', ' '], "_");
    let meant = match plain.as_str() {
        "latency" | "e2el" | "e2e" | "request_latency" => "e2e_latency",
        "throughput" | "tokens_per_second" | "tps" => "output_throughput",
        "qps" | "rps" => "request_throughput",
        "inter_token_latency" => "itl",
        "time_to_first_token" => "ttft",
        "time_per_output_token" => "tpot",
        "avg" | "average" => "mean",
        "tpe" | "optuna" | "bayes" | "bo" => "bayesian",
        "random_search" => "random",
        "grid_search" => "grid",
        "trtllm" | "trt_llm" | "tensorrt" | "trtllm_serve" => "tensorrt-llm",
        "llamacpp" | "llama_server" | "llama_cpp" => "llama.cpp",
        "sim" | "simulator" => "simulated",
        "k8s" | "ome" => "kubernetes",
        "container" | "podman" => "docker",
        "process" => "local",
        "simulate" => "virtual",
        "boolean" | "switch" | "flag" => "bool",
        "integer" => "int",
        "real" | "double" | "number" | "continuous" => "float",
        "choice" | "enum" => "categorical",
        "min" => "minimize",
        "max" => "maximize",
        "uniform" | "deterministic" => "constant",
        "completion" => "completions",
        _ => return None,
    };
    words.iter().copied().find(|w| *w == meant)
}

/// The field of this project for a word of the trade.
pub(super) fn other_field<'w>(given: &str, properties: &'w Map<String, Json>) -> Option<&'w str> {
    let meant = match given.to_lowercase().replace('-', "_").as_str() {
        "task_name" | "title" => "name",
        "slo" => "slos",
        "objective" => "objectives",
        "space" | "parameters" | "params" => "search_space",
        "runtime" | "base_runtime" => "engine",
        "timeout" => "timeouts",
        "guard" | "quality" => "quality_guard",
        "min" | "from" | "start" => "low",
        "max" | "to" | "end" => "high",
        "choices" => "values",
        "condition" | "if" | "depends_on" => "when",
        "flags" | "args" | "defaults" => "fixed",
        "environment" => "env",
        "duration" => "duration_s",
        "num_requests" | "n_requests" => "requests",
        "warmup" => "warmup_requests",
        "max_experiments" | "max_iterations" | "trials" | "n_trials" | "iterations" => "experiments",
        "wall_time" | "time" | "max_time" | "wall_time_seconds" => "wall_time_s",
        "dataset" | "prompts" => "prompts_file",
        "threshold" => "max_ms",
        "percentile" => "stat",
        "qps" | "rps" | "request_rate" => "rate",
        "streams" | "users" => "concurrency",
        "num_turns" | "n_turns" | "rounds" => "turns",
        "think" | "think_time" | "delay" | "delay_s" => "think_s",
        "multi_turn" | "multiturn" | "conversations" | "chat" => "conversation",
        "concurrency" | "concurrencies" | "rate" | "rates" => "levels",
        "base_url" | "endpoint" => "url",
        "type" => "kind",
        _ => return None,
    };
    properties.keys().map(String::as_str).find(|name| *name == meant)
}

/// What to say about a field that the schema does not know here.
pub(super) fn unknown_field(key: &str, parent: &Path) -> Option<String> {
    let place = match parent.0.as_slice() {
        _ if key.ends_with(')') && key.starts_with(|c: char| c.is_ascii_digit()) => {
            return Some("a scenario between braces needs quotes: scenario: \"D(512,128)\"".to_owned());
        }
        _ if key == "<<" => return Some("merge keys are not part of YAML 1.2: write the fields out".to_owned()),
        [Step::Key(part)] if part == "search_space" => "search_space.parameters",
        [Step::Key(part)] if part == "engine" => "engine.fixed",
        _ => return None,
    };
    Some(format!("if it is a flag of the engine, it belongs to `{place}`"))
}

/// What to write for a required field.
pub(super) fn missing(name: &str, schema: &Json) -> String {
    match name {
        "name" if about_the_task(schema) => "add `name: my-task`".to_owned(),
        "name" if schema.get("$ref").is_none() => "add `name:`".to_owned(),
        "name" => "add `name:` with one of the engines".to_owned(),
        "model" => "add `model: {id: organisation/name}` or `model: {path: /models/file.gguf}`".to_owned(),
        "engine" => "add `engine: {name: vllm}`".to_owned(),
        "search_space" => "add `search_space: {parameters: {max-num-seqs: [64, 128, 256]}}`".to_owned(),
        "metric" => "add `metric: ttft`, or another metric".to_owned(),
        "url" => "add `url: http://127.0.0.1:8000`".to_owned(),
        "gpu" => "add `gpu: h100-80g`".to_owned(),
        "command" => "add `command: [program, argument]`".to_owned(),
        _ => format!("add `{name}:`"),
    }
}

fn about_the_task(schema: &Json) -> bool {
    schema.get("description").and_then(Json::as_str).is_some_and(|text| text.contains("task"))
}
