//! YAML to a JSON tree, as far as scripts of tests need it: no anchors, no tags.

use saphyr_parser::{Event, Parser, ScalarStyle};
use serde_json::{Map, Value};

/// A list or a mapping that is still open; a mapping with the key that waits for its value.
enum Open {
    List(Vec<Value>),
    Fields(Map<String, Value>, Option<String>),
}

/// Reads one document.
///
/// # Errors
/// What is not understood, in words.
pub fn parse(text: &str) -> Result<Value, String> {
    let mut open: Vec<Open> = Vec::new();
    let mut root = Value::Null;
    for event in Parser::new_from_str(text) {
        let (event, _) = event.map_err(|error| error.to_string())?;
        let done = match event {
            Event::SequenceStart(..) => {
                open.push(Open::List(Vec::new()));
                continue;
            }
            Event::MappingStart(..) => {
                open.push(Open::Fields(Map::new(), None));
                continue;
            }
            Event::Scalar(text, style, ..) => scalar(&text, style),
            Event::SequenceEnd | Event::MappingEnd => match open.pop() {
                Some(Open::List(items)) => Value::Array(items),
                Some(Open::Fields(fields, _)) => Value::Object(fields),
                None => return Err("an end without its beginning".into()),
            },
            Event::Alias(_) => return Err("scripts have no aliases".into()),
            _ => continue,
        };
        match open.last_mut() {
            None => root = done,
            Some(Open::List(items)) => items.push(done),
            Some(Open::Fields(fields, key)) => match key.take() {
                Some(name) => {
                    fields.insert(name, done);
                }
                None => *key = Some(done.as_str().map_or_else(|| done.to_string(), str::to_owned)),
            },
        }
    }
    Ok(root)
}

fn scalar(text: &str, style: ScalarStyle) -> Value {
    if style != ScalarStyle::Plain {
        return text.into();
    }
    match text {
        "" | "~" | "null" => Value::Null,
        "true" => true.into(),
        "false" => false.into(),
        _ => match serde_json::from_str::<Value>(text) {
            Ok(number @ Value::Number(_)) => number,
            _ => text.into(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_tree_is_read_with_its_types() {
        let text = "a: [1, 2.5, '3', x]\nb:\n  - {c: null, d: true}\n  - |\n    two\n    lines\n7: \"{}\"\n";
        let tree = json!({"a": [1, 2.5, "3", "x"], "b": [{"c": null, "d": true}, "two\nlines\n"], "7": "{}"});
        assert_eq!(parse(text).unwrap(), tree);
        assert!(parse("a: [1").is_err());
    }
}
