//! Who comes in, how often, and what is written down of it.

use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use chrono::{TimeDelta, Utc};
use serde_json::{Value, json};
use tuner_app::{Egress, tokens};
use tuner_policy::Role;
use tuner_server::{Limits, Options};

use crate::fixture::{Fixture, document, request};

const ELSEWHERE: &str = "203.0.113.7:4711";

fn create(token: Option<&str>, name: &str) -> Request<Body> {
    let (mut parts, _) = request("POST", "/api/tasks", token).into_parts();
    parts.headers.insert("content-type", "application/json".parse().unwrap());
    Request::from_parts(parts, Body::from(document(name).to_string()))
}

#[tokio::test]
async fn proxy_headers_give_nobody_rights_and_take_those_of_this_machine() {
    let f = Fixture::new().await;
    for name in ["x-forwarded-for", "forwarded", "x-real-ip"] {
        let mut asked = request("GET", "/api/tasks", None);
        asked.headers_mut().insert(axum::http::HeaderName::from_static(name), "127.0.0.1".parse().unwrap());
        asked.headers_mut().insert("host", "localhost".parse().unwrap());
        let (mut parts, body) = asked.into_parts();
        assert_eq!(f.from(ELSEWHERE, Request::from_parts(parts.clone(), body)).await.status, 401, "{name}");
        parts.extensions.clear();
        let asked = Request::from_parts(parts, Body::empty());
        assert_eq!(f.from("127.0.0.1:9", asked).await.status, 401, "{name}");
    }
    let mut asked = request("GET", "/api/tasks", None);
    asked.headers_mut().insert("host", "localhost".parse().unwrap());
    assert_eq!(f.from("[::ffff:127.0.0.1]:9", asked).await.status, 200, "IPv4 in IPv6 is this machine too");
}

#[tokio::test]
async fn a_token_works_until_it_expires_or_is_revoked_and_a_wrong_one_never() {
    let f = Fixture::new().await;
    let good = tokens::create(&f.store, Role::Viewer, "laptop", None).await.unwrap().secret;
    let old = tokens::create(&f.store, Role::Viewer, "old", Some(Utc::now() - TimeDelta::seconds(1))).await.unwrap();
    assert_eq!(f.from(ELSEWHERE, request("GET", "/api/tasks", Some(&good))).await.status, 200);
    for wrong in [old.secret.as_str(), "nonsense", &good[..good.len() - 1]] {
        let answer = f.from(ELSEWHERE, request("GET", "/api/tasks", Some(wrong))).await;
        assert_eq!((answer.status, answer.code()), (401, "token_wrong"), "{wrong}");
        assert_eq!(answer.headers["www-authenticate"], "Bearer");
    }
    f.store.revoke_token("laptop").await.unwrap();
    assert_eq!(f.from(ELSEWHERE, request("GET", "/api/tasks", Some(&good))).await.status, 401);
    let here = f.client.get(format!("{}/api/tasks", f.base)).bearer_auth("nonsense");
    assert_eq!(f.send(here).await.status, 401, "a wrong token is refused here too");
}

#[tokio::test]
async fn whoever_is_here_needs_a_token_too_where_that_is_asked_for() {
    let f = Fixture::with(Options { require_token: true, ..Options::default() }).await;
    assert_eq!(f.get("/api/tasks").await.status, 401);
    let token = tokens::create(&f.store, Role::Viewer, "here", None).await.unwrap().secret;
    let asked = f.client.get(format!("{}/api/tasks", f.base)).bearer_auth(token);
    assert_eq!(f.send(asked).await.status, 200);
}

#[tokio::test]
async fn one_client_is_slowed_down_and_the_others_are_not() {
    let limits = Limits {
        requests_per_second: 1.try_into().unwrap(),
        burst: 3.try_into().unwrap(),
        wrong_tokens_per_minute: 2.try_into().unwrap(),
        ..Limits::default()
    };
    let f = Fixture::with(Options { limits, ..Options::default() }).await;
    let token = tokens::create(&f.store, Role::Viewer, "t", None).await.unwrap().secret;
    let ask = async |peer: &str| f.from(peer, request("GET", "/health", Some(&token))).await;
    for _ in 0..3 {
        assert_eq!(ask(ELSEWHERE).await.status, 200);
    }
    let slowed = ask(ELSEWHERE).await;
    assert_eq!((slowed.status, slowed.code()), (429, "too_many_requests"));
    assert!(slowed.headers["retry-after"].to_str().unwrap().parse::<u64>().unwrap() >= 1);
    assert_eq!(ask("203.0.113.8:1").await.status, 200);
    for _ in 0..20 {
        assert_eq!(f.get("/health").await.status, 200, "this machine is not counted");
    }
    let wrong = async || f.from("203.0.113.9:1", request("GET", "/health", Some("wrong"))).await.status;
    assert_eq!([wrong().await, wrong().await, wrong().await], [401, 401, 429]);
}

