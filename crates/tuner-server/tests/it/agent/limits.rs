//! What one run may do at most, and what cannot be done at all.

use tuner_agent::Prices;

use super::*;

/// R3.3, R13.5: what cannot be done is told to the model as an error; the limit of answers ends with a note.
#[tokio::test]
async fn what_cannot_be_done_is_an_error_and_the_limit_is_a_note() {
    let script = Script::new()
        .turn(Turn::calls([
            Call::new("no_such_tool", "{}"),
            Call::new("list_tasks", "{\"limit\": \"many\"}"),
            Call::new("get_task_by_name", "{\"task_name\": \"nowhere\"}"),
            Call::new("list_tasks", "{not json"),
        ]))
        .turn(Turn::call("get_current_time", "{}").repeat());
    let model = ScriptedModel::start(script);
    let mut settings = agent_settings(&model);
    settings.bounds.steps = 4;
    let talk = Talk::on(Fixture::set(settings).await).await;
    talk.say("go").await;
    let all = talk.messages().await;
    let cards = all[1]["tool_calls"].as_array().unwrap();
    let said: Vec<(&str, &str)> =
        cards.iter().map(|c| (c["status"].as_str().unwrap(), c["error"].as_str().unwrap_or("none"))).collect();
    assert!(said.iter().all(|(status, _)| *status == "failed"), "{said:?}");
    assert!(said[0].1.contains("there is no tool") && said[0].1.contains("list_tasks"), "{said:?}");
    assert!(!said[2].1.contains("untrusted"), "{said:?}");
    assert!(said[1].1.contains("do not fit") && said[2].1.contains("nowhere") && said[3].1.contains("not JSON"));
    let last = all.last().unwrap();
    assert_eq!(last["role"], "note");
    assert!(last["content"].as_str().unwrap().contains("limit of 4 answers"), "{last}");
}

/// What a run costs is added up where the prices are known, and ends it.
#[tokio::test]
async fn money_is_counted_and_limited() {
    let model = ScriptedModel::start(Script::new().turn(Turn::call("get_current_time", "{}").repeat()));
    let mut settings = agent_settings(&model);
    settings.prices = Some(Prices { input: 1e6, cached: None, output: 1e6 });
    settings.bounds.cost = Some(0.5);
    let talk = Talk::on(Fixture::set(settings).await).await;
    talk.say("go").await;
    let all = talk.messages().await;
    assert!(all.last().unwrap()["content"].as_str().unwrap().contains("may cost 0.50"), "{all:#?}");
    let used = talk.fixture.get(&talk.path("/usage")).await.json;
    let tokens = used["usage"]["input_tokens"].as_f64().unwrap() + used["usage"]["output_tokens"].as_f64().unwrap();
    assert_eq!((used["cost"].as_f64(), used["model_answers"].as_u64()), (Some(tokens), Some(1)), "{used}");
}

/// A conversation that a page of the predecessor kept in the browser is taken over once, and gives leave for nothing; an id
/// of a client's conversation is not anybody's to choose.
#[tokio::test]
async fn a_conversation_from_a_browser_is_taken_over_once() {
    let f = Fixture::new().await;
    let at = "2026-01-02T03:04:05Z";
    let message = |role: &str, text: &str| json!({ "role": role, "content": text, "created_at": at });
    let id = "7d444840-9dc0-11d1-b245-5ffdce74fad2";
    let body = json!({
        "session_id": id, "created_at": at,
        "messages": [message("user", "what is there?"), message("assistant", "Two tasks.")],
    });
    let taken = f.post("/api/agent/sessions/sync", &body).await;
    assert_eq!((taken.json["status"].as_str(), taken.json["message_count"].as_u64()), (Some("synced"), Some(2)));
    let again = f.post("/api/agent/sessions/sync", &body).await;
    assert_eq!(again.json["status"], "already_exists", "{}", again.json);
    let shown = f.get(&format!("/api/agent/sessions/{id}/messages")).await.json;
    assert_eq!(
        (shown["items"][0]["content"].as_str(), shown["items"][0]["created_at"].as_str()),
        (Some("what is there?"), Some("2026-01-02T03:04:05+00:00")),
        "{shown:#}"
    );
    let mut wrong = body.clone();
    wrong["messages"][0]["role"] = "system".into();
    assert_eq!(f.post("/api/agent/sessions/sync", &wrong).await.status, 422);
    let mut chosen = body;
    chosen["session_id"] = "7d444840-9dc0-81d1-b245-5ffdce74fad2".into();
    let refused = f.post("/api/agent/sessions/sync", &chosen).await;
    assert_eq!((refused.status, refused.code()), (422, "invalid_field"), "{}", refused.json);
}

/// The agent is told when a task ends, once, and goes on by itself.
#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_ends_is_told_to_the_conversation_that_wished_it() {
    let script = Script::new()
        .turn(Turn::call("get_task_results", r#"{"task_id": "told"}"#).when(When::user("[task_completed]")))
        .turn(Turn::text("It is done.").when(When::result("get_task_results", "finished")));
    let model = ScriptedModel::start(script);
    let talk = Talk::with(&model).await;
    let task = talk.fixture.task("told").await;
    let wrong = json!({ "task_id": "told", "event_types": ["task_eaten"] });
    assert_eq!(talk.fixture.post(&talk.path("/subscribe"), &wrong).await.status, 422);
    assert_eq!(talk.fixture.post(&talk.path("/subscribe"), &json!({ "task_id": "nowhere" })).await.status, 404);
    let wish = talk.fixture.post(&talk.path("/subscribe"), &json!({ "task_id": "told" })).await;
    assert_eq!(wish.json["event_types"], json!(["task_completed", "task_failed"]), "{}", wish.json);
    assert_eq!(talk.fixture.delete(&talk.path("/subscribe/told")).await.status, 204);
    assert_eq!(talk.fixture.delete(&talk.path("/subscribe/told")).await.status, 404);
    talk.fixture.post(&talk.path("/subscribe"), &json!({ "task_id": task })).await;
    let listed = talk.fixture.get(&talk.path("/subscriptions")).await.json;
    assert_eq!(listed["items"][0]["task_id"], json!(task), "{listed}");
    talk.fixture.work_on(&task).await;
    let begun = Instant::now();
    while talk.messages().await.last().is_none_or(|message| message["content"] != "It is done.") {
        assert!(begun.elapsed() < Duration::from_secs(60), "{:#?}", talk.messages().await);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let said = talk.messages().await;
    assert_eq!(said.iter().filter(|message| message["role"] == "user").count(), 1, "{said:#?}");
    assert_eq!(talk.fixture.get(&talk.path("/subscriptions")).await.json["items"], json!([]));
    model.assert_complete();
}
