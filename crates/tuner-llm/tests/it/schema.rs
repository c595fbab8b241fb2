//! Tools by schema: for servers that take none, and for models that are asked for it.

use tuner_llm::{ChatMessage, Delta, Finish, LlmError, Provider, ProviderKind, ToolSupport};
use tuner_testkit::model::{Call, Say, Script, ScriptedModel, Turn, When};

use crate::ask::{ask, calls, model, provider, question};

fn by_schema(server: &ScriptedModel) -> Provider {
    Provider { tools: ToolSupport::Schema, ..provider(server, ProviderKind::Local) }
}

#[tokio::test]
async fn the_reply_looks_as_if_the_server_took_tools() {
    let script = Script::new()
        .turn(Say::text("Let me see.").and_calls([Call::new("add", "{\"x\":1}"), Call::new("mul", "{}")]).into())
        .turn(Turn::text("Seven.").when(When { user: Some("x".into()), ..When::result("add", "seven") }));
    let server = ScriptedModel::start(script);
    let model = model(by_schema(&server));
    let mut request = question("x");
    let (reply, told) = ask(&model, &request).await;
    let reply = reply.unwrap();
    assert_eq!((calls(&reply), reply.text.as_str()), (vec!["add({\"x\":1})".into(), "mul({})".into()], "Let me see."));
    assert_eq!((&reply.finish, reply.usage.is_some()), (&Finish::ToolCalls, true));
    assert_eq!(told.iter().filter(|delta| matches!(delta, Delta::Text(_))).count(), 1, "no JSON is told");
    request.messages.push(ChatMessage::Assistant { text: reply.text, calls: reply.calls.clone() });
    for call in &reply.calls {
        let (call_id, name) = (call.id.clone(), call.name.clone());
        request.messages.push(ChatMessage::Tool { call_id, name, content: "seven".into() });
    }
    assert_eq!(ask(&model, &request).await.0.unwrap().text, "Seven.");
    let sent = &server.requests()[0];
    assert!(sent.wants_schema() && sent.system().contains("add: Does it."), "{sent:?}");
    server.assert_complete();
}

fn said(text: &str) -> Turn {
    let delta = serde_json::json!({"choices": [{"delta": {"content": text}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 5, "completion_tokens": 2}});
    Turn::raw("text/event-stream", [format!("data: {delta}\n\ndata: [DONE]\n\n")])
}

#[tokio::test]
async fn an_answer_off_the_form_is_repaired_once_and_both_are_paid() {
    let script =
        Script::new().turn(said("Sure! I call add.")).turn(said("{\"say\":\"\",\"calls\":[{\"name\":\"add\"}]}"));
    let server = ScriptedModel::start(script);
    let (reply, told) = ask(&model(by_schema(&server)), &question("x")).await;
    let reply = reply.unwrap();
    assert_eq!(calls(&reply), ["add({})"]);
    assert_eq!(reply.usage.unwrap().input_tokens, 10);
    assert!(!told.iter().any(|delta| matches!(delta, Delta::Text(_))));
    assert!(server.requests()[1].last_user().contains("cannot be read"));

    let script = Script::new().turn(said("Sure!")).turn(said("Really!"));
    let server = ScriptedModel::start(script);
    let error = ask(&model(by_schema(&server)), &question("x")).await.0.unwrap_err();
    assert!(matches!(error, LlmError::OffSchema { .. }) && error.hint().contains("can call tools"), "{error:?}");
    server.assert_complete();
}

#[tokio::test]
async fn a_server_that_refuses_tools_is_asked_by_schema_from_then_on() {
    for (status, words) in [
        (400, "scripted does not support tools"),
        (400, "\"auto\" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set"),
        (500, "tools param requires --jinja flag"),
        (400, "bad request"),
        (422, "unknown field"),
    ] {
        let script = Script::new()
            .turn(Turn::status(status, words).when(When::default().offers("add")))
            .turn(Turn::call("add", "{\"x\":1}"))
            .turn(Turn::text("Done."));
        let server = ScriptedModel::start(script);
        let model = model(provider(&server, ProviderKind::Local));
        assert_eq!(calls(&ask(&model, &question("x")).await.0.unwrap()), ["add({\"x\":1})"], "{words}");
        assert!(model.offers_tools_by_schema());
        assert_eq!(ask(&model, &question("x")).await.0.unwrap().text, "Done.");
        server.assert_complete();
        assert!(server.requests()[2].wants_schema());
    }
}

#[tokio::test]
async fn a_refusal_that_is_not_about_tools_is_reported_as_it_came() {
    let refusals = Script::new().turn(Turn::status(400, "the first reason")).turn(Turn::status(400, "the second"));
    let server = ScriptedModel::start(refusals);
    let first = model(provider(&server, ProviderKind::Local));
    let error = ask(&first, &question("x")).await.0.unwrap_err();
    assert!(error.to_string().contains("the first reason"), "{error}");
    assert!(!first.offers_tools_by_schema());

    // Once a server has taken tools, and where tools are said to be native, nothing else is tried.
    let script = Script::new().turn(Turn::text("Hi.")).turn(Turn::status(400, "no")).turn(Turn::status(400, "no"));
    let server = ScriptedModel::start(script);
    let auto = model(provider(&server, ProviderKind::Local));
    ask(&auto, &question("x")).await.0.unwrap();
    ask(&auto, &question("x")).await.0.unwrap_err();
    let native = Provider { tools: ToolSupport::Native, ..provider(&server, ProviderKind::Local) };
    ask(&model(native), &question("x")).await.0.unwrap_err();
    server.assert_complete();
    assert_eq!(server.requests().len(), 3);
}

#[tokio::test]
async fn a_server_without_grammars_is_asked_in_words_only() {
    let script = Script::new()
        .turn(Turn::status(400, "response_format json_schema is not supported"))
        .turn(said("{\"say\":\"Hi.\",\"calls\":[]}"));
    let server = ScriptedModel::start(script);
    assert_eq!(ask(&model(by_schema(&server)), &question("x")).await.0.unwrap().text, "Hi.");
    assert!(server.requests()[1].body.get("response_format").is_none());
}
