//! Health, figures, engines, the machine.

use serde_json::json;

use crate::fixture::{Fixture, OK};

#[tokio::test]
async fn health_really_writes_and_reads() {
    let f = Fixture::new().await;
    assert_eq!(f.get("/health").await.json["status"], json!("ok"));
    for path in ["/ready", "/api/system/health"] {
        let health = f.get(path).await;
        assert_eq!(health.status, OK, "{}", health.json);
        let names: Vec<_> = health.json["checks"].as_array().unwrap().iter().map(|c| c["name"].clone()).collect();
        assert_eq!(names, [json!("database"), json!("data directory"), json!("disk")]);
    }
    f.store.clone().close().await.unwrap();
    let ill = f.get("/ready").await;
    assert_eq!((ill.status, &ill.json["status"]), (503, &json!("failed")), "{}", ill.json);
    assert_eq!(ill.json["checks"][0]["status"], json!("failed"));
    assert_eq!(f.get("/health").await.status, OK, "the process itself still lives");
}

#[tokio::test]
async fn figures_name_routes_as_they_are_registered() {
    let f = Fixture::new().await;
    let id = f.task("t").await;
    f.get(&format!("/api/tasks/{id}")).await;
    f.get("/api/tasks/nothing").await;
    f.get("/random/path").await;
    let page = f.client.get(format!("{}/metrics", f.base)).send().await.unwrap();
    assert!(page.headers()["content-type"].to_str().unwrap().starts_with("text/plain; version=0.0.4"));
    let page = page.text().await.unwrap();
    for line in [
        r#"autotuner_http_requests_total{method="GET",route="/api/tasks/{task}",status="200"} 1"#,
        r#"autotuner_http_requests_total{method="GET",route="/api/tasks/{task}",status="404"} 1"#,
        r#"autotuner_http_requests_total{method="GET",route="none",status="404"} 1"#,
        r#"autotuner_tasks{status="pending"} 1"#,
        r#"autotuner_experiments{outcome="success"} 0"#,
        "autotuner_event_streams 0",
    ] {
        assert!(page.contains(line), "{line}\n{page}");
    }
    assert!(page.contains("autotuner_http_request_duration_seconds_bucket{"), "{page}");
    assert!(page.contains("process_resident_memory_bytes ") && !page.contains(&id), "{page}");
}

#[tokio::test]
async fn engines_and_their_parameters_are_listed() {
    let f = Fixture::new().await;
    let engines = f.get("/api/engines").await.json;
    assert!(engines["items"].as_array().unwrap().iter().any(|e| e["engine"] == json!("vllm")));
    assert!(f.get("/api/engines/sglang").await.json["parameters"].as_u64().unwrap() > 100);
    let some = f.get("/api/engines/vllm/parameters?contains=max-num-seqs").await.json;
    assert_eq!(some["items"][0]["name"], json!("max-num-seqs"), "{some}");
    let tunable = f.get("/api/engines/vllm/parameters?tunable=true").await.json["items"].as_array().unwrap().len();
    let all = f.get("/api/engines/vllm/parameters").await.json["items"].as_array().unwrap().len();
    assert!(tunable > 0 && tunable < all, "{tunable} of {all}");
}

#[tokio::test]
async fn the_machine_says_what_it_has_and_what_not() {
    let f = Fixture::new().await;
    let host = f.get("/api/system/host").await.json;
    assert!(host["host"]["cores"].as_u64().unwrap() > 0);
    assert!(host["process"]["memory_bytes"].as_u64().unwrap() > 1 << 20, "{host}");
    let gpus = f.get("/api/system/gpus").await.json;
    assert!(["found", "none", "broken"].contains(&gpus["kind"].as_str().unwrap()), "{gpus}");
    let info = f.get("/api/system/info").await.json;
    assert_eq!(info["pid"], json!(std::process::id()));
}

#[tokio::test]
async fn a_data_set_is_looked_into_and_other_files_stay_closed_over_the_network() {
    let f = Fixture::new().await;
    let folder = f.home.root().join("datasets");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("p.jsonl"), "{\"prompt\": \"hello\"}\n{\"prompt\": \"you\"}\n").unwrap();
    let inspect = async |source: &str| f.post("/api/datasets/inspect", &json!({ "source": source })).await;
    let found = inspect("p.jsonl").await;
    assert_eq!((found.status, &found.json["rows"]), (OK, &json!(2)), "{}", found.json);
    assert_eq!(inspect("nothing.jsonl").await.status, 404);
    assert_eq!(inspect("http://example.com/x").await.code(), "invalid_field");
    let token = tuner_app::tokens::create(&f.store, tuner_policy::Role::Admin, "t", None).await.unwrap().secret;
    for source in ["/etc/passwd", "../autotuner.sqlite", "/no/such/file"] {
        let asked = f.client.post(format!("{}/api/datasets/inspect", f.base)).bearer_auth(&token);
        let asked = f.send(asked.json(&json!({ "source": source }))).await;
        assert_eq!((asked.status, asked.code()), (403, "refused"), "{source}");
    }
}