#[tokio::test]
async fn every_change_and_every_refused_one_is_in_the_audit_log() {
    let f = Fixture::new().await;
    let id = f.task("mine").await;
    let viewer = tokens::create(&f.store, Role::Viewer, "watcher", None).await.unwrap();
    assert_eq!(f.from(ELSEWHERE, create(Some(&viewer.secret), "theirs")).await.status, 403);
    assert_eq!(f.post("/api/tasks", &document("mine")).await.status, 409);
    assert_eq!(f.delete(&format!("/api/tasks/{id}")).await.status, 204);
    assert_eq!(f.get("/api/tasks").await.status, 200);
    let log = f.get("/api/audit").await.json;
    let rows: Vec<_> = log["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            let text = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
            (text("action"), text("outcome"), text("actor"), text("peer"), text("target"))
        })
        .collect();
    let row = |action: &str, outcome: &str, actor: &str, peer: &str, target: &str| {
        (action.to_owned(), outcome.to_owned(), actor.to_owned(), peer.to_owned(), target.to_owned())
    };
    let place = format!("/api/tasks/{id}");
    assert_eq!(
        rows,
        [
            row("task.delete", "done", "local", "127.0.0.1", &place),
            row("task.create", "name_taken", "local", "127.0.0.1", "/api/tasks"),
            row("task.create", "refused", "viewer watcher", "203.0.113.7", "/api/tasks"),
            row("task.create", "done", "local", "127.0.0.1", &place),
        ]
    );
    assert_eq!(log["items"][2]["token"], json!(viewer.row.id));
    let first = f.get("/api/audit?limit=3").await.json;
    let rest = f.get(&format!("/api/audit?limit=3&cursor={}", first["next_cursor"].as_str().unwrap())).await.json;
    assert_eq!((rest["items"].as_array().unwrap().len(), &rest["next_cursor"]), (1, &json!(null)));
}

#[tokio::test]
async fn a_post_that_is_sent_again_with_its_key_is_done_once() {
    let f = Fixture::new().await;
    let send = async |key: &str, name: &str| {
        let asked = f.client.post(format!("{}/api/tasks", f.base)).header("idempotency-key", key);
        f.send(asked.json(&document(name))).await
    };
    let first = send("k1", "a").await;
    let again = send("k1", "a").await;
    assert_eq!((first.status, again.status), (201, 201));
    assert_eq!(first.json, again.json);
    assert_eq!(first.headers["location"], again.headers["location"]);
    assert_eq!(again.headers["idempotency-replayed"], "true");
    assert!(!first.headers.contains_key("idempotency-replayed"));
    let other = send("k1", "b").await;
    assert_eq!((other.status, other.code()), (422, "key_reused"));
    assert_eq!(send("k2", "b").await.status, 201);
    assert_eq!(f.get("/api/tasks").await.json["items"].as_array().unwrap().len(), 2);
    let (one, two) = tokio::join!(send("k3", "c"), send("k3", "c"));
    let mut statuses = [one.status, two.status];
    statuses.sort_unstable();
    assert!(statuses == [201, 201] || statuses == [201, 409], "{statuses:?}");
    let token = tokens::create(&f.store, Role::Operator, "t", None).await.unwrap().secret;
    let mut theirs = create(Some(&token), "d");
    theirs.headers_mut().insert("idempotency-key", "k1".parse().unwrap());
    assert_eq!(f.from(ELSEWHERE, theirs).await.status, 201, "another asker's keys are others");
}

