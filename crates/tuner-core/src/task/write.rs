//! A task as YAML, every default shown. What is written here reads back to the same task.

use serde_json::Value as Json;

use super::TaskSpec;

/// The task as YAML with every default filled in.
pub fn to_yaml(spec: &TaskSpec) -> String {
    match serde_json::to_value(spec) {
        Ok(json) => yaml_of(&json),
        // Every field of a spec is plain data; a map key that is not text cannot occur.
        Err(error) => format!("# {error}\n"),
    }
}

/// Plain data as YAML.
pub fn yaml_of(data: &Json) -> String {
    let mut out = String::new();
    block(data, 0, &mut out);
    out
}

/// Writes the members of an object or a list, each on its own line.
fn block(json: &Json, indent: usize, out: &mut String) {
    let pad = " ".repeat(indent);
    match json {
        Json::Object(members) => {
            for (key, value) in members {
                out.push_str(&pad);
                out.push_str(&text(key));
                out.push(':');
                nested(value, indent + 2, out);
            }
        }
        Json::Array(items) => {
            for item in items {
                let mut inner = String::new();
                nested(item, indent + 2, &mut inner);
                out.push_str(&pad);
                out.push_str("- ");
                out.push_str(inner.trim_start());
            }
        }
        scalar => {
            out.push_str(&pad);
            out.push_str(&flow(scalar));
            out.push('\n');
        }
    }
}

/// Writes a value after its key: short ones on the same line, large ones as a block.
fn nested(value: &Json, indent: usize, out: &mut String) {
    const WIDTH: usize = 90;
    let inline = flow(value);
    let top_level_object = indent == 2 && value.as_object().is_some_and(|o| !o.is_empty());
    let fits = inline.chars().count() + indent <= WIDTH && !top_level_object && !holds_objects(value);
    if fits || matches!(value, Json::String(_) | Json::Number(_) | Json::Bool(_) | Json::Null) {
        out.push(' ');
        out.push_str(&inline);
        out.push('\n');
    } else {
        out.push('\n');
        block(value, indent, out);
    }
}

/// Whether it is an object of objects, which reads better as a block.
fn holds_objects(value: &Json) -> bool {
    match value {
        Json::Object(members) => members.values().any(|v| v.is_object() || v.is_array()),
        Json::Array(items) => items.iter().any(Json::is_object),
        _ => false,
    }
}

fn flow(value: &Json) -> String {
    match value {
        Json::Null => "null".to_owned(),
        Json::Bool(b) => b.to_string(),
        Json::Number(n) => n.to_string(),
        Json::String(s) => text(s),
        Json::Array(items) => format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", ")),
        Json::Object(members) => {
            let members: Vec<String> = members.iter().map(|(k, v)| format!("{}: {}", text(k), flow(v))).collect();
            format!("{{{}}}", members.join(", "))
        }
    }
}

/// A text, bare where nothing else could be meant.
fn text(s: &str) -> String {
    let first = s.chars().next();
    let bare = first.is_some_and(|c| c.is_ascii_alphabetic() || c == '/')
        && s.chars().all(|c| c.is_ascii_alphanumeric() || "-_./()".contains(c))
        && !matches!(s.to_lowercase().as_str(), "true" | "false" | "null" | "yes" | "no" | "on" | "off" | "y" | "n");
    if bare { s.to_owned() } else { quoted(s) }
}

/// A text in double quotes; characters that YAML does not take as they are, or that a terminal hides, are escaped.
fn quoted(s: &str) -> String {
    let hidden = |c: char| {
        c.is_control()
            || matches!(c as u32, 0x2028..=0x2029 | 0xFEFF | 0xFFFE..=0xFFFF)
            || (c as u32) & 0xFFFE == 0xFFFE
    };
    let mut out = String::from("\"");
    for c in s.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c if hidden(c) && c as u32 <= 0xFFFF => out.push_str(&format!("\\u{:04X}", c as u32)),
            c if hidden(c) => out.push_str(&format!("\\U{:08X}", c as u32)),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
