//! The connection test.

use tuner_llm::{Check, CheckStep, Provider, ProviderKind, Verdict};
use tuner_testkit::model::{Say, Script, ScriptedModel, Turn};

use crate::ask::{BOTH, model, provider, provider_at};

fn verdicts(check: &Check) -> Vec<Verdict> {
    check.findings.iter().map(|finding| finding.verdict).collect()
}

use Verdict::{Bad, Fair, Good, Untried};

#[tokio::test]
async fn a_server_with_everything_is_found_good() {
    for kind in BOTH {
        let server = ScriptedModel::start(Script::new().turn(Turn::call("report_ready", "{\"ready\":true}")));
        let check = model(provider(&server, kind)).check().await;
        assert_eq!(verdicts(&check), [Good; 5], "{check:#?}");
        assert!(check.is_usable());
        assert_eq!((check.models.as_slice(), check.context_tokens), (&["scripted".to_owned()][..], Some(8192)));
        server.assert_complete();
    }
}

#[tokio::test]
async fn each_thing_that_is_wrong_has_its_sentence_and_its_advice() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let nobody = model(provider_at(&format!("http://127.0.0.1:{port}"), ProviderKind::Local)).check().await;
    assert_eq!(verdicts(&nobody), [Bad, Untried, Untried, Untried, Untried]);
    assert!(nobody.findings[0].to_do.as_ref().unwrap().contains("AGENT_BASE_URL"));

    let locked = ScriptedModel::start(Script::new().key("another"));
    let check = model(provider(&locked, ProviderKind::Local)).check().await;
    assert_eq!(verdicts(&check), [Good, Bad, Untried, Untried, Untried]);
    assert!(check.findings[1].to_do.as_ref().unwrap().contains("AGENT_API_KEY"));
    assert!(!format!("{check:?}").contains("sk-abcdef"), "{check:?}");

    let other = ScriptedModel::start(Script::new().turn(Turn::status(404, "The model `m` does not exist")));
    let check = model(provider(&other, ProviderKind::Local)).check().await;
    assert_eq!(verdicts(&check), [Good, Good, Bad, Untried, Untried]);
    assert!(check.of(CheckStep::ModelKnown).unwrap().to_do.as_ref().unwrap().contains("AGENT_MODEL"));
}

#[tokio::test]
async fn what_works_in_part_says_so() {
    let say = Say { stream: false, usage: None, ..Say::text("ready") };
    let server = ScriptedModel::start(Script::new().turn(say.into()));
    let provider_ = Provider { model: "alias".into(), ..provider(&server, ProviderKind::Local) };
    let check = model(provider_).check().await;
    assert_eq!(verdicts(&check), [Good, Good, Fair, Fair, Fair], "{check:#?}");
    assert!(check.is_usable() && check.findings[3].says.contains("as a whole"));

    let script = Script::new()
        .turn(Turn::status(400, "this model does not support tools"))
        .turn(Turn::call("report_ready", "{\"ready\":true}"));
    let server = ScriptedModel::start(script);
    let check = model(provider(&server, ProviderKind::Local)).check().await;
    assert_eq!(check.of(CheckStep::CallsTools).unwrap().verdict, Fair, "{check:#?}");
    assert!(check.of(CheckStep::CallsTools).unwrap().says.contains("JSON form"));

    let script =
        Script::new().turn(Turn::status(400, "tools?")).turn(Turn::status(400, "tools?")).turn(Turn::text("ready"));
    let server = ScriptedModel::start(script);
    let check = model(provider(&server, ProviderKind::Local)).check().await;
    assert_eq!(verdicts(&check), [Good, Good, Good, Good, Bad], "{check:#?}");
}
