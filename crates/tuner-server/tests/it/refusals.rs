//! What is refused, and how that is said.

use serde_json::{Value, json};

use crate::fixture::{Answer, Fixture, document};

fn is_envelope(answer: &Answer, status: u16, code: &str) {
    assert_eq!((answer.status, answer.code()), (status, code), "{}", answer.json);
    let body = answer.json.as_object().unwrap();
    assert!(body["message"].is_string() && body.contains_key("hint"), "{body:?}");
    assert_eq!(body["request_id"].as_str(), answer.headers["x-request-id"].to_str().ok());
    assert_eq!(answer.headers["content-type"], "application/json");
}

#[tokio::test]
async fn every_refusal_has_one_shape() {
    let f = Fixture::new().await;
    let url = |path: &str| format!("{}{path}", f.base);
    is_envelope(&f.get("/nothing").await, 404, "not_found");
    is_envelope(&f.get("/api/tasks/nothing").await, 404, "not_found");
    is_envelope(&f.send(f.client.patch(url("/api/tasks"))).await, 405, "method_not_allowed");
    let text =
        |text: &'static str| f.client.post(url("/api/tasks")).header("content-type", "application/json").body(text);
    is_envelope(&f.send(text("{")).await, 400, "invalid_json");
    is_envelope(&f.send(text("{\"task\": 3}")).await, 422, "invalid_body");
    is_envelope(&f.send(text("{\"wrong\": 3}")).await, 422, "invalid_body");
    is_envelope(&f.send(text("{}")).await, 422, "invalid_body");
    let listed = f.client.post(format!("{}/api/agent/sessions", f.base)).header("content-type", "application/json");
    is_envelope(&f.send(listed.body(" [null, null]")).await, 422, "invalid_body");
    is_envelope(&f.send(f.client.post(url("/api/tasks")).body("x")).await, 415, "unsupported_media_type");
    let large = "x".repeat((1 << 20) + 1000);
    let large = f.client.post(url("/api/tasks")).header("content-type", "application/yaml").body(large);
    is_envelope(&f.send(large).await, 413, "body_too_large");
    is_envelope(&f.get("/api/tasks?limit=0").await, 422, "invalid_query");
    is_envelope(&f.get("/api/tasks?limit=x").await, 422, "invalid_query");
    is_envelope(&f.get("/api/tasks?nonsense=1").await, 422, "invalid_query");
    is_envelope(&f.get("/api/tasks?cursor=x").await, 422, "invalid_query");
    is_envelope(&f.get("/api/tasks?status=wrong").await, 422, "invalid_query");
    is_envelope(&f.get("/api/engines/nothing").await, 404, "not_found");
    is_envelope(&f.get("/api/events?kind=nothing").await, 422, "invalid_query");
}

#[tokio::test]
async fn a_request_keeps_the_id_that_its_client_gave() {
    let f = Fixture::new().await;
    let given = f.client.get(format!("{}/health", f.base)).header("x-request-id", "from-a-client-7");
    assert_eq!(f.send(given).await.headers["x-request-id"], "from-a-client-7");
    let odd = f.client.get(format!("{}/health", f.base)).header("x-request-id", "a b<script>");
    assert_ne!(f.send(odd).await.headers["x-request-id"], "a b<script>");
}

#[tokio::test]
async fn a_document_with_errors_gets_all_of_them_with_their_places() {
    let f = Fixture::new().await;
    let text = "name: t\nmodel: {id: m}\nengine: {name: vlm}\nsearch_space: {}\nbugdet: {experiments: 3}\n";
    let refused = f.post("/api/tasks", &json!({ "text": text })).await;
    is_envelope(&refused, 422, "invalid_task");
    let found = refused.json["findings"].as_array().unwrap();
    assert_eq!(found.len(), 3, "{found:?}");
    assert_eq!((&found[0]["line"], &found[0]["suggestion"]), (&json!(3), &json!("vllm")));
    assert_eq!((&found[2]["line"], &found[2]["suggestion"]), (&json!(5), &json!("budget")));
    let checked = f.post("/api/tasks/validate", &json!({ "text": text })).await;
    assert_eq!((checked.status, &checked.json["valid"]), (200, &json!(false)));
    assert_eq!(checked.json["findings"], refused.json["findings"]);
    assert_eq!(f.get("/api/tasks").await.json["items"], json!([]));
}

#[tokio::test]
async fn a_browser_is_refused_where_another_site_made_it_ask() {
    let f = Fixture::new().await;
    let (tasks, body) = (format!("{}/api/tasks", f.base), document("t"));
    let with = async |name: &str, value: &str| f.send(f.client.post(&tasks).json(&body).header(name, value)).await;
    for (name, value) in [
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("origin", "http://localhost:1"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
    ] {
        is_envelope(&with(name, value).await, 403, "origin_refused");
    }
    is_envelope(&with("host", "evil.example").await, 403, "host_refused");
    assert_eq!(f.get("/api/tasks").await.json["items"], json!([]), "nothing was stored");
    assert_eq!(with("origin", &f.base).await.status, 201);
    let asked = f.client.request(reqwest::Method::OPTIONS, &tasks).header("origin", &f.base);
    let asked = f.send(asked.header("access-control-request-method", "POST")).await;
    assert!(!asked.headers.contains_key("access-control-allow-origin"));
    let health = f.get("/health").await;
    for name in ["x-content-type-options", "content-security-policy", "referrer-policy", "cache-control"] {
        assert!(health.headers.contains_key(name), "{name}");
    }
}

#[tokio::test]
async fn secrets_are_in_no_answer() {
    let f = Fixture::new().await;
    for path in ["/api/system/settings", "/api/system/host", "/api/system/info", "/api/system/health", "/metrics"] {
        let text = f.client.get(format!("{}{path}", f.base)).send().await.unwrap().text().await.unwrap();
        assert!(!text.contains("verysecret"), "{path}: {text}");
    }
    let settings = f.get("/api/system/settings").await.json;
    assert_eq!(settings["secrets"], json!(["GH_TOKEN", "HF_TOKEN"]));
    assert_ne!(settings["limits"]["burst"], Value::Null);
}
