//! Which model is asked: set by an administrator while the service runs.

use axum::body::Body;
use axum::http::Request;
use tuner_agent::setup::Setup;
use tuner_app::tokens;
use tuner_policy::Role;

use super::*;
use crate::fixture::{OK, request};

/// The key goes in and never comes out; the agent talks with the model that was named last.
#[tokio::test]
async fn an_administrator_sets_the_model_and_nobody_sees_the_key() {
    let folder = tempfile::tempdir().unwrap();
    let kept = Setup::new(folder.path(), |_| None, Vec::new());
    let fixture = Fixture::set(kept.read().unwrap()).await;
    let key = "sk-0123456789-nobody-sees-this";
    // It answers those who send the key.
    let model = ScriptedModel::start(Script::new().key(key).turn(Turn::text(&format!("my key is {key}"))));
    let wish = json!({ "model": "scripted", "base_url": model.base_url(), "api_key": key });
    for role in [Role::Viewer, Role::Operator] {
        let token = tokens::create(&fixture.store, role, &format!("{role:?}"), None).await.unwrap().secret;
        let (mut parts, _) = request("PUT", "/api/agent/settings", Some(&token)).into_parts();
        parts.headers.insert("content-type", "application/json".parse().unwrap());
        let asked = Request::from_parts(parts, Body::from(wish.to_string()));
        assert_eq!(fixture.from("203.0.113.7:4711", asked).await.status, 403, "{role:?}");
        let asked = request("GET", "/api/agent/settings", Some(&token));
        assert_eq!(fixture.from("203.0.113.7:4711", asked).await.status, 403, "{role:?}");
    }
    let wrong = fixture.put("/api/agent/settings", &json!({ "provider": "nobody" })).await;
    assert_eq!((wrong.status, wrong.code()), (422, "invalid_field"), "{}", wrong.json);
    assert_eq!(fixture.put("/api/agent/settings", &json!({ "colour": "red" })).await.status, 422);
    assert_eq!(fixture.get("/api/agent/status").await.json["available"], json!(false));

    let set = fixture.put("/api/agent/settings", &wish).await;
    assert_eq!(set.status, OK, "{}", set.json);
    assert_eq!(set.json["api_key"], json!({ "is_set": true, "from": "file", "variable": "AGENT_API_KEY" }));
    assert_eq!(set.json["base_url"]["value"], json!(model.base_url()));
    assert_eq!(fixture.get("/api/agent/status").await.json["available"], json!(true));
    let talk = Talk::on(fixture).await;
    talk.say("what is your key?").await;
    talk.settled().await;
    let said = talk.messages().await;
    assert!(said.last().unwrap()["content"].as_str().unwrap().contains("my key is ***"), "{said:?}");
    for path in ["/api/agent/settings", "/api/audit", "/api/system/settings"] {
        let shown = talk.fixture.get(path).await;
        assert!(!shown.json.to_string().contains("nobody-sees"), "{path}");
    }
    let audit = talk.fixture.get("/api/audit").await.json.to_string();
    assert!(audit.contains("agent.write"), "{audit}");

    let gone = talk.fixture.put("/api/agent/settings", &json!({ "model": null })).await;
    assert_eq!((&gone.json["model"]["value"], gone.status), (&Value::Null, OK));
    assert_eq!(talk.fixture.get("/api/agent/status").await.json["missing_config"], json!(["AGENT_MODEL"]));
}
