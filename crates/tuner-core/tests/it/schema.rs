//! The committed schema is the generated one.

use std::path::PathBuf;

use tuner_core::task::schema;

#[test]
fn the_committed_schema_is_up_to_date() {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/task.schema.json");
    let mut generated = serde_json::to_string_pretty(schema()).unwrap();
    generated.push('\n');
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(&file, &generated).unwrap();
    }
    let committed = std::fs::read_to_string(&file).unwrap();
    assert!(committed == generated, "run `UPDATE_SCHEMA=1 cargo test -p tuner-core schema`");
}

#[test]
fn every_field_of_the_schema_is_described() {
    fn walk(schema: &serde_json::Value, place: &str, missing: &mut Vec<String>) {
        if let Some(properties) = schema.get("properties").and_then(|p| p.as_object()) {
            for (name, property) in properties {
                let place = format!("{place}.{name}");
                let alone = properties.len() == 1 && schema.get("description").is_some();
                if property.get("description").is_none() && property.get("const").is_none() && !alone {
                    missing.push(place.clone());
                }
                walk(property, &place, missing);
            }
        }
        for key in ["anyOf", "oneOf"] {
            for branch in schema.get(key).and_then(|b| b.as_array()).into_iter().flatten() {
                walk(branch, place, missing);
            }
        }
    }
    let mut missing = Vec::new();
    walk(schema(), "task", &mut missing);
    for (name, definition) in schema()["$defs"].as_object().unwrap() {
        walk(definition, name, &mut missing);
    }
    assert_eq!(missing, Vec::<String>::new());
}
