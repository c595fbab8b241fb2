//! The Model Context Protocol over HTTP, as clients of two revisions speak it.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use tuner_app::tokens;
use tuner_policy::Role;

use super::fixture::{Answer, Fixture};

const THERE: &str = "198.51.100.7:4000";

/// A request of the newest revision, which stands for itself.
fn speak(token: Option<&str>, method: &str, mut params: Value) -> Request<Body> {
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": { "name": "notebook", "version": "1" },
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    let name = params["name"].as_str().map(str::to_owned);
    let message = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
    let mut request = Request::builder()
        .method("POST")
        .uri("/mcp")
        .header("content-type", "application/json")
        .header("accept", "application/json, text/event-stream")
        .header("mcp-protocol-version", "2026-07-28")
        .header("mcp-method", method);
    if let Some(name) = name {
        request = request.header("mcp-name", name);
    }
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    request.body(Body::from(message.to_string())).unwrap()
}

fn text(answer: &Answer) -> Value {
    let text = answer.json["result"]["content"][0]["text"].as_str();
    serde_json::from_str(text.unwrap_or_else(|| panic!("{:#}", answer.json))).unwrap()
}

/// A post of JSON from elsewhere.
fn post(token: &str, path: &str, body: &Value) -> Request<Body> {
    Request::builder()
        .method("POST")
        .uri(path)
        .header("content-type", "application/json")
        .header("authorization", format!("Bearer {token}"))
        .body(Body::from(body.to_string()))
        .unwrap()
}

/// R0.5, R1: a client far away sees the tools, its change waits, it cannot let it happen itself, and an administrator can.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_with_a_token_changes_nothing_until_somebody_else_lets_it() {
    let f = Fixture::new().await;
    let refused = f.from(THERE, speak(None, "tools/list", json!({}))).await;
    assert_eq!(refused.status, 401, "{:#}", refused.json);
    let client = tokens::create(&f.store, Role::Admin, "notebook", None).await.unwrap().secret;
    let listed = f.from(THERE, speak(Some(&client), "tools/list", json!({}))).await;
    let tools = listed.json["result"]["tools"].as_array().unwrap_or_else(|| panic!("{:#}", listed.json));
    assert!(tools.iter().any(|tool| tool["name"] == "create_task" && tool["annotations"]["readOnlyHint"] == false));
    let arguments = json!({ "document": "{name: far, model: {id: m}, engine: {name: simulated}, search_space: {parameters: {max-num-seqs: [8, 16]}}}" });
    let call = json!({ "name": "create_task", "arguments": arguments });
    let waits = text(&f.from(THERE, speak(Some(&client), "tools/call", call.clone())).await);
    assert_eq!(waits["status"], "requires_auth", "{waits:#}");
    // What the answer says is what a person has to send.
    let route = waits["where"]["http"].as_str().unwrap();
    let (path, body) = route.strip_prefix("POST ").unwrap().split_once(' ').unwrap();
    let body: Value = serde_json::from_str(body).unwrap();
    let own = f.from(THERE, post(&client, path, &body)).await;
    assert_eq!((own.status, own.code()), (403, "own_client"), "{:#}", own.json);
    let session = path.split("/calls/").next().unwrap();
    let own = f.from(THERE, post(&client, &format!("{session}/authorize"), &json!({ "scopes": ["task_write"] }))).await;
    assert_eq!((own.status, own.code()), (403, "own_client"), "{:#}", own.json);
    let operator = tokens::create(&f.store, Role::Operator, "colleague", None).await.unwrap().secret;
    assert_eq!(f.from(THERE, post(&operator, path, &body)).await.status, 404, "it is not theirs");
    let admin = tokens::create(&f.store, Role::Admin, "person", None).await.unwrap().secret;
    let done = f.from(THERE, post(&admin, path, &body)).await;
    assert_eq!(done.status, 200, "{:#}", done.json);
    let asked = json!({ "name": "call_result", "arguments": { "call_id": waits["call_id"] } });
    let made = text(&f.from(THERE, speak(Some(&client), "tools/call", asked)).await);
    assert_eq!(made["success"], true, "{made:#}");
    assert_eq!(f.get("/api/tasks").await.json["items"].as_array().unwrap().len(), 1);
}

/// Who may only look is told so by the policy, and a page of another site reaches nothing.
#[tokio::test(flavor = "multi_thread")]
async fn the_guard_of_the_service_stands_before_the_protocol() {
    let f = Fixture::new().await;
    let viewer = tokens::create(&f.store, Role::Viewer, "watcher", None).await.unwrap().secret;
    let call = json!({ "name": "list_tasks", "arguments": {} });
    let refused = f.from(THERE, speak(Some(&viewer), "tools/call", call.clone())).await;
    assert!(refused.json["error"]["message"].as_str().unwrap().contains("chat.write"), "{:#}", refused.json);
    let mut foreign = speak(None, "tools/call", call);
    foreign.headers_mut().insert("origin", "https://evil.example".parse().unwrap());
    foreign.headers_mut().insert("host", "localhost:8470".parse().unwrap());
    let refused = f.from("127.0.0.1:4000", foreign).await;
    assert_eq!((refused.status, refused.code()), (403, "origin_refused"), "{:#}", refused.json);
}

/// A client of an older revision greets first, and is served all the same.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_of_an_older_revision_is_served() {
    let f = Fixture::new().await;
    let say = async |message: Value| {
        let request = f.client.post(format!("{}/mcp", f.base)).json(&message);
        f.send(request.header("accept", "application/json, text/event-stream")).await
    };
    let hello = json!({
        "jsonrpc": "2.0", "id": 1, "method": "initialize",
        "params": { "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": { "name": "old", "version": "1" } },
    });
    let greeted = say(hello).await;
    assert_eq!(greeted.json["result"]["protocolVersion"], "2025-06-18", "{:#}", greeted.json);
    assert_eq!(greeted.json["result"]["serverInfo"]["name"], "inference-autotuner");
    let call = json!({
        "jsonrpc": "2.0", "id": 2, "method": "tools/call",
        "params": { "name": "get_current_time", "arguments": {} },
    });
    assert_eq!(text(&say(call).await)["success"], true);
}