/// B8: a server that dies between a change and its answer, or loses the database then, does not know whether it was made.
#[tokio::test]
async fn a_post_whose_end_nobody_knows_makes_nothing_twice() {
    let f = Fixture::new().await;
    let send = async |path: &str, body: Option<&Value>| {
        let asked = f.client.post(format!("{}{path}", f.base)).header("idempotency-key", path);
        f.send(match body {
            Some(body) => asked.json(body),
            None => asked,
        })
        .await
    };
    let report = json!({ "kind": "render_report", "task": "a" });
    let (task, start, copy) = (document("a"), "/api/tasks/a/start", "/api/tasks/a/clone");
    for (path, body, at) in [
        ("/api/tasks", Some(&task), "/id"),
        (start, None, "/job/id"),
        (copy, None, "/id"),
        ("/api/jobs", Some(&report), "/id"),
    ] {
        let first = send(path, body).await;
        assert!(first.json.pointer(at).is_some_and(Value::is_string), "{path}: {}", first.json);
        f.store.end_answer("local", path, None, Duration::ZERO).await.unwrap();
        let again = send(path, body).await;
        assert!(!again.headers.contains_key("idempotency-replayed"));
        assert_eq!((again.status, again.json.pointer(at)), (first.status, first.json.pointer(at)), "{path}");
    }
    assert_eq!(f.get("/api/tasks").await.json["items"].as_array().unwrap().len(), 2);
    assert_eq!(f.get("/api/jobs").await.json["items"].as_array().unwrap().len(), 2);
}

/// B8: the same for what is known by a name, which another request may not have.
#[tokio::test]
async fn a_preset_or_data_set_whose_end_nobody_knows_is_given_to_whoever_made_it() {
    let told = Egress::limited(true, vec!["127.0.0.1".parse().unwrap()]);
    let f = Fixture::fetching(told).await;
    let preset = |name: &str| json!({ "name": name, "engine": "vllm", "parameters": { "max-num-seqs": [8] } });
    let rows = "{\"prompt\": \"a\"}\n{\"prompt\": \"b\"}\n";
    let fetch = json!({ "url": "http://127.0.0.1:9/x", "name": "fetched" });
    for (path, body, at) in [
        ("/api/presets", preset("p").to_string(), "/created_at"),
        ("/api/presets/import", json!({ "presets": [preset("q"), preset("r")] }).to_string(), "/stored/1/created_at"),
        ("/api/presets/import?existing=skip", json!({ "preset": preset("s") }).to_string(), "/stored/0/created_at"),
        ("/api/datasets?name=d", rows.to_owned(), "/created_at"),
        ("/api/datasets/fetch", fetch.to_string(), "/id"),
    ] {
        let send = async |key: &str| {
            let asked = f.client.post(format!("{}{path}", f.base)).header("idempotency-key", key);
            let kind = if path.contains("?name") { "application/octet-stream" } else { "application/json" };
            f.send(asked.header("content-type", kind).body(body.clone())).await
        };
        let first = send(path).await;
        assert!(first.json.pointer(at).is_some_and(Value::is_string), "{path}: {}", first.json);
        f.store.end_answer("local", path, None, Duration::ZERO).await.unwrap();
        let again = send(path).await;
        assert!(!again.headers.contains_key("idempotency-replayed"));
        assert_eq!((again.status, &again.json), (first.status, &first.json), "{path}");
        let other = send("another").await;
        let taken = other.code() == "name_taken";
        assert!(taken || path.ends_with("skip") || path.ends_with("fetch"), "{path}: {}", other.json);
        f.store.end_answer("local", "another", None, Duration::ZERO).await.unwrap();
    }
    // Its file was put in its place, and then the server died.
    std::fs::write(f.home.datasets().join("e"), rows).unwrap();
    let left = f.client.post(format!("{}/api/datasets?name=e", f.base)).body(rows);
    assert_eq!(f.send(left).await.status, 201);
    std::fs::write(f.home.datasets().join("g"), "{\"prompt\": \"other\"}\n").unwrap();
    let foreign = f.client.post(format!("{}/api/datasets?name=g", f.base)).body(rows);
    assert_eq!(f.send(foreign).await.status, 422);
}

#[tokio::test]
async fn a_service_that_stops_lets_streams_and_connections_end() {
    let f = Fixture::new().await;
    let stream = f.client.get(format!("{}/api/events", f.base)).send().await.unwrap();
    assert_eq!(stream.status().as_u16(), 200);
    f.stop.cancel();
    let rest = tokio::time::timeout(Duration::from_secs(5), stream.bytes()).await;
    assert!(rest.is_ok(), "the stream ends");
    let mut f = f;
    let ended = tokio::time::timeout(Duration::from_secs(7), &mut f.ended).await;
    ended.expect("the service ends").unwrap().unwrap();
}
