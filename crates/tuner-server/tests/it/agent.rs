//! The agent behind its routes, with a scripted model in the place of the chat model.

use std::time::{Duration, Instant};

use futures::StreamExt;
use futures::future::join_all;
use serde_json::{Value, json};
use tuner_testkit::model::{Call, Script, ScriptedModel, Turn, When};

use crate::fixture::{Answer, Fixture, agent_settings};

mod connection;
mod limits;

const TASK: &str = r#"{"document": "{name: made, model: {id: m}, engine: {name: simulated}, search_space: {parameters: {max-num-seqs: [8, 16]}}}"}"#;

struct Talk {
    fixture: Fixture,
    session: String,
}

impl Talk {
    async fn with(model: &ScriptedModel) -> Self {
        Self::on(Fixture::talking(model).await).await
    }

    async fn on(fixture: Fixture) -> Self {
        let made = fixture.post("/api/agent/sessions", &json!({})).await;
        assert_eq!(made.status, 201, "{}", made.json);
        let session = made.json["session_id"].as_str().unwrap().to_owned();
        Self { fixture, session }
    }

    fn path(&self, rest: &str) -> String {
        format!("/api/agent/sessions/{}{rest}", self.session)
    }

    async fn say(&self, text: &str) -> Answer {
        self.fixture.post(&self.path("/messages"), &json!({ "content": text })).await
    }

    async fn authorize(&self, scope: &str) -> Answer {
        self.fixture.post(&self.path("/authorize"), &json!({ "scopes": [scope] })).await
    }

    async fn messages(&self) -> Vec<Value> {
        self.fixture.get(&self.path("/messages")).await.json["items"].as_array().unwrap().clone()
    }

    /// The card of the first call, as it is now.
    async fn card(&self) -> Value {
        let all = self.messages().await;
        all.iter().flat_map(|m| m["tool_calls"].as_array().unwrap().clone()).next().unwrap()
    }

    async fn tasks(&self) -> usize {
        self.fixture.get("/api/tasks").await.json["items"].as_array().unwrap().len()
    }

