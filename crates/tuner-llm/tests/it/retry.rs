//! Trying again: when, how often, and never after something was said.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::Duration;

use serde_json::json;
use tuner_llm::{Backoff, Delta, Fault, Limits, LlmError, Provider, ProviderKind};
use tuner_testkit::model::{Answer, End, Say, Script, ScriptedModel, Turn};

use crate::ask::{BOTH, ask, model, provider, provider_at, question, within};

fn retries(told: &[Delta]) -> Vec<(u32, String)> {
    let retries = told.iter().filter_map(|delta| match delta {
        Delta::Retrying { attempt, why, .. } => Some((*attempt, why.clone())),
        _ => None,
    });
    retries.collect()
}

#[tokio::test]
async fn a_busy_server_is_asked_again_when_it_wants_it() {
    for kind in BOTH {
        let script = Script::new()
            .turn(Turn::limited("0.01"))
            .turn(Turn::status(503, "loading the model"))
            .turn(Turn::status(529, "overloaded"))
            .turn(Turn::text("Now."));
        let server = ScriptedModel::start(script);
        let (reply, told) = ask(&model(provider(&server, kind)), &question("x")).await;
        assert_eq!(reply.unwrap().text, "Now.");
        let waits = told.iter().filter_map(|delta| match delta {
            Delta::Retrying { after, .. } => Some(*after),
            _ => None,
        });
        let waits: Vec<Duration> = waits.collect();
        assert_eq!(waits[0], Duration::from_millis(10), "the server's own wait");
        let retries = retries(&told);
        assert_eq!(retries.iter().map(|(attempt, _)| *attempt).collect::<Vec<_>>(), [2, 3, 4]);
        assert!(retries[1].1.contains("503") && retries[1].1.contains("loading the model"), "{retries:?}");
        server.assert_complete();
    }
}

#[tokio::test]
async fn after_the_last_try_the_error_says_what_happened_how_often() {
    let turns = (0..4).fold(Script::new(), |script, _| script.turn(Turn::limited("0")));
    let server = ScriptedModel::start(turns);
    let (answer, _) = ask(&model(provider(&server, ProviderKind::Local)), &question("x")).await;
    let error = answer.unwrap_err();
    let limited = LlmError::Limited { retry_after: Some(Duration::ZERO), tries: 4, said: "too many requests".into() };
    assert_eq!(error, limited);
    assert!(error.again_helps() && error.fault() == Fault::Provider);
    assert_eq!(server.requests().len(), 4);
}

#[tokio::test]
async fn a_server_that_wants_a_long_wait_is_not_waited_for() {
    let server = ScriptedModel::start(Script::new().turn(Turn::limited("3600")));
    let (answer, told) = ask(&model(provider(&server, ProviderKind::Local)), &question("x")).await;
    assert!(answer.unwrap_err().hint().contains("3600 s"));
    assert_eq!((server.requests().len(), told.len()), (1, 0));
}

#[tokio::test]
async fn what_another_try_cannot_help_is_not_tried_again() {
    for (turn, code) in [
        (Turn::status(401, "Incorrect API key provided: sk-abcdef123456"), "model_unauthorised"),
        (Turn::status(404, "The model `scripted` does not exist"), "model_unknown"),
        (Turn::status(400, "maximum context length is 8192 tokens"), "context_too_long"),
        (Turn::status(429, "You exceeded your current quota"), "model_quota"),
        (Turn::status(418, "no"), "model_refused"),
    ] {
        let server = ScriptedModel::start(Script::new().turn(turn));
        let (answer, _) = ask(&model(provider(&server, ProviderKind::Local)), &question("x")).await;
        let error = answer.unwrap_err();
        assert_eq!(error.code(), code);
        assert!(!error.again_helps() && !error.hint().is_empty() && !error.to_string().contains("sk-"), "{error}");
        server.assert_complete();
        assert_eq!(server.requests().len(), 1);
    }
}

#[tokio::test]
async fn a_connection_that_breaks_before_the_first_word_is_tried_again_and_later_not() {
    for kind in BOTH {
        let inside = json!({"type": "overloaded_error", "message": "Overloaded"});
        let script = Script::new()
            .turn(Say::text("Hello").end(End::Disconnect(0)).into())
            .turn(Say::text("Hello").end(End::Disconnect(1)).into())
            .turn(Say::text("Hello").end(End::Error(1, inside)).into())
            .turn(Say::text("Hello").end(End::Disconnect(within(kind))).into());
        let server = ScriptedModel::start(script);
        let (answer, told) = ask(&model(provider(&server, kind)), &question("x")).await;
        let error = answer.unwrap_err();
        assert!(matches!(error, LlmError::Interrupted { after_output: true, tries: 4, .. }), "{error:?}");
        assert_eq!(retries(&told).len(), 3, "{told:?}");
        assert!(matches!(told.last(), Some(Delta::Text(_))), "{told:?}");
        server.assert_complete();
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_is_named_with_what_to_check() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let provider = provider_at(&format!("http://someone:password1@127.0.0.1:{port}"), ProviderKind::Local);
    let (answer, told) = ask(&model(provider), &question("x")).await;
    let error = answer.unwrap_err();
    assert!(matches!(&error, LlmError::Unreachable { host, tries: 4, .. } if *host == format!("127.0.0.1:{port}")));
    assert!(error.hint().contains("AGENT_BASE_URL") && error.fault() == Fault::Network);
    assert!(!error.to_string().contains("password1"), "{error}");
    assert_eq!(retries(&told).len(), 3);
}

/// A server that closes the first connections before it answers.
#[tokio::test]
async fn a_connection_that_closes_before_the_answer_begins_is_tried_again() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        for attempt in 0..3 {
            let (mut socket, _) = listener.accept().unwrap();
            let mut request = vec![0; 64 << 10];
            let _ = socket.read(&mut request);
            if attempt == 2 {
                let body = "{\"choices\":[{\"message\":{\"content\":\"Here.\"},\"finish_reason\":\"stop\"}]}";
                let length = body.len();
                let head = format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}");
                socket.write_all(format!("{head}\r\nConnection: close\r\n\r\n{body}").as_bytes()).unwrap();
            }
        }
    });
    let (reply, told) = ask(&model(provider_at(&url, ProviderKind::Local)), &question("x")).await;
    assert_eq!(reply.unwrap().text, "Here.");
    assert_eq!(retries(&told).len(), 2);
    server.join().unwrap();
}

