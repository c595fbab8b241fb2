//! Experiments over HTTP.

use serde_json::{Value, json};

use crate::fixture::{Fixture, OK, stored_gz};

fn numbers(page: &Value) -> Vec<u64> {
    page["items"].as_array().unwrap().iter().map(|e| e["number"].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn experiments_are_filtered_sorted_cut_and_shown() {
    let f = Fixture::new().await;
    let id = f.task("t").await;
    f.work_on(&id).await;
    let all = f.get("/api/tasks/t/experiments").await.json;
    assert_eq!((numbers(&all), &all["next_cursor"]), (vec![1, 2, 3], &json!(null)), "{all}");
    let by = f.get("/api/tasks/t/experiments?sort=objective&order=desc").await.json;
    let objectives: Vec<f64> =
        by["items"].as_array().unwrap().iter().map(|e| e["objective"].as_f64().unwrap()).collect();
    assert!(objectives.is_sorted_by(|a, b| a >= b), "{objectives:?}");
    let down = "/api/tasks/t/experiments?order=desc&limit=2";
    let first = f.get(down).await.json;
    assert_eq!(numbers(&first), [3, 2]);
    let rest = f.get(&format!("{down}&cursor={}", first["next_cursor"].as_str().unwrap())).await.json;
    assert_eq!((numbers(&rest), &rest["next_cursor"]), (vec![1], &json!(null)));
    assert_eq!(numbers(&f.get("/api/tasks/t/experiments?role=baseline").await.json), [1]);
    assert_eq!(numbers(&f.get("/api/tasks/t/experiments?outcome=failed,open").await.json), Vec::<u64>::new());
    let cut = f.get("/api/tasks/t/experiments?fields=number,outcome&limit=1").await.json;
    assert_eq!(cut["items"], json!([{ "number": 1, "outcome": "success" }]));
    for wrong in ["sort=x", "order=x", "fields=x", "outcome=x", "role=x", "cursor=x"] {
        assert_eq!(f.get(&format!("/api/tasks/t/experiments?{wrong}")).await.status, 422, "{wrong}");
    }
}

#[tokio::test]
async fn one_experiment_is_shown_with_attempts_and_measurements() {
    let f = Fixture::new().await;
    let id = f.task("t").await;
    f.work_on(&id).await;
    let shown = f.get("/api/tasks/t/experiments/2").await;
    assert_eq!((shown.status, &shown.json["task_id"]), (OK, &json!(id)));
    assert_eq!(shown.json["experiment"]["attempts"][0]["state"], json!("succeeded"), "{}", shown.json);
    assert!(shown.json["score"]["class"].is_string());
    let measured = f.get("/api/tasks/t/experiments/2/measurements").await.json;
    assert_eq!((&measured["items"][0]["label"], &measured["items"][0]["attempt"]), (&json!("c4"), &json!(1)));
    assert!(measured["items"][0]["measurement"]["requests"]["completed"].as_u64().unwrap() > 0);
    for path in ["/api/tasks/t/experiments/9", "/api/tasks/t/experiments/x", "/api/tasks/t/experiments/2/log"] {
        assert_eq!(f.get(path).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn what_was_kept_of_requests_is_streamed_with_its_place() {
    let f = Fixture::new().await;
    let id = f.task("t").await;
    f.work_on(&id).await;
    let path = "/api/tasks/t/experiments/2/requests";
    let nothing = f.get(path).await;
    assert_eq!((nothing.status, nothing.code()), (404, "not_found"));
    assert!(nothing.json["hint"].as_str().unwrap().contains("load.save_log_mib"), "{}", nothing.json);
    let folder = f.home.logs().join(&id).join("requests");
    std::fs::create_dir_all(&folder).unwrap();
    let records: String = (0..1000).map(|n| format!("{{\"index\":{n}}}\n")).collect();
    let log = format!("{{\"format\":\"x\"}}\n{records}{{\"records\":1000}}\n");
    std::fs::write(folder.join("e000002-a001-l000-r000.jsonl.gz"), stored_gz(log.as_bytes())).unwrap();
    let answer = f.client.get(format!("{}{path}", f.base)).send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "application/x-ndjson");
    let text = answer.text().await.unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 1000, "neither the head nor the end is a request");
    assert_eq!(lines[7], json!({ "attempt": 1, "level": 0, "repeat": 0, "label": "c4", "index": 7 }));
    assert_eq!(f.get(&format!("{path}?level=1")).await.status, 404);
    assert_eq!(f.get(&format!("{path}?level=x")).await.status, 422);
    let series = f.get("/api/tasks/t/experiments/2/series").await.json;
    assert_eq!((&series["items"][0]["label"], &series["items"][0]["gpus"]), (&json!("c4"), &json!([])), "{series}");
    assert_eq!(f.get("/api/tasks/t/experiments/2/series?attempt=2").await.json["items"], json!([]));
}
