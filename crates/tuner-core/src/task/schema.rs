//! The task file's JSON Schema, generated from [`TaskSpec`]: one schema for files, API, agent and editors.

use std::sync::LazyLock;

use schemars::generate::SchemaSettings;
use serde_json::Value as Json;

use super::TaskSpec;

static SCHEMA: LazyLock<Json> = LazyLock::new(|| {
    let mut schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<TaskSpec>();
    schema.insert("title".to_owned(), Json::from("Inference Autotuner task"));
    schema.to_value()
});

/// JSON Schema (2020-12) of the task file. `docs/reference/task.schema.json` is its committed copy.
pub fn schema() -> &'static Json {
    &SCHEMA
}