#[tokio::test]
async fn silence_has_limits_before_and_within_an_answer() {
    let limits = Limits {
        first_byte: Duration::from_millis(80),
        idle: Duration::from_millis(60),
        wait: Backoff { first: Duration::from_millis(1), longest: Duration::from_secs(1) },
        ..Limits::default()
    };
    for kind in BOTH {
        let script = Script::new()
            .turn(Turn::hang())
            .turn(Say::text("Hello").end(End::Hang(0)).into())
            .turn(Say::text("Hello").end(End::Hang(within(kind))).into());
        let server = ScriptedModel::start(script);
        let model = model(Provider { limits, ..provider(&server, kind) });
        for after_output in [false, false, true] {
            let error = ask(&model, &question("x")).await.0.unwrap_err();
            assert!(matches!(error, LlmError::Silent { after_output: said, .. } if said == after_output), "{error:?}");
        }
        assert_eq!(server.requests().len(), 3, "a silent server is not asked again");
    }
}

#[tokio::test]
async fn an_answer_whose_reason_for_the_end_has_come_is_whole_even_if_the_rest_never_comes() {
    let limits = Limits { idle: Duration::from_millis(60), ..Limits::default() };
    for (kind, events) in [(ProviderKind::Local, 4), (ProviderKind::Anthropic, 7)] {
        for end in [End::Hang(events), End::Disconnect(events), End::Close(events)] {
            let server = ScriptedModel::start(Script::new().turn(Say::text("Hello").end(end.clone()).into()));
            let model = model(Provider { limits, ..provider(&server, kind) });
            assert_eq!(ask(&model, &question("x")).await.0.unwrap().text, "Hello", "{kind:?} {end:?}");
        }
    }
}

#[tokio::test]
async fn fields_that_a_server_does_not_take_are_left_out_from_then_on() {
    let refuse = |field: &str| {
        let body = json!({"detail": [{"loc": ["body", field], "msg": "Extra inputs are not permitted"}]});
        Turn::from(Answer::Status { status: 422, retry_after: None, body })
    };
    let script = Script::new()
        .turn(refuse("stream_options"))
        .turn(refuse("max_tokens"))
        .turn(refuse("temperature"))
        .turn(Turn::status(400, "streaming is not supported by this server"))
        .turn(Turn::text("One."))
        .turn(Turn::text("Two."));
    let server = ScriptedModel::start(script);
    let provider =
        Provider { max_output_tokens: Some(9), temperature: Some(0.2), ..provider(&server, ProviderKind::Local) };
    let model = model(provider);
    for expected in ["One.", "Two."] {
        assert_eq!(ask(&model, &question("x")).await.0.unwrap().text, expected);
    }
    server.assert_complete();
    let last = &server.requests()[5].body;
    assert_eq!(last["max_completion_tokens"], 9);
    for field in ["stream", "stream_options", "max_tokens", "temperature"] {
        assert!(last.get(field).is_none(), "{field}: {last}");
    }
}

#[tokio::test]
async fn settings_that_cannot_work_are_refused_before_anything_is_sent() {
    let refusal = |provider: Provider| {
        let http = provider.limits.client(reqwest::Client::builder().no_proxy()).unwrap();
        tuner_llm::ChatModel::new(provider, http).unwrap_err().hint()
    };
    assert!(refusal(Provider::new(ProviderKind::Local, "m")).contains("AGENT_BASE_URL"));
    assert!(refusal(Provider::new(ProviderKind::Openai, "m")).contains("AGENT_API_KEY"));
    assert!(refusal(provider_at("ftp://x", ProviderKind::Local)).contains("http://"));
    let nameless = Provider { model: " ".into(), ..provider_at("http://x", ProviderKind::Local) };
    assert!(refusal(nameless).contains("AGENT_MODEL"));
    let api_key = tuner_llm::Secret::new("line\nbreak");
    assert!(refusal(Provider { api_key, ..provider_at("http://x", ProviderKind::Local) }).contains("AGENT_API_KEY"));
}
