//! The scripted model itself: scripts from YAML, rules in any order, and what it finds wrong.

use tuner_llm::{Delta, ProviderKind};
use tuner_testkit::model::{Script, ScriptedModel, Turn, When};

use crate::ask::{BOTH, ask, calls, model, provider, question};

const SCRIPT: &str = "
turns:
  - when: {user: hello, offers: add, system: brief, nth: 1}
    reasoning: Hm.
    text: [Hel, lo.]
    calls:
      - {tool: add, args: {x: 1}, id: call_7}
      - {tool: mul, raw: '{\"x\": '}
    size: 2
    cut: 3
    first_after_ms: 30
    pause_ms: 0
    usage: {read: 70, written: 30}
  - {status: 503, retry_after: '0'}
  - {text: The end., usage: false}
rules:
  - {when: {user: time}, text: It is late., repeat: true}
";

#[tokio::test]
async fn a_script_from_yaml_is_followed_in_both_protocols() {
    for kind in BOTH {
        let server = ScriptedModel::start(Script::from_yaml(SCRIPT).unwrap());
        let model = model(provider(&server, kind));
        let (reply, _) = ask(&model, &question("hello")).await;
        let reply = reply.unwrap();
        assert_eq!((reply.text.as_str(), reply.reasoning.as_str()), ("Hello.", "Hm."));
        assert_eq!(calls(&reply), ["add({\"x\":1})", "mul({\"x\": )"]);
        assert_eq!((reply.calls[0].id.as_str(), reply.usage.unwrap().input_tokens), ("call_7", 70));
        // A rule takes its request wherever the turns are.
        for _ in 0..2 {
            assert_eq!(ask(&model, &question("what time is it?")).await.0.unwrap().text, "It is late.");
        }
        assert!(server.complaints()[0].contains("not asked for"));
        let (reply, told) = ask(&model, &question("and?")).await;
        let reply = reply.unwrap();
        assert_eq!((reply.text.as_str(), reply.usage.is_none()), ("The end.", true), "{kind:?}");
        assert!(matches!(told[0], Delta::Retrying { attempt: 2, .. }));
        server.assert_complete();
        assert_eq!(server.requests().len(), 5);
    }
}

#[tokio::test]
async fn a_request_that_does_not_fit_is_refused_and_complained_of() {
    let script = Script::new().turn(Turn::text("Hi.").when(When::user("hello").offers("add").nth(1)));
    let server = ScriptedModel::start(script);
    let native =
        tuner_llm::Provider { tools: tuner_llm::ToolSupport::Native, ..provider(&server, ProviderKind::Local) };
    let model = model(native);
    let error = ask(&model, &question("bye")).await.0.unwrap_err();
    assert!(error.to_string().contains("the person said \"bye\", not \"hello\""), "{error}");
    let complaints = server.complaints();
    assert!(complaints.len() == 2 && complaints[1].contains("not asked for"), "{complaints:?}");
    // The turn has its number, and this is the second request.
    assert!(ask(&model, &question("hello")).await.0.unwrap_err().to_string().contains("not number 1"));
}

#[tokio::test]
async fn thinking_that_a_server_leaves_in_the_text_is_told_as_thinking() {
    let script =
        Script::from_yaml("turns: [{text: [\"<thi\", \"nk>\\nHm.\", \"</th\", \"ink>\\n\\nHel\", \"lo.\"]}]").unwrap();
    let server = ScriptedModel::start(script);
    let (reply, _) = ask(&model(provider(&server, ProviderKind::Local)), &question("x")).await;
    let reply = reply.unwrap();
    assert_eq!((reply.text.as_str(), reply.reasoning.as_str()), ("Hello.", "Hm."));
}
