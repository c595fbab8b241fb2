//! Tasks over HTTP, from their documents to their ends.

use serde_json::{Value, json};

use crate::fixture::{Fixture, OK, document, task_json};

#[tokio::test]
async fn a_task_is_found_by_id_name_and_beginning_of_its_id() {
    let f = Fixture::new().await;
    let id = f.task("first").await;
    for wanted in [id.as_str(), "first", &id[..13]] {
        let shown = f.get(&format!("/api/tasks/{wanted}")).await;
        assert_eq!((shown.status, &shown.json["id"]), (OK, &json!(id)), "{wanted}");
        assert_eq!(shown.json["task"]["budget"]["experiments"], json!(3));
        assert_eq!(shown.json["task"]["seed"], json!(0), "defaults are filled in");
        assert_eq!((&shown.json["revision"], &shown.json["status"]), (&json!(1), &json!("pending")));
    }
    assert_eq!(f.get("/api/tasks/by-name/first").await.status, OK);
    assert_eq!(f.get(&format!("/api/tasks/by-name/{id}")).await.status, 404);
    let taken = f.post("/api/tasks", &document("first")).await;
    assert_eq!((taken.status, taken.code()), (409, "name_taken"));
}

#[tokio::test]
async fn a_task_comes_as_an_object_as_text_as_yaml_and_from_the_predecessor() {
    let f = Fixture::new().await;
    f.task("object").await;
    let text = task_json("text").to_string();
    assert_eq!(f.post("/api/tasks", &json!({ "text": text })).await.status, 201);
    let yaml = "name: yaml\nmodel: {id: m}\nengine: {name: simulated}\nbackend: {kind: virtual}\nsearch_space: {}\n";
    let sent = f.client.post(format!("{}/api/tasks", f.base)).header("content-type", "application/yaml").body(yaml);
    assert_eq!(f.send(sent).await.status, 201);
    assert_eq!(f.get("/api/tasks/yaml").await.json["source"], json!(yaml));
    let old = json!({
        "task_name": "old", "base_runtime": "sglang", "deployment_mode": "local",
        "model": { "id_or_path": "llama-3-2-1b-instruct" },
        "parameters": { "tp-size": [1, 2] },
        "optimization": { "strategy": "grid_search", "objective": "maximize_throughput" },
        "benchmark": { "task": "text-to-text", "traffic_scenarios": ["D(100,100)"], "num_concurrency": [1, 4] },
    });
    let checked = f.post("/api/tasks/validate", &json!({ "task": old })).await;
    assert_eq!((checked.status, &checked.json["imported"]), (OK, &json!(true)), "{}", checked.json);
    assert_eq!(checked.json["valid"], json!(true), "{}", checked.json);
    let made = f.post("/api/tasks", &json!({ "task": old })).await;
    assert_eq!((made.status, &made.json["name"]), (201, &json!("old")), "{}", made.json);
}

#[tokio::test]
async fn tasks_are_listed_filtered_and_page_by_page() {
    let f = Fixture::new().await;
    for n in 0..5 {
        f.task(&format!("t{n}")).await;
    }
    f.post("/api/tasks/t1/cancel", &json!({})).await;
    let names = |page: &Value| -> Vec<String> {
        page["items"].as_array().unwrap().iter().map(|t| t["name"].as_str().unwrap().to_owned()).collect()
    };
    let first = f.get("/api/tasks?limit=2").await.json;
    assert_eq!(names(&first), ["t4", "t3"]);
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = f.get(&format!("/api/tasks?limit=3&cursor={cursor}")).await.json;
    assert_eq!((names(&second), &second["next_cursor"]), (vec!["t2".into(), "t1".into(), "t0".into()], &json!(null)));
    assert_eq!(names(&f.get("/api/tasks?status=cancelled,failed").await.json), ["t1"]);
    assert_eq!(names(&f.get("/api/tasks?engine=vllm").await.json), Vec::<String>::new());
    assert_eq!(names(&f.get("/api/tasks?name=3").await.json), ["t3"]);
}

#[tokio::test]
async fn an_archived_task_is_kept_and_left_out_of_lists() {
    let f = Fixture::new().await;
    f.task("a").await;
    let count = async |query: &str| f.get(&format!("/api/tasks{query}")).await.json["items"].as_array().unwrap().len();
    let away = f.post("/api/tasks/a/archive", &json!({})).await;
    assert!(away.json["archived_at"].is_string(), "{}", away.json);
    assert_eq!((count("").await, count("?archived=only").await, count("?archived=all").await), (0, 1, 1));
    assert_eq!(f.post("/api/tasks/a/archive", &json!({})).await.status, OK);
    let back = f.post("/api/tasks/a/unarchive", &json!({})).await;
    assert_eq!((&back.json["archived_at"], count("").await), (&json!(null), 1));
}

