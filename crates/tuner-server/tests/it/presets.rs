//! Presets over HTTP, from their documents to the tasks that take them over.

use serde_json::{Value, json};

use crate::fixture::{Fixture, OK, task_json};

fn preset(name: &str) -> Value {
    json!({ "name": name, "engine": "simulated", "category": "mine", "parameters": { "max-num-seqs": [8, 16], "block-size": [16, 32] } })
}

fn names(list: &Value) -> Vec<&str> {
    list["items"].as_array().unwrap().iter().map(|p| p["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_preset_is_stored_shown_changed_exported_imported_and_deleted() {
    let f = Fixture::new().await;
    let made = f.post("/api/presets", &preset("a")).await;
    assert_eq!((made.status, made.headers["location"].to_str().unwrap()), (201, "/api/presets/a"), "{}", made.json);
    assert_eq!((made.json["built_in"].as_bool(), &made.json["category"]), (Some(false), &json!("mine")));
    assert_eq!(f.post("/api/presets", &preset("a")).await.code(), "name_taken");
    let yaml = "name: y\nparameters:\n  threads: {low: 1, high: 8}\n";
    let sent = f.client.post(format!("{}/api/presets", f.base)).header("content-type", "application/yaml").body(yaml);
    assert_eq!(f.send(sent).await.status, 201);
    assert_eq!(names(&f.get("/api/presets?category=mine").await.json), ["a"]);
    let for_vllm = f.get("/api/presets?engine=vllm&category=general").await.json;
    assert_eq!(names(&for_vllm)[..2], ["y", "vllm-performance"], "{for_vllm}");
    assert_eq!(f.get("/api/presets?engine=vlm").await.status, 422);
    let file = f.get("/api/presets/a/export").await;
    assert_eq!(file.headers["content-disposition"], "attachment; filename=\"a.preset.json\"");
    let mut renamed = preset("b");
    renamed["description"] = json!("changed");
    let changed = f.put("/api/presets/a", &renamed).await;
    assert_eq!((changed.status, &changed.json["description"]), (OK, &json!("changed")), "{}", changed.json);
    assert_eq!(f.get("/api/presets/a").await.status, 404);
    let back = f.post("/api/presets/import", &file.json).await;
    assert_eq!((back.status, &back.json["stored"][0]["name"]), (OK, &json!("a")), "{}", back.json);
    assert_eq!(f.post("/api/presets/import", &file.json).await.code(), "name_taken");
    let skipped = f.post("/api/presets/import?existing=skip", &file.json).await;
    assert_eq!(skipped.json, json!({ "stored": [], "skipped": ["a"] }));
    assert_eq!(f.post("/api/presets/import?existing=replace", &file.json).await.status, OK);
    assert_eq!(f.delete("/api/presets/a").await.status, 204);
    assert_eq!(f.delete("/api/presets/a").await.status, 404);
}

#[tokio::test]
async fn what_is_wrong_with_a_preset_is_told_with_its_place() {
    let f = Fixture::new().await;
    let mut wrong = preset("a b");
    wrong["parameters"]["x"] = json!([]);
    wrong["extra"] = json!(1);
    let refused = f.post("/api/presets", &wrong).await;
    assert_eq!((refused.status, refused.code()), (422, "invalid_preset"), "{}", refused.json);
    let fields: Vec<&str> =
        refused.json["findings"].as_array().unwrap().iter().map(|d| d["field"].as_str().unwrap()).collect();
    assert!(["name", "parameters.x", "extra"].iter().all(|field| fields.contains(field)), "{fields:?}");
    for (name, path) in [("vllm-performance", "PUT"), ("vllm-performance", "DELETE")] {
        let path = (path, format!("/api/presets/{name}"));
        let refused = match path.0 {
            "PUT" => f.put(&path.1, &preset("mine")).await,
            _ => f.delete(&path.1).await,
        };
        assert_eq!((refused.status, refused.code()), (409, "built_in"));
        assert!(refused.json["hint"].as_str().unwrap().contains("copy it"));
    }
    assert_eq!(f.post("/api/presets", &preset("vllm-performance")).await.code(), "built_in");
}

#[tokio::test]
async fn presets_are_merged_with_their_conflicts_and_taken_over_by_tasks() {
    let f = Fixture::new().await;
    f.post("/api/presets", &preset("a")).await;
    let mut b = preset("b");
    b["parameters"] = json!({ "max_num_seqs": [16, 64] });
    f.post("/api/presets", &b).await;
    let merge =
        async |how: &str| f.post("/api/presets/merge", &json!({ "presets": ["a", "b"], "merge": how })).await.json;
    assert_eq!(merge("union").await["parameters"], json!({ "max-num-seqs": [8, 16, 64], "block-size": [16, 32] }));
    let common = merge("intersection").await;
    assert_eq!(
        (&common["parameters"], &common["conflicts"][0]["parameter"]),
        (&json!({ "max-num-seqs": [16] }), &json!("block-size"))
    );
    assert_eq!(merge("last_wins").await["conflicts"][0]["kept"], json!([16, 64]));
    assert_eq!(f.post("/api/presets/merge", &json!({ "presets": ["a", "zz"] })).await.status, 404);
    assert_eq!(f.post("/api/presets/merge", &json!({ "presets": [], "merge": "x" })).await.status, 422);

    let mut task = task_json("t");
    task["search_space"] = json!({ "presets": ["a", "b"], "parameters": { "block-size": [64] } });
    let checked = f.post("/api/tasks/validate", &json!({ "task": task })).await.json;
    assert!(checked["findings"].to_string().contains("the presets give max-num-seqs"), "{checked}");
    assert_eq!(f.post("/api/tasks", &json!({ "task": task })).await.status, 201);
    let space = json!({ "parameters": { "max-num-seqs": [8, 16, 64], "block-size": [64] } });
    assert_eq!(f.get("/api/tasks/t").await.json["task"]["search_space"], space);
    f.delete("/api/presets/a").await;
    f.post("/api/tasks/t/clone", &json!({ "name": "u" })).await;
    assert_eq!(f.get("/api/tasks/u").await.json["task"]["search_space"], space, "a task needs its presets no more");
    task["name"] = json!("v");
    let refused = f.post("/api/tasks", &json!({ "task": task })).await;
    let findings = refused.json["findings"].as_array().unwrap();
    let wrong: Vec<&Value> = findings.iter().filter(|d| d["severity"] == "error").map(|d| &d["message"]).collect();
    assert_eq!((refused.status, wrong), (422, vec![&json!("there is no preset `a`")]));
}
