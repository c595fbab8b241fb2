//! Every operation of the document, asked by everybody.

use serde_json::Value;
use tuner_policy::{Action, Actor, Decision, Resource, Role, decide};

use crate::fixture::{Fixture, request};

/// Every operation: method, path with its variables filled in, action.
fn operations() -> Vec<(String, String, Action)> {
    let document = tuner_server::document();
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let word = operation["x-action"].as_str().unwrap();
            let action = Action::ALL.iter().copied().find(|a| a.word() == word).unwrap();
            let path = path.replace("{task}", "nothing").replace("{name}", "nothing").replace("{number}", "1");
            let path = path.replace("{preset}", "nothing").replace("{dataset}", "nothing");
            let path = path.replace("{session}", "nothing").replace("{call}", "nothing").replace("{grant}", "nothing");
            let path =
                path.replace("{message}", "nothing").replace("{scope}", "arq_control").replace("{token}", "nothing");
            found.push((method.to_uppercase(), path.replace("{engine}", "vllm"), action));
        }
    }
    assert!(found.len() > 25, "{}", found.len());
    found
}

/// A request that goes as far as the guard lets it; nothing is changed by it, because nothing is there.
async fn ask(fixture: &Fixture, method: &str, path: &str, token: Option<&str>) -> (u16, Value) {
    let answer = fixture.from("203.0.113.7:4711", request(method, path, token)).await;
    (answer.status, answer.json)
}

#[tokio::test]
async fn without_a_token_everything_is_refused_from_elsewhere() {
    let fixture = Fixture::new().await;
    for (method, path, _) in operations() {
        let (status, body) = ask(&fixture, &method, &path, None).await;
        assert_eq!((status, body["code"].as_str()), (401, Some("token_needed")), "{method} {path}");
    }
    for path in ["/api", "/api/nothing", "/mcp", "/tasks.json"] {
        assert_eq!(ask(&fixture, "GET", path, None).await.0, 401, "{path}");
    }
}

#[tokio::test]
async fn each_role_gets_what_the_matrix_says() {
    let limits = tuner_server::Limits { burst: 10_000.try_into().unwrap(), ..Default::default() };
    let fixture = Fixture::with(tuner_server::Options { limits, ..Default::default() }).await;
    for role in Role::ALL {
        let token = tuner_app::tokens::create(&fixture.store, role, "test", None).await.unwrap().secret;
        for (method, path, action) in operations() {
            let (status, body) = ask(&fixture, &method, &path, Some(&token)).await;
            let what = format!("{role} {method} {path}: {status} {body}");
            match decide(Actor::Token { role }, action, Resource::Kept) {
                Decision::Allow => assert!(status != 401 && status != 403 && status != 500, "{what}"),
                Decision::NeedsRole(needed) => {
                    assert_eq!((status, body["code"].as_str()), (403, Some("role_needed")), "{what}");
                    assert!(body["hint"].as_str().unwrap().contains(needed.word()), "{what}");
                }
                Decision::Deny(_) => assert_eq!(status, 403, "{what}"),
            }
        }
    }
}

#[tokio::test]
async fn every_route_of_the_document_exists() {
    let fixture = Fixture::new().await;
    for (method, path, _) in operations() {
        let answer = fixture.from("127.0.0.1:4711", {
            let mut request = request(&method, &path, None);
            request.headers_mut().insert("host", "localhost".parse().unwrap());
            request
        });
        let answer = answer.await;
        assert_ne!(answer.status, 405, "{method} {path}");
        let missing = answer.json["message"].as_str().is_some_and(|text| text.contains("nothing at this path"));
        assert!(!missing, "{method} {path}: {}", answer.json);
    }
}