#[tokio::test]
async fn an_edit_makes_a_revision_and_old_results_stay_with_the_old_one() {
    let f = Fixture::new().await;
    let first = f.task("t").await;
    f.work_on(&first).await;
    let done = f.get("/api/tasks/t").await.json;
    assert_eq!((&done["status"], &done["experiments"]["success"]), (&json!("completed"), &json!(3)), "{done}");
    let mut edited = task_json("t");
    edited["budget"]["experiments"] = json!(7);
    let made = f.put("/api/tasks/t", &json!({ "task": edited })).await;
    assert_eq!(made.status, 201, "{}", made.json);
    let second = made.json["id"].as_str().unwrap();
    assert_eq!(made.headers["location"], format!("/api/tasks/{second}"));
    let now = f.get("/api/tasks/t").await.json;
    assert_eq!((&now["id"], &now["revision"], &now["status"]), (&json!(second), &json!(2), &json!("pending")));
    assert_eq!((&now["experiments"], &now["task"]["budget"]["experiments"]), (&json!({}), &json!(7)));
    let before = f.get(&format!("/api/tasks/{first}")).await.json;
    assert_eq!((&before["replaced_by"], &before["experiments"]["success"]), (&json!(second), &json!(3)));
    assert_eq!((&before["name"], &before["task"]["budget"]["experiments"]), (&json!("t.r1"), &json!(3)));
    let again = f.put(&format!("/api/tasks/{first}"), &document("t")).await;
    assert_eq!((again.status, again.code()), (409, "wrong_state"));
    assert_eq!(f.get("/api/tasks").await.json["items"].as_array().unwrap().len(), 1);
    assert_eq!(f.get("/api/tasks?replaced=true").await.json["items"][1]["name"], json!("t.r1"));
    let revisions = f.get("/api/tasks/t/revisions").await.json;
    let numbers: Vec<_> =
        revisions["items"].as_array().unwrap().iter().map(|r| r["revision"].as_u64().unwrap()).collect();
    assert_eq!(numbers, [2, 1]);
    assert_eq!(f.delete("/api/tasks/t").await.status, 204);
    assert_eq!(f.get(&format!("/api/tasks/{first}")).await.status, 404, "earlier revisions go too");
}

#[tokio::test]
async fn a_task_that_is_worked_on_is_neither_edited_nor_archived_nor_deleted() {
    let f = Fixture::new().await;
    let id = f.task("busy").await.parse().unwrap();
    let owner =
        tuner_store::Owner { host: "elsewhere.invalid".to_owned(), pid: 1, start_ticks: 1, pid_namespace: None };
    let resource = tuner_store::Resource::task(id);
    let ttl = std::time::Duration::from_secs(60);
    let lease = f.store.claim(&resource, &owner, ttl, chrono::Utc::now()).await.unwrap().won().unwrap();
    f.store.claimed(id, lease).start_task().await.unwrap();
    assert_eq!(f.put("/api/tasks/busy", &document("busy")).await.status, 409);
    assert_eq!(f.post("/api/tasks/busy/archive", &json!({})).await.status, 409);
    let refused = f.delete("/api/tasks/busy").await;
    assert_eq!((refused.status, refused.code()), (409, "task_in_use"));
    assert_eq!(f.post("/api/tasks/busy/cancel", &json!({})).await.json, json!({ "status": "cancelling" }));
}

#[tokio::test]
async fn a_clone_is_pending_and_has_a_name_of_its_own() {
    let f = Fixture::new().await;
    f.task("t").await;
    let clone = async |body: Value| f.post("/api/tasks/t/clone", &body).await;
    assert_eq!(clone(json!({})).await.json["name"], json!("t-2"));
    assert_eq!(clone(json!({ "name": "other" })).await.json["name"], json!("other"));
    assert_eq!(clone(json!({ "name": "other" })).await.status, 409);
    assert_eq!(clone(json!({ "name": "no/name" })).await.code(), "invalid_task");
    let bare = f.send(f.client.post(format!("{}/api/tasks/t/clone", f.base))).await;
    assert_eq!((bare.status, &bare.json["name"]), (201, &json!("t-3")));
}

#[tokio::test]
async fn a_deleted_task_is_gone_with_its_logs() {
    let f = Fixture::new().await;
    let id = f.task("t").await;
    let logs = f.home.logs().join(&id);
    std::fs::create_dir_all(&logs).unwrap();
    std::fs::write(logs.join("engine.log"), "x").unwrap();
    assert_eq!(f.delete("/api/tasks/t").await.status, 204);
    assert!(!logs.exists());
    assert_eq!(f.delete("/api/tasks/t").await.status, 404);
    assert_eq!(f.get("/api/tasks/t/experiments").await.status, 404);
    assert!(f.logs().exists());
}

#[tokio::test]
async fn an_estimate_says_what_is_known() {
    let f = Fixture::new().await;
    let mut task = task_json("t");
    task["backend"] = json!({ "kind": "local" });
    task["verification"] = json!({ "blocks": 2 });
    let said = f.post("/api/tasks/estimate", &json!({ "task": task })).await;
    assert_eq!((said.status, &said.json["configurations"]), (OK, &json!(3.0)), "{}", said.json);
    assert_eq!((&said.json["search_experiments"], &said.json["verification_experiments"]), (&json!(3), &json!(4)));
    assert_eq!(said.json["wall_time_s"]["least"], json!(35.0));
    assert!(said.json["basis"].is_string());
}