    /// Waits until a run does not go on by itself.
    async fn settled(&self) -> Value {
        let begun = Instant::now();
        loop {
            let run = self.fixture.get(&self.path("/messages")).await.json["run"].clone();
            if run.is_null() || run["state"] == "awaiting_authorization" {
                return run;
            }
            assert!(begun.elapsed() < Duration::from_secs(60), "{run}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

/// Asks for a task, and says so when it has it.
fn one_task() -> Script {
    Script::new()
        .turn(Turn::call("create_task", TASK).when(When::user("make a task").offers("create_task")))
        .turn(Turn::text("It is there.").when(When::result("create_task", "\"success\":true")))
}

/// R1.4, R2.1, R2.3, R2.4, R3.1, R4.1, R4.3, R5.1, R6.4, R7.3, R7.4: ask, card, grant, executed, the model goes on.
#[tokio::test]
async fn a_grant_runs_what_waited_and_the_model_goes_on() {
    let model = ScriptedModel::start(one_task());
    let talk = Talk::with(&model).await;
    let asked = talk.say("make a task").await;
    assert_eq!(asked.json["message_metadata"]["termination_reason"], "auth_required", "{}", asked.json);
    let card = talk.card().await;
    assert_eq!((card["status"].as_str(), card["auth_scope"].as_str()), (Some("requires_auth"), Some("task_write")));
    assert!(card["error"].is_null() && card["effects"]["would"]["check"]["valid"] == true, "{card}");
    assert_eq!(talk.tasks().await, 0, "without leave nothing changes");

    let other = talk.authorize("arq_control").await;
    assert_eq!(other.json["tool_results"], json!([]), "another scope runs nothing");
    let granted = talk.authorize("task_write").await;
    assert_eq!((granted.status, granted.json["status"].as_str()), (200, Some("granted")));
    let result = &granted.json["tool_results"][0];
    assert_eq!((result["success"].as_bool(), result["tool_name"].as_str()), (Some(true), Some("create_task")));
    assert_eq!(result["call_id"], card["id"]);
    assert_eq!(granted.json["llm_continuation"], "It is there.");
    assert_eq!(talk.tasks().await, 1);

    let all = talk.messages().await;
    let roles: Vec<&str> = all.iter().map(|m| m["role"].as_str().unwrap()).collect();
    assert_eq!(roles, ["user", "assistant", "assistant"]);
    assert_eq!(all[1]["tool_calls"].as_array().unwrap().len(), 1, "one card per call");
    assert_eq!(all[1]["tool_calls"][0]["status"], "executed");
    assert_eq!(all[2]["message_metadata"]["post_authorization"], true);
    let again = talk.authorize("task_write").await;
    assert_eq!(again.json["tool_results"], json!([]), "nothing is pending any more");
    assert_eq!(talk.tasks().await, 1);
    model.assert_complete();
    let session = talk.fixture.get(&talk.path("")).await;
    assert_eq!(session.json["message_count"], 3);
}

/// R4.2, R1.6: a word that is no scope is refused; leave is listed, ends, and is taken back.
#[tokio::test]
async fn leave_is_listed_taken_back_and_asked_for_again() {
    let script = one_task().turn(Turn::call("archive_task", r#"{"task_id": "made"}"#).when(When::user("put it away")));
    let model = ScriptedModel::start(script);
    let talk = Talk::with(&model).await;
    let wrong = talk.authorize("everything").await;
    assert_eq!((wrong.status, wrong.code()), (422, "unknown_scope"));
    let past = json!({ "scopes": ["task_write"], "expires_at": "2020-01-01T00:00:00Z" });
    assert_eq!(talk.fixture.post(&talk.path("/authorize"), &past).await.status, 422);
    talk.authorize("task_write").await;
    let listed = talk.fixture.get(&talk.path("/authorizations")).await;
    assert_eq!(listed.json["authorizations"]["task_write"]["granted"], true);
    let done = talk.say("make a task").await;
    assert_eq!(done.json["content"], "It is there.", "what is granted runs without asking");
    let gone = talk.fixture.delete(&talk.path("/authorize/task_write")).await;
    assert_eq!(gone.json["status"], "revoked");
    assert_eq!(talk.fixture.delete(&talk.path("/authorize/task_write")).await.status, 404);
    let asked = talk.say("put it away").await;
    assert_eq!(asked.json["tool_calls"][0]["status"], "requires_auth");
}

/// R8.3: ten clicks, two buttons, in any order: one execution, one answer, one end.
#[tokio::test(flavor = "multi_thread")]
async fn many_clicks_are_one() {
    let model = ScriptedModel::start(one_task());
    let talk = Talk::with(&model).await;
    talk.say("make a task").await;
    let card = talk.card().await;
    let approve = talk.path(&format!("/calls/{}/approve", card["id"].as_str().unwrap()));
    let body = json!({ "args_digest": card["args_digest"] });
    let clicks = (0..10).map(|n| {
        let (talk, approve, body) = (&talk, &approve, &body);
        async move {
            if n % 2 == 0 {
                talk.fixture.post(approve, body).await.status
            } else {
                talk.authorize("task_write").await.status
            }
        }
    });
    for status in join_all(clicks).await {
        assert!(status == 200 || status == 409, "{status}");
    }
    assert!(talk.settled().await.is_null());
    assert_eq!((talk.tasks().await, talk.card().await["status"].as_str()), (1, Some("executed")));
    let all = talk.messages().await;
    assert_eq!(all.iter().filter(|m| m["content"] == "It is there.").count(), 1);
    model.assert_complete();
    let wrong = talk.fixture.post(&approve, &json!({ "args_digest": "0" })).await;
    assert_eq!((wrong.status, wrong.code()), (409, "already_decided"));
}

/// Deny with a reason: the model is told, and a call that was refused is refused again without asking.
#[tokio::test]
async fn a_refusal_reaches_the_model_and_is_remembered() {
    let script = Script::new()
        .turn(Turn::call("create_task", TASK).when(When::user("make a task")))
        .turn(Turn::call("create_task", TASK).when(When::result("create_task", "not today")))
        .turn(Turn::text("Then not.").when(When::result("create_task", "refused before")));
    let model = ScriptedModel::start(script);
    let talk = Talk::with(&model).await;
    talk.say("make a task").await;
    let card = talk.card().await;
    let deny = talk.path(&format!("/calls/{}/deny", card["id"].as_str().unwrap()));
    let denied = talk.fixture.post(&deny, &json!({ "reason": "not today" })).await;
    assert_eq!((denied.json["status"].as_str(), denied.json["error"].as_str()), (Some("denied"), Some("not today")));
    assert!(talk.settled().await.is_null());
    assert_eq!(talk.messages().await.last().unwrap()["content"], "Then not.");
    assert_eq!(talk.tasks().await, 0);
    model.assert_complete();
}

/// Another person's arguments run in place of the model's, and both are kept.
#[tokio::test]
async fn what_a_person_edits_is_what_runs() {
    let model = ScriptedModel::start(one_task());
    let talk = Talk::with(&model).await;
    talk.say("make a task").await;
    let card = talk.card().await;
    let approve = talk.path(&format!("/calls/{}/approve", card["id"].as_str().unwrap()));
    let wrong = json!({ "args_digest": card["args_digest"], "edited_args": { "no": 1 } });
    assert_eq!(talk.fixture.post(&approve, &wrong).await.status, 422);
    let other = TASK.replace("name: made", "name: edited");
    let edited: Value = serde_json::from_str(&other).unwrap();
    let body = json!({ "args_digest": card["args_digest"], "edited_args": edited });
    let done = talk.fixture.post(&approve, &body).await;
    assert_eq!(done.status, 200, "{}", done.json);
    assert!(talk.settled().await.is_null());
    assert_eq!(talk.fixture.get("/api/tasks/edited").await.status, 200);
    let card = talk.card().await;
    assert!(card["decided"]["proposed"].as_str().unwrap().contains("name: made"), "{card}");
}

/// R2.2: what waits survives a restart, and is done after it.
#[tokio::test]
async fn what_waits_survives_a_restart() {
    let model = ScriptedModel::start(one_task());
    let talk = Talk::with(&model).await;
    talk.say("make a task").await;
    let Talk { fixture, session } = talk;
    let talk = Talk { fixture: fixture.again(agent_settings(&model)).await, session };
    let card = talk.card().await;
    assert_eq!(card["status"], "requires_auth");
    let granted = talk.authorize("task_write").await;
    assert_eq!(granted.json["llm_continuation"], "It is there.", "{}", granted.json);
    assert_eq!(talk.tasks().await, 1);
    model.assert_complete();
}

/// Stop closes the model's connection at once, and a late approval starts nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_stop_stops() {
    let model = ScriptedModel::start(Script::new().turn(Turn::hang()));
    let talk = Talk::with(&model).await;
    let said = talk.fixture.post(&talk.path("/messages?no_wait=true"), &json!({ "content": "hello" })).await;
    assert_eq!(said.status, 202);
    assert!(model.wait_for_requests(1, Duration::from_secs(20)));
    let stopped = talk.fixture.post(&talk.path("/stop"), &json!({})).await;
    assert_eq!(stopped.json["run"]["state"], "stopped", "{}", stopped.json);
    assert!(model.wait_for_gone(1, Duration::from_secs(20)), "the connection is closed");

    let model = ScriptedModel::start(one_task());
    let talk = Talk::with(&model).await;
    talk.say("make a task").await;
    let card = talk.card().await;
    talk.fixture.post(&talk.path("/stop"), &json!({})).await;
    let approve = talk.path(&format!("/calls/{}/approve", card["id"].as_str().unwrap()));
    let late = talk.fixture.post(&approve, &json!({ "args_digest": card["args_digest"] })).await;
    assert_eq!((late.status, late.code()), (409, "already_decided"));
    assert_eq!((talk.tasks().await, talk.card().await["status"].as_str()), (0, Some("cancelled")));
}

/// R7.5: without the model the results are there all the same; the run can go on later.
#[tokio::test]
async fn results_stay_when_the_model_is_away() {
    let script = Script::new()
        .turn(Turn::call("create_task", TASK))
        .turn(Turn::status(400, "the model is being replaced"))
        .turn(Turn::text("Back again.").when(When::result("create_task", "true")));
    let model = ScriptedModel::start(script);
    let talk = Talk::with(&model).await;
    talk.say("make a task").await;
    let granted = talk.authorize("task_write").await;
    assert_eq!(granted.json["tool_results"][0]["success"], true, "{}", granted.json);
    assert!(granted.json["llm_continuation"].is_null());
    let last = talk.messages().await.last().unwrap().clone();
    assert_eq!(last["role"], "note");
    assert!(last["content"].as_str().unwrap().contains("being replaced"), "{last}");
    assert_eq!(talk.fixture.post(&talk.path("/resume"), &json!({})).await.status, 202);
    assert!(talk.settled().await.is_null());
    assert_eq!(talk.messages().await.last().unwrap()["content"], "Back again.");
}

/// Secrets are removed before the store, the stream and the model.
#[tokio::test]
async fn secrets_go_nowhere() {
    let script = Script::new()
        .turn(Turn::text("Your key hunter2-hunter2 and sk-abcdefghijklmnopqrstuvwx are safe."))
        .turn(Turn::call("list_presets", r#"{"category": "hunter2-hunter2"}"#))
        .turn(Turn::text("ok"));
    let model = ScriptedModel::start(script);
    let talk = Talk::with(&model).await;
    let said = talk.say("my key is ghp_abcdefghijklmnopqrstuvwxyz0123").await;
    assert_eq!(said.json["content"], "Your key *** and *** are safe.");
    talk.say("and now?").await;
    let whole = talk.fixture.get(&talk.path("/messages")).await.json.to_string();
    let events = talk.fixture.store.events_since(0, None, 1000).await.unwrap();
    let events = serde_json::to_string(&events).unwrap();
    let sent: String = model.requests().iter().map(|seen| format!("{seen:?}")).collect();
    for secret in ["hunter2-hunter2", "sk-abcdefghij", "ghp_abcdef"] {
        assert!(!whole.contains(secret) && !events.contains(secret) && !sent.contains(secret), "{secret}");
    }
}

/// A person's conversations are theirs, and what is said is no event for everybody.
#[tokio::test]
async fn a_conversation_is_its_owners() {
    let model = ScriptedModel::start(Script::new().turn(Turn::text("hello")));
    let talk = Talk::with(&model).await;
    talk.say("hi").await;
    let role = tuner_policy::Role::Operator;
    let token = tuner_app::tokens::create(&talk.fixture.store, role, "other", None).await.unwrap().secret;
    let request = crate::fixture::request("GET", &talk.path("/messages"), Some(&token));
    assert_eq!(talk.fixture.from("203.0.113.7:4711", request).await.status, 404);
    let request = crate::fixture::request("GET", "/api/agent/sessions", Some(&token));
    assert_eq!(talk.fixture.from("203.0.113.7:4711", request).await.json["items"], json!([]));
    let mine = talk.fixture.get("/api/agent/sessions?q=hi").await;
    assert_eq!(mine.json["items"][0]["last_message_preview"], "hello");
    assert_eq!(talk.fixture.delete(&talk.path("")).await.status, 204);
    assert_eq!(talk.fixture.get(&talk.path("")).await.status, 404);
}

/// The lines of an event stream until `done`.
async fn stream(response: reqwest::Response, done: impl Fn(&str) -> bool) -> Vec<(String, Option<i64>, Value)> {
    let (mut body, mut text, mut seen) = (response.bytes_stream(), String::new(), Vec::new());
    while let Ok(Some(Ok(bytes))) = tokio::time::timeout(Duration::from_secs(30), body.next()).await {
        text.push_str(&String::from_utf8_lossy(&bytes));
        while let Some(end) = text.find("\n\n") {
            let block: String = text.drain(..end + 2).collect();
            let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
            let Some(data) = field("data:") else { continue };
            let id = field("id:").and_then(|id| id.parse().ok());
            seen.push((field("event:").unwrap_or_default().to_owned(), id, serde_json::from_str(data).unwrap()));
            if done(data) {
                return seen;
            }
        }
    }
    seen
}

/// A2, two readers, a number that has expired: wherever a reader is cut off, coming back with the last number gives the rest, once and in order.
#[tokio::test]
async fn a_reader_that_comes_back_misses_nothing() {
    let model = ScriptedModel::start(one_task());
    let talk = Talk::with(&model).await;
    talk.say("make a task").await;
    talk.authorize("task_write").await;
    let events = format!("{}{}", talk.fixture.base, talk.path("/events"));
    let is_last = |data: &str| data.contains("\"state\":\"completed\"");
    let open = |after: i64| talk.fixture.client.get(&events).query_pairs(after).send();
    let whole: Vec<_> = stream(open(0).await.unwrap(), is_last).await.into_iter().filter(|e| e.1.is_some()).collect();
    assert!(whole.len() > 10 && whole.windows(2).all(|pair| pair[0].1 < pair[1].1));
    for cut in 1..whole.len() {
        let request = talk.fixture.client.get(&events).header("last-event-id", whole[cut - 1].1.unwrap());
        let rest = stream(request.send().await.unwrap(), is_last).await;
        let rest: Vec<_> = rest.into_iter().filter(|e| e.1.is_some()).collect();
        assert_eq!(rest, whole[cut..], "cut at {cut}");
    }
    // Two at once, and one whose number is of another database.
    let (one, other, late) = tokio::join!(open(0), open(0), open(1_000_000_000_000));
    for reader in [one, other, late] {
        let seen = stream(reader.unwrap(), is_last).await;
        assert_eq!(seen.into_iter().filter(|e| e.1.is_some()).collect::<Vec<_>>(), whole);
    }
}

trait After {
    fn query_pairs(self, after: i64) -> Self;
}

impl After for reqwest::RequestBuilder {
    fn query_pairs(self, after: i64) -> Self {
        self.header("last-event-id", after)
    }
}

/// The predecessor's stream, with its event names.
#[tokio::test]
async fn the_predecessors_stream_still_speaks() {
    let script = Script::new().turn(Turn::call("get_current_time", "{}")).turn(Turn::text("It is late."));
    let model = ScriptedModel::start(script);
    let talk = Talk::with(&model).await;
    let path = format!("{}{}", talk.fixture.base, talk.path("/messages/stream"));
    let request = talk.fixture.client.post(path).json(&json!({ "content": "what time is it?" }));
    let seen = stream(request.send().await.unwrap(), |data| data.contains("\"complete\"")).await;
    let kinds: Vec<&str> = seen.iter().map(|(_, _, data)| data["type"].as_str().unwrap()).collect();
    for kind in ["iteration_start", "tool_start", "tool_results", "iteration_complete", "content", "complete"] {
        assert!(kinds.contains(&kind), "{kind} in {kinds:?}");
    }
    let (_, _, last) = seen.last().unwrap();
    assert_eq!(last["message"]["content"], "It is late.");
    let words: String =
        seen.iter().filter(|e| e.2["type"] == "content").map(|e| e.2["content"].as_str().unwrap()).collect();
    assert_eq!(words, "It is late.");
}

/// R9.1, R9.2: the clock, and a sleep that is clamped and can be stopped.
#[tokio::test]
async fn a_sleep_is_clamped_and_can_be_stopped() {
    let script = Script::new()
        .turn(Turn::calls([Call::new("sleep", "{\"seconds\": 0.01}"), Call::new("get_current_time", "{}")]))
        .turn(Turn::call("sleep", "{\"seconds\": 100000}"));
    let model = ScriptedModel::start(script);
    let talk = Talk::with(&model).await;
    let path = talk.path("/messages?no_wait=true");
    talk.fixture.post(&path, &json!({ "content": "wait" })).await;
    let begun = Instant::now();
    while talk.messages().await.iter().filter(|m| m["role"] == "assistant").count() < 2 {
        assert!(begun.elapsed() < Duration::from_secs(60));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let all = talk.messages().await;
    let result =
        |n: usize| -> Value { serde_json::from_str(all[1]["tool_calls"][n]["result"].as_str().unwrap()).unwrap() };
    assert!(result(0)["result"]["waited_s"].as_f64().unwrap() >= 1.0);
    assert!(result(1)["result"]["epoch_s"].as_i64().unwrap() > 1_700_000_000);
    talk.fixture.post(&talk.path("/stop"), &json!({})).await;
    assert!(talk.settled().await.is_null());
    assert_eq!(talk.messages().await[2]["tool_calls"][0]["status"], "cancelled");
}

/// What others wrote may not use leave that was given before it was read.
#[tokio::test]
async fn after_untrusted_text_one_is_asked_again() {
    let script = Script::new()
        .turn(Turn::call("query_records", r#"{"table_name": "tasks"}"#))
        .turn(Turn::call("start_task", r#"{"task_id": "made"}"#).when(When::result("query_records", "<untrusted")))
        .turn(Turn::text("done"));
    let model = ScriptedModel::start(script);
    let talk = Talk::with(&model).await;
    let document: Value = serde_json::from_str(TASK).unwrap();
    let made =
        talk.fixture.client.post(format!("{}/api/tasks", talk.fixture.base)).header("content-type", "application/yaml");
    let made = talk.fixture.send(made.body(document["document"].as_str().unwrap().to_owned())).await;
    assert_eq!(made.status, 201, "{}", made.json);
    talk.authorize("task_run").await;
    let asked = talk.say("look, then start").await;
    assert_eq!(asked.json["tool_calls"][0]["status"], "requires_auth", "{}", asked.json);
    assert_eq!(asked.json["tool_calls"][0]["auth_scope"], "task_run");
    let granted = talk.authorize("task_run").await;
    assert_eq!(granted.json["tool_results"][0]["success"], true, "fresh leave is leave: {}", granted.json);
}

/// One approval for a plan: exactly its calls, each once.
#[tokio::test]
async fn an_approved_plan_runs_its_calls_and_nothing_else() {
    let arguments: Value = serde_json::from_str(TASK).unwrap();
    let plan =
        json!({ "purpose": "make it", "calls": [{ "tool": "create_task", "arguments": arguments }] }).to_string();
    let script = Script::new()
        .turn(Turn::call("propose_plan", &plan))
        .turn(Turn::call("create_task", TASK).when(When::result("propose_plan", "approved_calls")))
        .turn(Turn::call("archive_task", r#"{"task_id": "made"}"#).when(When::result("create_task", "true")));
    let model = ScriptedModel::start(script);
    let talk = Talk::with(&model).await;
    talk.say("make it so").await;
    let card = talk.card().await;
    assert_eq!(card["auth_scope"], "plan");
    let approve = talk.path(&format!("/calls/{}/approve", card["id"].as_str().unwrap()));
    talk.fixture.post(&approve, &json!({ "args_digest": card["args_digest"] })).await;
    assert_eq!(talk.settled().await["state"], "awaiting_authorization", "what was not planned is asked for");
    assert_eq!(talk.tasks().await, 1);
}

/// Without a model there is a clear word about what to set.
#[tokio::test]
async fn without_a_model_one_is_told_what_to_set() {
    let fixture = Fixture::set(tuner_agent::AgentSettings { missing: vec!["AGENT_MODEL"], ..Default::default() }).await;
    let status = fixture.get("/api/agent/status").await.json;
    assert_eq!(
        (status["available"].as_bool(), status["missing_config"][0].as_str()),
        (Some(false), Some("AGENT_MODEL"))
    );
    let talk = Talk::on(fixture).await;
    let refused = talk.say("hi").await;
    assert_eq!((refused.status, refused.code()), (409, "agent_not_configured"));
}
