//! The door with the official client at its other end.

use rmcp::model::{CallToolRequestParams, CallToolResult};
use rmcp::service::RunningService;
use rmcp::{RoleClient, ServiceExt};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use tuner_agent::{Agent, AgentSettings, Approval, Desk};
use tuner_app::access::{self, Asker};
use tuner_app::service::Service;
use tuner_policy::chat::Mode;
use tuner_policy::{Action, Actor, Resource};

use super::*;

const TASK: &str =
    "{name: over-mcp, model: {id: m}, engine: {name: simulated}, search_space: {parameters: {max-num-seqs: [8, 16]}}}";

fn asker() -> Asker {
    Asker {
        actor: Actor::Local,
        name: "local".to_owned(),
        token: None,
        peer: "test".to_owned(),
        request_id: "test".to_owned(),
    }
}

/// A desk of its own, a client at its door, and what stops both.
struct World {
    desk: Desk,
    client: RunningService<RoleClient, ()>,
    stop: CancellationToken,
    _directory: tempfile::TempDir,
}

impl World {
    async fn new(mode: Mode) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let home = tuner_app::Home::new(directory.path());
        let store = tuner_app::tune::open_store(&home).await.unwrap();
        let service = Service::new(store, home, tuner_app::tune::Surroundings::default());
        let desk = Desk::new(Agent::new(service, AgentSettings::default(), None));
        let stop = CancellationToken::new();
        drop(desk.agent().start(stop.clone()));
        let (ours, theirs) = tokio::io::duplex(1 << 20);
        let door = Door::for_one(desk.clone(), asker(), mode);
        tokio::spawn(async move { door.serve(ours).await.unwrap().waiting().await });
        let client = ().serve(theirs).await.unwrap();
        Self { desk, client, stop, _directory: directory }
    }

    async fn call(&self, tool: &'static str, arguments: Value) -> (bool, String) {
        let mut params = CallToolRequestParams::new(tool);
        params.arguments = arguments.as_object().cloned();
        let result: CallToolResult = self.client.call_tool(params).await.unwrap();
        let text = result.content.first().and_then(|block| block.as_text()).map(|text| text.text.clone());
        (result.is_error == Some(true), text.unwrap())
    }

    /// The document of an answer that is one.
    async fn told(&self, tool: &'static str, arguments: Value) -> Value {
        serde_json::from_str(&self.call(tool, arguments).await.1).unwrap()
    }

    async fn decide(&self, call: &str, approval: Option<&str>) {
        let permit = |action| access::permit(asker(), action, Resource::Kept).unwrap();
        let page = self.desk.list(&permit(Action::ChatRead), None, None, 9).await.unwrap();
        let session = page.items[0].session.id.to_string();
        let talk = self.desk.show(&permit(Action::ChatRead), &session).await.unwrap();
        let row = talk.calls.iter().find(|row| row.call.id.to_string() == call).unwrap();
        let digest = row.call.digest.clone();
        let approval = match approval {
            None => Approval::Approve { digest, edited: None },
            Some(reason) => Approval::Deny { reason: Some(reason.to_owned()), stop: false },
        };
        self.desk.decide(&permit(Action::ChatApprove), &session, row.call.id, approval).await.unwrap();
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// R0.5: every tool of the agent is there for a client, with what it says of itself.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_sees_the_tools_of_the_agent() {
    let world = World::new(Mode::Ask).await;
    let listed = world.client.list_all_tools().await.unwrap();
    let known = world.desk.agent().tools();
    assert_eq!(listed.len(), known.iter().count() + 1);
    for tool in &listed {
        let hints = tool.annotations.as_ref().unwrap();
        let reads = known.find(&tool.name).is_none_or(|tool| tool.scope.is_none());
        assert_eq!(hints.read_only_hint, Some(reads), "{}", tool.name);
        assert!(tool.description.as_ref().is_some_and(|text| text.len() > 12), "{}", tool.name);
    }
    let (is_error, text) = world.call("list_tasks", json!({})).await;
    assert!(!is_error && text.contains("\"success\":true"), "{text}");
    let (is_error, text) = world.call("no_such_tool", json!({})).await;
    assert!(is_error && text.contains("there is no tool"), "{text}");
    let (is_error, text) = world.call("list_tasks", json!({ "limit": "many" })).await;
    assert!(is_error && text.contains("invalid_arguments"), "{text}");
}

/// R0.5, R1: what changes something waits for a person, happens once, and its result is there afterwards.
#[tokio::test(flavor = "multi_thread")]
async fn what_changes_something_waits_and_happens_once() {
    let world = World::new(Mode::Ask).await;
    let arguments = json!({ "document": TASK });
    let (is_error, text) = world.call("create_task", arguments.clone()).await;
    let waits: Value = serde_json::from_str(&text).unwrap();
    assert!(is_error && waits["status"] == "requires_auth", "{waits:#}");
    assert!(waits["where"]["terminal"].as_str().unwrap().contains(" chat --session "), "{waits:#}");
    assert_eq!(waits["needs"]["scope"], "task_write");
    // Asked again while it waits, it is the same call; what only looks goes on beside it.
    assert_eq!(world.told("create_task", arguments.clone()).await["call_id"], waits["call_id"]);
    let (is_error, tasks) = world.call("list_tasks", json!({})).await;
    assert!(!is_error && !tasks.contains("over-mcp"), "{tasks}");
    let call = waits["call_id"].as_str().unwrap();
    world.decide(call, None).await;
    let (is_error, made) = world.call(RESULT, json!({ "call_id": call })).await;
    assert!(!is_error && made.contains("over-mcp"), "{made}");
    assert!(world.call("list_tasks", json!({})).await.1.matches("over-mcp").count() == 1);
    // A new one is another call.
    let denied = world.told("delete_task", json!({ "task_id": "over-mcp" })).await;
    let call = denied["call_id"].as_str().unwrap();
    world.decide(call, Some("I need it")).await;
    let denied = world.told(RESULT, json!({ "call_id": call })).await;
    assert_eq!((denied["status"].as_str(), denied["reason"].as_str()), (Some("denied"), Some("I need it")));
    let absent = world.told(RESULT, json!({ "call_id": uuid::Uuid::nil() })).await;
    assert!(absent["error"]["message"].as_str().unwrap().contains("no call"), "{absent}");
    let unreadable = world.told(RESULT, json!({ "call_id": 7 })).await;
    assert_eq!(unreadable["error"]["code"], "invalid_arguments");
}

/// A client that may only look is told so, and nobody is asked.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_only_reads_changes_nothing() {
    let world = World::new(Mode::ReadOnly).await;
    let told = world.told("create_task", json!({ "document": TASK })).await;
    assert_eq!(told["status"], "denied", "{told}");
    assert!(!world.call("list_tasks", json!({})).await.1.contains("over-mcp"));
}
