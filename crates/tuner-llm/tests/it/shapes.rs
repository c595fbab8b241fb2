//! Every shape in which servers send answers, in both protocols where both have it.

use serde_json::json;
use tuner_llm::{ChatMessage, Finish, LlmError, ProviderKind, ToolCall, Usage};
use tuner_testkit::model::{Call, Cut, End, Say, Script, ScriptedModel, Shape, Turn, When};

use crate::ask::{BOTH, ask, calls, model, provider, question, within};

#[tokio::test]
async fn a_text_is_told_piece_by_piece_with_its_cost() {
    for kind in BOTH {
        let say = Say { reasoning: vec!["Hm, ".into(), "ja.".into()], ..Say::pieces(["Grüß", " dich", " 🙂"]) };
        let server = ScriptedModel::start(Script::new().turn(say.into()));
        let (reply, told) = ask(&model(provider(&server, kind)), &question("hello")).await;
        let reply = reply.unwrap();
        assert_eq!((reply.text.as_str(), reply.reasoning.as_str()), ("Grüß dich 🙂", "Hm, ja."));
        assert_eq!((reply.finish, reply.model.as_str(), told.len()), (Finish::Stop, "scripted", 5));
        let reasoning_tokens = if kind == ProviderKind::Local { 1 } else { 0 };
        let usage = Usage { input_tokens: 7, cached_tokens: 2, output_tokens: 3, reasoning_tokens };
        assert_eq!(reply.usage, Some(usage), "{kind:?}");
        let sent = &server.requests()[0];
        assert_eq!(sent.key.as_deref(), Some("sk-abcdef123456"));
        assert_eq!((sent.system().as_str(), sent.last_user().as_str()), ("Be brief.", "hello"));
        server.assert_complete();
    }
}

// W51
#[tokio::test]
async fn parallel_calls_come_out_whole_in_every_shape() {
    let expected = ["add({\"x\":1,\"ü\":\"🙂\"})", "mul({})", "add({\"x\":2})"];
    let shapes = [
        Shape::Pieces(1),
        Shape::Pieces(5),
        Shape::Whole,
        Shape::Unnumbered,
        Shape::AllZero,
        Shape::Repeating(3),
        Shape::NoIds(2),
    ];
    for kind in BOTH {
        for shape in shapes {
            for cut in [Cut::Events, Cut::Every(1), Cut::Every(7)] {
                let calls_said =
                    [Call::new("add", "{\"x\":1,\"ü\":\"🙂\"}"), Call::new("mul", "{}"), Call::new("add", "{\"x\":2}")];
                let say = Say::text("Let me see.").and_calls(calls_said).shape(shape).cut(cut.clone());
                let server = ScriptedModel::start(Script::new().turn(say.into()));
                let (reply, _) = ask(&model(provider(&server, kind)), &question("add")).await;
                let reply = reply.unwrap();
                assert_eq!(calls(&reply), expected, "{kind:?} {shape:?} {cut:?}");
                assert_eq!((reply.text.as_str(), &reply.finish), ("Let me see.", &Finish::ToolCalls));
            }
        }
    }
}

#[tokio::test]
async fn a_server_that_gives_no_or_used_ids_gets_new_ones() {
    let say = |id: &str| Say::calls([Call::new("add", "{}").id(id), Call::new("mul", "{}").id(id)]);
    let server = ScriptedModel::start(Script::new().turn(say("").into()).turn(say("call_0").into()));
    let model = model(provider(&server, ProviderKind::Local));
    let mut request = question("add");
    let (first, _) = ask(&model, &request).await;
    let mut calls = first.unwrap().calls;
    // The id that the server gives next is in use already.
    calls[0].id = "call_0".into();
    let results = calls.iter().map(|call| ChatMessage::Tool {
        call_id: call.id.clone(),
        name: call.name.clone(),
        content: "1".into(),
    });
    let results: Vec<ChatMessage> = results.collect();
    request.messages.push(ChatMessage::Assistant { text: String::new(), calls: calls.clone() });
    request.messages.extend(results);
    let (second, _) = ask(&model, &request).await;
    for call in second.unwrap().calls {
        assert!(calls.iter().all(|before| before.id != call.id), "{call:?}");
    }
    server.assert_complete();
}

#[tokio::test]
async fn results_find_their_way_back_in_both_protocols() {
    for kind in BOTH {
        let script = Script::new()
            .turn(Turn::calls([Call::new("add", "{\"x\":1}"), Call::new("mul", "{\"x")]))
            .turn(Turn::text("Seven.").when(When::result("mul", "no JSON").offers("add")));
        let server = ScriptedModel::start(script);
        let model = model(provider(&server, kind));
        let mut request = question("what is it?");
        let (reply, _) = ask(&model, &request).await;
        let reply = reply.unwrap();
        request.messages.push(ChatMessage::Assistant { text: reply.text, calls: reply.calls.clone() });
        for (call, content) in reply.calls.iter().zip(["7", "no JSON"]) {
            let (call_id, name) = (call.id.clone(), call.name.clone());
            request.messages.push(ChatMessage::Tool { call_id, name, content: content.into() });
        }
        let (reply, _) = ask(&model, &request).await;
        assert_eq!(reply.unwrap().text, "Seven.");
        assert_eq!(server.requests()[1].results()[0], ("add".to_owned(), "7".to_owned()));
        server.assert_complete();
    }
}

