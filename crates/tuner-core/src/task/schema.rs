//! The task file's JSON Schema, generated from [`TaskSpec`]: one schema for files, API, agent and editors.

use std::sync::LazyLock;

use schemars::generate::SchemaSettings;
use serde_json::Value as Json;

use super::TaskSpec;

static SCHEMA: LazyLock<Json> = LazyLock::new(|| {
    let mut schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<TaskSpec>();
    schema.insert("title".to_owned(), Json::from("Inference Autotuner task"));
    let mut schema = schema.to_value();
    without_empty_defaults(&mut schema);
    schema
});

/// A default of null says nothing that "not required" does not say.
fn without_empty_defaults(schema: &mut Json) {
    match schema {
        Json::Object(members) => {
            members.retain(|name, value| name != "default" || !value.is_null());
            members.values_mut().for_each(without_empty_defaults);
        }
        Json::Array(items) => items.iter_mut().for_each(without_empty_defaults),
        _ => {}
    }
}

/// JSON Schema (2020-12) of the task file. `docs/reference/task.schema.json` is its committed copy.
pub fn schema() -> &'static Json {
    &SCHEMA
}
