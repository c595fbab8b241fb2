//! The document of the API: what the routes say of themselves, and what is true of all.
//!
//! *Invariant*: the same version gives the same text, so that a committed copy can be compared.

use serde_json::{Value, json};
use utoipa::PartialSchema;

use crate::answer::ErrorBody;
use crate::routes;

/// What every operation may answer besides what it says itself.
const REFUSALS: [(&str, &str); 4] = [
    ("401", "No token that lets anybody in."),
    ("403", "The token's role does not suffice, or another site's page asked."),
    ("429", "Too many requests from this address."),
    ("default", "Every other refusal or failure."),
];

/// The OpenAPI 3.1 document.
pub fn document() -> Value {
    let mut document = serde_json::to_value(routes::open().into_openapi()).unwrap_or_default();
    document["info"] = json!({
        "title": "Inference Autotuner",
        "description": "Tasks, experiments, engines and the machine. Lists are {items, next_cursor}; errors are \
                        {code, message, hint, request_id}; durations end in _s or _ms, times in _at (RFC 3339, UTC).",
        "version": env!("CARGO_PKG_VERSION"),
        "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
    });
    document["security"] = json!([{ "token": [] }, {}]);
    document["components"]["securitySchemes"] = json!({
        "token": {
            "type": "http",
            "scheme": "bearer",
            "description": "Made with `autotuner token create`; not needed on the machine itself.",
        },
    });
    document["components"]["schemas"]["ErrorBody"] = serde_json::to_value(ErrorBody::schema()).unwrap_or_default();
    let paths = document["paths"].as_object_mut();
    for (_, item) in paths.into_iter().flatten() {
        for (method, operation) in item.as_object_mut().into_iter().flatten() {
            complete(method, operation);
        }
    }
    document
}

fn complete(method: &str, operation: &mut Value) {
    // Handlers are named within their resource; ids must be different within the document.
    let words = [&operation["tags"][0], &operation["operationId"]].map(|word| word.as_str().unwrap_or_default());
    operation["operationId"] = words.join("_").into();
    if let Some(responses) = operation["responses"].as_object_mut() {
        for (status, text) in REFUSALS {
            let refusal = json!({
                "description": text,
                "content": { "application/json": { "schema": { "$ref": "#/components/schemas/ErrorBody" } } },
            });
            responses.entry(status).or_insert(refusal);
        }
    }
    // A schema of YAML speaks of what the text holds; what a task file may hold is `autotuner schema task`'s matter.
    if let Some(yaml) = operation.pointer_mut("/requestBody/content/application~1yaml") {
        yaml["schema"] = json!({ "description": "The text of a task file: `autotuner schema task`." });
    }
    if method == "post" {
        let key = json!({
            "name": "idempotency-key",
            "in": "header",
            "required": false,
            "description": "The same key with the same request gets the same answer; with another one, 422.",
            "schema": { "type": "string", "minLength": 1, "maxLength": 200 },
        });
        let fields = operation.as_object_mut().map(|fields| fields.entry("parameters").or_insert(json!([])));
        if let Some(Value::Array(parameters)) = fields {
            parameters.push(key);
        }
    }
}

/// Every operation of a document: method, path, itself.
#[cfg(test)]
fn operations(document: &Value) -> Vec<(String, String, serde_json::Map<String, Value>)> {
    let paths = document["paths"].as_object().into_iter().flatten();
    let of_path = |(path, item): (&String, &Value)| {
        let each = item.as_object().cloned().unwrap_or_default().into_iter();
        let path = path.clone();
        each.map(move |(method, operation)| (method, path.clone(), operation.as_object().cloned().unwrap_or_default()))
            .collect::<Vec<_>>()
    };
    paths.flat_map(of_path).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use tuner_policy::Action;

    use super::*;
    use crate::guard::ACTION;

    #[test]
    fn every_operation_says_its_action_and_every_action_has_an_operation() {
        let document = document();
        assert!(document["openapi"].as_str().unwrap().starts_with("3.1"), "{}", document["openapi"]);
        let (mut used, mut ids) = (BTreeSet::new(), BTreeSet::new());
        for (method, path, operation) in operations(&document) {
            let action = operation.get(ACTION).and_then(Value::as_str).unwrap_or_else(|| panic!("{method} {path}"));
            used.insert(action.to_owned());
            assert!(ids.insert(operation["operationId"].to_string()), "{method} {path}");
            assert!(
                operation["responses"]["default"].is_object() && operation["summary"].is_string(),
                "{method} {path}"
            );
        }
        // Files and programs of the machine are the agent's tools alone, with leave; no route reaches them.
        let routed = Action::ALL.iter().filter(|action| **action != Action::MachineUse);
        let known: BTreeSet<String> = routed.map(|action| action.word().to_owned()).collect();
        assert_eq!(used, known);
    }
}
