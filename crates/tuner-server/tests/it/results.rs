//! What the page needs beside the lists: reports, previews, checks, tokens, deployments, and the page itself.

use axum::http::HeaderValue;
use serde_json::{Value, json};
use tuner_policy::Role;

use crate::fixture::{Fixture, OK, document, request, task_json};

#[tokio::test]
async fn a_report_is_given_in_each_form_and_opens_alone() {
    let f = Fixture::new().await;
    let id = f.task("t").await;
    f.work_on(&id).await;
    let report = f.get("/api/tasks/t/report").await;
    assert_eq!((report.status, &report.json["task"], &report.json["finished"]), (OK, &json!("t"), &json!(true)));
    assert_eq!(report.json["experiments"].as_array().unwrap().len(), 3);
    assert!(report.json["verdict"]["sentence"].is_string(), "{}", report.json["verdict"]);
    for (word, kind) in [("markdown", "text/markdown; charset=utf-8"), ("html", "text/html; charset=utf-8")] {
        let shown = f.get(&format!("/api/tasks/t/report?format={word}")).await;
        assert_eq!((shown.status, shown.headers["content-type"].to_str().unwrap()), (OK, kind));
        assert!(shown.headers["content-security-policy"].to_str().unwrap().contains("sandbox"));
    }
    let launch = f.get("/api/tasks/t/experiments/2/launch").await.json;
    assert!(launch["command"].as_str().unwrap().contains("--max-num-seqs"), "{launch}");
    assert!(launch["kubernetes"].as_str().unwrap().contains("kind: Deployment"), "{launch}");
    assert!(launch["compose"].as_str().unwrap().contains("image: IMAGE"), "{launch}");
    assert_eq!(f.get("/api/tasks/t/experiments/77/launch").await.status, 404);
    let wrong = f.get("/api/tasks/t/report?format=pdf").await;
    assert_eq!((wrong.status, wrong.code()), (422, "invalid_query"));
}

#[tokio::test]
async fn what_was_learned_and_what_differs_is_told() {
    let f = Fixture::new().await;
    let id = f.task("t").await;
    f.work_on(&id).await;
    let insight = f.get("/api/tasks/t/insight").await.json;
    assert_eq!(insight["effects"][0]["parameter"], json!("max-num-seqs"), "{insight}");
    assert!(!insight["pareto_front"].as_array().unwrap().is_empty());
    // Three experiments are too few for a model.
    assert_eq!(insight["expected"], Value::Null);
    let sides = f.get("/api/tasks/t/compare?experiments=1,2").await;
    assert_eq!(sides.status, OK, "{}", sides.json);
    assert_eq!(sides.json["experiments"].as_array().unwrap().len(), 2);
    assert_eq!(sides.json["differences"][0]["parameter"], json!("max-num-seqs"));
    for wrong in ["1", "1,x", "1,2,3,1,2,3,1", ""] {
        assert_eq!(f.get(&format!("/api/tasks/t/compare?experiments={wrong}")).await.status, 422, "{wrong}");
    }
    assert_eq!(f.get("/api/tasks/t/compare?experiments=1,77").await.status, 404);
}

#[tokio::test]
async fn a_preview_shows_commands_and_what_cannot_run() {
    let f = Fixture::new().await;
    let mut task = task_json("t");
    task["search_space"]["parameters"]["max-model-len"] = json!([64, 8192]);
    task["workload"] = json!({ "scenario": "D(100,100)" });
    let shown = f.post("/api/tasks/preview?limit=4", &json!({ "task": task })).await;
    assert_eq!(shown.status, OK, "{}", shown.json);
    assert_eq!((&shown.json["combinations"], &shown.json["cannot_run"]), (&json!(6), &json!(3)), "{}", shown.json);
    let configurations = shown.json["configurations"].as_array().unwrap();
    assert_eq!((configurations.len(), &configurations[0]["baseline"]), (5, &json!(true)));
    let impossible = |c: &Value| c["impossible"].is_string();
    let short = |c: &Value| c["configuration"]["max-model-len"] == json!(64);
    assert!(configurations.iter().all(|c| impossible(c) == short(c)), "{configurations:#?}");
    assert!(configurations[1]["command"].as_str().unwrap().contains("--max-num-seqs"), "{}", configurations[1]);
    assert_eq!(f.post("/api/tasks/preview?limit=0", &document("t")).await.status, 422);
    assert_eq!(f.post("/api/tasks/preview", &json!({ "text": "name: [" })).await.code(), "invalid_task");
    let schema = f.get("/api/schema/task").await.json;
    assert!(schema["properties"]["search_space"].is_object());
}

