//! What a task found, without what may differ between two runs of it: times, attempts that were cut off, ids.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::home::Home;

/// Experiments and report of a task that has ended, comparable with those of another run.
pub(crate) fn findings(home: &Home, task: &str) -> Value {
    let experiments = home.json(&["experiments", "list", task]);
    let mut report = home.json(&["report", task]);
    report.as_object_mut().unwrap().remove("generated_at");
    report["method"].as_array_mut().unwrap().retain(|fact| fact["name"] != "Attempts" && fact["name"] != "Time");
    for experiment in report["experiments"].as_array_mut().unwrap() {
        for name in ["attempts", "elapsed_s"] {
            experiment.as_object_mut().unwrap().remove(name);
        }
    }
    let list: Vec<Value> = experiments.as_array().unwrap().iter().map(experiment).collect();
    json!({ "experiments": list, "report": report })
}

/// An experiment with its last attempt. Earlier ones were cut off and nothing else.
fn experiment(row: &Value) -> Value {
    let attempts = row["attempts"].as_array().unwrap();
    for (position, attempt) in attempts.iter().enumerate() {
        assert_eq!(attempt["number"], position + 1, "a gap between attempts of {row:#}");
    }
    let Some((last, cut_off)) = attempts.split_last() else {
        assert_eq!(row["outcome"]["predicted"], true, "nothing was tried: {row:#}");
        return json!({ "number": row["number"], "role": row["role"], "configuration": row["configuration"],
            "outcome": row["outcome"] });
    };
    for attempt in cut_off {
        assert_eq!(attempt["state"], "interrupted", "{attempt:#}");
        assert_eq!(attempt["failure"]["class"], "interrupted");
    }
    let evidence = &last["evidence"];
    json!({
        "number": row["number"],
        "role": row["role"],
        "configuration": row["configuration"],
        "outcome": row["outcome"],
        "state": last["state"],
        "failure": last["failure"],
        "measurements": last["measurements"],
        "evidence": [&evidence["gpus"], &evidence["ready_s"], &evidence["served_model"], &evidence["warnings"]],
    })
}

/// Numbers of the experiments, which have no gap and no double.
pub(crate) fn assert_numbered(experiments: &Value) {
    for (position, experiment) in experiments.as_array().unwrap().iter().enumerate() {
        assert_eq!(experiment["number"], position + 1, "numbers of {experiments:#}");
        assert!(experiment["outcome"].is_object(), "open: {experiment:#}");
    }
}

/// Where two values differ first.
pub(crate) fn difference(a: &Value, b: &Value, path: &str) -> Option<String> {
    match (a, b) {
        (Value::Object(x), Value::Object(y)) => {
            let keys: BTreeMap<_, _> = x.iter().chain(y).collect();
            keys.keys().find_map(|key| difference(&a[key.as_str()], &b[key.as_str()], &format!("{path}.{key}")))
        }
        (Value::Array(x), Value::Array(y)) if x.len() == y.len() => {
            (0..x.len()).find_map(|i| difference(&x[i], &y[i], &format!("{path}[{i}]")))
        }
        _ if a == b => None,
        _ => Some(format!("{path}: {a} is not {b}")),
    }
}
