//! One recorded stream of each protocol, cut at every byte, and in pieces of every size.

use tuner_llm::{ProviderKind, Reply};
use tuner_testkit::model::{Call, Cut, Say, Script, ScriptedModel, Shape, Turn};

use crate::ask::{BOTH, ask, calls, model, provider, question};

fn say(cut: Cut) -> Say {
    let calls = [Call::new("add", "{\"x\":\"ü🙂\"}").id("a"), Call::new("mul", "{\"y\":[1,2]}").id("b")];
    Say {
        reasoning: vec!["Hmm…".into()],
        ..Say::pieces(["Grüß 🙂\n\"dich\""]).and_calls(calls).shape(Shape::Pieces(9)).cut(cut)
    }
}

/// Length of the recorded stream in bytes.
async fn length(kind: ProviderKind) -> usize {
    let server = ScriptedModel::start(Script::new().turn(say(Cut::Events).into()));
    let provider = provider(&server, kind);
    let (path, body) = match kind {
        ProviderKind::Anthropic => ("/v1/messages", "{\"stream\":true}"),
        _ => ("/v1/chat/completions", "{\"stream\":true}"),
    };
    let http = provider.limits.client(reqwest::Client::builder().no_proxy()).unwrap();
    let url = format!("{}{path}", server.anthropic_url());
    let request = http.post(url).header("content-type", "application/json").body(body);
    request.send().await.unwrap().bytes().await.unwrap().len()
}

fn check(reply: &Reply, at: &str) {
    assert_eq!((reply.text.as_str(), reply.reasoning.as_str()), ("Grüß 🙂\n\"dich\"", "Hmm…"), "{at}");
    assert_eq!(calls(reply), ["add({\"x\":\"ü🙂\"})", "mul({\"y\":[1,2]})"], "{at}");
    assert_eq!(reply.calls[0].id, "a", "{at}");
    assert!(reply.usage.is_some(), "{at}");
}

// W51
#[tokio::test]
async fn a_stream_cut_at_any_byte_is_the_same_answer() {
    for kind in BOTH {
        let length = length(kind).await;
        assert!(length > 1000, "{length}");
        let mut script = Script::new();
        for at in 1..length {
            script = script.turn(say(Cut::At(vec![at])).into());
        }
        let server = ScriptedModel::start(script);
        let model = model(provider(&server, kind));
        for at in 1..length {
            let (reply, _) = ask(&model, &question("x")).await;
            check(&reply.unwrap(), &format!("{kind:?} cut at {at} of {length}"));
        }
        server.assert_complete();
    }
}

#[tokio::test]
async fn a_stream_in_pieces_of_any_size_is_the_same_answer() {
    for kind in BOTH {
        let server = ScriptedModel::start(Script::new());
        let model = model(provider(&server, kind));
        for size in 1..60 {
            server.extend(Script::new().turn(Turn::from(say(Cut::Every(size)))));
            let (reply, _) = ask(&model, &question("x")).await;
            check(&reply.unwrap(), &format!("{kind:?} in pieces of {size}"));
        }
    }
}