#[tokio::test]
async fn what_the_model_wrote_wrongly_is_passed_on_as_it_wrote_it() {
    for kind in BOTH {
        let say = Say {
            finish: Some("length".into()),
            usage: None,
            ..Say::calls([Call::new("no_such_tool", "{\"x\": 1, "), Call::new("add", "")])
        };
        let server = ScriptedModel::start(Script::new().turn(say.into()));
        let (reply, _) = ask(&model(provider(&server, kind)), &question("add")).await;
        let reply = reply.unwrap();
        assert_eq!(calls(&reply), ["no_such_tool({\"x\": 1, )", "add()"]);
        assert_eq!((&reply.finish, reply.usage), (&Finish::Length, None), "{kind:?}");
    }
}

#[tokio::test]
async fn a_server_that_does_not_stream_is_understood() {
    for kind in BOTH {
        let calls_said = [Call::new("add", "{\"x\":1}"), Call::new("add", "{\"x\":2}")];
        let say = Say { stream: false, ..Say::text("Well.").and_calls(calls_said) };
        let server = ScriptedModel::start(Script::new().turn(say.into()));
        let (reply, _) = ask(&model(provider(&server, kind)), &question("add")).await;
        let reply = reply.unwrap();
        assert_eq!(calls(&reply), ["add({\"x\":1})", "add({\"x\":2})"]);
        assert_eq!((reply.text.as_str(), reply.usage.is_some()), ("Well.", true));
    }
}

#[tokio::test]
async fn an_answer_without_its_last_event_is_whole_and_one_without_its_reason_is_not() {
    for kind in BOTH {
        let whole = Say::text("Hello").end(End::WithoutLast);
        let broken = Say::text("Hello").end(End::Close(within(kind)));
        let script = Script::new().turn(whole.into()).turn(broken.into());
        let server = ScriptedModel::start(script);
        let model = model(provider(&server, kind));
        assert_eq!(ask(&model, &question("x")).await.0.unwrap().text, "Hello");
        let (answer, told) = ask(&model, &question("x")).await;
        let error = answer.unwrap_err();
        assert!(matches!(error, LlmError::Interrupted { after_output: true, .. }), "{error:?}");
        assert!(error.to_string().contains("after part of the answer had come"), "{error}");
        assert!(!told.is_empty() && error.again_helps());
        assert_eq!(server.requests().len(), 2, "it was not asked again");
    }
}

#[tokio::test]
async fn an_error_in_the_middle_of_an_answer_is_told_in_the_servers_words() {
    for kind in BOTH {
        let inside = json!({"type": "server_error", "message": "CUDA out of memory with sk-abcdef123456"});
        let server =
            ScriptedModel::start(Script::new().turn(Say::text("Hello").end(End::Error(within(kind), inside)).into()));
        let (answer, _) = ask(&model(provider(&server, kind)), &question("x")).await;
        let error = answer.unwrap_err();
        assert!(
            matches!(&error, LlmError::Interrupted { after_output: true, why, .. }
            if why == "server_error: CUDA out of memory with ***"),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn unusual_events_are_read() {
    let events = concat!(
        ": a comment\n\n",
        "data: {\"model\":\"m\",\"choices\":[{\"delta\":{\"content\":null,\"reasoning\":\"Hm\"}}]}\r\n\r\n",
        "event: message\ndata: {\"choices\":[{\"delta\":{\"content\":[{\"type\":\"text\",\"text\":\"Hel\"}]}}]}\n\n",
        "data: {\"choices\":[{\"delta\":{\"content\":\"lo\"}}],\"usage\":null}\n\n",
        "data: {\"choices\":[{\"delta\":{\"function_call\":{\"name\":\"add\",\"arguments\":{\"x\":1}}}}]}\n\n",
        "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"eos_token\"}]}\n\n",
        "data:[DONE]"
    );
    for content_type in ["text/event-stream; charset=utf-8", "text/plain"] {
        let server = ScriptedModel::start(Script::new().turn(Turn::raw(content_type, [events])));
        let (reply, _) = ask(&model(provider(&server, ProviderKind::Local)), &question("x")).await;
        let reply = reply.unwrap();
        assert_eq!((reply.text.as_str(), reply.reasoning.as_str(), reply.model.as_str()), ("Hello", "Hm", "m"));
        assert_eq!((calls(&reply), reply.finish), (vec!["add({\"x\":1})".into()], Finish::Other("eos_token".into())));
    }
}

#[tokio::test]
async fn what_is_no_answer_is_named_with_what_came() {
    for (content_type, body, sign) in [
        ("text/html", "<html>Sign in</html>", "Sign in"),
        ("application/json", "{\"status\":\"ok\"}", "holds no answer"),
        ("text/event-stream", "data: {\"choices\":\n\n", "an event is no JSON"),
    ] {
        let server = ScriptedModel::start(Script::new().turn(Turn::raw(content_type, [body])));
        let (answer, _) = ask(&model(provider(&server, ProviderKind::Local)), &question("x")).await;
        let error = answer.unwrap_err();
        assert!(error.to_string().contains(sign), "{error}");
    }
}

/// A model called `unnamed` must come back as a call without a name, not as an error of the next request.
#[tokio::test]
async fn a_call_without_a_name_can_be_sent_back() {
    let script = Script::new().turn(Turn::call("", "{}")).turn(Turn::text("Sorry."));
    let server = ScriptedModel::start(script);
    let model = model(provider(&server, ProviderKind::Local));
    let mut request = question("x");
    let reply = ask(&model, &request).await.0.unwrap();
    assert_eq!(reply.calls[0].name, "");
    let call_id = reply.calls[0].id.clone();
    let calls: Vec<ToolCall> = reply.calls;
    request.messages.push(ChatMessage::Assistant { text: String::new(), calls });
    request.messages.push(ChatMessage::Tool { call_id, name: String::new(), content: "no such tool".into() });
    assert_eq!(ask(&model, &request).await.0.unwrap().text, "Sorry.");
    assert_eq!(server.requests()[1].results()[0].0, "unnamed");
}