/// Issue 5, point 5.
#[tokio::test]
async fn what_somebody_wants_tried_is_tried_first() {
    let f = Fixture::new().await;
    let id = f.task("t").await;
    let propose = async |configurations: Value| {
        f.post("/api/tasks/t/proposals", &json!({ "configurations": configurations })).await
    };
    let sent = propose(json!([{ "max-num-seqs": 32 }, { "max-num-seqs": 16 }])).await;
    assert_eq!(sent.json, json!({ "new": [{ "max-num-seqs": 32 }, { "max-num-seqs": 16 }] }));
    assert_eq!(propose(json!([{ "max-num-seqs": 16 }])).await.json, json!({ "new": [] }));
    for (wrong, why) in [
        (json!([]), "1 to 20"),
        (json!([{ "max-num-seqs": 8 }, { "max-num-seqs": 9 }]), "number 2: 9 is no value"),
        (json!([{ "max-nun-seqs": 8 }]), "it varies max-num-seqs"),
        (json!([{}]), "is missing"),
    ] {
        let refused = propose(wrong).await;
        let message = refused.json["message"].as_str().unwrap();
        assert!(refused.status == 422 && message.contains(why), "{why}: {}", refused.json);
    }
    f.work_on(&id).await;
    let tried = f.get("/api/tasks/t/experiments?fields=number,configuration&role=search").await.json;
    let tried: Vec<&Value> = tried["items"].as_array().unwrap().iter().map(|e| &e["configuration"]).collect();
    assert_eq!(tried, [&json!({ "max-num-seqs": 32 }), &json!({ "max-num-seqs": 16 })]);
    assert_eq!(propose(json!([{ "max-num-seqs": 8 }])).await.code(), "wrong_state");
}

#[tokio::test]
async fn a_machine_and_a_task_are_checked() {
    let f = Fixture::new().await;
    f.task("t").await;
    let checked = async |path: &str| {
        let checks = f.get(path).await;
        assert_eq!(checks.status, OK, "{}", checks.json);
        let items = checks.json["items"].as_array().unwrap().clone();
        assert!(items.iter().all(|c| c["status"].is_string() && c["detail"].is_string()), "{}", checks.json);
        items.iter().map(|c| c["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert!(checked("/api/system/check").await.iter().any(|name| name == "disk"));
    assert!(checked("/api/tasks/t/check").await.is_empty(), "in virtual time nothing can be missing");
    let mut local = task_json("l");
    local["backend"] = json!({ "kind": "local" });
    assert_eq!(f.post("/api/tasks", &json!({ "task": local })).await.status, 201);
    assert!(!checked("/api/tasks/l/check").await.is_empty());
    assert_eq!(f.get("/api/tasks/none/check").await.status, 404);
    assert_eq!(f.get("/api/deployments").await.json, json!({ "items": [], "next_cursor": null }));
}

#[tokio::test]
async fn a_tokens_text_is_in_one_answer_and_kept_nowhere() {
    let f = Fixture::new().await;
    let body = json!({ "role": "operator", "name": "laptop" });
    let send = || f.client.post(format!("{}/api/tokens", f.base)).header("idempotency-key", "k1").json(&body);
    let made = f.send(send()).await;
    let token = made.json["token"].as_str().unwrap().to_owned();
    assert_eq!((made.status, &made.json["works"]), (201, &json!(true)), "{}", made.json);
    let again = f.send(send()).await;
    assert_eq!((again.status, again.code()), (409, "shown_once"), "{}", again.json);
    let listed = f.get("/api/tokens").await.json;
    assert_eq!(listed["items"].as_array().unwrap().len(), 1, "asked twice, made once");
    assert!(!listed.to_string().contains(&token) && !again.json.to_string().contains(&token));
    assert_eq!(f.from("203.0.113.7:1", request("GET", "/api/tasks", Some(&token))).await.status, 200);
    let id = made.json["id"].as_str().unwrap();
    assert_eq!(f.delete(&format!("/api/tokens/{id}")).await.status, 204);
    assert_eq!(f.from("203.0.113.7:1", request("GET", "/api/tasks", Some(&token))).await.status, 401);
    assert_eq!(f.delete("/api/tokens/laptop").await.status, 404, "a name is no id");
    for wrong in [
        json!({ "role": "root", "name": "x" }),
        json!({ "role": "viewer", "name": " " }),
        json!({ "role": "viewer", "name": "x", "expires_at": "2001-01-01T00:00:00Z" }),
    ] {
        assert_eq!(f.post("/api/tokens", &wrong).await.status, 422, "{wrong}");
    }
    let operator = tuner_app::tokens::create(&f.store, Role::Operator, "op", None).await.unwrap().secret;
    assert_eq!(f.from("203.0.113.7:1", request("GET", "/api/tokens", Some(&operator))).await.code(), "role_needed");
}

#[tokio::test]
async fn the_page_needs_no_token_and_everything_it_shows_does() {
    let f = Fixture::new().await;
    let mut opened = request("GET", "/tasks/x", None);
    opened.headers_mut().insert("accept", HeaderValue::from_static("text/html"));
    let page = f.from("203.0.113.7:1", opened).await;
    assert!(page.headers["content-type"].to_str().unwrap().starts_with("text/html"), "{:?}", page.headers);
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{policy}");
    for path in ["/api/tasks", "/metrics", "/health"] {
        let mut asked = request("GET", path, None);
        asked.headers_mut().insert("accept", HeaderValue::from_static("text/html"));
        assert_eq!(f.from("203.0.113.7:1", asked).await.status, 401, "{path}");
    }
    assert_eq!(f.from("203.0.113.7:1", request("GET", "/assets/../../Cargo.toml", None)).await.status, 401);
}
